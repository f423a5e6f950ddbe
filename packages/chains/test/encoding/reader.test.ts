import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import fc from 'fast-check'
import { ByteReader, encodeCompactU16 } from '#src/encoding/reader.js'

const malformed = (error: unknown): boolean => isFault(error, 'chains/malformed-transaction')

test('compact-u16 reads back what was written, in the documented form', () => {
  const known: readonly (readonly [number, readonly number[]])[] = [
    [0, [0]],
    [0x7f, [0x7f]],
    [0x80, [0x80, 0x01]],
    [0x3fff, [0xff, 0x7f]],
    [0x4000, [0x80, 0x80, 0x01]],
    [0xffff, [0xff, 0xff, 0x03]],
  ]
  for (const [value, bytes] of known)
    assert.deepEqual(encodeCompactU16(value), Uint8Array.from(bytes))
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffff }), (value) => {
      const reader = new ByteReader(encodeCompactU16(value))
      assert.equal(reader.compactU16(), value)
      assert.ok(reader.isAtEnd)
    }),
  )
})

test('lengths that are too long, too large or not shortest are refused', () => {
  for (const bytes of [
    [0x80, 0x00],
    [0x81, 0x80, 0x00],
    [0x80, 0x80, 0x04],
    [0xff, 0xff, 0xff],
    [0x80],
    [],
  ])
    assert.throws(() => new ByteReader(Uint8Array.from(bytes)).compactU16(), malformed)
})

test('three bytes are accepted exactly if they are the encoding of what they mean', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 3 }), (bytes) => {
      let value: number
      const reader = new ByteReader(bytes)
      try {
        value = reader.compactU16()
      } catch (error) {
        assert.ok(malformed(error))
        return
      }
      const used = encodeCompactU16(value)
      assert.deepEqual(bytes.slice(0, used.length), used)
      assert.equal(reader.rest().length, bytes.length - used.length)
    }),
  )
})

test('compact sizes of one, three and five bytes, in their shortest form only', () => {
  const read = (...bytes: number[]): number => new ByteReader(Uint8Array.from(bytes)).compactSize()
  assert.equal(read(0xfc), 0xfc)
  assert.equal(read(0xfd, 0xfd, 0), 0xfd)
  assert.equal(read(0xfd, 0xff, 0xff), 0xffff)
  assert.equal(read(0xfe, 0, 0, 1, 0), 0x10000)
  for (const bytes of [
    [0xfd, 0xfc, 0],
    [0xfe, 0xff, 0xff, 0, 0],
    [0xff, 0, 0, 0, 0, 1, 0, 0, 0],
    [0xfd, 0xfd],
    [],
  ])
    assert.throws(() => read(...bytes), malformed)
})

test('integers are little-endian and reading past the end is refused', () => {
  const reader = new ByteReader(Uint8Array.of(0xff, 0, 0, 0x80, 1, 0, 0, 0, 0, 0, 0, 0xff))
  assert.equal(reader.u32(), 0x800000ff)
  assert.equal(reader.u64(), 0xff00000000000001n)
  reader.end()
  assert.throws(() => reader.u8(), malformed)
  assert.throws(() => new ByteReader(Uint8Array.of(1)).end(), malformed)
})
