/**
 * A clock for things that must not happen too early, late or twice because somebody set the clock of the
 * machine. Between two looks time goes on as the monotonic clock says. Where the wall clock says something
 * else, it is believed once it has said so for long enough: an hour if it is ahead, a day if it is behind.
 * After a restart a clock that is ahead is believed at once, for machines are switched off; but not where it
 * was in doubt before.
 */

/** What is remembered over a restart. */
export type KnownTime = {
  /** Milliseconds since the epoch; what was believed last. */
  readonly at: number
  /** Whether the wall clock said something else then. */
  readonly isDoubted: boolean
}

export type TimeView = {
  /** Milliseconds since the epoch; what is believed. */
  readonly at: number
  readonly monotonic: number
  /** Since when (monotonic) the wall clock says something else, and how much more it says. */
  readonly diverged?: { readonly offset: number; readonly since: number }
}

export type Look = {
  readonly view: TimeView
  /** Milliseconds that have passed for certain since the look before, or since what was known at the start. */
  readonly elapsed: number
}

/** What clocks differ by without a reason to doubt them. */
const TOLERANCE_MS = 60_000
const SETTLE_AHEAD_MS = 3_600_000
const SETTLE_BEHIND_MS = 86_400_000

/** The first look of a process. */
export function firstLook(known: KnownTime | undefined, wall: number, monotonic: number): Look {
  if (known === undefined) return { view: { at: wall, monotonic }, elapsed: 0 }
  const offset = wall - known.at
  const isBelieved = offset >= -TOLERANCE_MS && !(known.isDoubted && offset > TOLERANCE_MS)
  if (!isBelieved)
    return { view: { at: known.at, monotonic, diverged: { offset, since: monotonic } }, elapsed: 0 }
  const elapsed = Math.max(0, offset)
  return { view: { at: known.at + elapsed, monotonic }, elapsed }
}

/** What to remember of a look. */
export const knownOf = ({ at, diverged }: TimeView): KnownTime => ({
  at: Math.max(0, Math.trunc(at)),
  isDoubted: diverged !== undefined,
})

/** The next one. `at` never goes back, but where a clock that is behind was believed at last. */
export function nextLook(before: TimeView, wall: number, monotonic: number): Look {
  const elapsed = Math.max(0, monotonic - before.monotonic)
  const expected = before.at + elapsed
  const offset = wall - expected
  if (Math.abs(offset) <= TOLERANCE_MS)
    return { view: { at: Math.max(before.at, wall), monotonic }, elapsed }
  const { diverged } = before
  const isSame = diverged !== undefined && Math.abs(offset - diverged.offset) <= TOLERANCE_MS
  if (!isSame)
    return { view: { at: expected, monotonic, diverged: { offset, since: monotonic } }, elapsed }
  const settle = offset > 0 ? SETTLE_AHEAD_MS : SETTLE_BEHIND_MS
  return monotonic - diverged.since >= settle
    ? { view: { at: wall, monotonic }, elapsed }
    : { view: { at: expected, monotonic, diverged }, elapsed }
}
