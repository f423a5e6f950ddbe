import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  addCommitments,
  commitTo,
  ed25519,
  evaluate,
  evaluateCommitment,
  interpolate,
  interpolateElement,
  isShareOf,
  lagrangeCoefficients,
  mod,
  randomPolynomial,
  secp256k1,
} from '@quorate/math'
import fc from 'fast-check'
import { random } from '../random.ts'

const q = ed25519.order
const shape = fc
  .record({
    threshold: fc.integer({ min: 1, max: 8 }),
    secret: fc.bigInt(0n, q - 1n),
    at: fc.bigInt(0n, q - 1n),
  })
  .chain((each) =>
    fc
      .uniqueArray(fc.bigInt(1n, q - 1n), {
        minLength: each.threshold,
        maxLength: each.threshold + 3,
      })
      .map((indices) => ({ ...each, indices })),
  )

describe('polynomials and Lagrange', () => {
  test('evaluate is the sum of the powers', () => {
    assert.equal(evaluate([1n, 2n, 3n], 10n, q), 321n)
    assert.equal(evaluate([7n], 123n, q), 7n)
    assert.throws(() => evaluate([], 1n, q), { code: 'math/bad-length' })
  })

  test('as many values as coefficients, or more, give the polynomial at any place', () => {
    fc.assert(
      fc.property(shape, ({ threshold, secret, at, indices }) => {
        const polynomial = randomPolynomial(ed25519, threshold, secret, random)
        const values = indices.map((x) => evaluate(polynomial, x, q))
        assert.equal(interpolate(indices, values, q), secret)
        assert.equal(interpolate(indices, values, q, at), evaluate(polynomial, at, q))
      }),
    )
  })

  test('the coefficients at 0 add up to 1', () => {
    fc.assert(
      fc.property(shape, ({ indices }) => {
        const sum = lagrangeCoefficients(indices, q).reduce((a, b) => a + b, 0n)
        assert.equal(mod(sum, q), 1n)
      }),
    )
  })

  test('zero, repeated, too great or missing indices are refused', () => {
    for (const indices of [[0n], [1n, 1n], [1n, q], [-1n], [q + 1n, 1n]])
      assert.throws(() => lagrangeCoefficients(indices, q), { code: 'math/bad-index' })
    assert.throws(() => lagrangeCoefficients([], q), { code: 'math/bad-length' })
    assert.throws(() => interpolate([1n, 2n], [1n], q), { code: 'math/bad-length' })
    assert.throws(() => interpolateElement(ed25519, [1n], []), { code: 'math/bad-length' })
  })

  test('a polynomial needs a coefficient', () => {
    for (const threshold of [0, -1, 1.5])
      assert.throws(() => randomPolynomial(ed25519, threshold, 1n, random), {
        code: 'math/bad-length',
      })
  })
})

for (const group of [secp256k1, ed25519]) {
  test(`Feldman commitments over ${group.name} tell right shares from wrong ones`, () => {
    const f = randomPolynomial(group, 3, group.randomScalar(random), random)
    const g = randomPolynomial(group, 3, group.randomScalar(random), random)
    const commitment = commitTo(group, f)
    for (const x of [1n, 2n, 50n, 1000n]) {
      const share = evaluate(f, x, group.order)
      assert.ok(group.equals(evaluateCommitment(group, commitment, x), group.mulBase(share)))
      assert.ok(isShareOf(group, commitment, x, share))
      assert.ok(!isShareOf(group, commitment, x, share + 1n))
      assert.ok(!isShareOf(group, commitment, x + 1n, share))
    }
    const at = [2n, 5n, 9n]
    const points = at.map((x) => evaluateCommitment(group, commitment, x))
    assert.ok(group.equals(interpolateElement(group, at, points), commitment[0]!))
    const sum = addCommitments(group, [commitment, commitTo(group, g)])
    assert.ok(
      isShareOf(group, sum, 4n, evaluate(f, 4n, group.order) + evaluate(g, 4n, group.order)),
    )
    assert.throws(() => addCommitments(group, [commitment, commitment.slice(1)]), {
      code: 'math/bad-length',
    })
    assert.throws(() => addCommitments(group, []), { code: 'math/bad-length' })
    assert.throws(() => evaluateCommitment(group, [], 1n), { code: 'math/bad-length' })
  })
}
