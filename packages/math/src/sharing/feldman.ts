/** Feldman's verifiable secret sharing (FOCS 1987): a public commitment Cₖ = aₖ·G to a polynomial. */
import { Fault } from '@quorate/base'
import type { Element, Group } from '../group/group.ts'
import type { Polynomial } from './polynomial.ts'

/** C₀ … C₍ₜ₋₁₎; C₀ commits to the secret. */
export type Commitment = readonly Element[]

/** The commitment to `polynomial`. Treats the coefficients as secret. */
export const commitTo = (group: Group, polynomial: Polynomial): Commitment =>
  polynomial.map((coefficient) => group.mulBase(coefficient))

/** f(x)·G = Σ xᵏ·Cₖ. Variable-time: public inputs only. */
export function evaluateCommitment(group: Group, commitment: Commitment, x: bigint): Element {
  if (commitment.length === 0) throw new Fault('math/bad-length')
  return commitment.reduceRight((value, c) => group.add(group.mul(x, value), c), group.identity)
}

/** Whether `share` is f(x) for the polynomial committed to. Treats the share as secret. */
export const isShareOf = (
  group: Group,
  commitment: Commitment,
  x: bigint,
  share: bigint,
): boolean => group.equals(group.mulBase(share), evaluateCommitment(group, commitment, x))

/** The commitment to the sum of the polynomials. @throws math/bad-length where they differ in degree */
export function addCommitments(group: Group, commitments: readonly Commitment[]): Commitment {
  const [first] = commitments
  if (first === undefined || commitments.some((each) => each.length !== first.length))
    throw new Fault('math/bad-length')
  return first.map((_, k) => group.sum(commitments.map((each) => each[k]!)))
}
