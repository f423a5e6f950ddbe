/**
 * Polynomials over the scalars of a group, as secret sharing uses them: coefficients in ascending
 * order, the secret first, degree t−1 for threshold t.
 */
import { Fault, type Random } from '@quorate/base'
import { mod } from '../field.ts'
import type { Group } from '../group/group.ts'

/** Coefficients a₀ … a₍ₜ₋₁₎. */
export type Polynomial = readonly bigint[]

/** A polynomial with `threshold` coefficients, the first of them `secret`, the others uniform. Treats all as secret. */
export function randomPolynomial(
  group: Group,
  threshold: number,
  secret: bigint,
  random: Random,
): Polynomial {
  if (!Number.isSafeInteger(threshold) || threshold < 1)
    throw new Fault('math/bad-length', { detail: 'a polynomial has at least one coefficient' })
  const coefficients = [mod(secret, group.order)]
  while (coefficients.length < threshold) coefficients.push(group.randomScalar(random))
  return coefficients
}

/** f(x) modulo q, by Horner's rule. Treats the coefficients as secret, x as public. */
export function evaluate(polynomial: Polynomial, x: bigint, q: bigint): bigint {
  if (polynomial.length === 0) throw new Fault('math/bad-length')
  return polynomial.reduceRight((value, coefficient) => mod(value * x + coefficient, q), 0n)
}
