/**
 * What a received modulus must be before any proof about it is looked at: of the right size, so that
 * nobody is made to compute modulo giants, and not of a kind for which the proofs say nothing.
 */
import {
  bitLength,
  gcd,
  integerEngine,
  integerSquareRoot,
  type RingPedersen,
  sieve,
} from '@quorate/math'
import type { Level } from '../level.ts'
import { areUnits } from './setup.ts'

/** Primes up to this are divided by. */
const TRIAL_LIMIT = 1 << 16

/** The public numbers of one party. */
export type Moduli = {
  /** N of Paillier. */
  readonly n: bigint
  /** N̂, s and t of ring-Pedersen. */
  readonly parameters: RingPedersen
}

/**
 * Why these numbers are refused, or `undefined`. Deterministic, so that everybody comes to the same
 * answer. Variable-time: public inputs only.
 */
export function checkModuli(level: Level, { n, parameters }: Moduli): string | undefined {
  const { modulus, s, t } = parameters
  const reason = refusal(level, n) ?? refusal(level, modulus.n)
  if (reason !== undefined) return reason
  if (!areUnits(modulus, [s, t])) return 's or t is not a unit'
  if ([s, t].some((base) => base === 1n || base === modulus.n - 1n)) return 's or t is 1 or −1'
  if (s === t) return 's equals t'
  return areDistinct([n, modulus.n]) ? undefined : 'the two moduli are equal'
}

/** Whether no two moduli are equal, N and N̂ of all parties taken together. */
export const areDistinct = (moduli: readonly bigint[]): boolean =>
  new Set(moduli).size === moduli.length

function refusal({ minModulusBits, maxModulusBits }: Level, n: bigint): string | undefined {
  const bits = n > 0n ? bitLength(n) : 0
  if (bits < minModulusBits || bits > maxModulusBits) return 'a modulus is too short or too long'
  if (gcd(primorial() % n, n) !== 1n) return 'a modulus has a small factor'
  if (integerSquareRoot(n) ** 2n === n) return 'a modulus is a square'
  if (integerEngine().isProbablePrime(n)) return 'a modulus is prime'
  return undefined
}

let product: bigint | undefined

/** The product of all primes up to the limit, 2 among them. */
const primorial = (): bigint => {
  product ??= multiplyAll(sieve(TRIAL_LIMIT).map(BigInt))
  return product
}

/** Two by two, so that factors stay of equal length. */
function multiplyAll(factors: readonly bigint[]): bigint {
  if (factors.length === 1) return factors[0]!
  const half = factors.length >> 1
  return multiplyAll(factors.slice(0, half)) * multiplyAll(factors.slice(half))
}
