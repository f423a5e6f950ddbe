import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fingerprintWords } from '@quorate/auth'
import { isFault } from '@quorate/base'
import fc from 'fast-check'

test('the words are proquints', () => {
  // The examples of the proquint paper: 127.0.0.1, 63.84.220.193, 140.98.193.141, 64.255.6.200.
  const hash = new Uint8Array(32)
  hash.set([127, 0, 0, 1, 63, 84, 220, 193, 140, 98, 193, 141, 64, 255, 6, 200])
  assert.deepEqual(fingerprintWords(hash), [
    'lusab',
    'babad',
    'gutih',
    'tugad',
    'mudof',
    'sakat',
    'haguz',
    'biram',
  ])
})

test('hashes that differ in their first 128 bits have different words', () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(hash, fc.integer({ min: 0, max: 127 }), (value, bit) => {
      const other = value.slice()
      other[bit >> 3]! ^= 1 << (bit & 7)
      assert.notDeepEqual(fingerprintWords(value), fingerprintWords(other))
    }),
  )
  assert.throws(
    () => fingerprintWords(new Uint8Array(16)),
    (error) => isFault(error, 'base/bug'),
  )
})
