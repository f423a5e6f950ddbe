import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Codec, decode, encode, encodeCbor, isFault } from '@quorate/base'
import { secp256k1 } from '@quorate/math'
import fc from 'fast-check'
import {
  modulusLength,
  packed,
  packedBits,
  point,
  points,
  scalar,
  signed,
  squareLength,
  unsigned,
} from '#src/cggmp24/wire.js'
import { L128, Q, TESTED } from './alterations.js'

const limits = { maxBytes: 100_000 }
const roundTrip = <T>(codec: Codec<T>, value: T): T => decode(codec, encode(codec, value), limits)
const lengthOf = <T>(codec: Codec<T>, value: T): number =>
  (codec.toCbor(value) as Uint8Array).length
const refuses = (work: () => unknown): void =>
  assert.throws(work, (error) => isFault(error) && /^(base|math)\//.test(error.code))

/** Refuses bytes of every length but the right one. */
function refusesOtherLengths<T>(codec: Codec<T>, length: number): void {
  for (const other of [0, length - 1, length + 1])
    refuses(() => decode(codec, encodeCbor(new Uint8Array(other)), limits))
  for (const other of [null, 1, 'text', [], new Map()])
    refuses(() => decode(codec, encodeCbor(other), limits))
}

describe('wire forms', () => {
  test('lengths follow the level', () => {
    assert.deepEqual([L128, TESTED].map(modulusLength), [384, 256])
    assert.deepEqual([L128, TESTED].map(squareLength), [768, 512])
  })

  test('unsigned integers', () => {
    const codec = unsigned(2)
    for (const value of [0n, 1n, 255n, 256n, 65535n]) {
      assert.equal(roundTrip(codec, value), value)
      assert.equal(lengthOf(codec, value), 2)
    }
    for (const value of [-1n, 65536n]) refuses(() => encode(codec, value))
    refusesOtherLengths(codec, 2)
  })

  test('signed integers hold both ends of their range, in as few bytes as can', () => {
    for (const bits of [5, 6, 7, 8, 14, 15, 16, 767, 768, 1791]) {
      const codec = signed(bits)
      const end = 1n << BigInt(bits)
      for (const value of [-end, 1n - end, -1n, 0n, 1n, end - 1n, end])
        assert.equal(roundTrip(codec, value), value)
      const length = lengthOf(codec, end)
      assert.ok(end > (1n << BigInt(8 * (length - 1) - 1)) - 1n, 'a byte less would do')
      refuses(() => encode(codec, 1n << BigInt(8 * length - 1)))
      refuses(() => encode(codec, -(1n << BigInt(8 * length - 1)) - 1n))
      refusesOtherLengths(codec, length)
    }
  })

  test('packed integers', () => {
    const values = [0n, 1n, 255n, 256n]
    assert.deepEqual(roundTrip(packed(4, 2, 'unsigned'), values), values)
    const negative = [0n, -1n, 127n, -128n, 32767n, -32768n]
    assert.deepEqual(roundTrip(packed(6, 2, 'signed'), negative), negative)
    assert.equal(lengthOf(packed(4, 2, 'unsigned'), values), 8)
    for (const other of [values.slice(1), [...values, 1n], [], [0n, 1n, 2n, -1n]])
      refuses(() => encode(packed(4, 2, 'unsigned'), other))
    refusesOtherLengths(packed(4, 2, 'unsigned'), 8)
    refusesOtherLengths(packed(1, 2, 'signed'), 2)
  })

  test('packed bits, unused ones zero', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 130 }), (bits) => {
        const codec = packedBits(bits.length)
        assert.deepEqual(roundTrip(codec, bits), bits)
        assert.equal(lengthOf(codec, bits), Math.ceil(bits.length / 8))
      }),
      { numRuns: 50 },
    )
    assert.deepEqual(
      packedBits(10).toCbor([true, ...Array(8).fill(false), true]),
      Uint8Array.of(128, 64),
    )
    for (const stray of [1, 32])
      refuses(() => packedBits(10).fromCbor(Uint8Array.of(0, stray), 'x'))
    for (const count of [9, 11]) refuses(() => encode(packedBits(10), Array(count).fill(true)))
    refusesOtherLengths(packedBits(10), 2)
  })

  test('points, never the identity', () => {
    const some = [1n, 2n, Q - 1n].map((k) => secp256k1.mulBase(k))
    for (const element of some) assert.ok(secp256k1.equals(roundTrip(point, element), element))
    const read = roundTrip(points(3), some)
    assert.ok(read.every((element, i) => secp256k1.equals(element, some[i]!)))
    refuses(() => encode(point, secp256k1.identity))
    refuses(() => encode(points(1), [secp256k1.identity]))
    for (const count of [2, 4]) refuses(() => encode(points(count), some))
    for (const first of [0, 2, 4]) {
      // x = 5 stands on no point; a first byte of 0 or 4 is no compressed form.
      const bytes = new Uint8Array(33)
      bytes.set([first], 0)
      bytes.set([5], 32)
      refuses(() => decode(point, encodeCbor(bytes), limits))
      refuses(() => decode(points(1), encodeCbor(bytes), limits))
    }
    refusesOtherLengths(point, 33)
    refusesOtherLengths(points(2), 66)
  })

  test('scalars below q', () => {
    for (const value of [0n, 1n, Q - 1n]) assert.equal(roundTrip(scalar, value), value)
    refuses(() => decode(scalar, encode(unsigned(32), Q), limits))
    refuses(() => decode(scalar, encode(unsigned(32), (1n << 256n) - 1n), limits))
    refusesOtherLengths(scalar, 32)
  })
})
