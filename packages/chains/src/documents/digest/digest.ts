/**
 * Digests: 32 bytes that somebody else made of something nobody here can read. An intent says `digest`
 * in the place of a network. There is nothing to view, so policy sees an opaque document, and only
 * wallets that their administrators made blind sign one (who decides that: the signer process).
 *
 * An ECDSA digest is signed as it is and is marked as a prehash, so that nobody takes it for a message:
 * a digest chosen after a presignature became known can be forged from it (Groth–Shoup, eprint
 * 2021/1330, §1.1.2). An Ed25519 digest is a message of 32 bytes like any other.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import type { TxView } from '@quorate/api'
import { concatBytes, equalBytes, Fault, toHex } from '@quorate/base'
import type { KeyRef, ParseRequest, SignItem, UnsignedTx } from '../../adapter.ts'
import { compressedKey, recoveryIdOf, verifyEcdsa } from '../../ecdsa.ts'

/** What an intent over a digest names in the place of a network. */
export const DIGEST = 'digest'
const DIGEST_BYTES = 32

/**
 * The digest, fit to be signed by `key`. Variable-time: public inputs only.
 * @throws chains/malformed-transaction unless it is 32 bytes, chains/unexpected-context, chains/wrong-scheme, chains/bad-key
 */
export function parseDigest({ unsigned, context, key }: ParseRequest): UnsignedTx {
  if (unsigned.length !== DIGEST_BYTES)
    throw new Fault('chains/malformed-transaction', { detail: 'a digest has 32 bytes' })
  if (context.length > 0) throw new Fault('chains/unexpected-context')
  const item = itemOf(unsigned.slice(), key)
  return {
    view: () => viewOf(item),
    prepare: () => [item],
    attach(signatures) {
      const signature = signatures.get(item.id)
      if (signature === undefined) throw new Fault('chains/missing-signature', { detail: item.id })
      const bytes = encodeSigned(item, signature)
      if (typeof bytes === 'string') throw new Fault('chains/bad-signature', { detail: bytes })
      return {
        serialise(format = 'raw') {
          if (format !== 'raw') throw new Fault('chains/unknown-format', { detail: 'there is raw' })
          return { bytes, txid: undefined }
        },
      }
    },
    verify(signed) {
      const bytes = encodeSigned(item, signed.slice(0, 64))
      if (typeof bytes === 'string') return [bytes]
      return equalBytes(bytes, signed) ? [] : ['it is not written as it should be']
    },
  }
}

function itemOf(message: Uint8Array, key: KeyRef): SignItem {
  const id = 'digest'
  if (key.scheme === 'ecdsa-secp256k1')
    return {
      id,
      scheme: key.scheme,
      publicKey: compressedKey(key, key.scheme),
      message,
      hash: 'prehash',
    }
  // A Taproot key signs under a tweak that belongs to a transaction.
  if (key.scheme !== 'ed25519') throw new Fault('chains/wrong-scheme')
  if (key.publicKey.length !== 32)
    throw new Fault('chains/bad-key', { detail: 'expected 32 bytes' })
  return { id, scheme: key.scheme, publicKey: key.publicKey.slice(), message }
}

/** r ‖ s ‖ recovery id (65 bytes) for ECDSA, the signature itself for Ed25519, or why it is none. */
function encodeSigned(item: SignItem, signature: Uint8Array): Uint8Array | string {
  const { scheme, publicKey, message } = item
  if (scheme === 'ecdsa-secp256k1') {
    if (!verifyEcdsa(publicKey, 'prehash', message, signature))
      return 'it is not one of this key over this digest'
    const recoveryId = recoveryIdOf(publicKey, 'prehash', message, signature)
    return typeof recoveryId === 'string'
      ? recoveryId
      : concatBytes(signature, Uint8Array.of(recoveryId))
  }
  return verifyEd25519(publicKey, message, signature)
    ? signature.slice()
    : 'it is not one of this key over this digest'
}

function verifyEd25519(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return ed25519.verify(signature, message, key, { zip215: false })
  } catch {
    return false
  }
}

const viewOf = ({ publicKey, message }: SignItem): TxView => ({
  network: DIGEST,
  caip2: DIGEST,
  kind: 'opaque',
  from: [toHex(publicKey)],
  outputs: [],
  fee: undefined,
  isComplete: false,
  notes: [`signs the digest ${toHex(message)}`],
  warnings: ['nobody here can tell what it is a digest of: it may move everything the key owns'],
})
