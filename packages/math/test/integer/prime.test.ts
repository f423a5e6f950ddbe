import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Random } from '@quorate/base'
import {
  bigintEngine,
  bitLength,
  type PrimeTests,
  searchSafePrime,
  sieve,
  smallFactor,
} from '@quorate/math'
import { random } from '../random.js'
import { ENGINES } from './engines.js'

/**
 * A strong pseudoprime for every prime base below 307, p·(313(p−1)+1)·(353(p−1)+1) (Arnault,
 * Constructing Carmichael numbers which are strong pseudoprimes to several bases, J. Symbolic
 * Computation 20, 1995).
 */
const ARNAULT_P = BigInt(
  '2967449566868551055015417464290533273077199179985304335099507553127683875317177019959423859642812' +
    '1188033664754218345562493168782883',
)
const ARNAULT = ARNAULT_P * (313n * (ARNAULT_P - 1n) + 1n) * (353n * (ARNAULT_P - 1n) + 1n)

/** Carmichael numbers without a factor below 1000: (6k+1)(12k+1)(18k+1) with all three prime (Chernick 1939). */
const CHERNICK = [195n, 206n, 216n, 255n, 276n, 370n, 506n, 511n, 710n, 1025n].map(
  (k) => [6n * k + 1n, 12n * k + 1n, 18n * k + 1n] as const,
)

const PRIMES = [
  2n,
  3n,
  997n,
  1009n,
  2n ** 61n - 1n,
  2n ** 255n - 19n,
  2n ** 256n - 2n ** 32n - 977n,
  2n ** 521n - 1n,
  2n ** 1279n - 1n,
  ARNAULT_P,
  ...CHERNICK.flat(),
]
const COMPOSITES = [
  0n,
  1n,
  4n,
  // Carmichael numbers.
  561n,
  1_729n,
  294_409n,
  56_052_361n,
  ...CHERNICK.map(([p, q, r]) => p * q * r),
  // Strong pseudoprimes for the bases 2, 3, 5, 7, and for 2 … 37 (OEIS A014233).
  3_215_031_751n,
  3_825_123_056_546_413_051n,
  318_665_857_834_031_151_167_461n,
  1009n * 1009n,
  (2n ** 521n - 1n) * (2n ** 607n - 1n),
  (2n ** 521n - 1n) ** 2n,
  2n ** 523n - 1n,
  ARNAULT,
]

for (const [name, engine] of ENGINES)
  describe(`primality by ${name}`, () => {
    test('known primes', () => {
      for (const n of PRIMES) assert.equal(engine.isProbablePrime(n), true, `${n}`)
    })
    test('composites, those made to deceive among them', () => {
      for (const n of COMPOSITES) assert.equal(engine.isProbablePrime(n), false, `${n}`)
      assert.equal(engine.isProbablePrime(-7n), false)
    })
    test('every number below 3000', () => {
      const primes = new Set(sieve(3000))
      for (let n = 0; n < 3000; n++)
        assert.equal(engine.isProbablePrime(BigInt(n)), primes.has(n), `${n}`)
    })
  })

test('the deceiver is one: it passes Miller–Rabin for all prime bases below 307', () => {
  const context = bigintEngine.context(ARNAULT)!
  // ARNAULT ≡ 3 modulo 4, so that a single power decides.
  assert.equal(ARNAULT & 3n, 3n)
  assert.equal(ARNAULT.toString().length, 397)
  for (const base of sieve(306)) {
    const power = context.power(BigInt(base), (ARNAULT - 1n) / 2n)
    assert.ok(power === 1n || power === ARNAULT - 1n, `base ${base}`)
  }
})

test('smallFactor finds the least one, and none in a prime', () => {
  assert.equal(smallFactor(2n), undefined)
  assert.equal(smallFactor(997n), undefined)
  assert.equal(smallFactor(997n * 991n), 991)
  assert.equal(smallFactor(2n * 997n), 2)
  assert.equal(smallFactor(1009n * 1009n), undefined)
})

describe('safe primes', () => {
  const isPrime = bigintEngine.isProbablePrime
  const tests: PrimeTests = { isPrime, isLikelyPrime: isPrime }

  test('of small sizes: prime, of exact length, with half that is prime', () => {
    for (const bits of [16, 17, 18, 24, 31, 32, 40, 64, 96]) {
      const p = searchSafePrime(bits, random, tests)
      assert.equal(bitLength(p), bits)
      assert.equal(p >> BigInt(bits - 2), 3n)
      assert.ok(isPrime(p) && isPrime(p >> 1n))
    }
  })

  test('the search begins with the number drawn: every safe prime of 16 bits can come out', () => {
    const all = sieve(2 ** 16).filter((p) => p >= 3 * 2 ** 14 && isPrime(BigInt((p - 1) / 2)))
    assert.ok(all.length > 50)
    for (const p of all) {
      const offset = (p - 1) / 2 - 3 * 2 ** 13
      // Thirteen bits in two bytes, the excess lowest.
      const drawn: Random = { bytes: () => Uint8Array.of(offset >> 5, (offset << 3) & 255) }
      assert.equal(searchSafePrime(16, drawn, tests), BigInt(p))
    }
  })

  test('a candidate that fails either test is passed over; all are counted', () => {
    const seen: bigint[] = []
    const counts: number[] = []
    const picky: PrimeTests = {
      isLikelyPrime: (n) => isPrime(n),
      isPrime: (n) => {
        seen.push(n)
        return isPrime(n) && seen.length > 5
      },
    }
    const p = searchSafePrime(48, random, picky, (tested) => counts.push(tested))
    assert.ok(isPrime(p) && isPrime(p >> 1n) && !seen.slice(0, 5).includes(p))
    assert.deepEqual(
      counts,
      counts.map((_, i) => i + 1),
    )
    assert.ok(counts.length >= 6)
  })

  test('sizes without a safe prime to find are refused', () => {
    assert.throws(() => searchSafePrime(15, random, tests))
  })
})
