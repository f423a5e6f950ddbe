import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bitLength,
  fromSignedBytes,
  gcd,
  integerSquareRoot,
  inverseModulo,
  jacobi,
  toSignedBytes,
  toUnsignedBytes,
} from '@quorate/math'
import fc from 'fast-check'

const natural = (bits: number): fc.Arbitrary<bigint> =>
  fc.oneof(fc.bigInt(0n, 100n), fc.bigInt(0n, 2n ** BigInt(bits) - 1n))

function euclid(a: bigint, b: bigint): bigint {
  return b === 0n ? (a < 0n ? -a : a) : euclid(b, a % b)
}

test('bitLength counts the digits of base two', () => {
  assert.equal(bitLength(0n), 0)
  fc.assert(
    fc.property(natural(700), (a) => {
      assert.equal(bitLength(a), a === 0n ? 0 : a.toString(2).length)
      assert.equal(bitLength(-a), bitLength(a))
    }),
  )
})

test('gcd is what Euclid’s algorithm says, of any sign and size', () => {
  const signed = fc
    .tuple(natural(2000), fc.boolean())
    .map(([a, isNegative]) => (isNegative ? -a : a))
  fc.assert(
    fc.property(signed, signed, natural(300), (a, b, factor) => {
      assert.equal(gcd(a, b), euclid(a, b))
      assert.equal(gcd(a * factor, b * factor), euclid(a, b) * factor)
    }),
  )
})

test('gcd and inverse of numbers whose quotients are extreme', () => {
  const fibonacci = [1n, 1n]
  while (fibonacci.length < 3000) fibonacci.push(fibonacci.at(-1)! + fibonacci.at(-2)!)
  assert.equal(gcd(fibonacci[2999]!, fibonacci[2998]!), 1n)
  assert.equal(gcd(fibonacci[2999]!, fibonacci[1499]!), fibonacci[1499])
  for (const shift of [24n, 25n, 26n, 49n, 50n, 51n, 52n, 53n, 64n, 1000n])
    for (const near of [-1n, 1n, 3n]) {
      const [n, a] = [(1n << (2n * shift)) + near * 2n + 1n, (1n << shift) + near]
      assert.equal(gcd(n, a), euclid(n, a))
      if (euclid(n, a) === 1n) assert.equal((inverseModulo(a, n) * a) % n, 1n)
    }
})

test('inverseModulo gives the inverse of a unit and refuses all else', () => {
  fc.assert(
    fc.property(natural(1600), natural(1600), (a, b) => {
      const n = b + 2n
      if (euclid(a, n) !== 1n) {
        assert.throws(() => inverseModulo(a, n), { code: 'math/not-a-unit' })
        return
      }
      const inverse = inverseModulo(a, n)
      assert.ok(inverse >= 0n && inverse < n)
      assert.equal((inverse * a) % n, 1n)
      assert.equal((inverseModulo(-a, n) + inverse) % n, 0n)
    }),
    { numRuns: 300 },
  )
})

test('integerSquareRoot is the largest whose square is not larger', () => {
  for (const a of [0n, 1n, 2n, 3n, 4n, 8n, 9n]) assert.equal(integerSquareRoot(a) ** 2n <= a, true)
  fc.assert(
    fc.property(natural(1500), fc.integer({ min: -1, max: 1 }), (root, offset) => {
      const a = root * root + BigInt(offset)
      if (a < 0n) return
      const found = integerSquareRoot(a)
      assert.ok(found * found <= a && (found + 1n) * (found + 1n) > a)
    }),
  )
})

test('the Jacobi symbol of a product of primes is the product of Legendre symbols', () => {
  const legendre = (a: bigint, p: bigint): number => {
    if (a % p === 0n) return 0
    for (let x = 1n; x < p; x++) if ((x * x - a) % p === 0n) return 1
    return -1
  }
  const primes = [3n, 5n, 7n, 11n, 13n, 17n]
  fc.assert(
    fc.property(
      fc.bigInt(-100_000n, 100_000n),
      fc.array(fc.constantFrom(...primes), { maxLength: 5 }),
      (a, factors) => {
        const n = factors.reduce((product, p) => product * p, 1n)
        const expected = factors.reduce((sign, p) => sign * legendre(a, p), 1)
        assert.equal(jacobi(a, n), expected + 0)
      },
    ),
    { numRuns: 500 },
  )
})

test('the Jacobi symbol of large numbers is multiplicative and knows squares', () => {
  const odd = natural(1000).map((n) => 2n * n + 1n)
  fc.assert(
    fc.property(natural(1000), natural(1000), odd, fc.nat(200), (a, b, n, zeros) => {
      assert.equal(jacobi(a * b, n), jacobi(a, n) * jacobi(b, n) + 0)
      assert.equal(jacobi(a * a, n), gcd(a, n) === 1n ? 1 : 0)
      assert.equal(jacobi(a << BigInt(zeros), n), jacobi(a, n) * jacobi(2n, n) ** zeros + 0)
    }),
  )
  for (const n of [0n, -3n, 2n, 10n])
    assert.throws(() => jacobi(1n, n), { code: 'math/bad-modulus' })
})

test('integers as bytes of a fixed length, and back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
      assert.deepEqual(toUnsignedBytes(BigInt(`0x0${hex}`), bytes.length), bytes)
      assert.deepEqual(toSignedBytes(fromSignedBytes(bytes), bytes.length), bytes)
    }),
  )
  assert.equal(fromSignedBytes(toSignedBytes(-1n, 5)), -1n)
  const overflows = { code: 'math/out-of-range' }
  assert.throws(() => toUnsignedBytes(256n, 1), overflows)
  assert.throws(() => toUnsignedBytes(-1n, 1), overflows)
  assert.throws(() => toSignedBytes(128n, 1), overflows)
  assert.throws(() => toSignedBytes(-129n, 1), overflows)
  assert.deepEqual(toSignedBytes(-128n, 1), Uint8Array.of(128))
})
