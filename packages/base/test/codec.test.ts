import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  array,
  bool,
  bytes,
  type Codec,
  type CodecType,
  concatBytes,
  decode,
  encode,
  encodeCbor,
  Fault,
  field,
  int,
  isFault,
  mapped,
  nullable,
  oneOf,
  optional,
  record,
  shortHex,
  text,
  toHex,
  uint64,
  union,
} from '#src/index.js'

const limits = { maxBytes: 4096 }

/** Both directions refuse `value`: it can be neither sent nor received. */
function refusesBothWays<T>(codec: Codec<T>, value: unknown): void {
  assert.throws(
    () => encode(codec, value as T),
    (error) => isFault(error, 'base/malformed'),
  )
  const cbor = encodeCbor(value as never)
  assert.throws(
    () => decode(codec, cbor, limits),
    (error) => isFault(error, 'base/malformed'),
  )
}

function survives<T>(codec: Codec<T>, ...values: readonly T[]): void {
  for (const value of values) assert.deepEqual(decode(codec, encode(codec, value), limits), value)
}

test('int holds its range, and no bigint, text or bool passes for a number', () => {
  survives(int(), 0, Number.MAX_SAFE_INTEGER)
  survives(int(-5, 5), -5, 0, 5)
  for (const value of [-1, 2n ** 53n, '1', true, null, Uint8Array.of(1)])
    refusesBothWays(int(), value)
  for (const value of [-6, 6]) refusesBothWays(int(-5, 5), value)
})

test('uint64 is a bigint over the whole range', () => {
  survives(uint64, 0n, 23n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n)
  for (const value of [-1n, 2n ** 64n])
    assert.throws(
      () => encode(uint64, value),
      (error) => isFault(error, 'base/malformed'),
    )
  for (const value of [-1, 'x', null, true])
    assert.throws(
      () => decode(uint64, encodeCbor(value), limits),
      (error) => isFault(error, 'base/malformed'),
    )
})

test('bytes have the exact length, or one in range', () => {
  survives(bytes(2), Uint8Array.of(1, 2))
  survives(bytes({ max: 2 }), new Uint8Array(0), new Uint8Array(2))
  survives(bytes({ min: 1, max: 2 }), new Uint8Array(1))
  for (const length of [0, 1, 3]) refusesBothWays(bytes(2), new Uint8Array(length))
  refusesBothWays(bytes({ min: 1, max: 2 }), new Uint8Array(0))
  refusesBothWays(bytes({ max: 2 }), new Uint8Array(3))
  refusesBothWays(bytes(2), 'ab')
})

test('text is capped and matches its pattern', () => {
  survives(text(3), '', 'abc', '水')
  refusesBothWays(text(3), 'abcd')
  refusesBothWays(text(3), 7)
  survives(text(8, /^[a-z]+$/), 'abc')
  for (const value of ['', 'A', 'a b']) refusesBothWays(text(8, /^[a-z]+$/), value)
})

test('bool, oneOf and nullable', () => {
  survives(bool, true, false)
  refusesBothWays(bool, 0)
  survives(oneOf('a', 'b'), 'a', 'b')
  for (const value of ['c', '', 1, null, true]) refusesBothWays(oneOf('a', 'b'), value)
  survives(oneOf(1, 3), 1, 3)
  for (const value of [2, '1', null, true]) refusesBothWays(oneOf(1, 3), value)
  survives(nullable(int()), null, 4)
  refusesBothWays(nullable(int()), 'x')
})

test('arrays are bounded and name the item that is wrong', () => {
  const few = array(int(), { min: 1, max: 3 })
  survives<readonly number[]>(few, [1], [1, 2, 3])
  for (const value of [[], [1, 2, 3, 4], ['a'], 1]) {
    if (Array.isArray(value)) refusesBothWays(few, value)
    else assert.throws(() => decode(few, encodeCbor(value), limits), Fault)
  }
  assert.throws(() => decode(few, encodeCbor([1, -1]), limits), /record\[1\]/)
})

test('mapped parses at the edge and passes the parser’s fault on', () => {
  const even = mapped(
    int(),
    (value) => {
      if (value % 2 !== 0) throw new Fault('base/malformed', { detail: 'odd' })
      return { half: value / 2 }
    },
    ({ half }) => half * 2,
  )
  survives(even, { half: 4 })
  assert.throws(() => decode(even, encodeCbor(3), limits), /odd/)
})

const person = record({
  name: field(1, text(8)),
  age: optional(2, int(0, 150)),
  key: field(30, bytes(2)),
})
type Person = CodecType<typeof person>
const ada: Person = { name: 'ada', age: 36, key: Uint8Array.of(1, 2) }

test('a record is a map of its keys', () => {
  assert.equal(toHex(encode(person, ada)), 'a30163616461021824181e420102')
  survives(person, ada, { name: 'bo', key: new Uint8Array(2) })
})

test('an absent and an undefined optional field are the same', () => {
  const key = new Uint8Array(2)
  assert.deepEqual(
    encode(person, { name: 'bo', age: undefined, key }),
    encode(person, { name: 'bo', key }),
  )
  assert.equal('age' in decode(person, encode(person, { name: 'bo', key }), limits), false)
})

test('a record refuses unknown, missing and wrong fields, and names them', () => {
  const asMap = (...entries: readonly (readonly [number, unknown])[]): Uint8Array =>
    encodeCbor(new Map(entries) as never)
  const key = new Uint8Array(2)
  assert.throws(() => decode(person, asMap([1, 'ada'], [3, 0], [30, key]), limits), /no key 3/)
  assert.throws(() => decode(person, asMap([1, 'ada']), limits), /record\.key: expected a value/)
  assert.throws(() => decode(person, asMap([1, 'ada'], [2, 151], [30, key]), limits), /record\.age/)
  assert.throws(
    () => decode(person, asMap([1, 'ada'], [2, null], [30, key]), limits),
    /record\.age/,
  )
  assert.throws(() => decode(person, encodeCbor([1]), limits), /a map/)
  assert.throws(() => encode(person, { name: 'ada' } as Person), /key: expected a value/)
})

test('a record refuses values that its fields refuse, also when encoding', () => {
  assert.throws(
    () => encode(person, { ...ada, age: 151 }),
    (error) => isFault(error, 'base/malformed'),
  )
})

const shape = union({
  circle: [1, int()],
  box: [2, record({ w: field(1, int()), h: field(2, int()) })],
})

test('a union is a pair of number and value', () => {
  assert.equal(toHex(encode(shape, { kind: 'circle', value: 9 })), '820109')
  survives<CodecType<typeof shape>>(
    shape,
    { kind: 'circle', value: 9 },
    { kind: 'box', value: { w: 1, h: 2 } },
  )
  for (const bad of [[3, 9], [1], [1, 9, 9], ['circle', 9], [1, 'x'], 1])
    assert.throws(
      () => decode(shape, encodeCbor(bad), limits),
      (error) => isFault(error, 'base/malformed'),
    )
  assert.throws(
    () => encode(shape, { kind: 'line', value: 9 } as never),
    (error) => isFault(error, 'base/malformed'),
  )
})

test('decode applies the size cap', () => {
  assert.throws(
    () => decode(person, encode(person, ada), { maxBytes: 5 }),
    (error) => isFault(error, 'base/too-large'),
  )
})

test('any record survives, and none decodes with bytes after its end', () => {
  const people = fc.record(
    {
      name: fc.string({ unit: 'grapheme-ascii', maxLength: 8 }),
      age: fc.integer({ min: 0, max: 150 }),
      key: fc.uint8Array({ minLength: 2, maxLength: 2 }),
    },
    { requiredKeys: ['name', 'key'] },
  )
  fc.assert(
    fc.property(people, (value) => {
      assert.deepEqual(decode(person, encode(person, value), limits), { ...value })
      assert.throws(
        () => decode(person, concatBytes(encode(person, value), Uint8Array.of(0)), limits),
        Fault,
      )
    }),
  )
})

test('shortHex is the first four bytes', () => {
  assert.equal(shortHex(Uint8Array.of(0xde, 0xad, 0xbe, 0xef, 1)), 'deadbeef')
})
