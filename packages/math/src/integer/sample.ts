/**
 * Uniform integers. Intervals are of half width, as in Canetti et al. (eprint 2021/060, revision of
 * 2024): ±2ᵇ stands for all z with |z| ≤ 2ᵇ⁻¹, and ±2ᵇ·m for all z with |z| ≤ ⌊2ᵇ·m/2⌋.
 */
import { bug, type Random, wipe } from '@quorate/base'
import { fromBytesBe } from '../field.ts'
import { absolute, bitLength, gcd } from './arithmetic.ts'

/** Uniform in 0..bound−1, by rejection. */
export function randomBelow(bound: bigint, random: Random): bigint {
  if (bound < 1n) bug('a range to draw from is not empty')
  if (bound === 1n) return 0n
  const bits = bitLength(bound - 1n)
  const excess = BigInt((8 - (bits % 8)) % 8)
  for (;;) {
    const bytes = random.bytes(Math.ceil(bits / 8))
    const value = fromBytesBe(bytes) >> excess
    wipe(bytes)
    if (value < bound) return value
  }
}

/** Uniform among the units modulo n. Whether a draw is one is no secret: others reveal a factor. */
export function randomUnit(n: bigint, random: Random): bigint {
  for (;;) {
    const value = randomBelow(n, random)
    if (value !== 0n && gcd(value, n) === 1n) return value
  }
}

/** Uniform in ±2ᵇⁱᵗˢ·scale (half width). */
export function randomWithin(bits: number, random: Random, scale = 1n): bigint {
  const bound = (scale << BigInt(bits)) >> 1n
  return randomBelow(2n * bound + 1n, random) - bound
}

/** Whether `value` lies in ±2ᵇⁱᵗˢ·scale (half width). */
export const isWithin = (value: bigint, bits: number, scale = 1n): boolean =>
  absolute(value) <= (scale << BigInt(bits)) >> 1n
