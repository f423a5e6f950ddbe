import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  chainHash,
  checkpointCodec,
  decodeAuditRecord,
  decodeCheckpoint,
  decodeIntent,
  decodeReceipt,
  decodeRequest,
  encodeAuditRecord,
  encodeCheckpoint,
  encodeIntent,
  encodeReceipt,
  encodeRequest,
} from '@quorate/api'
import { type Cbor, decodeCbor, encode, encodeCbor, fromHex, isFault, toHex } from '@quorate/base'
import { makeVectors, publishedVectors } from './vectors.ts'

type Case = { readonly bytes: string; readonly h?: string; readonly previous?: string }

const FORMATS: { readonly [file: string]: (encoded: Uint8Array) => Uint8Array } = {
  intent: (encoded) => encodeIntent(decodeIntent(encoded)),
  request: (encoded) => encodeRequest(decodeRequest(encoded)),
  receipt: (encoded) => encodeReceipt(decodeReceipt(encoded)),
  'audit-record': (encoded) => encodeAuditRecord(decodeAuditRecord(encoded)),
  'audit-checkpoint': (encoded) => encodeCheckpoint(decodeCheckpoint(encoded)),
}

const made = await makeVectors()

for (const [file, content] of Object.entries(made))
  test(`published vectors of ${file} are what the code makes`, () => {
    assert.deepEqual(publishedVectors(file, content), content)
  })

for (const [file, again] of Object.entries(FORMATS)) {
  const cases = (made[file] as readonly Case[]).map(({ bytes }) => fromHex(bytes))

  test(`${file}: decoding and encoding gives the same bytes`, () => {
    for (const bytes of cases) assert.equal(toHex(again(bytes)), toHex(bytes))
  })

  test(`${file}: any cut or appended byte is refused`, () => {
    for (const bytes of cases) {
      for (let length = 0; length < bytes.length; length++)
        assert.throws(() => again(bytes.subarray(0, length)), isFault)
      assert.throws(() => again(Uint8Array.of(...bytes, 0)), isFault)
    }
  })

  test(`${file}: an unknown key is refused, a later version as such`, () => {
    for (const bytes of cases) {
      const map = decodeCbor(bytes, { maxBytes: bytes.length }) as ReadonlyMap<number, Cbor>
      const extended = new Map(map).set(99, 1)
      assert.throws(
        () => again(encodeCbor(extended)),
        (error) => isFault(error, 'base/malformed'),
      )
      assert.throws(
        () => again(encodeCbor(new Map(extended).set(0, 2))),
        (error) => isFault(error, 'base/unknown-version'),
      )
      for (const key of map.keys()) {
        const rest = new Map([...map].filter(([each]) => each !== key))
        let decoded: Uint8Array | undefined
        try {
          decoded = again(encodeCbor(rest))
        } catch (error) {
          assert.ok(isFault(error))
        }
        // Only an optional key may be absent, and then it stays so.
        if (decoded !== undefined) assert.equal(toHex(decoded), toHex(encodeCbor(rest)))
      }
    }
  })
}

test('no byte of a published encoding can change unnoticed', () => {
  for (const [file, again] of Object.entries(FORMATS))
    for (const { bytes } of made[file] as readonly Case[]) {
      const original = fromHex(bytes)
      for (let i = 0; i < original.length; i++) {
        const changed = original.with(i, original[i]! ^ 1)
        let result: Uint8Array | undefined
        try {
          result = again(changed)
        } catch (error) {
          assert.ok(isFault(error), `${file}, byte ${i}`)
        }
        if (result !== undefined) assert.equal(toHex(result), toHex(changed), `${file}, byte ${i}`)
      }
    }
})

test('audit hashes in the vectors follow each other', () => {
  for (const { bytes, h, previous } of made['audit-record'] as readonly Case[])
    assert.equal(toHex(chainHash(fromHex(previous!), fromHex(bytes))), h)
})

test('an encoder refuses what its decoder would refuse', () => {
  const [{ bytes }] = made['audit-checkpoint'] as readonly [Case]
  const checkpoint = decodeCheckpoint(fromHex(bytes))
  assert.throws(() => encode(checkpointCodec, { ...checkpoint, counter: -1n }), isFault)
  assert.throws(() => encode(checkpointCodec, { ...checkpoint, h: new Uint8Array(31) }), isFault)
})
