import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import { ManualTime } from '@quorate/platform'
import { partyId } from '@quorate/threshold'
import { ClockWatch } from '#src/signer-process/clock-watch.js'

const [two, three, four] = [partyId(2), partyId(3), partyId(4)]
const isSkewed = (error: unknown): boolean => isFault(error, 'node/clock-skew')

function stage() {
  const time = new ManualTime()
  const calls: string[] = []
  const watch = new ClockWatch({
    clock: time,
    timers: time,
    logger: {
      log: () => undefined,
      with() {
        return this
      },
    },
    beat: () => void calls.push('beat'),
    onGap: () => void calls.push('gap'),
  })
  return { time, watch, calls }
}

test('a node far from the median takes part in nothing, and again once its clock is right', () => {
  const { time, watch } = stage()
  for (const party of [two, three]) watch.heard(party, time.now() + 59_000)
  watch.check()
  for (const party of [two, three]) watch.heard(party, time.now() + 61_000)
  assert.throws(() => watch.check(), isSkewed)
  time.jump(61_000)
  watch.check()
  for (const party of [two, three]) watch.heard(party, time.now())
  watch.check()
})

test('a minority of false clocks moves no median', () => {
  const { time, watch } = stage()
  watch.heard(two, time.now() + 3_600_000)
  watch.heard(three, time.now() + 20)
  watch.check()
  watch.heard(four, time.now() - 3_600_000)
  watch.check()
  assert.ok(Math.abs(watch.offset) < 60_000)
})

test('a node that is gone counts no more', () => {
  const { time, watch } = stage()
  for (const party of [two, three]) watch.heard(party, time.now() - 90_000)
  assert.throws(() => watch.check(), isSkewed)
  for (const party of [two, three]) watch.left(party)
  watch.check()
})

test('a gap between wall and monotonic clock drops what must be used once, a small one does not', () => {
  const { time, watch, calls } = stage()
  time.jump(4_000)
  watch.check()
  assert.deepEqual(calls, [])
  time.jump(6_000)
  watch.check()
  assert.deepEqual(calls, ['gap', 'beat'])
  calls.length = 0
  time.jump(-3_600_000)
  time.advance(10_000)
  assert.deepEqual(calls, ['gap', 'beat', 'beat'])
  watch.stop()
  assert.equal(time.pending, 0)
})
