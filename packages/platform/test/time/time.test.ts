import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualTime, systemClock, systemRandom } from '@quorate/platform'

test('timers run in order, each at its own time', () => {
  const time = new ManualTime(1000)
  const seen: [string, number, number][] = []
  const note = (name: string) => () => seen.push([name, time.now(), time.monotonic()])
  time.after(30, note('late'))
  time.after(10, note('early'))
  const stop = time.every(15, note('tick'))
  const cancelled = time.after(5, note('never'))
  cancelled()
  time.advance(30)
  stop()
  time.advance(100)
  assert.deepEqual(seen, [
    ['early', 1010, 10],
    ['tick', 1015, 15],
    ['late', 1030, 30],
    ['tick', 1030, 30],
  ])
  assert.equal(time.pending, 0)
  assert.equal(time.now(), 1130)
})

test('a timer set by a timer runs within the same advance, and a jump moves only the wall clock', () => {
  const time = new ManualTime(0)
  let count = 0
  const again = (): void => {
    if (++count < 3) time.after(10, again)
  }
  time.after(10, again)
  time.advance(30)
  assert.equal(count, 3)
  time.jump(-500)
  assert.equal(time.now(), -470)
  assert.equal(time.monotonic(), 30)
})

test('the system clock and randomness are what they say', () => {
  assert.ok(Math.abs(systemClock.now() - Date.now()) < 60_000)
  const before = systemClock.monotonic()
  assert.ok(systemClock.monotonic() >= before)
  const bytes = systemRandom.bytes(32)
  assert.equal(bytes.length, 32)
  assert.equal(bytes.buffer.byteLength, 32)
  assert.notDeepEqual(bytes, systemRandom.bytes(32))
})
