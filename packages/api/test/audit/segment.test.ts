import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeSegment, encodeSegment, type Segment, verifySegment } from '@quorate/api'
import { isFault } from '@quorate/base'
import { auditLog, fill, nodeSigner, verifyEd25519 } from '../sample.ts'

const { items, checkpoints } = await auditLog(9, [3, 7])
const [from, to] = [checkpoints[0]!, checkpoints[1]!]
const bytes = items.map((item) => item.bytes)
const first: Segment = { v: 1, to: from, records: bytes.slice(0, 3) }
const second: Segment = { v: 1, from, to, records: bytes.slice(3, 7) }
const keys = { resolveKey: () => nodeSigner.publicKey, verify: verifyEd25519 }

test('each segment verifies alone, after a round trip through its file', async () => {
  for (const segment of [first, second]) {
    const report = await verifySegment(decodeSegment(encodeSegment(segment)), keys)
    assert.deepEqual(report.problems, [])
    assert.equal(report.signedTo, segment.to.seq)
  }
})

test('a segment that holds more, less or something else does not verify', async () => {
  const wrong: readonly Segment[] = [
    { ...second, records: bytes.slice(3, 6) },
    { ...second, records: bytes.slice(4, 7) },
    { ...second, records: bytes.slice(3, 8) },
    { ...second, records: bytes.slice(2, 7) },
    { ...second, records: [] },
    { ...second, from: undefined },
    { ...second, from: { ...from, h: fill(32, 5) } },
    { ...second, to: { ...to, h: fill(32, 5) } },
    { ...first, from: to, to: from },
  ]
  for (const [i, segment] of wrong.entries())
    assert.equal((await verifySegment(segment, keys)).isOk, false, `case ${i}`)
})

test('records that no checkpoint covers are named', async () => {
  const report = await verifySegment({ ...second, records: bytes.slice(3) }, keys)
  assert.deepEqual(report.problems, [{ code: 'record-inserted', seq: 8, to: 9 }])
})

test('a cut file is refused', () => {
  const file = encodeSegment(second)
  assert.throws(() => decodeSegment(file.subarray(0, -1)), isFault)
})
