import assert from 'node:assert/strict'
import { generatePrimeSync } from 'node:crypto'
import { describe, test } from 'node:test'
import { isFault } from '@quorate/base'
import { bitLength, Modulus, RingPedersen } from '@quorate/math'
import { chooseBackends } from '@quorate/math/native'
import { areDistinct, checkModuli } from '#src/cggmp24/proofs/moduli.js'
import { testPrimes } from '#src/testing/index.js'
import { L128, publicsOf, secretsOf, TESTED } from './alterations.js'
import { primeAsLongAsModulus } from './entries.js'

await chooseBackends()

const prime = (bits: number): bigint => generatePrimeSync(bits, { bigint: true })
/** A product of two primes that has exactly so many bits. */
function productOf(bits: number, ofFirst: number): bigint {
  for (;;) {
    const n = prime(ofFirst) * prime(bits - ofFirst)
    if (bitLength(n) === bits) return n
  }
}
const own = (level = TESTED) => ({
  n: publicsOf(1, level).paillier.n,
  parameters: publicsOf(1, level).ringPedersen,
})

describe('moduli', () => {
  test('those of every party pass', () => {
    for (const level of [TESTED, L128])
      for (const party of [1, 2, 3]) {
        const { paillier, ringPedersen: parameters } = publicsOf(party, level)
        assert.equal(checkModuli(level, { n: paillier.n, parameters }), undefined)
      }
  })

  for (const level of [TESTED, L128]) {
    const max = level.maxModulusBits
    const half = max / 2
    const [p, q] = testPrimes(level) as readonly [bigint, bigint]
    const reasons: readonly (readonly [what: string, n: () => bigint, reason: string])[] = [
      ['0', () => 0n, 'a modulus is too short or too long'],
      ['negative', () => -p * q, 'a modulus is too short or too long'],
      ['two bits short', () => productOf(max - 2, half), 'a modulus is too short or too long'],
      ['one bit long', () => productOf(max + 1, half), 'a modulus is too short or too long'],
      ['twice as long', () => p * q * p * q, 'a modulus is too short or too long'],
      ['even', () => p * q - 1n, 'a modulus has a small factor'],
      ['with a factor 3', () => 3n * productOf(max - 2, half), 'a modulus has a small factor'],
      [
        'with a factor 65521',
        () => 65_521n * productOf(max - 16, half),
        'a modulus has a small factor',
      ],
      ['a square', () => p * p, 'a modulus is a square'],
      ['prime', () => primeAsLongAsModulus(level), 'a modulus is prime'],
    ]
    for (const [what, make, reason] of reasons)
      test(`a modulus is refused: ${what}, as N and as N̂, ${max} bits`, () => {
        const n = make()
        assert.equal(checkModuli(level, { ...own(level), n }), reason)
        if (n > 0n && n % 2n === 1n) {
          const { s, t } = own(level).parameters
          const parameters = new RingPedersen(Modulus.of(n), s % n, t % n)
          assert.equal(checkModuli(level, { ...own(level), parameters }), reason)
        } else
          assert.throws(
            () => Modulus.of(n),
            (error) => isFault(error, 'math/bad-modulus'),
          )
      })
  }

  test('the lengths that a level allows are one bit apart', () => {
    assert.equal(checkModuli(TESTED, { ...own(), n: productOf(2047, 1024) }), undefined)
    assert.equal(checkModuli(TESTED, { ...own(), n: productOf(2048, 1024) }), undefined)
    const { n, parameters } = own()
    assert.equal(checkModuli(L128, { n, parameters }), 'a modulus is too short or too long')
  })

  test('s and t that commit to nothing are refused', () => {
    for (const level of [TESTED, L128]) {
      const { n, parameters } = own(level)
      const { modulus, s, t } = parameters
      const factor = secretsOf(1, level).ringPedersen.factors.p.n
      const check = (badS: bigint, badT: bigint) =>
        checkModuli(level, { n, parameters: new RingPedersen(modulus, badS, badT) })
      for (const value of [0n, modulus.n, -1n, modulus.n + 2n, factor, factor * 2n]) {
        assert.equal(check(value, t), 's or t is not a unit')
        assert.equal(check(s, value), 's or t is not a unit')
      }
      for (const value of [1n, modulus.n - 1n]) {
        assert.equal(check(value, t), 's or t is 1 or −1')
        assert.equal(check(s, value), 's or t is 1 or −1')
      }
      assert.equal(check(t, t), 's equals t')
    }
  })

  test('no two moduli are one', () => {
    const { n, parameters } = own()
    const { s, t } = parameters
    const same = new RingPedersen(Modulus.of(n), s % n, t % n)
    assert.equal(checkModuli(TESTED, { n, parameters: same }), 'the two moduli are equal')
    const all = [1, 2, 3].flatMap((party) => {
      const { paillier, ringPedersen } = publicsOf(party, TESTED)
      return [paillier.n, ringPedersen.n]
    })
    assert.ok(areDistinct(all))
    assert.ok(areDistinct([]))
    for (const copied of all) assert.equal(areDistinct([...all, copied]), false)
  })
})
