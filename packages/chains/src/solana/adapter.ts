/**
 * Solana: an unsigned wire transaction (legacy or version 0), a bare version 0 message or an
 * off-chain message in, the same with its signatures out. The wallet signs the whole message with
 * Ed25519, never a hash of it. A message does not say which cluster it is for; its blockhash or
 * durable nonce exists on one only.
 */

import { Fault } from '@quorate/base'
import { base58 } from '@scure/base'
import type { ChainAdapter, KeyRef } from '../adapter.ts'
import { primeOrderKey, verifyEd25519 } from '../ed25519.ts'
import type { SolanaNetwork } from '../networks.ts'
import { decodeAddress } from './account-address.ts'
import { checkContext, decodeContext } from './context.ts'
import { readTransaction, signersOf } from './message.ts'
import { isOffchain, offchainSignable } from './offchain.ts'
import { type Signable, solanaTransaction } from './transaction.ts'
import { viewOf } from './view.ts'

const SCHEME = 'ed25519'
const SUITE = 'FROST-ED25519-SHA512-v1'

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
    const publicKey = walletKey(key)
    return solanaTransaction(
      isOffchain(unsigned)
        ? offchainOf(unsigned, context, network, publicKey)
        : transactionOf(unsigned, context, network, publicKey),
      publicKey,
    )
  },
})

function offchainOf(
  unsigned: Uint8Array,
  context: Uint8Array,
  network: SolanaNetwork,
  publicKey: Uint8Array,
): Signable {
  if (context.length > 0) throw new Fault('chains/unexpected-context')
  return offchainSignable(unsigned, network, publicKey)
}

function transactionOf(
  unsigned: Uint8Array,
  encoded: Uint8Array,
  network: SolanaNetwork,
  publicKey: Uint8Array,
): Signable {
  const { message, signatures } = readTransaction(unsigned)
  const context = decodeContext(encoded)
  checkContext(message, context)
  return {
    message: message.bytes,
    signers: signersOf(message),
    signatures,
    view: () => viewOf(message, network, publicKey, context),
  }
}

/** A point of prime order, as every group key is. @throws chains/wrong-scheme, chains/bad-key */
function walletKey({ scheme, publicKey }: KeyRef): Uint8Array {
  if (scheme !== SCHEME) throw new Fault('chains/wrong-scheme')
  if (primeOrderKey(publicKey) === null)
    throw new Fault('chains/bad-key', { detail: 'not a point of Ed25519 of prime order' })
  return publicKey.slice()
}
