/** One timer for many deadlines: it rings for the earliest that it was told of. */
import type { Clock } from '@quorate/base'
import type { Cancel, Timers } from '@quorate/platform'

/** Rings so late, so that deadlines that lie close together are met at once. */
const STEP_MS = 5

export class Alarm {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #ring: () => void
  #cancel: Cancel | undefined
  #at = Number.POSITIVE_INFINITY

  /** `ring` says at its end when it wants to be called next. */
  constructor(clock: Clock, timers: Timers, ring: () => void) {
    this.#clock = clock
    this.#timers = timers
    this.#ring = ring
  }

  /** Rings at `at` of the monotonic clock, if not earlier. */
  set(at: number): void {
    if (at >= this.#at) return
    this.#cancel?.()
    this.#at = at
    const delay = Math.max(0, at - this.#clock.monotonic()) + STEP_MS
    this.#cancel = this.#timers.after(delay, () => {
      // Answers that have come while this process was held up are read before anybody is accused of their absence.
      setImmediate(() => {
        this.#at = Number.POSITIVE_INFINITY
        this.#ring()
      })
    })
  }

  stop(): void {
    this.#cancel?.()
    this.#at = Number.POSITIVE_INFINITY
  }
}
