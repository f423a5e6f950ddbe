/**
 * Safe primes p = 2·p′+1 with p′ prime, by sieving p′ and p together: of the candidates that neither
 * has a divisor below 2²², one in about 1500 gives a safe prime of 1536 bits, and nearly all others
 * cost one power.
 *
 * Distribution: a window starts at a random odd number, and the first safe prime in it is taken. So a
 * safe prime is as probable as the gap below it is wide (incremental search: Brandt–Damgård, CRYPTO
 * '92). That takes about one bit from the entropy of a uniform choice, of more than 1500, and none of
 * the known ways to factor can use it.
 */
import { bug, type Random } from '@quorate/base'
import { sieve } from './prime-test.ts'
import { randomBelow } from './sample.ts'

export type PrimeTests = {
  /** Cheap, and wrong at most on composites, and seldom: what one power tells. */
  isLikelyPrime(n: bigint): boolean
  isPrime(n: bigint): boolean
}

const MIN_BITS = 16
const MAX_SIEVE_BITS = 22
/** Candidates p′ + 2k that are sieved together. */
const WINDOW = 1 << 20
/** So many primes are reduced by together: large enough to divide few times by, small enough to be fast. */
const CHUNK = 32

/**
 * A random safe prime of exactly `bits` bits, the highest two of them set. `onProgress` hears after
 * each candidate how many there were. The candidates are secret: `tests` keeps none of them.
 */
export function searchSafePrime(
  bits: number,
  random: Random,
  tests: PrimeTests,
  onProgress?: (tested: number) => void,
): bigint {
  if (bits < MIN_BITS) bug('a safe prime has at least 16 bits')
  const table = sieveTable(Math.min(MAX_SIEVE_BITS, (bits - 1) >> 1))
  const top = 1n << BigInt(bits - 1)
  const lowest = 3n << BigInt(bits - 3)
  let tested = 0
  for (;;) {
    const start = (lowest + randomBelow(top - lowest, random)) | 1n
    const isComposite = sieveWindow(start, table)
    for (let k = isComposite.indexOf(0); k !== -1; k = isComposite.indexOf(0, k + 1)) {
      const half = start + 2n * BigInt(k)
      if (half >= top) break
      onProgress?.(++tested)
      const p = 2n * half + 1n
      if (!tests.isLikelyPrime(half) || !tests.isLikelyPrime(p)) continue
      if (tests.isPrime(half) && tests.isPrime(p)) return p
    }
  }
}

type SieveTable = {
  /** Odd primes, an even number of them, and their products: two by two, and those again by chunks. */
  readonly primes: Uint32Array
  readonly pairs: readonly bigint[]
  readonly chunks: readonly bigint[]
}

let lastTable: { readonly bits: number; readonly table: SieveTable } | undefined

/** The odd primes below 2ᵇⁱᵗˢ, perhaps without the last. The table used last is kept: it takes some time. */
function sieveTable(bits: number): SieveTable {
  if (lastTable?.bits === bits) return lastTable.table
  const primes = Uint32Array.from(sieve(2 ** bits).slice(1))
  const even = primes.subarray(0, primes.length & ~1)
  const pairs: bigint[] = []
  for (let i = 0; i < even.length; i += 2) pairs.push(BigInt(even[i]! * even[i + 1]!))
  const chunks: bigint[] = []
  for (let i = 0; i < pairs.length; i += CHUNK / 2)
    chunks.push(pairs.slice(i, i + CHUNK / 2).reduce((product, pair) => product * pair, 1n))
  const table = { primes: even, pairs, chunks }
  lastTable = { bits, table }
  return table
}

/** Which k have a prime of the table in start + 2k or in 2·(start + 2k) + 1. `start` is odd. */
function sieveWindow(start: bigint, { primes, pairs, chunks }: SieveTable): Uint8Array {
  const isComposite = new Uint8Array(WINDOW)
  const half = (value: number, prime: number): number =>
    (value % 2 === 0 ? value : value + prime) / 2
  let residue = 0n
  for (const [i, pair] of pairs.entries()) {
    if (i % (CHUNK / 2) === 0) residue = start % chunks[i / (CHUNK / 2)]!
    // A product of two primes of the table is below 2⁴⁴.
    const both = Number(residue % pair)
    for (const prime of [primes[2 * i]!, primes[2 * i + 1]!]) {
      const r = both % prime
      // start + 2k ≡ 0 where k ≡ −r/2, and 2·start + 1 + 4k ≡ 0 where k ≡ −r/2 − 1/4.
      const first = half(r === 0 ? 0 : prime - r, prime)
      const quarter = half(half(1, prime), prime)
      const second = first >= quarter ? first - quarter : first - quarter + prime
      for (let k = first; k < WINDOW; k += prime) isComposite[k] = 1
      for (let k = second; k < WINDOW; k += prime) isComposite[k] = 1
    }
  }
  return isComposite
}
