import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { bigintEngine, bitLength, type IntegerEngine, Modulus, randomBelow } from '@quorate/math'
import fc from 'fast-check'
import { random } from '../random.js'
import { ENGINES, withEngine } from './engines.js'

/** Square and multiply, in the fewest words. */
function slowPower(base: bigint, exponent: bigint, n: bigint): bigint {
  let result = 1n % n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % n
    if (bit === '1') result = (result * base) % n
  }
  return result
}

const randomOdd = (bits: number): bigint =>
  (1n << BigInt(bits - 1)) | randomBelow(1n << BigInt(bits - 1), random) | 1n

function agrees(engine: IntegerEngine, n: bigint, base: bigint, exponent: bigint): void {
  withEngine(engine, () =>
    assert.equal(
      Modulus.of(n).power(base, exponent),
      slowPower(base, exponent, n),
      `${bitLength(n)} bits`,
    ),
  )
}

for (const [name, engine] of ENGINES)
  describe(`engine ${name}`, () => {
    test('powers of edge cases, at every size at which something changes', () => {
      for (const bits of [2, 3, 64, 65, 504, 511, 512, 513, 1000, 1536]) {
        const n = randomOdd(bits)
        withEngine(engine, () => {
          const modulus = Modulus.of(n)
          for (const base of [0n, 1n, 2n, n - 2n, n - 1n, randomBelow(n, random)])
            for (const exponent of [0n, 1n, 2n, 3n, 4n, n - 1n, n, (n << 70n) | 1n])
              assert.equal(
                modulus.power(base, exponent),
                slowPower(base % n, exponent, n),
                `${bits} bits, exponent of ${bitLength(exponent)}`,
              )
        })
      }
    })

    test('powers of random sizes', () => {
      const size = fc.integer({ min: 64, max: 1400 })
      fc.assert(
        fc.property(size, fc.integer({ min: 1, max: 1600 }), (bits, exponentBits) => {
          const n = randomOdd(bits)
          agrees(engine, n, randomBelow(n, random), randomBelow(1n << BigInt(exponentBits), random))
        }),
        { numRuns: 30 },
      )
    })

    test('the sizes of protocols, and those beyond what OpenSSL takes', () => {
      for (const [bits, exponentBits] of [
        [3072, 3840],
        [6144, 768],
        [6200, 65],
        [9999, 40],
        [10_000, 40],
        [10_001, 40],
        [512, 20_000],
      ] as const) {
        const n = randomOdd(bits)
        agrees(engine, n, randomBelow(n, random), randomOdd(exponentBits))
      }
    })

    test('results of 1, −1 and 0, and with leading zeros', () => {
      // The Mersenne prime 2⁵²¹ − 1: two has order 521, and three is no square.
      const n = 2n ** 521n - 1n
      for (const [base, exponent] of [
        [2n, 521n],
        [3n, n - 1n],
        [3n, (n - 1n) / 2n],
        [2n, 8n],
        [2n, 520n],
      ] as const)
        agrees(engine, n, base, exponent)
      agrees(engine, n * n, n, 2n)
      agrees(engine, n * n, n * 5n, 1n)
    })

    test('many powers of one modulus, one after the other', () => {
      const n = randomOdd(600)
      const context = engine.context(n) ?? bigintEngine.context(n)!
      for (let i = 0; i < 80; i++) {
        const [base, exponent] = [randomBelow(n, random), randomBelow(n, random)]
        assert.equal(context.power(base, exponent), slowPower(base, exponent, n))
      }
    })

    test('a base out of range is reduced, and a negative exponent inverts it', () => {
      const n = 2n ** 521n - 1n
      withEngine(engine, () => {
        const modulus = Modulus.of(n)
        assert.equal(modulus.power(-3n, 5n), modulus.power(n - 3n, 5n))
        assert.equal(modulus.power(n + 3n, 5n), 243n)
        assert.equal(modulus.multiply(modulus.power(3n, -77n), modulus.power(3n, 77n)), 1n)
        assert.throws(() => modulus.power(0n, -1n), { code: 'math/not-a-unit' })
      })
    })

    test('an even modulus, 1, 0 and negative ones are refused', () => {
      withEngine(engine, () => {
        for (const n of [-3n, 0n, 1n, 2n, 4n, 2n ** 600n])
          assert.throws(() => Modulus.of(n), { code: 'math/bad-modulus' })
      })
    })
  })
