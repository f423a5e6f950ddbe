import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBytesBe, fromBytesLe, inverse, mod, secp256k1, toBytesBe } from '@quorate/math'
import fc from 'fast-check'

const q = secp256k1.order

test('mod is never negative', () => {
  assert.equal(mod(-1n, 7n), 6n)
  assert.equal(mod(-14n, 7n), 0n)
  assert.equal(mod(15n, 7n), 1n)
})

test('a value times its inverse is one', () => {
  fc.assert(fc.property(fc.bigInt(1n, q - 1n), (a) => assert.equal(mod(a * inverse(a, q), q), 1n)))
  assert.equal(mod(-3n * inverse(-3n, q), q), 1n)
  for (const zero of [0n, q, -q]) assert.throws(() => inverse(zero, q), { code: 'math/bad-scalar' })
})

test('numbers and bytes', () => {
  assert.equal(fromBytesBe(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9)), 0x010203040506070809n)
  assert.equal(fromBytesLe(Uint8Array.of(1, 2, 3)), 0x030201n)
  assert.equal(fromBytesBe(new Uint8Array()), 0n)
  fc.assert(
    fc.property(fc.bigInt(0n, 2n ** 256n - 1n), (a) => assert.equal(fromBytesBe(toBytesBe(a)), a)),
  )
})
