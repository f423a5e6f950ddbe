import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { gcd, jacobi, Modulus, RingPedersen, RingPedersenSecret, randomBelow } from '@quorate/math'
import { safePrime } from '@quorate/math/native'
import { ENGINES, withEngine } from '../integer/engines.js'
import { random } from '../random.js'

// Their product is long enough for OpenSSL.
const [p, q] = [safePrime(260, random), safePrime(260, random)]
const own = RingPedersenSecret.create(p, q, random)
/** Without the secrets, and with a context of the engine that serves now. */
const fresh = (): RingPedersen => new RingPedersen(Modulus.of(own.n), own.s, own.t)

test('s and t are squares, and each generates the other', () => {
  for (const value of [own.s, own.t]) assert.deepEqual([jacobi(value, p), jacobi(value, q)], [1, 1])
  assert.equal(fresh().modulus.power(own.t, own.lambda), own.s)
  assert.equal(gcd(own.lambda, ((p - 1n) / 2n) * ((q - 1n) / 2n)), 1n)
})

for (const [name, engine] of ENGINES)
  describe(`ring-Pedersen commitments over ${name}`, () => {
    test('with and without the secrets they are the same, of any sign and length', () => {
      withEngine(engine, () => {
        const n = own.n
        const [open, secret] = [fresh(), RingPedersenSecret.restore(p, q, own.t, own.lambda)]
        const numbers = [
          0n,
          1n,
          -1n,
          n,
          -n,
          randomBelow(n << 300n, random),
          -randomBelow(n, random),
        ]
        for (const x of numbers)
          for (const y of numbers) assert.equal(secret.commit(x, y), open.commit(x, y))
      })
    })

    test('the sum of two openings opens the product', () => {
      withEngine(engine, () => {
        const open = fresh()
        const [x, y, z] = [5n, -(2n ** 70n), 3n ** 50n]
        const product = open.modulus.multiply(open.commit(x, y), open.commit(-z, z))
        assert.equal(product, open.commit(x - z, y + z))
        assert.equal(open.modulus.multiply(open.commit(x, y), open.commit(-x, -y)), 1n)
      })
    })
  })

test('parameters made before commit as they did', () => {
  const restored = RingPedersenSecret.restore(p, q, own.t, own.lambda)
  assert.equal(restored.s, own.s)
  assert.equal(restored.commit(123n, -456n), own.commit(123n, -456n))
})

test('parameters that are no units commit to nothing', () => {
  const broken = new RingPedersen(fresh().modulus, p, own.t)
  assert.throws(() => broken.commit(1n, 1n), { code: 'math/not-a-unit' })
})
