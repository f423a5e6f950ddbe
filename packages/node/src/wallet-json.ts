/** Wallets and signed transactions as the API shows them. */
import { parseProtocol, type SignResult, toRfc3339, type WalletJson } from '@quorate/api'
import { Fault, toHex } from '@quorate/base'
import {
  addressProof,
  findAdapter,
  findNetwork,
  type KeyRef,
  NETWORKS,
  proveAddress,
  suitesOf,
} from '@quorate/chains'
import {
  decodeWallet,
  type SignedTransaction,
  type WalletRecord,
  type WalletRow,
} from '@quorate/enclave'

/**
 * The wallet, its address included, which is shown only with the wallet's own signature by the key
 * that the address names. @throws node/address-unproven while there is none
 */
export function walletJson({ public: encoded, proof }: WalletRow): WalletJson {
  const record = decodeWallet(encoded)
  if (proof === null) throw new Fault('node/address-unproven')
  const { suite, groupKey, threshold, chainCode } = record.key
  const { network, scheme } = findAdapter(record.network, suite)
  const key: KeyRef = { scheme, publicKey: groupKey }
  const { address, item } = addressProof(record.network, key)
  proveAddress(record.network, address, item.message, proof)
  return {
    id: record.key.wallet,
    project: record.project,
    label: record.label,
    protocol: parseProtocol(record.key.protocol),
    suite,
    scheme,
    network: network.slug,
    caip2: network.caip2,
    threshold,
    corruptionBound: threshold - 1,
    parties: record.key.parties.length,
    unsafeThreshold: record.unsafeThreshold,
    blind: record.blind,
    generation: record.key.generation,
    groupKey: toHex(groupKey),
    publicKey: toHex(item.publicKey),
    address,
    addresses: { [network.slug]: address, ...otherAddresses(record, key) },
    ...(chainCode !== undefined && { chainCode: toHex(chainCode) }),
    policyHash: toHex(record.policyHash),
    environment: record.environment,
    createdAt: toRfc3339(record.createdAt),
  }
}

/** Of the same key on every further network that it can sign on in this environment. */
function otherAddresses(
  { network: own, environment, key: { suite } }: WalletRecord,
  key: KeyRef,
): { readonly [network: string]: string } {
  const { slug: first } = findNetwork(own)
  return Object.fromEntries(
    NETWORKS.filter(
      ({ slug, isTestnet }) =>
        slug !== first &&
        (isTestnet || environment !== 'development') &&
        suitesOf(slug).includes(suite),
    ).map(({ slug }) => [slug, findAdapter(slug, suite).address(key)]),
  )
}

export const signResult = (
  { wallet, signed, txid, items, receipts, signers, attempts }: SignedTransaction,
  { network, unsigned }: { network: string; unsigned: Uint8Array },
): SignResult => ({
  kind: 'sign',
  wallet,
  network,
  txid,
  unsigned: toHex(unsigned),
  signed: toHex(signed),
  signatures: items.map(({ message, signature, publicKey }) => ({
    message: toHex(message),
    signature: toHex(signature),
    publicKey: toHex(publicKey),
  })),
  signers,
  attempts,
  receipts: receipts.map(toHex),
})
