import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromRfc3339, toRfc3339 } from '@quorate/api'
import { isFault } from '@quorate/base'
import fc from 'fast-check'

const EARLIEST = Date.parse('0000-01-01T00:00:00.000Z')
const LATEST = Date.parse('9999-12-31T23:59:59.999Z')

test('every time is written as the platform writes it, and read back', () => {
  fc.assert(
    fc.property(fc.integer({ min: EARLIEST, max: LATEST }), (time) => {
      assert.equal(toRfc3339(time), new Date(time).toISOString())
      assert.equal(fromRfc3339(toRfc3339(time)), time)
    }),
    { numRuns: 1000, examples: [[EARLIEST], [LATEST], [0], [-1], [Date.UTC(2000, 1, 29)]] },
  )
})

test('every day of four centuries', () => {
  for (let day = 0; day < 146_097; day++) {
    const time = (day - 20_000) * 86_400_000
    assert.equal(toRfc3339(time), new Date(time).toISOString())
  }
})

test('what is no such time is refused', () => {
  for (const text of [
    '',
    '2026-02-29T00:00:00.000Z',
    '2026-13-01T00:00:00.000Z',
    '2026-01-01T24:00:00.000Z',
    '2026-01-01T00:60:00.000Z',
    '2026-01-01T00:00:60.000Z',
    '2026-01-01T00:00:00Z',
    '2026-01-01T00:00:00.000+00:00',
    '2026-01-01 00:00:00.000Z',
    ' 2026-01-01T00:00:00.000Z',
  ])
    assert.throws(() => fromRfc3339(text), isFault, text)
  for (const time of [EARLIEST - 1, LATEST + 1, 0.5, Number.NaN])
    assert.throws(() => toRfc3339(time), isFault)
})
