/**
 * Times in JSON: RFC 3339, UTC, always with milliseconds. Calendar arithmetic of its own, because
 * pure code has no `Date`; days are counted from 0000-03-01, so that a leap day ends its year.
 */
import { Fault } from '@quorate/base'

const DAY_MS = 86_400_000
const DAYS_TO_EPOCH = 719_468
const DAYS_IN_ERA = 146_097
/** 0000-01-01 and the end of 9999, in milliseconds since the Unix epoch: what four digits can say. */
const EARLIEST = -62_167_219_200_000
const LATEST = 253_402_300_799_999

/** `1970-01-01T00:00:00.000Z` for 0; milliseconds since the Unix epoch. @throws base/malformed outside the years 0 to 9999 */
export function toRfc3339(timeMs: number): string {
  if (!Number.isSafeInteger(timeMs) || timeMs < EARLIEST || timeMs > LATEST)
    throw new Fault('base/malformed', { detail: 'not a time between the years 0 and 9999' })
  const day = Math.floor(timeMs / DAY_MS)
  const { year, month, date } = civilOf(day)
  const rest = timeMs - day * DAY_MS
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0')
  const [hours, minutes] = [Math.floor(rest / 3_600_000), Math.floor(rest / 60_000) % 60]
  const [seconds, millis] = [Math.floor(rest / 1000) % 60, rest % 1000]
  return `${pad(year, 4)}-${pad(month)}-${pad(date)}T${pad(hours)}:${pad(minutes)}:${pad(seconds)}.${pad(millis, 3)}Z`
}

/** Milliseconds since the Unix epoch, of exactly what `toRfc3339` writes. @throws base/malformed */
export function fromRfc3339(text: string): number {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{3})Z$/.exec(text)
  const [year, month, date, hours, minutes, seconds, millis] = (match ?? []).slice(1).map(Number)
  if (millis !== undefined) {
    const timeMs =
      daysOf(year!, month!, date!) * DAY_MS +
      hours! * 3_600_000 +
      minutes! * 60_000 +
      seconds! * 1000 +
      millis
    // 30 February and 25 o'clock give a time too, but one that is written otherwise.
    if (timeMs >= EARLIEST && timeMs <= LATEST && toRfc3339(timeMs) === text) return timeMs
  }
  throw new Fault('base/malformed', { detail: 'expected a time like 2026-01-31T12:00:00.000Z' })
}

function civilOf(day: number): { year: number; month: number; date: number } {
  const shifted = day + DAYS_TO_EPOCH
  const era = Math.floor(shifted / DAYS_IN_ERA)
  const dayOfEra = shifted - era * DAYS_IN_ERA
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    date: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
  }
}

function daysOf(year: number, month: number, date: number): number {
  const marchYear = month <= 2 ? year - 1 : year
  const era = Math.floor(marchYear / 400)
  const yearOfEra = marchYear - era * 400
  const fromMarch = month > 2 ? month - 3 : month + 9
  const dayOfYear = Math.floor((153 * fromMarch + 2) / 5) + date - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * DAYS_IN_ERA + dayOfEra - DAYS_TO_EPOCH
}
