/**
 * ECDSA over P-256 and secp256k1, in the one form that leaves any provider: r ‖ s, 32 bytes each,
 * s in the lower half (BIP-146). Devices return either half, so every provider goes through here.
 */
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes, Fault, fromHex, toHex } from '@quorate/base'

export type EcdsaAlgorithm = 'p256' | 'secp256k1'

const CURVES = { p256, secp256k1 } as const

const asInteger = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`)

/** `signature` (64 bytes) with the lower of s and n − s. Variable-time: public inputs only. @throws hsm/bad-argument */
export function toLowS(algorithm: EcdsaAlgorithm, signature: Uint8Array): Uint8Array {
  const { n } = CURVES[algorithm].Point.CURVE()
  const s = signature.length === 64 ? asInteger(signature.subarray(32)) : 0n
  if (s === 0n || s >= n) throw new Fault('hsm/bad-argument', { detail: 'not an ECDSA signature' })
  if (2n * s <= n) return signature
  return concatBytes(signature.subarray(0, 32), fromHex((n - s).toString(16).padStart(64, '0')))
}

/** A uniform secret scalar (32 bytes) and its compressed point (33 bytes). */
export function generateEcdsaKey(algorithm: EcdsaAlgorithm): {
  secret: Uint8Array
  publicKey: Uint8Array
} {
  const { secretKey, publicKey } = CURVES[algorithm].keygen()
  return { secret: secretKey, publicKey }
}

/** 64 bytes over a digest of 32. The nonce is that of RFC 6979 with added randomness (§3.6). Treats `secret` as secret. */
export const signDigest = (
  algorithm: EcdsaAlgorithm,
  secret: Uint8Array,
  digest: Uint8Array,
): Uint8Array =>
  CURVES[algorithm].sign(digest, secret, { prehash: false, lowS: true, extraEntropy: true })

/** Whether the signature of a digest holds, with s in either half. Variable-time: public inputs only. */
export const verifyDigest = (
  algorithm: EcdsaAlgorithm,
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean =>
  signature.length === 64 &&
  CURVES[algorithm].verify(signature, digest, publicKey, { prehash: false, lowS: false })
