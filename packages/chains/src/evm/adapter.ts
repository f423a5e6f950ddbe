/**
 * Ethereum and its testnets: an unsigned EIP-1559 transaction in, the signed one out. The signature
 * covers the chain id, the nonce, all of the fees and the call, so a view has nothing to claim.
 * Other transaction types are refused by name.
 */
import { concatBytes, equalBytes, Fault, utf8 } from '@quorate/base'
import type { ChainAdapter, KeyRef } from '../adapter.ts'
import { compressedKey, ECDSA_SUITES, recoverKeys, verifyEcdsa } from '../ecdsa.ts'
import { type EvmNetwork, NETWORKS } from '../networks.ts'
import { addressOf, decodeAddress, formatAddress } from './address.ts'
import { readUnsigned } from './fee-market.ts'
import { evmTransaction } from './transaction.ts'

const SCHEME = 'ecdsa-secp256k1'
const HASH = 'keccak256'

export const evmAdapter = (network: EvmNetwork): ChainAdapter => ({
  network,
  scheme: SCHEME,
  suites: ECDSA_SUITES,
  suite: ECDSA_SUITES[0],
  formats: ['raw'],
  address: (key) => formatAddress(addressOf(walletKey(key))),
  parseAddress: (text) => formatAddress(decodeAddress(text)),
  addressKey(address) {
    decodeAddress(address)
    throw new Fault('chains/no-key-in-address')
  },
  addressVerifier(address) {
    const wanted = decodeAddress(address)
    return (message, signature) =>
      recoverKeys(HASH, message, signature).some(({ publicKey }) =>
        equalBytes(addressOf(publicKey), wanted),
      )
  },
  addressItem: (key, message) => ({
    id: 'address',
    scheme: SCHEME,
    publicKey: walletKey(key),
    message: personalMessage(message),
    hash: HASH,
  }),
  verifySignature: (publicKey, message, signature) =>
    verifyEcdsa(publicKey, HASH, message, signature),
  parse({ unsigned, context, key }) {
    if (context.length > 0) throw new Fault('chains/unexpected-context')
    const publicKey = walletKey(key)
    const tx = readUnsigned(unsigned.slice())
    if (tx.chainId !== network.chainId)
      throw new Fault('chains/other-chain', {
        detail: `${nameOf(tx.chainId)}, not ${network.slug}`,
      })
    return evmTransaction(tx, network, publicKey)
  },
})

const walletKey = (key: KeyRef): Uint8Array => compressedKey(key, SCHEME)

/** EIP-191, version 0x45 (personal_sign): its first byte begins no transaction. */
const personalMessage = (message: Uint8Array): Uint8Array =>
  concatBytes(utf8(`\x19Ethereum Signed Message:\n${message.length}`), message)

const nameOf = (chainId: bigint): string =>
  NETWORKS.find((each) => each.adapter === 'evm' && each.chainId === chainId)?.slug ??
  `chain id ${chainId}`
