/**
 * When to stop starting a host that keeps ending. Closed: starts anew at once, then with growing
 * pauses. Open: not at all, and requests fail without waiting. Half open: one start as a probe.
 */
import type { Clock } from '@quorate/base'

export type BreakerState = 'closed' | 'open' | 'half-open'

export type BreakerLimits = {
  /** Hosts in a row that ended before they had done anything. */
  readonly maxFailures: number
  /** Hosts that may end within `windowMs`, useful ones too. */
  readonly maxEnds: number
  readonly windowMs: number
  /** Pause before the second start in a row; it doubles with each, up to `maxPauseMs`. */
  readonly pauseMs: number
  readonly maxPauseMs: number
  /** How long it stays open the first time; it doubles with each probe that fails, up to `maxOpenMs`. */
  readonly openMs: number
  readonly maxOpenMs: number
}

export const BREAKER_LIMITS: BreakerLimits = {
  maxFailures: 5,
  maxEnds: 20,
  windowMs: 10_000,
  pauseMs: 100,
  maxPauseMs: 5_000,
  openMs: 1_000,
  maxOpenMs: 60_000,
}

export class Breaker {
  readonly #limits: BreakerLimits
  readonly #clock: Clock
  #state: BreakerState = 'closed'
  #failures = 0
  #probes = 0
  /** When hosts ended, oldest first, within the window. */
  #ends: number[] = []

  constructor(clock: Clock, limits: BreakerLimits) {
    this.#clock = clock
    this.#limits = limits
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Hosts that ended within the window. */
  get recentEnds(): number {
    this.#forget()
    return this.#ends.length
  }

  /** The host does what it is there for. */
  succeeded(): void {
    this.#failures = 0
    this.#probes = 0
    this.#state = 'closed'
  }

  /** A host has ended. Gives the pause before the next start, in milliseconds. */
  ended(): number {
    this.#ends.push(this.#clock.monotonic())
    this.#failures++
    const { maxFailures, maxEnds, pauseMs, maxPauseMs, openMs, maxOpenMs } = this.#limits
    const isProbe = this.#state !== 'closed'
    if (isProbe || this.#failures >= maxFailures || this.recentEnds >= maxEnds) {
      this.#state = 'open'
      return Math.min(maxOpenMs, openMs * 2 ** this.#probes++)
    }
    return this.#failures === 1 ? 0 : Math.min(maxPauseMs, pauseMs * 2 ** (this.#failures - 2))
  }

  /** The next start is about to be made. */
  starting(): void {
    if (this.#state === 'open') this.#state = 'half-open'
  }

  /** The probe has a session: requests may come, but if it ends before it has done one, that was all. */
  admitted(): void {
    this.#state = 'closed'
    this.#failures = this.#limits.maxFailures - 1
  }

  /** As it was at first, by the will of an operator. */
  reset(): void {
    this.succeeded()
    this.#ends = []
  }

  #forget(): void {
    const since = this.#clock.monotonic() - this.#limits.windowMs
    while ((this.#ends[0] ?? since) < since) this.#ends.shift()
  }
}
