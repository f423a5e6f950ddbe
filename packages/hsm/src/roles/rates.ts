/**
 * How many signatures each role made within the last second. A process that ends and starts anew within
 * that second is not given another one: whoever may have used it up counts as having done so.
 */
import { type Clock, type Codec, field, int, record } from '@quorate/base'
import type { HsmState } from '../state/store.ts'

const WINDOW_MS = 1000
/** How far ahead it is written down that a role signs, so that not every signature waits for the disk. */
const AHEAD_MS = 60_000

type Reserved = { readonly until: number }
const reserved: Codec<Reserved> = record({ until: field(0, int()) })

type Rate = {
  /** When signatures were made, by the monotonic clock, oldest first. */
  readonly times: number[]
  /** Until then the window counts as used up. */
  readonly fullUntil: number
  reservedUntil: number
}

export class RoleRates {
  readonly #state: HsmState
  readonly #clock: Clock
  readonly #openedAt: number
  readonly #rates = new Map<string, Rate>()

  constructor(state: HsmState, clock: Clock) {
    this.#state = state
    this.#clock = clock
    this.#openedAt = clock.monotonic()
  }

  /** Signatures within the last second; `Infinity` where that is not known yet. */
  recent(role: string): number {
    const rate = this.#rateOf(role)
    const now = this.#clock.monotonic()
    if (now < rate.fullUntil) return Number.POSITIVE_INFINITY
    while ((rate.times[0] ?? now) <= now - WINDOW_MS) rate.times.shift()
    return rate.times.length
  }

  /** One more is about to be made. Resolves once a restart would know that the role was signing. */
  async count(role: string): Promise<void> {
    const rate = this.#rateOf(role)
    rate.times.push(this.#clock.monotonic())
    const now = Math.max(0, Math.floor(this.#clock.now()))
    if (now < rate.reservedUntil - WINDOW_MS && rate.reservedUntil <= now + AHEAD_MS) return
    const until = now + AHEAD_MS
    await this.#state.write(nameOf(role), reserved, { until })
    rate.reservedUntil = until
  }

  #rateOf(role: string): Rate {
    const known = this.#rates.get(role)
    if (known !== undefined) return known
    const { until = 0 } = this.#state.read(nameOf(role), reserved) ?? {}
    const isFresh = this.#clock.now() >= until
    const rate = {
      times: [],
      fullUntil: isFresh ? 0 : this.#openedAt + WINDOW_MS,
      reservedUntil: 0,
    }
    this.#rates.set(role, rate)
    return rate
  }
}

const nameOf = (role: string): string => `rate/${role}`
