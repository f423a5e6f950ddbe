/**
 * Published safe primes in place of fresh ones, which take seconds each. TEST ONLY: a key over them
 * protects nothing.
 */
import { Secret } from '@quorate/base'
import { toUnsignedBytes } from '@quorate/math'
import { type Level, levelOf } from '@quorate/threshold'
import { testPrimes } from '@quorate/threshold/testing'
import type { MakePrimes } from '../signer-process/prime-maker.ts'

/**
 * Four primes for the node of that index, 1 to 5, in its round 0 to 18: no two nodes share one in a
 * round, and no two of them are together in a modulus a second time (round-robin by the circle method).
 */
export function primesOf(level: Level, index: number, round: number): readonly bigint[] {
  const all = testPrimes(level)
  const turning = all.length - 1
  const place = (k: number): bigint => all[k === 0 ? 0 : 1 + ((k - 1 + round) % turning)]!
  return [2 * (index - 1), 2 * (index - 1) + 1].flatMap((pair) => [
    place(pair),
    place(turning - pair),
  ])
}

/** Gives one node other primes each time. `made` counts, also across restarts. */
export const publishedPrimes =
  (index: number, made: { count: number }): MakePrimes =>
  ({ id }, { onProgress }) => {
    const level = levelOf(id)
    const primes = primesOf(level, index, made.count++)
    const length = level.primeBits / 8
    const all = new Uint8Array(primes.length * length)
    for (const [i, prime] of primes.entries()) all.set(toUnsignedBytes(prime, length), i * length)
    onProgress(primes.length)
    return Promise.resolve(new Secret(all))
  }
