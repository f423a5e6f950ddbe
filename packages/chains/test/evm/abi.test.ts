import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, isFault, toHex } from '@quorate/base'
import { toBytesBe } from '@quorate/math'
import fc from 'fast-check'
import {
  type AbiType,
  type AbiValue,
  abiTypes,
  decodeAbi,
  encodeAbi,
  encodeCall,
  signatureOf,
} from '#src/evm/abi.js'

const word = (value: bigint): string => toHex(toBytesBe(value))

/** Solidity documentation, "Contract ABI Specification", examples: selectors and words. */
test('selectors of the documentation', () => {
  assert.equal(signatureOf('baz(uint32,bool)').selector, 'cdcd77c0')
  assert.equal(signatureOf('transfer(address,uint256)').selector, 'a9059cbb')
  assert.equal(signatureOf('approve(address,uint256)').selector, '095ea7b3')
  assert.equal(signatureOf('aggregate3((address,bool,bytes)[])').selector, '82ad56cb')
  assert.equal(signatureOf('multiSend(bytes)').selector, '8d80ff0a')
  assert.equal(
    toHex(encodeCall('baz(uint32,bool)', [69n, true])),
    `cdcd77c0${word(69n)}${word(1n)}`,
  )
})

/** The same page, `f(uint256,uint32[],bytes10,bytes)` with (0x123, [0x456, 0x789], "1234567890", "Hello, world!"). */
const EXAMPLE = [
  word(0x123n),
  word(0x80n),
  '3132333435363738393000000000000000000000000000000000000000000000',
  word(0xe0n),
  word(2n),
  word(0x456n),
  word(0x789n),
  word(0xdn),
  '48656c6c6f2c20776f726c642100000000000000000000000000000000000000',
].join('')
const EXAMPLE_TYPES = abiTypes('(uint256,uint32[],bytes10,bytes)')

test('dynamic data as in the documentation, both ways', () => {
  const values = decodeAbi(EXAMPLE_TYPES, fromHex(EXAMPLE))
  assert.deepEqual(values, [
    0x123n,
    [0x456n, 0x789n],
    Uint8Array.from(Buffer.from('1234567890')),
    Uint8Array.from(Buffer.from('Hello, world!')),
  ])
  assert.equal(toHex(encodeAbi(EXAMPLE_TYPES, values)), EXAMPLE)
})

const leaf = (type: AbiType): fc.Arbitrary<AbiValue> => {
  switch (type.kind) {
    case 'address':
      return fc.uint8Array({ minLength: 20, maxLength: 20 })
    case 'bool':
      return fc.boolean()
    case 'uint':
      return fc.bigInt({ min: 0n, max: 2n ** BigInt(type.bits) - 1n })
    case 'word':
      return fc.uint8Array({ minLength: type.size, maxLength: type.size })
    case 'bytes':
      return fc.uint8Array({ maxLength: 70 })
    case 'array':
      return fc.array(leaf(type.item), { maxLength: 4 })
    case 'tuple':
      return fc.tuple(...type.items.map(leaf))
  }
}

const TYPES = abiTypes(
  '((address,bool,bytes)[],uint48,(uint8,bytes4),bytes[],(uint256,(bytes,address)[])[])',
)

test('what is written is read back; no changed bit reads as the same', () => {
  fc.assert(
    fc.property(fc.tuple(...TYPES.map(leaf)), fc.nat(), (values, at) => {
      const data = encodeAbi(TYPES, values)
      assert.deepEqual(decodeAbi(TYPES, data), values)
      const changed = data.slice()
      changed[at % data.length]! ^= 1 << (at % 8)
      let read: readonly AbiValue[]
      try {
        read = decodeAbi(TYPES, changed)
      } catch (error) {
        assert.ok(isFault(error, 'chains/malformed-transaction'))
        return
      }
      assert.notDeepEqual(read, values)
      assert.deepEqual(encodeAbi(TYPES, read), changed)
    }),
    { numRuns: 200 },
  )
})

test('every other layout is refused: gaps, shared tails, dirt, lengths beyond the end', () => {
  const refuses = (types: readonly AbiType[], hex: string): void =>
    assert.throws(
      () => decodeAbi(types, fromHex(hex)),
      (error) => isFault(error, 'chains/malformed-transaction'),
      hex,
    )
  refuses(EXAMPLE_TYPES, EXAMPLE.slice(0, -2))
  refuses(EXAMPLE_TYPES, EXAMPLE + word(0n))
  const two = abiTypes('(bytes,bytes)')
  refuses(two, [word(0x40n), word(0x40n), word(0n)].join(''))
  refuses(two, [word(0x60n), word(0x80n), word(0n), word(0n), word(0n)].join(''))
  refuses(two, [word(0x60n), word(0x40n), word(0n), word(0n)].join(''))
  refuses(abiTypes('(address)'), word(2n ** 160n))
  refuses(abiTypes('(bool)'), word(2n))
  refuses(abiTypes('(uint48)'), word(2n ** 48n))
  refuses(abiTypes('(bytes4)'), word(1n))
  refuses(
    abiTypes('(bytes)'),
    [word(0x20n), word(1n), `${'11'.repeat(2)}${'00'.repeat(30)}`].join(''),
  )
  for (const length of [1n, 2n ** 53n, 2n ** 255n]) {
    refuses(abiTypes('(bytes)'), [word(0x20n), word(length)].join(''))
    refuses(abiTypes('(uint256[])'), [word(0x20n), word(length)].join(''))
  }
})
