/**
 * Ethereum and the networks like it: an unsigned transaction, message or user operation in, the
 * signed one out. The signature covers the chain id, the nonce, all of the fees and the call, so
 * only the names of tokens are ever claimed.
 */
import { equalBytes, Fault } from '@quorate/base'
import type { ChainAdapter, KeyRef } from '../adapter.ts'
import { compressedKey, ECDSA_SUITES, recoverKeys, verifyEcdsa } from '../ecdsa.ts'
import { addressOf, decodeAddress, formatAddress } from './address.ts'
import { readDocument } from './document.ts'
import { personalMessage } from './message.ts'
import type { EvmNetwork } from './networks.ts'
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
    const publicKey = walletKey(key)
    return evmTransaction(readDocument(unsigned.slice(), context, network), publicKey)
  },
})

const walletKey = (key: KeyRef): Uint8Array => compressedKey(key, SCHEME)
