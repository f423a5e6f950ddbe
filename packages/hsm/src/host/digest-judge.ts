/**
 * Whether an ECDSA signature of a digest holds. The platform's library verifies messages only, and noble
 * takes longer for it than a device on the machine takes to sign; so here the points are multiplied
 * natively: on secp256k1 by the backend of `@quorate/math` where there is one, on P-256 by OpenSSL's ECDH.
 * Variable-time: public inputs only.
 */
import { createECDH } from 'node:crypto'
import { p256 } from '@noble/curves/nist.js'
import { fromHex, toHex } from '@quorate/base'
import { fromBytesBe, inverse, mod, secp256k1, verifyEcdsa } from '@quorate/math'
import type { EcdsaAlgorithm } from '../ecdsa.ts'

const { Point } = p256
type P256Point = InstanceType<typeof Point>

const n = Point.CURVE().n
/** Finding the point of a compressed key costs more than all the rest. */
const MAX_POINTS = 64
const points = new Map<string, P256Point>()
const ecdh = createECDH('prime256v1')

/**
 * `publicKey`: compressed; `digest`: 32 bytes; `signature`: r ‖ s with s in either half (SEC 1, §4.1.4).
 * False for r or s out of range. @throws Error for a public key that is none
 */
export function signatureHolds(
  algorithm: EcdsaAlgorithm,
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (algorithm === 'secp256k1') {
    secp256k1.decode(publicKey)
    return verifyEcdsa(publicKey, digest, signature)
  }
  if (digest.length !== 32 || signature.length !== 64) return false
  const [r, s] = [fromBytesBe(signature.subarray(0, 32)), fromBytesBe(signature.subarray(32))]
  if (r === 0n || r >= n || s === 0n || s >= n) return false
  const x = nonceOf(publicKey, fromBytesBe(digest), r, s)
  return x !== undefined && mod(x, n) === r
}

/**
 * x of R = (e/s)·G + (r/s)·Q, worked out as (r/s)·(Q + (e/r)·G), because ECDH gives the x of a multiple of
 * any point, and no more.
 */
function nonceOf(publicKey: Uint8Array, e: bigint, r: bigint, s: bigint): bigint | undefined {
  const shift = mod(e * inverse(r, n), n)
  const key = pointOf(publicKey)
  const point = shift === 0n ? key : key.add(timesBase(shift))
  if (point.is0()) return undefined
  ecdh.setPrivateKey(bytesOf(mod(r * inverse(s, n), n)))
  return fromBytesBe(ecdh.computeSecret(point.toBytes(false)))
}

function timesBase(scalar: bigint): P256Point {
  ecdh.setPrivateKey(bytesOf(scalar))
  const encoded = ecdh.getPublicKey()
  return Point.fromAffine({
    x: fromBytesBe(encoded.subarray(1, 33)),
    y: fromBytesBe(encoded.subarray(33)),
  })
}

function pointOf(publicKey: Uint8Array): P256Point {
  const name = toHex(publicKey)
  const known = points.get(name)
  if (known !== undefined) return known
  const point = Point.fromBytes(publicKey)
  if (points.size === MAX_POINTS) points.clear()
  points.set(name, point)
  return point
}

const bytesOf = (scalar: bigint): Uint8Array => fromHex(scalar.toString(16).padStart(64, '0'))
