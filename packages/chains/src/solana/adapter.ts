/**
 * Solana: an unsigned wire transaction (legacy or version 0) or a bare version 0 message in, the
 * signed wire transaction out. The wallet signs the whole message with Ed25519, never a hash of it.
 * A message does not say which cluster it is for; its blockhash or durable nonce exists on one only.
 */

import { ed25519 } from '@noble/curves/ed25519.js'
import { Fault } from '@quorate/base'
import { base58 } from '@scure/base'
import type { ChainAdapter, KeyRef } from '../adapter.ts'
import { guarded } from '../encoding/guard.ts'
import type { SolanaNetwork } from '../networks.ts'
import { readTransaction } from './message.ts'
import { solanaTransaction, verifyEd25519 } from './transaction.ts'

const SCHEME = 'ed25519'
const SUITE = 'FROST-ED25519-SHA512-v1'
const KEY_BYTES = 32
const MAX_ADDRESS_LENGTH = 44

export const solanaAdapter = (network: SolanaNetwork): ChainAdapter => ({
  network,
  scheme: SCHEME,
  suites: [SUITE],
  suite: SUITE,
  formats: ['raw'],
  address: (key) => base58.encode(walletKey(key)),
  parseAddress: (text) => base58.encode(decodeAddress(text)),
  addressKey: decodeAddress,
  addressVerifier(address) {
    const publicKey = decodeAddress(address)
    return (message, signature) => verifyEd25519(publicKey, message, signature)
  },
  addressItem: (key, message) => ({
    id: 'address',
    scheme: SCHEME,
    publicKey: walletKey(key),
    message,
  }),
  verifySignature: verifyEd25519,
  parse({ unsigned, context, key }) {
    if (context.length > 0) throw new Fault('chains/unexpected-context')
    const publicKey = walletKey(key)
    return solanaTransaction(readTransaction(unsigned), network, publicKey)
  },
})

/** A point of prime order, as every group key is. @throws chains/wrong-scheme, chains/bad-key */
function walletKey({ scheme, publicKey }: KeyRef): Uint8Array {
  if (scheme !== SCHEME) throw new Fault('chains/wrong-scheme')
  const point = guarded('chains/bad-key', 'not a point of Ed25519', () =>
    ed25519.Point.fromBytes(publicKey),
  )
  if (point.is0() || !point.isTorsionFree())
    throw new Fault('chains/bad-key', { detail: 'not of prime order' })
  return publicKey.slice()
}

/** The 32 bytes of an address. Addresses of programs are no points, so that is not asked. @throws chains/bad-address */
function decodeAddress(text: string): Uint8Array {
  if (text.length > MAX_ADDRESS_LENGTH) throw new Fault('chains/bad-address')
  const key = guarded('chains/bad-address', 'not base 58', () => base58.decode(text))
  if (key.length !== KEY_BYTES) throw new Fault('chains/bad-address', { detail: 'not 32 bytes' })
  return key
}
