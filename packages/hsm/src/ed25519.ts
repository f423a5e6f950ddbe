/** Ed25519 (RFC 8032) over the platform's crypto library, with raw keys in and out. */
import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { concatBytes, fromHex } from '@quorate/base'

// RFC 8410 wraps raw keys in fixed DER prefixes.
const PKCS8 = fromHex('302e020100300506032b657004220420')
const SPKI = fromHex('302a300506032b6570032100')

/** Treats `seed` (32 bytes) as secret; the DER copy is wiped. */
export function privateKeyOf(seed: Uint8Array): KeyObject {
  const key = Buffer.alloc(PKCS8.length + seed.length)
  key.set(PKCS8)
  key.set(seed, PKCS8.length)
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  } finally {
    key.fill(0)
  }
}

/** The public key (32 bytes) of a seed (32 bytes). */
export const ed25519PublicKey = (seed: Uint8Array): Uint8Array =>
  new Uint8Array(
    createPublicKey(privateKeyOf(seed)).export({ format: 'der', type: 'spki' }).subarray(-32),
  )

export function generateEd25519Key(): { secret: Uint8Array; publicKey: Uint8Array } {
  const secret = new Uint8Array(randomBytes(32))
  return { secret, publicKey: ed25519PublicKey(secret) }
}

/** 64 bytes. */
export const signWith = (key: KeyObject, message: Uint8Array): Uint8Array =>
  new Uint8Array(sign(null, message, key))

/** 64 bytes. Treats `seed` as secret. */
export const signEd25519 = (seed: Uint8Array, message: Uint8Array): Uint8Array =>
  signWith(privateKeyOf(seed), message)

/** Never throws: a key that is no point verifies nothing. */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  try {
    const key = Buffer.from(concatBytes(SPKI, publicKey))
    return verify(null, message, createPublicKey({ key, format: 'der', type: 'spki' }), signature)
  } catch {
    return false
  }
}
