/** Wallets and signed transactions as the API shows them. */
import { type SignResult, toRfc3339, type WalletJson } from '@quorate/api'
import { Fault, toHex } from '@quorate/base'
import { addressProof, findAdapter, proveAddress } from '@quorate/chains'
import { decodeWallet, type SignedTransaction, type WalletRow } from '@quorate/enclave'

/**
 * The wallet, its address included, which is shown only with the wallet's own signature by the key
 * that the address names. @throws node/address-unproven while there is none
 */
export function walletJson({ public: encoded, proof }: WalletRow): WalletJson {
  const record = decodeWallet(encoded)
  if (proof === null) throw new Fault('node/address-unproven')
  const { network, scheme } = findAdapter(record.network)
  const { address, item } = addressProof(record.network, { scheme, publicKey: record.key.groupKey })
  proveAddress(record.network, address, item.message, proof)
  return {
    id: record.key.wallet,
    project: record.project,
    label: record.label,
    protocol: record.key.protocol,
    suite: record.key.suite,
    scheme,
    network: network.slug,
    caip2: network.caip2,
    threshold: record.key.threshold,
    corruptionBound: record.key.threshold - 1,
    parties: record.key.parties.length,
    unsafeThreshold: record.unsafeThreshold,
    generation: record.key.generation,
    groupKey: toHex(record.key.groupKey),
    publicKey: toHex(item.publicKey),
    address,
    policyHash: toHex(record.policyHash),
    environment: record.environment,
    createdAt: toRfc3339(record.createdAt),
  }
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
