import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Cbor,
  decodeCbor,
  encodeCbor,
  Fault,
  type FaultCode,
  fromHex,
  toHex,
} from '#src/index.js'

type Described =
  | { readonly int: string }
  | { readonly bytes: string }
  | { readonly text: string }
  | { readonly bool: boolean }
  | { readonly null: true }
  | { readonly array: readonly Described[] }
  | { readonly map: readonly (readonly [number, Described])[] }

type Vectors = {
  readonly accepted: readonly { readonly hex: string; readonly value: Described }[]
  readonly refused: readonly {
    readonly hex: string
    readonly why: string
    readonly code: FaultCode
  }[]
}

const path = new URL('../../../../test/vectors/formats/cbor.json', import.meta.url)
const vectors = JSON.parse(readFileSync(path, 'utf8')) as Vectors
const limits = { maxBytes: 1 << 20 }

function fromDescription(described: Described): Cbor {
  if ('int' in described) {
    const big = BigInt(described.int)
    return Number.isSafeInteger(Number(big)) ? Number(big) : big
  }
  if ('bytes' in described) return fromHex(described.bytes)
  if ('text' in described) return described.text
  if ('bool' in described) return described.bool
  if ('array' in described) return described.array.map(fromDescription)
  if ('map' in described)
    return new Map(described.map.map(([key, item]) => [key, fromDescription(item)] as const))
  return null
}

const refusesWith = (code: FaultCode) => (error: unknown) =>
  error instanceof Fault && error.code === code

test('every accepted vector decodes to its value and encodes to its bytes', () => {
  for (const { hex, value } of vectors.accepted) {
    const expected = fromDescription(value)
    assert.deepEqual(decodeCbor(fromHex(hex), limits), expected, hex)
    assert.equal(toHex(encodeCbor(expected)), hex)
  }
})

test('every refused vector is refused with its code', () => {
  for (const { hex, why, code } of vectors.refused)
    assert.throws(() => decodeCbor(fromHex(hex), limits), refusesWith(code), `${hex}: ${why}`)
})

const integers = fc.oneof(
  fc.maxSafeInteger(),
  fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
  fc.bigInt({ min: -(2n ** 64n), max: -(2n ** 53n) }),
)
const texts = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.normalize('NFC'))
const keys = fc.oneof(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 0xffff }))
const { values } = fc.letrec<{ values: Cbor }>((tie) => ({
  values: fc.oneof(
    { maxDepth: 5, depthIdentifier: 'cbor' },
    integers,
    texts,
    fc.uint8Array({ maxLength: 300 }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('values'), { maxLength: 30, depthIdentifier: 'cbor' }),
    fc
      .uniqueArray(fc.tuple(keys, tie('values')), {
        selector: ([key]) => key,
        maxLength: 8,
        depthIdentifier: 'cbor',
      })
      .map((entries): Cbor => new Map(entries.sort(([a], [b]) => a - b))),
  ),
}))

test('a value survives encoding and decoding', () => {
  fc.assert(
    fc.property(values, (value) => {
      assert.deepEqual(decodeCbor(encodeCbor(value), limits), value)
    }),
    { numRuns: 1000 },
  )
})

/** Bytes are either refused by a Fault or are what the encoder makes of their value. */
function isCanonicalOrRefused(bytes: Uint8Array): 'accepted' | 'refused' {
  let value: Cbor
  try {
    value = decodeCbor(bytes, limits)
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return 'refused'
  }
  assert.equal(toHex(encodeCbor(value)), toHex(bytes))
  return 'accepted'
}

test('accepted bytes are exactly what the encoder produces', () => {
  const seen = { accepted: 0, refused: 0 }
  const someBytes = fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    // An item head of any kind in front of short bodies reaches the accepting paths often.
    fc
      .tuple(fc.integer({ min: 0, max: 255 }), fc.uint8Array({ maxLength: 6 }))
      .map(([first, rest]) => Uint8Array.of(first, ...rest)),
  )
  fc.assert(
    fc.property(someBytes, (bytes) => {
      seen[isCanonicalOrRefused(bytes)]++
    }),
    { numRuns: 5000 },
  )
  assert.ok(seen.accepted > 100 && seen.refused > 100, JSON.stringify(seen))
})

test('a changed, cut or lengthened encoding is refused or canonical for another value', () => {
  fc.assert(
    fc.property(values, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, place, mask) => {
      const bytes = encodeCbor(value)
      const changed = Uint8Array.from(bytes)
      changed[place % bytes.length]! ^= mask
      isCanonicalOrRefused(changed)
      assert.equal(isCanonicalOrRefused(bytes.subarray(0, place % bytes.length)), 'refused')
      assert.equal(isCanonicalOrRefused(Uint8Array.of(...bytes, mask)), 'refused')
    }),
    { numRuns: 1000 },
  )
})

test('the size cap holds before anything is parsed', () => {
  const bytes = encodeCbor([1, 2, 3])
  assert.deepEqual(decodeCbor(bytes, { maxBytes: 4 }), [1, 2, 3])
  assert.throws(() => decodeCbor(bytes, { maxBytes: 3 }), refusesWith('base/too-large'))
  // Not even CBOR: had the parser been reached, the code would be another.
  const junk = new Uint8Array(5).fill(0xff)
  assert.throws(() => decodeCbor(junk, { maxBytes: 4 }), refusesWith('base/too-large'))
})

test('nesting is capped, for arrays and for maps', () => {
  const nested = (depth: number, wrap: (inner: Cbor) => Cbor): Cbor =>
    depth === 0 ? 0 : wrap(nested(depth - 1, wrap))
  const wraps = [(inner: Cbor): Cbor => [inner], (inner: Cbor): Cbor => new Map([[0, inner]])]
  for (const wrap of wraps) {
    const atCap = encodeCbor(nested(16, wrap))
    const overCap = encodeCbor(nested(17, wrap))
    assert.deepEqual(decodeCbor(atCap, limits), nested(16, wrap))
    assert.throws(() => decodeCbor(overCap, limits), refusesWith('base/too-large'))
    const narrow = { ...limits, maxDepth: 1 }
    assert.throws(
      () => decodeCbor(encodeCbor(nested(2, wrap)), narrow),
      refusesWith('base/too-large'),
    )
  }
  // Deep enough to overflow the stack of a parser without a cap.
  const bomb = new Uint8Array(1 << 20).fill(0x81)
  assert.throws(() => decodeCbor(bomb, limits), refusesWith('base/too-large'))
})

test('a huge count in a short message allocates nothing', () => {
  const before = process.memoryUsage().arrayBuffers
  // 2^29 bytes, items and entries are announced; a few follow.
  for (const head of ['5a20000000', '7a20000000', '9a20000000', 'ba20000000'])
    assert.throws(
      () => decodeCbor(fromHex(`${head}0001`), limits),
      (error) => {
        assert.ok(process.memoryUsage().arrayBuffers - before < 1 << 20)
        return refusesWith('base/malformed')(error)
      },
    )
})

test('decoded byte strings do not alias the message', () => {
  const message = encodeCbor([Uint8Array.of(1, 2, 3)])
  const decoded = decodeCbor(message, limits)
  message.fill(0)
  assert.deepEqual(decoded, [Uint8Array.of(1, 2, 3)])
})

test('a view into a larger buffer decodes by its own bounds', () => {
  const buffer = fromHex('ffff1b0020000000000000ffff')
  assert.equal(decodeCbor(buffer.subarray(2, 11), limits), 2n ** 53n)
})

test('maps are written in key order, whatever the order of insertion', () => {
  const backwards = new Map<number, Cbor>([
    [256, 3],
    [24, 2],
    [0, 1],
  ])
  assert.equal(toHex(encodeCbor(backwards)), 'a300011818021901' + '0003')
})

test('the encoder refuses what the subset cannot hold', () => {
  const bad: readonly unknown[] = [
    1.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 53,
    2n ** 64n,
    -(2n ** 64n) - 1n,
    'e\u0301',
    '\ud800',
    'a\udc00b',
    undefined,
    Symbol('x'),
    () => 0,
    {},
    new Date(0),
    new Set([1]),
    new Map([[-1, 0]]),
    new Map([[0x10000, 0]]),
    new Map([[0.5, 0]]),
    new Map([['a', 0]]),
    [1, [undefined]],
  ]
  for (const value of bad)
    assert.throws(
      () => encodeCbor(value as Cbor),
      refusesWith('base/malformed'),
      String(typeof value),
    )
})
