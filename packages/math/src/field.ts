/**
 * Arithmetic modulo a prime, on `bigint`s. None of it is constant-time: `bigint` operations take
 * time that depends on the size of their operands. Sums and products of secrets modulo a 256-bit
 * prime leak at most that; `inverse` branches on its argument and is for public values.
 */
import { Fault } from '@quorate/base'

/** The residue of `a` in 0..q−1. */
export function mod(a: bigint, q: bigint): bigint {
  const residue = a % q
  return residue >= 0n ? residue : residue + q
}

/** a⁻¹ modulo the prime q. Variable-time: public inputs only. @throws math/bad-scalar for 0 */
export function inverse(a: bigint, q: bigint): bigint {
  let [r, next] = [q, mod(a, q)]
  if (next === 0n) throw new Fault('math/bad-scalar', { detail: 'zero has no inverse' })
  let [x, nextX] = [0n, 1n]
  while (next !== 0n) {
    const quotient = r / next
    ;[r, next] = [next, r - quotient * next]
    ;[x, nextX] = [nextX, x - quotient * nextX]
  }
  return mod(x, q)
}

/** The number whose bytes these are, most significant first. */
export function fromBytesBe(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let value = 0n
  let at = 0
  for (; at + 8 <= bytes.length; at += 8) value = (value << 64n) | view.getBigUint64(at)
  for (; at < bytes.length; at++) value = (value << 8n) | BigInt(bytes[at]!)
  return value
}

/** The number whose bytes these are, least significant first. */
export const fromBytesLe = (bytes: Uint8Array): bigint => fromBytesBe(bytes.toReversed())

/** `value` as 32 bytes, most significant first. `value` is 0..2^256−1. */
export function toBytesBe(value: bigint): Uint8Array {
  const out = new Uint8Array(32)
  const view = new DataView(out.buffer)
  for (let at = 24, rest = value; at >= 0; at -= 8, rest >>= 64n) view.setBigUint64(at, rest)
  return out
}
