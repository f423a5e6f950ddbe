/**
 * Ed25519 as the networks verify it: strictly and without cofactor (RFC 8032 §5.1.7). Keys of prime order,
 * as every group key is, are worked with in the group of `math`, which may have a native backend.
 * All functions are variable-time: public inputs only.
 */
import { ed25519 as noble } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, equalBytes, isFault, toHex } from '@quorate/base'
import { type Element, ed25519, fromBytesLe, isVouchedFor, mod } from '@quorate/math'

/** Keys that were looked at lately: a wallet signs again and again. */
const known = new Map<string, Element | null>()
const MAX_KNOWN = 256

/** The point of a key of prime order; `null` for any other bytes. */
export function primeOrderKey(publicKey: Uint8Array): Element | null {
  const name = toHex(publicKey)
  const found = known.get(name)
  if (found !== undefined) return found
  if (known.size === MAX_KNOWN) known.clear()
  const point = decoded(publicKey)
  known.set(name, point)
  return point
}

function decoded(publicKey: Uint8Array): Element | null {
  try {
    return publicKey.length === 32 ? ed25519.decode(publicKey) : null
  } catch (error) {
    if (isFault(error)) return null
    throw error
  }
}

/** Whether `signature` (64 bytes) is one of `publicKey` over `message`. Never throws. */
export function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false
  if (isVouchedFor(publicKey, message, signature)) return true
  const key = primeOrderKey(publicKey)
  if (key === null) return noble.verify(signature, message, publicKey, { zip215: false })
  const s = fromBytesLe(signature.subarray(32))
  if (s === 0n || s >= ed25519.order) return false
  const R = signature.subarray(0, 32)
  const c = mod(fromBytesLe(sha512(concatBytes(R, publicKey, message))), ed25519.order)
  // s·B − c·A is R itself, byte for byte, or the signature is none.
  const point = ed25519.add(ed25519.mulBase(s), ed25519.negate(ed25519.mul(c, key)))
  return !ed25519.isIdentity(point) && equalBytes(ed25519.encode(point), R)
}
