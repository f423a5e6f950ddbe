/** Primality of public or secret candidates by Miller–Rabin with bases drawn from the candidate itself. */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, TAGS, tagged } from '@quorate/base'
import { fromBytesBe } from '../field.ts'
import { bitLength } from './arithmetic.ts'
import { toUnsignedBytes } from './encode.ts'

const SMALL_PRIMES: readonly bigint[] = sieve(1000).map(BigInt)

/** Sixty-four rounds leave a composite, however chosen, at most 4⁻⁶⁴ for each way to choose bases. */
const ROUNDS = 64

type Power = (base: bigint, exponent: bigint, n: bigint) => bigint

/** All primes up to `limit`. */
export function sieve(limit: number): number[] {
  const composite = new Uint8Array(limit + 1)
  const primes: number[] = []
  for (let i = 2; i <= limit; i++) {
    if (composite[i] === 1) continue
    primes.push(i)
    for (let j = i * i; j <= limit; j += i) composite[j] = 1
  }
  return primes
}

/** The smallest prime below 1000 that divides `n` and is not `n`, or `undefined`. */
export function smallFactor(n: bigint): number | undefined {
  const factor = SMALL_PRIMES.find((p) => n % p === 0n && n !== p)
  return factor === undefined ? undefined : Number(factor)
}

/**
 * Miller–Rabin over 64 bases that are derived by hashing the candidate: everyone who tests the same
 * number gets the same answer, and whoever made the number could not know the bases before.
 */
export function isStrongProbablePrime(n: bigint, power: Power): boolean {
  if (n < 2n) return false
  if (n === 2n) return true
  if ((n & 1n) === 0n || smallFactor(n) !== undefined) return false
  let [odd, twos] = [n - 1n, 0]
  for (; (odd & 1n) === 0n; odd >>= 1n) twos++
  const length = Math.ceil(bitLength(n) / 8)
  const encoded = toUnsignedBytes(n, length)
  for (let round = 0; round < ROUNDS; round++)
    if (isWitness(baseOf(encoded, round, length) % n, n, odd, twos, power)) return false
  return true
}

function isWitness(base: bigint, n: bigint, odd: bigint, twos: number, power: Power): boolean {
  if (base < 2n || base === n - 1n) return false
  let x = power(base, odd, n)
  if (x === 1n || x === n - 1n) return false
  for (let k = 1; k < twos; k++) {
    x = (x * x) % n
    if (x === n - 1n) return false
  }
  return true
}

function baseOf(encoded: Uint8Array, round: number, length: number): bigint {
  const blocks: Uint8Array[] = []
  for (let block = 0; block * 32 < length + 16; block++)
    blocks.push(sha256(tagged(TAGS.primeBase, Uint8Array.of(round, block), encoded)))
  return fromBytesBe(concatBytes(...blocks).subarray(0, length + 16))
}
