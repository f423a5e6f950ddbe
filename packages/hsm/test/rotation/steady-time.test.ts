import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { firstLook, nextLook, type TimeView } from '#src/rotation/steady-time.js'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const T = 1_767_225_600_000

/** Looks every `step` for `total`, with the wall clock `offset` ahead of the monotonic one. */
function go(view: TimeView, offset: number, total: number, step = HOUR): TimeView {
  let now = view
  const end = view.monotonic + total
  while (now.monotonic < end) {
    const monotonic = Math.min(end, now.monotonic + step)
    now = nextLook(now, T + monotonic + offset, monotonic).view
  }
  return now
}
const begin = (): TimeView => firstLook(undefined, T, 0).view

test('time goes on as both clocks say', () => {
  assert.equal(go(begin(), 0, 40 * DAY).at, T + 40 * DAY)
})

test('a clock that is set ahead is believed after an hour, one that was ahead for a moment never', () => {
  const jumped = nextLook(begin(), T + 3650 * DAY, 1000).view
  assert.equal(jumped.at, T + 1000)
  assert.equal(go(jumped, 0, 2 * HOUR).at, T + 1000 + 2 * HOUR)
  assert.equal(go(jumped, 3650 * DAY - 1000, 2 * HOUR).at, T + 3650 * DAY + 2 * HOUR)
})

test('a clock that is set back is believed after a day, and time stands for nothing meanwhile', () => {
  const back = go(begin(), -30 * DAY, 23 * HOUR)
  assert.equal(back.at, T + 23 * HOUR)
  assert.equal(go(back, -30 * DAY, 3 * HOUR).at, T - 29 * DAY + 2 * HOUR)
})

test('after a restart what was switched off counts, and a clock that lies behind does not', () => {
  const later = firstLook({ at: T, isDoubted: false }, T + 5 * DAY, 7)
  assert.deepEqual([later.view.at, later.elapsed], [T + 5 * DAY, 5 * DAY])
  const behind = firstLook({ at: T, isDoubted: false }, T - 5 * DAY, 7)
  assert.deepEqual([behind.view.at, behind.elapsed], [T, 0])
  // The clock of a small computer without a battery is set right minutes after its start.
  const right = nextLook(behind.view, T + DAY, 60_007).view
  assert.ok(right.at <= T + 60_000)
})

test('a clock that was in doubt before a restart is in doubt after it', () => {
  const { view, elapsed } = firstLook({ at: T, isDoubted: true }, T + 5 * DAY, 0)
  assert.deepEqual([view.at, elapsed], [T, 0])
  assert.equal(go(view, 5 * DAY, 2 * HOUR).at, T + 5 * DAY + 2 * HOUR)
})

test('property: what has passed for certain is never more than the monotonic clock says', () => {
  const looks = fc.array(
    fc.record({ wall: fc.integer({ min: -3650 * DAY, max: 3650 * DAY }), pause: fc.nat(3 * DAY) }),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(looks, (all) => {
      let [view, passed, counted] = [begin(), 0, 0]
      for (const { wall, pause } of all) {
        passed += pause
        const look = nextLook(view, T + wall, passed)
        view = look.view
        counted += look.elapsed
      }
      assert.equal(counted, passed)
    }),
  )
})
