/** Lagrange interpolation over distinct, non-zero indices. Indices are public; values may be secret. */
import { Fault } from '@quorate/base'
import { inverse, mod } from '../field.ts'
import type { Element, Group } from '../group/group.ts'

/**
 * λᵢ = Π_{j≠i} (x − xⱼ)/(xᵢ − xⱼ) modulo q, one per index and in their order, so that
 * f(x) = Σ λᵢ·f(xᵢ) for every polynomial of degree below their number. `at` is x, 0 unless told.
 * Variable-time: public inputs only. @throws math/bad-index for an index that is zero or repeated
 */
export function lagrangeCoefficients(
  indices: readonly bigint[],
  q: bigint,
  at = 0n,
): readonly bigint[] {
  checkIndices(indices, q)
  const numerators: bigint[] = []
  const denominators: bigint[] = []
  for (const xi of indices) {
    let numerator = 1n
    let denominator = 1n
    for (const xj of indices) {
      if (xj === xi) continue
      numerator = mod(numerator * (at - xj), q)
      denominator = mod(denominator * (xi - xj), q)
    }
    numerators.push(numerator)
    denominators.push(denominator)
  }
  const inverses = inverseAll(denominators, q)
  return numerators.map((numerator, i) => mod(numerator * inverses[i]!, q))
}

/** f(at) modulo q, from one value per index. Treats the values as secret. @throws math/bad-index, math/bad-length */
export function interpolate(
  indices: readonly bigint[],
  values: readonly bigint[],
  q: bigint,
  at = 0n,
): bigint {
  if (indices.length !== values.length) throw new Fault('math/bad-length')
  const coefficients = lagrangeCoefficients(indices, q, at)
  return coefficients.reduce((sum, lambda, i) => mod(sum + lambda * values[i]!, q), 0n)
}

/** f(at)·G from fᵢ(xᵢ)·G. Variable-time: public inputs only. @throws math/bad-index, math/bad-length */
export function interpolateElement(
  group: Group,
  indices: readonly bigint[],
  elements: readonly Element[],
  at = 0n,
): Element {
  if (indices.length !== elements.length) throw new Fault('math/bad-length')
  return group.msm(lagrangeCoefficients(indices, group.order, at), elements)
}

function checkIndices(indices: readonly bigint[], q: bigint): void {
  if (indices.length === 0) throw new Fault('math/bad-length')
  if (new Set(indices).size !== indices.length || indices.some((x) => x <= 0n || x >= q))
    throw new Fault('math/bad-index')
}

/** All inverses for the price of one (Montgomery's trick). */
function inverseAll(values: readonly bigint[], q: bigint): readonly bigint[] {
  const products = [1n]
  for (const value of values) products.push(mod(products.at(-1)! * value, q))
  let rest = inverse(products.at(-1)!, q)
  const inverses = values.slice()
  for (let i = values.length - 1; i >= 0; i--) {
    inverses[i] = mod(rest * products[i]!, q)
    rest = mod(rest * values[i]!, q)
  }
  return inverses
}
