/** The recovery id of an ECDSA signature (SEC 1, §4.1.6): with it the public key follows from the signature. */
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { Fault, toHex } from '@quorate/base'

const { Point } = secp256k1
const { n } = Point.CURVE()

/**
 * 0 to 3: bit 0 is the parity of R's y, bit 1 whether R's x is n or more. `publicKey`: compressed; `digest`: 32
 * bytes; `signature`: r ‖ s. Costs about one verification. Variable-time: public inputs only.
 * @throws hsm/bad-argument where the signature does not hold
 */
export function recoveryId(
  publicKey: Uint8Array,
  digest: Uint8Array,
  signature: Uint8Array,
): 0 | 1 | 2 | 3 {
  const wrong = new Fault('hsm/bad-argument', { detail: 'the signature does not hold' })
  if (digest.length !== 32 || signature.length !== 64) throw wrong
  const r = integer(signature.subarray(0, 32))
  const s = integer(signature.subarray(32))
  if (r === 0n || r >= n || s === 0n || s >= n) throw wrong
  const { Fn } = Point
  const w = Fn.inv(s)
  // R = (e·w)·G + (r·w)·Q
  const nonce = Point.BASE.multiplyUnsafe(Fn.mul(Fn.create(integer(digest)), w)).add(
    pointOf(publicKey).multiplyUnsafe(Fn.mul(r, w)),
  )
  if (nonce.is0()) throw wrong
  const { x, y } = nonce.toAffine()
  if (x % n !== r) throw wrong
  return ((x >= n ? 2 : 0) | Number(y & 1n)) as 0 | 1 | 2 | 3
}

const integer = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`)

function pointOf(publicKey: Uint8Array): InstanceType<typeof Point> {
  try {
    return Point.fromBytes(publicKey)
  } catch (error) {
    throw new Fault('hsm/bad-argument', { detail: 'not a public key', cause: error })
  }
}
