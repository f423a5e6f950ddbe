import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import { formatPath, parsePath } from '@quorate/math'
import fc from 'fast-check'

test('paths are written and read back', () => {
  assert.deepEqual(parsePath('m'), [])
  assert.deepEqual(parsePath('m/0/5'), [0, 5])
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0x7fffffff }), { maxLength: 255 }), (path) => {
      assert.deepEqual(parsePath(formatPath(path)), path)
    }),
    { numRuns: 30 },
  )
})

test('hardened steps are named as such, everything else is malformed', () => {
  for (const text of ["m/44'", 'm/0h/1', 'm/1H', 'm/2147483648', 'm/9999999999'])
    assert.throws(
      () => parsePath(text),
      (error) => isFault(error, 'math/hardened-path'),
      text,
    )
  for (const text of [
    '',
    '0/5',
    'M/0',
    'm/',
    'm//1',
    'm/01',
    'm/-1',
    'm/ 1',
    'm/1/',
    'm/1e3',
    "m/'",
    'm/0x1',
    'm/٣',
    `m${'/0'.repeat(256)}`,
    `m${'/0'.repeat(1_000_000)}`,
  ])
    assert.throws(
      () => parsePath(text),
      (error) => isFault(error, 'math/bad-path'),
      text.slice(0, 20),
    )
  assert.throws(
    () => formatPath([1.5]),
    (error) => isFault(error, 'math/bad-path'),
  )
  assert.throws(
    () => formatPath([2 ** 31]),
    (error) => isFault(error, 'math/hardened-path'),
  )
})
