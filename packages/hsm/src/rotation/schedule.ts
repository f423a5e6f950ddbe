/**
 * When a key is due, by the calendar of a time zone: so many days after the last rotation, at a time of day.
 * Days are those of the calendar, so a change to summer time moves nothing. A time of day that a change skips is
 * taken as long after the gap as it would have been in it; one that comes twice, the first time.
 */
import { Fault } from '@quorate/base'

export type Schedule = {
  /** 1 to 3650. */
  readonly intervalDays: number
  /** Since midnight. */
  readonly timeOfDay: {
    readonly hours: number
    readonly minutes: number
    readonly seconds: number
  }
  /** IANA, e.g. `Europe/Berlin`. */
  readonly timeZone: string
}

export const MAX_INTERVAL_DAYS = 3650
const DAY_MS = 86_400_000

/** `HH:MM` or `HH:MM:SS`, 24 hours; undefined for anything else. */
export function parseTimeOfDay(text: string): Schedule['timeOfDay'] | undefined {
  const [, hours, minutes, seconds = '00'] =
    /^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$/.exec(text) ?? []
  return hours === undefined
    ? undefined
    : { hours: Number(hours), minutes: Number(minutes), seconds: Number(seconds) }
}

/** Whether this system knows the time zone. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}

/**
 * The first moment that is due for a key last rotated at `last`, both in milliseconds since the epoch: always
 * after `last`. @throws hsm/bad-config for a time zone that this system does not know
 */
export function nextRotation(schedule: Schedule, last: number): number {
  const { intervalDays, timeOfDay, timeZone } = schedule
  const { hours, minutes, seconds } = timeOfDay
  const local = last + offsetAt(timeZone, last)
  const midnight = Math.floor(local / DAY_MS) * DAY_MS
  const sinceMidnight = ((hours * 60 + minutes) * 60 + seconds) * 1000
  // Where a zone moves across the date line, a day of its calendar may be a moment that has passed.
  for (let days = intervalDays; ; days++) {
    const at = momentOf(timeZone, midnight + days * DAY_MS + sinceMidnight)
    if (at > last) return at
  }
}

/** The moment whose local time is `local`, which is written as if it were UTC. */
function momentOf(timeZone: string, local: number): number {
  const before = offsetAt(timeZone, local - DAY_MS)
  const after = offsetAt(timeZone, local + DAY_MS)
  const fitting = [local - before, local - after].filter(
    (at) => at + offsetAt(timeZone, at) === local,
  )
  return fitting.length > 0 ? Math.min(...fitting) : local - before
}

const formats = new Map<string, Intl.DateTimeFormat>()

/** How far local time is ahead of UTC at a moment, in milliseconds. */
function offsetAt(timeZone: string, at: number): number {
  const second = Math.floor(at / 1000) * 1000
  const parts = new Map(
    formatFor(timeZone)
      .formatToParts(second)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const of = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0
  const local = Date.UTC(
    of('year'),
    of('month') - 1,
    of('day'),
    of('hour'),
    of('minute'),
    of('second'),
  )
  return local - second
}

function formatFor(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone)
  if (known !== undefined) return known
  if (!isTimeZone(timeZone))
    throw new Fault('hsm/bad-config', {
      detail: 'rotation.timeZone is none that this system knows',
    })
  const format = new Intl.DateTimeFormat('en-US-u-ca-iso8601-nu-latn', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
  formats.set(timeZone, format)
  return format
}
