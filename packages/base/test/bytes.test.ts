import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  compareBytes,
  concatBytes,
  equalBytes,
  fromBase64,
  fromBase64url,
  fromHex,
  fromUtf8,
  isFault,
  toBase64,
  toBase64url,
  toHex,
  utf8,
} from '#src/index.js'

const someBytes = fc.uint8Array({ maxLength: 70 })
const isMalformed = (error: unknown): boolean => isFault(error, 'base/malformed')

test('hex and base64 agree with Node’s, both ways', () => {
  fc.assert(
    fc.property(someBytes, (bytes) => {
      const node = Buffer.from(bytes)
      for (const [encoded, expected, decode] of [
        [toHex(bytes), node.toString('hex'), fromHex],
        [toBase64(bytes), node.toString('base64'), fromBase64],
        [toBase64url(bytes), node.toString('base64url'), fromBase64url],
      ] as const) {
        assert.equal(encoded, expected)
        assert.deepEqual(decode(encoded), bytes)
      }
    }),
  )
})

test('hex accepts either case and nothing else', () => {
  assert.deepEqual(fromHex('DEADbeef'), Uint8Array.of(0xde, 0xad, 0xbe, 0xef))
  for (const bad of ['a', '0x00', 'zz', '0 ', '00\n', '٠٠'])
    assert.throws(() => fromHex(bad), isMalformed, bad)
})

test('base64 is refused when another text would mean the same bytes', () => {
  assert.deepEqual(fromBase64('AA=='), Uint8Array.of(0))
  for (const bad of [
    'AA',
    'AA=',
    'AB==',
    'AAB=',
    'A===',
    '=',
    '====',
    'AA==AA==',
    'AA\n=',
    '_-_-',
    'A A=',
  ])
    assert.throws(() => fromBase64(bad), isMalformed, bad)
  assert.deepEqual(fromBase64url('_-8'), Uint8Array.of(0xff, 0xef))
  for (const bad of ['AA==', 'A', 'AB', '+/8', '_-9', 'AA\n'])
    assert.throws(() => fromBase64url(bad), isMalformed, bad)
})

test('of all texts of four base64 letters, each decoded one is the encoding of its bytes', () => {
  const letters = fc.string({
    unit: fc.constantFrom(...'ABab01+/=-_'.split('')),
    minLength: 4,
    maxLength: 4,
  })
  fc.assert(
    fc.property(letters, (text) => {
      let bytes: Uint8Array
      try {
        bytes = fromBase64(text)
      } catch (error) {
        assert.ok(isMalformed(error))
        return
      }
      assert.equal(toBase64(bytes), text)
    }),
    { numRuns: 2000 },
  )
})

test('equalBytes is true exactly for equal bytes', () => {
  fc.assert(
    fc.property(someBytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, place, mask) => {
      assert.equal(equalBytes(bytes, Uint8Array.from(bytes)), true)
      assert.equal(equalBytes(bytes, concatBytes(bytes, Uint8Array.of(0))), false)
      if (bytes.length === 0) return
      const changed = Uint8Array.from(bytes)
      changed[place % bytes.length]! ^= mask
      assert.equal(equalBytes(bytes, changed), false)
    }),
  )
})

test('compareBytes orders as Node does', () => {
  fc.assert(
    fc.property(someBytes, someBytes, (a, b) => {
      assert.equal(Math.sign(compareBytes(a, b)), Buffer.compare(a, b))
    }),
  )
  assert.ok(compareBytes(Uint8Array.of(1), Uint8Array.of(1, 0)) < 0)
  assert.equal(compareBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), 0)
})

test('concatBytes joins into fresh bytes', () => {
  const part = Uint8Array.of(1, 2)
  const joined = concatBytes(part, new Uint8Array(0), part)
  assert.deepEqual(joined, Uint8Array.of(1, 2, 1, 2))
  part.fill(0)
  assert.deepEqual(joined, Uint8Array.of(1, 2, 1, 2))
  assert.deepEqual(concatBytes(), new Uint8Array(0))
})

test('UTF-8 is strict and keeps a byte order mark', () => {
  assert.equal(fromUtf8(utf8('水\ufeff\u{10151}')), '水\ufeff\u{10151}')
  assert.equal(fromUtf8(fromHex('efbbbf61')), '\ufeffa')
  for (const bad of ['ff', 'c080', 'eda080', 'e6b0', 'f4908080'])
    assert.equal(fromUtf8(fromHex(bad)), undefined)
})
