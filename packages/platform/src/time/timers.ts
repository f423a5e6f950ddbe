/**
 * Timers as a port, so that tests turn the clock by hand and never sleep. A timer of ours does not
 * keep the process alive.
 */
import type { Clock } from '@quorate/base'

export type Cancel = () => void

export type Timers = {
  /** Calls `run` once, `delayMs` from now. */
  after(delayMs: number, run: () => void): Cancel
  /** Calls `run` every `periodMs`, first one period from now. */
  every(periodMs: number, run: () => void): Cancel
}

export const systemTimers: Timers = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    timer.unref()
    return () => clearTimeout(timer)
  },
  every(periodMs, run) {
    const timer = setInterval(run, periodMs)
    timer.unref()
    return () => clearInterval(timer)
  },
}

type Alarm = {
  readonly id: number
  at: number
  readonly periodMs: number | undefined
  readonly run: () => void
}

/** A clock that stands still until it is moved, and the timers that hang on it. */
export class ManualTime implements Clock, Timers {
  #wallMs: number
  #monotonicMs = 0
  #lastId = 0
  readonly #alarms = new Map<number, Alarm>()

  constructor(nowMs = 1_700_000_000_000) {
    this.#wallMs = nowMs
  }

  now(): number {
    return this.#wallMs
  }
  monotonic(): number {
    return this.#monotonicMs
  }

  after(delayMs: number, run: () => void): Cancel {
    return this.#set(delayMs, undefined, run)
  }
  every(periodMs: number, run: () => void): Cancel {
    return this.#set(periodMs, periodMs, run)
  }

  #set(delayMs: number, periodMs: number | undefined, run: () => void): Cancel {
    const id = ++this.#lastId
    this.#alarms.set(id, { id, at: this.#monotonicMs + delayMs, periodMs, run })
    return () => {
      this.#alarms.delete(id)
    }
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#alarms.size
  }

  /** Lets `ms` pass: timers that fall due run in order, each seeing its own time. */
  advance(ms: number): void {
    const end = this.#monotonicMs + ms
    for (let next = this.#nextUntil(end); next !== undefined; next = this.#nextUntil(end)) {
      this.#moveTo(next.at)
      if (next.periodMs === undefined) this.#alarms.delete(next.id)
      else next.at += Math.max(1, next.periodMs)
      next.run()
    }
    this.#moveTo(end)
  }

  /** Moves the wall clock alone, as a person or a bad time server would. */
  jump(ms: number): void {
    this.#wallMs += ms
  }

  #nextUntil(end: number): Alarm | undefined {
    let next: Alarm | undefined
    for (const alarm of this.#alarms.values())
      if (alarm.at <= end && (next === undefined || alarm.at < next.at)) next = alarm
    return next
  }

  #moveTo(at: number): void {
    this.#wallMs += at - this.#monotonicMs
    this.#monotonicMs = at
  }
}
