/** How much a server takes on: so many calls a second of each client, and so much at once. */
import type { Clock } from '@quorate/base'

export type CallRate = {
  /** Calls a second that a client may make for any length of time. */
  readonly ratePerSecond: number
  /** Calls that it may make at once after a pause. */
  readonly burst: number
}

/**
 * A token bucket for each name, kept as the time at which it would be full again (the generic cell rate
 * algorithm, ITU-T I.371). Names are those of enrolled clients, so there are only so many.
 */
export class TokenBuckets {
  readonly #intervalMs: number
  readonly #toleranceMs: number
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #fullAt = new Map<string, number>()

  constructor({ ratePerSecond, burst }: CallRate, clock: Pick<Clock, 'monotonic'>) {
    this.#intervalMs = 1000 / ratePerSecond
    this.#toleranceMs = (burst - 1) * this.#intervalMs
    this.#clock = clock
  }

  /** Takes a token: 0, or in how many milliseconds there will be one, and then none is taken. */
  take(name: string): number {
    const now = this.#clock.monotonic()
    const fullAt = Math.max(now, this.#fullAt.get(name) ?? now)
    const waitMs = fullAt - now - this.#toleranceMs
    if (waitMs > 0) return Math.ceil(waitMs)
    this.#fullAt.set(name, fullAt + this.#intervalMs)
    return 0
  }
}

/** A place that is given back by calling it, once or more often. */
export type Place = () => void

/** Counts what goes on at once, under each name. */
export class Places {
  readonly #max: number
  readonly #taken = new Map<string, number>()

  constructor(max: number) {
    this.#max = max
  }

  /** How many are taken, under all names together. */
  get taken(): number {
    return [...this.#taken.values()].reduce((sum, each) => sum + each, 0)
  }

  /** A place under that name, or `undefined` where all are taken. */
  take(name: string): Place | undefined {
    const taken = this.#taken.get(name) ?? 0
    if (taken >= this.#max) return undefined
    this.#taken.set(name, taken + 1)
    let isTaken = true
    return () => {
      if (!isTaken) return
      isTaken = false
      const left = (this.#taken.get(name) ?? 1) - 1
      if (left === 0) this.#taken.delete(name)
      else this.#taken.set(name, left)
    }
  }
}
