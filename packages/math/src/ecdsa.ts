/**
 * What ECDSA over secp256k1 (SEC 1, §4.1) says of a signature, whoever made it. Public keys are compressed
 * (33 bytes), digests have 32 bytes, and signatures are r ‖ s, 64 bytes, big-endian. Nothing here throws for
 * bytes from outside. Variable-time: public inputs only.
 */
import { isFault } from '@quorate/base'
import { fromBytesBe, inverse, mod, toBytesBe } from './field.ts'
import type { Element } from './group/group.ts'
import { isEcdsaVouchedFor, secp256k1 } from './group/secp256k1.ts'

type Scalars = { readonly r: bigint; readonly s: bigint }

/** r and s, or `undefined` where one of them is not between 1 and the group order. */
function scalarsOf(signature: Uint8Array): Scalars | undefined {
  if (signature.length !== 64) return undefined
  const [r, s] = [fromBytesBe(signature.subarray(0, 32)), fromBytesBe(signature.subarray(32))]
  const isInRange = (k: bigint): boolean => k !== 0n && k < secp256k1.order
  return isInRange(r) && isInRange(s) ? { r, s } : undefined
}

/** Whether s is in the lower half of the group order, as most networks demand it (BIP-146, EIP-2). */
export const hasLowS = (signature: Uint8Array): boolean => {
  const scalars = scalarsOf(signature)
  return scalars !== undefined && scalars.s <= secp256k1.order >> 1n
}

function withLowS(signature: Uint8Array, { s }: Scalars): Uint8Array {
  if (s <= secp256k1.order >> 1n) return signature
  const low = signature.slice()
  low.set(toBytesBe(secp256k1.order - s), 32)
  return low
}

/** The number that a digest stands for, modulo the group order. */
export const scalarOfDigest = (digest: Uint8Array): bigint =>
  mod(fromBytesBe(digest), secp256k1.order)

/**
 * 0 to 3 for a signature of the digest under the key, and `undefined` for any other: the parity of the y of the
 * nonce point (e/s)·G + (r/s)·Q, plus 2 where its x is not below the group order (SEC 1, §4.1.4 and §4.1.6).
 */
export function recoveryId(
  key: Element,
  digest: Uint8Array,
  signature: Uint8Array,
): number | undefined {
  const scalars = scalarsOf(signature)
  if (scalars === undefined || digest.length !== 32) return undefined
  const { order, generator } = secp256k1
  const { r, s } = scalars
  const scale = inverse(s, order)
  const point = secp256k1.msm(
    [mod(r * scale, order), mod(scalarOfDigest(digest) * scale, order)],
    [key, generator],
  )
  if (secp256k1.isIdentity(point)) return undefined
  const encoded = secp256k1.encode(point)
  const x = fromBytesBe(encoded.subarray(1))
  if (mod(x, order) !== r) return undefined
  return (x === r ? 0 : 2) + (encoded[0]! & 1)
}

/** Whether the signature is one of the digest under the key, with s in either half of the order. */
export function verifyEcdsa(
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  const scalars = scalarsOf(signature)
  if (scalars === undefined) return false
  // The backend knows low ones only; with its s negated a signature is as good as before.
  if (isEcdsaVouchedFor(publicKey, digest, withLowS(signature, scalars))) return true
  try {
    return recoveryId(secp256k1.decode(publicKey), digest, signature) !== undefined
  } catch (error) {
    if (isFault(error)) return false
    throw error
  }
}
