import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ID_PREFIXES, idFrom, isFault, isId, isName, newId, parseId } from '#src/index.js'

const entropies = fc.uint8Array({ minLength: 10, maxLength: 10 })
const times = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const isBadId = (error: unknown): boolean => isFault(error, 'base/bad-id')

test('ids follow the ULID layout: ten digits of time, sixteen of entropy', () => {
  assert.equal(idFrom('wal', 0, new Uint8Array(10)), 'wal_00000000000000000000000000')
  assert.equal(
    idFrom('wal', 2 ** 48 - 1, new Uint8Array(10).fill(255)),
    'wal_7zzzzzzzzzzzzzzzzzzzzzzzzz',
  )
  // The time of the example in the ULID specification, 01ARZ3NDEKTSV4RRFFQ69G5FAV.
  assert.ok(idFrom('key', 1469922850259, new Uint8Array(10)).startsWith('key_01arz3ndek'))
})

test('what is made is valid, of its own prefix only, and parses to itself', () => {
  fc.assert(
    fc.property(fc.constantFrom(...ID_PREFIXES), times, entropies, (prefix, now, entropy) => {
      const id = newId(prefix, now, { bytes: (length) => entropy.subarray(0, length) })
      assert.equal(id, idFrom(prefix, now, entropy))
      assert.equal(parseId(prefix, id), id)
      for (const other of ID_PREFIXES) assert.equal(isId(other, id), other === prefix)
    }),
  )
})

test('ids of different milliseconds sort by time', () => {
  fc.assert(
    fc.property(times, times, entropies, entropies, (a, b, x, y) => {
      if (a === b) return
      assert.equal(idFrom('op', a, x) < idFrom('op', b, y), a < b)
    }),
  )
})

test('malformed ids are refused', () => {
  const good = 'wal_01arz3ndektsv4rrffq69g5fav'
  assert.equal(isId('wal', good), true)
  for (const bad of [
    '',
    'wal_',
    good.toUpperCase(),
    good.replace('wal', 'key'),
    good.replace('_', '-'),
    good.slice(0, -1),
    `${good}0`,
    `${good}\n`,
    good.replace('01a', '81a'),
    good.replace('fav', 'fai'),
    good.replace('fav', 'fal'),
    good.replace('fav', 'fao'),
    good.replace('fav', 'fau'),
  ])
    assert.throws(() => parseId('wal', bad), isBadId, bad)
})

test('times and entropy out of range are refused', () => {
  for (const now of [-1, 2 ** 48, 0.5, Number.NaN])
    assert.throws(() => idFrom('wal', now, new Uint8Array(10)), isBadId)
  for (const length of [9, 11])
    assert.throws(() => idFrom('wal', 0, new Uint8Array(length)), isBadId)
})

test('names', () => {
  for (const good of ['a', 'A1', 'treasury.cold-1_b', 'x'.repeat(64)])
    assert.equal(isName(good), true, good)
  for (const bad of ['', '-a', '.a', '_a', 'a b', 'a/b', 'ü', 'a\n', 'x'.repeat(65)])
    assert.equal(isName(bad), false, bad)
})
