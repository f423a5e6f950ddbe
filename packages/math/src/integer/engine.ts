/**
 * The seam under all big-integer powers: an engine computes bᵉ mod n, and tells primes.
 *
 * The engine in `bigint.ts` runs everywhere; `@quorate/math/native` has a faster one over OpenSSL that
 * is constant-time in the exponent. A modulus asks the engine once for a context and keeps it.
 */
import { bigintEngine } from './bigint.ts'

export type PowerContext = {
  /** baseᵉˣᵖᵒⁿᵉⁿᵗ mod n, for 0 ≤ base < n and exponent ≥ 0. Treats base and exponent as secret as far as the engine can. */
  power(base: bigint, exponent: bigint): bigint
}

export type IntegerEngine = {
  readonly name: string
  /** A context for an odd modulus ≥ 3, or `undefined` where the engine does not serve one of that size. */
  context(modulus: bigint): PowerContext | undefined
  /** Whether `candidate` is prime, wrong with probability below 2⁻¹²⁸ even for hostile candidates. */
  isProbablePrime(candidate: bigint): boolean
}

let current: IntegerEngine = bigintEngine

/** The engine that serves contexts made from now on. */
export const integerEngine = (): IntegerEngine => current

/** Makes `engine` serve all contexts made from now on; those made before stay valid. */
export function useIntegerEngine(engine: IntegerEngine): void {
  current = engine
}
