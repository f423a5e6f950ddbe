import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { nextRotation, parseTimeOfDay, type Schedule } from '#src/rotation/schedule.js'
import { isCode } from '../kit.ts'

const at = (text: string): number => Date.parse(text)
const schedule = (intervalDays: number, time: string, timeZone: string): Schedule => ({
  intervalDays,
  timeOfDay: parseTimeOfDay(time) ?? assert.fail(time),
  timeZone,
})
const next = (last: string, ...of: Parameters<typeof schedule>): string =>
  new Date(nextRotation(schedule(...of), at(last))).toISOString()

test('so many days later, at the time of day', () => {
  assert.equal(next('2026-01-10T15:00:00Z', 30, '00:00:00', 'UTC'), '2026-02-09T00:00:00.000Z')
  assert.equal(next('2026-01-10T00:00:00Z', 1, '00:00:00', 'UTC'), '2026-01-11T00:00:00.000Z')
  assert.equal(next('2026-01-10T15:00:00Z', 400, '23:59:59', 'UTC'), '2027-02-14T23:59:59.000Z')
})

describe('summer time:', () => {
  const berlin = 'Europe/Berlin'
  test('days are those of the calendar', () => {
    assert.equal(next('2026-03-28T11:00:00Z', 1, '12:00:00', berlin), '2026-03-29T10:00:00.000Z')
    assert.equal(next('2026-10-24T10:00:00Z', 1, '12:00:00', berlin), '2026-10-25T11:00:00.000Z')
  })
  test('a time that is skipped comes as long after the gap', () => {
    // 02:30 does not exist: at 02:00 it is 03:00.
    assert.equal(next('2026-03-28T11:00:00Z', 1, '02:30:00', berlin), '2026-03-29T01:30:00.000Z')
  })
  test('a time that comes twice counts the first time', () => {
    assert.equal(next('2026-10-24T10:00:00Z', 1, '02:30:00', berlin), '2026-10-25T00:30:00.000Z')
  })
  test('a midnight that is skipped', () => {
    assert.equal(
      next('2026-09-05T12:00:00Z', 1, '00:00:00', 'America/Santiago'),
      '2026-09-06T04:00:00.000Z',
    )
  })
  test('a day that is skipped', () => {
    // Samoa went from 29 to 31 December 2011.
    assert.equal(
      next('2011-12-29T12:00:00Z', 1, '12:00:00', 'Pacific/Apia'),
      '2011-12-30T22:00:00.000Z',
    )
  })
})

const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'America/Santiago',
  'Asia/Kathmandu',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Pacific/Chatham',
  'Africa/Casablanca',
  'Antarctica/Troll',
] as const

test('property: after the last one, near its days, at its time of day wherever that exists', () => {
  const pad = (value: number): string => String(value).padStart(2, '0')
  fc.assert(
    fc.property(
      fc.constantFrom(...ZONES),
      fc.integer({ min: at('2000-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z') }),
      fc.integer({ min: 1, max: 800 }),
      fc.record({
        hours: fc.nat(23),
        minutes: fc.nat(59),
        seconds: fc.nat(59),
      }),
      (timeZone, last, intervalDays, timeOfDay) => {
        const due = nextRotation({ intervalDays, timeOfDay, timeZone }, last)
        const days = (due - last) / 86_400_000
        assert.ok(due > last)
        assert.ok(days > intervalDays - 2.2 && days < intervalDays + 2.2, String(days))
        const { hours, minutes, seconds } = timeOfDay
        const shown = new Intl.DateTimeFormat('en-GB', {
          timeZone,
          timeStyle: 'medium',
          hourCycle: 'h23',
        }).format(due)
        if (shown !== `${pad(hours)}:${pad(minutes)}:${pad(seconds)}`) {
          // Only where that time was skipped: the clocks have changed within the hours before.
          const offset = (ms: number): string =>
            new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' })
              .format(ms)
              .slice(-9)
          assert.notEqual(offset(due), offset(due - 86_400_000), shown)
        }
      },
    ),
    { numRuns: 400 },
  )
})

test('what is no time of day or no zone is refused', () => {
  for (const text of ['24:00:00', '1:00', '00:60', '00:00:00 ', 'noon', ''])
    assert.equal(parseTimeOfDay(text), undefined, text)
  assert.deepEqual(parseTimeOfDay('02:30'), { hours: 2, minutes: 30, seconds: 0 })
  assert.throws(
    () => nextRotation(schedule(1, '00:00', 'Mars/Olympus'), 0),
    isCode('hsm/bad-config'),
  )
})
