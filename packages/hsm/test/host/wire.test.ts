import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFault } from '@quorate/base'
import type { KeyInfo } from '@quorate/hsm'
import fc from 'fast-check'
import { OPERATIONS, operationOf } from '#src/host/operations.js'
import {
  bool,
  bytes,
  list,
  maybe,
  oneOf,
  readAll,
  struct,
  text,
  uint,
  type Wire,
  Writer,
} from '#src/host/wire.js'
import { isCode } from './kit.ts'

function encoded<T>(wire: Wire<T>, value: T): Uint8Array {
  const out = new Writer()
  wire.write(out, value)
  return out.take()
}

const isMalformed = isCode('base/malformed')

type Sample = {
  readonly flag: boolean
  readonly count: number
  readonly name: string
  readonly blob: Uint8Array
  readonly choice: 'one' | 'two'
  readonly some?: string
  readonly many: readonly number[]
}
const sample = struct<Sample>({
  flag: bool,
  count: uint,
  name: text(400),
  blob: bytes(100),
  choice: oneOf('one', 'two'),
  some: maybe(text(400)),
  many: list(uint, 5),
})
const anySample: fc.Arbitrary<Sample> = fc
  .record({
    flag: fc.boolean(),
    count: fc.maxSafeNat(),
    name: fc.string({ unit: 'grapheme', maxLength: 20 }),
    blob: fc.uint8Array({ maxLength: 100 }),
    choice: fc.constantFrom('one' as const, 'two' as const),
    some: fc.option(fc.string({ maxLength: 20 }), { nil: undefined }),
    many: fc.array(fc.maxSafeNat(), { maxLength: 5 }),
  })
  .map(({ some, ...rest }) => (some === undefined ? rest : { ...rest, some }))

test('what is written is read', () => {
  fc.assert(
    fc.property(anySample, (value) => {
      assert.deepEqual(readAll(sample, encoded(sample, value)), value)
    }),
  )
})

test('what was cut short or is too long is malformed', () => {
  fc.assert(
    fc.property(anySample, fc.nat(), (value, cut) => {
      const whole = encoded(sample, value)
      assert.throws(() => readAll(sample, whole.subarray(0, cut % whole.length)), isMalformed)
      assert.throws(() => readAll(sample, new Uint8Array([...whole, 0])), isMalformed)
    }),
  )
})

test('no bytes make a reader do anything but read or refuse', () => {
  const wires = Object.values(OPERATIONS).flatMap(({ request, response }) => [request, response])
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(...wires), (content, wire) => {
      try {
        readAll(wire as Wire<unknown>, content)
      } catch (error) {
        assert.ok(isFault(error), String(error))
      }
    }),
  )
})

describe('limits hold both ways', () => {
  test('bytes', () => {
    assert.throws(() => encoded(bytes(4), new Uint8Array(5)), isCode('hsm/bad-argument'))
    const five = encoded(bytes(5), new Uint8Array(5))
    assert.throws(() => readAll(bytes(4), five), isMalformed)
  })
  test('lists', () => {
    assert.throws(() => encoded(list(bool, 1), [true, true]), isCode('hsm/bad-argument'))
    assert.throws(() => readAll(list(bool, 1), encoded(list(bool, 2), [true, true])), isMalformed)
  })
  test('numbers', () => {
    for (const value of [-1, 1.5, 2 ** 53])
      assert.throws(() => encoded(uint, value), isCode('hsm/bad-argument'))
    assert.throws(() => readAll(uint, new Uint8Array(8).fill(255)), isMalformed)
  })
  test('choices', () => {
    assert.throws(() => readAll(oneOf('a'), Uint8Array.of(1)), isMalformed)
    assert.throws(() => readAll(bool, Uint8Array.of(2)), isMalformed)
    assert.throws(() => readAll(text(9), Uint8Array.of(0, 0, 0, 1, 0xff)), isMalformed)
  })
})

test('what is read outlives the frame it came in', () => {
  const frame = Buffer.from(encoded(bytes(4), Uint8Array.of(1, 2, 3)))
  const value = readAll(bytes(4), frame)
  frame.fill(0)
  assert.deepEqual(value, Uint8Array.of(1, 2, 3))
})

test('the code of each operation is its place', () => {
  for (const operation of Object.values(OPERATIONS))
    assert.equal(operationOf(operation.code), operation)
  assert.equal(operationOf(Object.keys(OPERATIONS).length), undefined)
})

test('a label comes back as the device has it, normalised or not', () => {
  const info: KeyInfo = {
    id: '01' as KeyInfo['id'],
    label: 'e\u0301',
    algorithm: 'aes-256',
    isExtractable: false,
    isSensitive: true,
    createdAt: 0,
  }
  assert.deepEqual(readAll(OPERATIONS.find.response, encoded(OPERATIONS.find.response, info)), info)
})
