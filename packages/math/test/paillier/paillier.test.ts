import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  FactoredModulus,
  Modulus,
  PaillierKey,
  PaillierSecretKey,
  randomBelow,
} from '@quorate/math'
import { ENGINES, withEngine } from '../integer/engines.js'
import { random } from '../random.js'
import { freshKey } from './keys.js'

for (const [name, engine] of ENGINES)
  for (const primeBits of [130, 512])
    describe(`Paillier over ${name}, primes of ${primeBits} bits`, () => {
      const { p, q, secret, open } = freshKey(primeBits)
      const { n } = open
      const largest = n >> 1n
      const messages = [
        0n,
        1n,
        -1n,
        2n,
        largest,
        -largest,
        largest - 1n,
        randomBelow(largest, random),
      ]
      const under = (title: string, work: () => void): void => {
        test(title, () => withEngine(engine, work))
      }

      under('decrypts what was encrypted, to the ends of the range, under either key', () => {
        for (const message of messages) {
          const nonce = open.randomNonce(random)
          const ciphertext = open.encrypt(message, nonce)
          assert.equal(secret.encrypt(message, nonce), ciphertext)
          assert.equal(secret.decrypt(ciphertext), message)
          assert.equal(secret.nonceOf(ciphertext), nonce)
        }
      })

      under('a message is its residue: one beyond the end comes out at the other', () => {
        const nonce = open.randomNonce(random)
        assert.equal(secret.decrypt(open.encrypt(largest + 1n, nonce)), -largest)
        assert.equal(secret.decrypt(open.encrypt(-largest - 1n, nonce)), largest)
        assert.equal(secret.decrypt(open.encrypt(5n * n + 3n, nonce)), 3n)
      })

      under('sums, negation and multiples of plaintexts', () => {
        const [a, b] = [randomBelow(n >> 70n, random), randomBelow(n >> 70n, random)]
        for (const key of [open, secret]) {
          const [first, second] = [
            key.encrypt(a, key.randomNonce(random)),
            key.encrypt(b, key.randomNonce(random)),
          ]
          assert.equal(secret.decrypt(key.add(first, second)), a + b)
          assert.equal(secret.decrypt(key.add(first, key.negate(second))), a - b)
          for (const factor of [0n, 1n, -1n, 2n, 2n ** 64n - 1n, -(2n ** 64n)])
            assert.equal(secret.decrypt(key.multiply(first, factor)), a * factor)
        }
      })

      under('both keys compute the same modulo N and N²', () => {
        const order = n * (p - 1n) * (q - 1n)
        const exponents = [0n, 1n, -1n, 3n, n, -n, n * n + 1n, order, order - 1n, -(2n ** 100n)]
        for (const pick of ['modulus', 'square'] as const)
          for (const exponent of exponents) {
            const base = open[pick].randomUnit(random)
            assert.equal(secret[pick].power(base, exponent), open[pick].power(base, exponent))
            const inverse = open[pick].inverse(base)
            assert.equal(secret[pick].inverse(base), inverse)
            assert.equal(open[pick].multiply(base, inverse), 1n)
            assert.equal(open[pick].n, secret[pick].n)
          }
      })

      under('the root of a power is the base', () => {
        const unit = open.modulus.randomUnit(random)
        assert.equal(open.modulus.power(secret.root(unit), n), unit)
        assert.equal(secret.root(open.modulus.power(unit, n)), unit)
      })

      under('ciphertexts are the units modulo N², each in one form', () => {
        const ciphertext = open.encrypt(7n, open.randomNonce(random))
        const refused = [
          0n,
          -1n,
          n,
          p,
          q * q,
          p * n,
          n * n,
          n * n + 1n,
          ciphertext + n * n,
          -ciphertext,
        ]
        for (const key of [open, secret]) {
          for (const value of [1n, 2n, n - 1n, n + 1n, n * n - 1n, ciphertext])
            assert.equal(key.isCiphertext(value), true)
          for (const value of refused) {
            assert.equal(key.isCiphertext(value), false)
            assert.equal(key.square.isUnit(value), false)
          }
          for (const value of [0n, p, n, n * q]) {
            assert.throws(() => key.negate(value), { code: 'math/not-a-unit' })
            assert.throws(() => key.multiply(value, 3n), { code: 'math/not-a-unit' })
          }
        }
      })
    })

test('factors that make no Paillier key are refused', () => {
  const bad = { code: 'math/bad-modulus' }
  assert.throws(() => new PaillierSecretKey(7n, 7n), bad)
  assert.throws(() => new PaillierSecretKey(2n, 7n), bad)
  // 7 = 2·3 + 1: N has a factor in common with φ(N).
  assert.throws(() => new PaillierSecretKey(3n, 7n), bad)
  assert.throws(() => PaillierKey.of(10n), bad)
  assert.throws(() => new FactoredModulus(7n, 7n), { code: 'math/not-a-unit' })
})

test('a modulus is made once, until all are forgotten', () => {
  const modulus = Modulus.of(1009n)
  assert.equal(Modulus.of(1009n), modulus)
  assert.equal(PaillierKey.of(1009n).square, PaillierKey.of(1009n).square)
  Modulus.forgetAll()
  assert.notEqual(Modulus.of(1009n), modulus)
})

test('the moduli used last are kept, and no more than 512 of them', () => {
  Modulus.forgetAll()
  const [first, second] = [Modulus.of(3n), Modulus.of(5n)]
  for (let n = 101n; n < 101n + 2n * 510n; n += 2n) Modulus.of(n)
  assert.equal(Modulus.of(3n), first)
  Modulus.of(9n)
  assert.equal(Modulus.of(3n), first)
  assert.notEqual(Modulus.of(5n), second)
  Modulus.forgetAll()
})
