import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, type FaultCode, fromHex, isFault, toHex, utf8 } from '@quorate/base'
import fc from 'fast-check'
import { decodeRlp, encodeRlp, minimalBytes, type Rlp } from '#src/evm/rlp.js'

/** Ethereum's developer documentation, page "Recursive-length prefix serialization", examples. */
const EXAMPLES: readonly (readonly [Rlp, string])[] = [
  [utf8('dog'), '83646f67'],
  [[utf8('cat'), utf8('dog')], 'c88363617483646f67'],
  [new Uint8Array(0), '80'],
  [[], 'c0'],
  [minimalBytes(0n), '80'],
  [Uint8Array.of(0), '00'],
  [Uint8Array.of(15), '0f'],
  [minimalBytes(1024n), '820400'],
  [[[], [[]], [[], [[]]]], 'c7c0c1c0c3c0c1c0'],
  [
    utf8('Lorem ipsum dolor sit amet, consectetur adipisicing elit'),
    'b8384c6f72656d20697073756d20646f6c6f722073697420616d65742c20636f6e7365637465747572206164697069736963696e6720656c6974',
  ],
]

test('the documented examples, both ways', () => {
  for (const [item, hex] of EXAMPLES) {
    assert.equal(toHex(encodeRlp(item)), hex)
    assert.deepEqual(decodeRlp(fromHex(hex)), item)
  }
})

const strings = fc.uint8Array({ maxLength: 300 })
const items: fc.Arbitrary<Rlp> = fc.oneof(
  strings,
  fc.array(fc.oneof(strings, fc.array(strings, { maxLength: 5 })), { maxLength: 8 }),
)

test('what is written is read back, and what is read is written alike', () => {
  fc.assert(
    fc.property(items, (item) => {
      assert.deepEqual(decodeRlp(encodeRlp(item)), item)
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
      let item: Rlp
      try {
        item = decodeRlp(bytes)
      } catch (error) {
        assert.ok(isFault(error))
        return
      }
      assert.deepEqual(encodeRlp(item), bytes)
    }),
    { numRuns: 2_000 },
  )
})

function refuses(hex: string, code: FaultCode): void {
  assert.throws(
    () => decodeRlp(fromHex(hex)),
    (error) => isFault(error, code),
    hex.slice(0, 20),
  )
}

test('every second way to write the same is refused', () => {
  for (const hex of ['8100', '817f', 'b800', `b837${'11'.repeat(55)}`, 'f800', 'c28101'])
    refuses(hex, 'chains/not-canonical')
  refuses(`b90038${'11'.repeat(56)}`, 'chains/not-canonical')
  refuses(`f837${'11'.repeat(55)}`, 'chains/not-canonical')
})

test('what is cut, longer, too deep or announces the impossible is refused', () => {
  for (const hex of ['', '83646f', 'c883636174', '8000', 'c000', 'b8', 'bbffffffff', 'ff', 'c181'])
    refuses(hex, 'chains/malformed-transaction')
  refuses(`bf${'ff'.repeat(8)}00`, 'chains/malformed-transaction')
  decodeRlp(fromHex('c3c2c1c0'))
  refuses('c4c3c2c1c0', 'chains/malformed-transaction')
  const deep = concatBytes(...Array.from({ length: 50 }, (_, i) => Uint8Array.of(0xc0 + 49 - i)))
  refuses(toHex(deep), 'chains/malformed-transaction')
})

test('a list of more items than a call can have arguments', () => {
  const many = new Uint8Array(131_000).fill(0x80)
  const bytes = concatBytes(fromHex('fa01ffb8'), many)
  const items = decodeRlp(bytes)
  assert.equal(items.length, many.length)
  assert.deepEqual(encodeRlp(items), bytes)
})
