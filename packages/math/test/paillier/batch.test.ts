import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  EncryptionBatch,
  type EncryptionEquation,
  PaillierKey,
  PaillierSecretKey,
  randomBelow,
  randomWithin,
} from '@quorate/math'
import { ENGINES, withEngine } from '../integer/engines.js'
import { random } from '../random.js'
import { freshKey } from './keys.js'

const { p, q, secret, open } = freshKey(256)
const { n, modulus, square } = open

/** enc(z; w) = A·Cᵉ·D⁻¹, of which all but z and w is drawn. */
function trueEquation(shared: bigint): EncryptionEquation {
  const [a, d] = [encryptRandom(), encryptRandom()]
  const exponent = randomWithin(64, random)
  const product = square.multiply(
    square.multiply(a, square.power(shared, exponent)),
    square.inverse(d),
  )
  return {
    message: secret.decrypt(product),
    nonce: secret.nonceOf(product),
    terms: [
      [a, 1n],
      [shared, exponent],
      [d, -1n],
    ],
  }
}

const encryptRandom = (): bigint => open.encrypt(randomBelow(n, random), open.randomNonce(random))

function holds(equations: readonly EncryptionEquation[], key = open): boolean {
  const batch = new EncryptionBatch(key)
  for (const equation of equations) batch.add(equation)
  return batch.holds()
}

const shared = encryptRandom()
const equations = Array.from({ length: 5 }, () => trueEquation(shared))
const replaced = (
  at: number,
  changed: Partial<EncryptionEquation>,
): readonly EncryptionEquation[] =>
  equations.map((equation, i) => (i === at ? { ...equation, ...changed } : equation))

for (const [name, engine] of ENGINES)
  describe(`many encryptions at once over ${name}`, () => {
    test('true equations hold: none, one, many, under the public and the secret key', () => {
      withEngine(engine, () => {
        for (const count of [0, 1, 2, 5])
          for (const key of [PaillierKey.of(n), new PaillierSecretKey(p, q)])
            assert.ok(holds(equations.slice(0, count), key))
      })
    })

    test('one wrong equation is found at every place, whatever is wrong in it', () => {
      withEngine(engine, () => {
        const key = PaillierKey.of(n)
        for (const [i, { message, nonce, terms }] of equations.entries()) {
          const [[a, one], ...others] = terms as [readonly [bigint, bigint], ...typeof terms]
          const wrongs: readonly Partial<EncryptionEquation>[] = [
            { message: message + 1n },
            { message: -message },
            { nonce: modulus.multiply(nonce, 2n) },
            { terms: [[square.multiply(a, 1n + n), one], ...others] },
            { terms: [[a, 2n], ...others] },
            { terms: others },
          ]
          for (const wrong of wrongs) assert.equal(holds(replaced(i, wrong), key), false)
          assert.equal(holds([{ ...equations[i]!, message: message + 1n }], key), false)
        }
      })
    })
  })

test('a message is what it is modulo N, also in a batch', () => {
  assert.ok(holds(replaced(3, { message: equations[3]!.message - 4n * n })))
})

test('two wrong equations do not make up for each other', () => {
  const [first, second] = equations as [EncryptionEquation, EncryptionEquation]
  const changed = [
    { ...first, message: first.message + 1n },
    { ...second, message: second.message - 1n },
  ]
  assert.equal(holds(changed), false)
})

test('a factor of order two may pass, and leaves every plaintext as it was', () => {
  const alone = { ...equations[0]!, nonce: n - equations[0]!.nonce }
  // Alone, and first, where the weight is 1, it is found; the weight of another is even half the time.
  assert.equal(holds([alone]), false)
  assert.equal(holds([alone, ...equations.slice(1)]), false)
  const passed = Array.from({ length: 40 }, () => {
    const last = trueEquation(shared)
    return holds([equations[0]!, { ...last, nonce: n - last.nonce }])
  }).filter((each) => each).length
  assert.ok(passed > 0 && passed < 40, `${passed} of 40`)
  // −1 encrypts zero: it is its own N-th power.
  assert.equal(secret.decrypt(square.n - 1n), 0n)
  assert.equal(open.encrypt(0n, n - 1n), square.n - 1n)
})

test('a factor that changes a plaintext is found, were its order only one of the primes', () => {
  // 1 + N·q has order p: it encrypts q.
  for (const i of equations.keys()) {
    const [[a, one], ...others] = equations[i]!.terms as [readonly [bigint, bigint]]
    const factor = 1n + n * (i % 2 === 0 ? p : q)
    const wrong = { terms: [[square.multiply(a, factor), one] as const, ...others] }
    assert.equal(holds(replaced(i, wrong)), false)
  }
})

test('numbers that no proof has are refused before they are cut to size', () => {
  const tooLarge = replaced(1, { message: 1n << 8191n })
  assert.throws(() => holds(tooLarge), { code: 'math/out-of-range' })
})
