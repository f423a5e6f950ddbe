/** What the two proofs of an alert share: challenges are single bits, so both repeat m times. */
import {
  EncryptionBatch,
  type EncryptionEquation,
  type Modulus,
  type PaillierKey,
} from '@quorate/math'
import type { Batches } from './setup.ts'

/** Bytes of an integer of ±2ᵇⁱᵗˢ (half width) as two's complement. */
export const halfWidthLength = (bits: number): number => Math.ceil((bits + 1) / 8)

/** baseᵉ for many e of any sign, at the price of one inversion. Treats exponents as secret. @throws math/not-a-unit */
export function powersOf(modulus: Modulus, base: bigint): (exponent: bigint) => bigint {
  const inverse = modulus.inverse(base)
  return (exponent) =>
    exponent < 0n ? modulus.power(inverse, -exponent) : modulus.power(base, exponent)
}

/** Whether all hold, checked together; with `batches` they are added to those, as `equationsHold` does. */
export function equationsHoldTogether(
  key: PaillierKey,
  equations: readonly EncryptionEquation[],
  batches: Batches | undefined,
): boolean {
  const batch = batches?.(key) ?? new EncryptionBatch(key)
  for (const equation of equations) batch.add(equation)
  return batches !== undefined || batch.holds()
}
