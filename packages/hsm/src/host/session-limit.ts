/** How many sessions a device may be asked for: fewer for a while after it said that there are no more. */
import type { Clock } from '@quorate/base'

const PAUSE_MS = 10_000
const MAX_PAUSE_MS = 300_000

export class SessionLimit {
  readonly #clock: Clock
  #most: number
  #lowered: number | undefined
  #until = 0
  #pauseMs = PAUSE_MS

  constructor(clock: Clock, most: number) {
    this.#clock = clock
    this.#most = most
  }

  get now(): number {
    return this.#lowered === undefined || this.#clock.monotonic() >= this.#until
      ? this.#most
      : Math.min(this.#most, this.#lowered)
  }

  /** For good: the token says so itself. */
  cap(most: number): void {
    this.#most = Math.max(1, Math.min(this.#most, most))
  }

  /** For a while, which is longer each time. */
  lower(sessions: number): void {
    this.#lowered = Math.max(1, sessions)
    this.#until = this.#clock.monotonic() + this.#pauseMs
    this.#pauseMs = Math.min(MAX_PAUSE_MS, 2 * this.#pauseMs)
  }

  /** A session was opened; where that is more than there could be, there is room again. */
  opened(sessions: number): void {
    if (this.#lowered === undefined || sessions <= this.#lowered) return
    this.#lowered = undefined
    this.#pauseMs = PAUSE_MS
  }
}
