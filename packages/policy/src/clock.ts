/** Weekday and time of day in UTC. Pure code has no `Date`. */
import { WEEKDAYS, type Weekday } from './model.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** 1970-01-01 was a Thursday. */
const EPOCH_WEEKDAY = WEEKDAYS.indexOf('thu')

/** Of milliseconds since the Unix epoch: the weekday, and whole minutes since midnight. */
export function clockOf(now: number): { readonly weekday: Weekday; readonly minute: number } {
  const day = Math.floor(now / DAY_MS)
  return {
    weekday: WEEKDAYS[(((day + EPOCH_WEEKDAY) % 7) + 7) % 7]!,
    minute: Math.floor((now - day * DAY_MS) / MINUTE_MS),
  }
}
