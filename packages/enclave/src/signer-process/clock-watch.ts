/**
 * Whether this node's clock can be believed. Heartbeats tell it how far it is from the others' median: too
 * far, and it takes part in nothing, and blames nobody. A gap between the wall and the monotonic
 * clock means that the machine slept or was put back: what must be used once may then be used twice.
 */
import { type Clock, Fault, type Logger } from '@quorate/base'
import type { Cancel, Timers } from '@quorate/platform'
import type { PartyId } from '@quorate/threshold'

const HEARTBEAT_MS = 10_000
/** How far from the median a node may be and still take part. */
export const MAX_OFFSET_MS = 60_000
/** How far the two clocks of one machine may drift apart between two looks. */
const MAX_GAP_MS = 5_000

export type ClockWatchOptions = {
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  /** Tells all peers this node's time. */
  beat(): void
  /** Drops every one-use secret. */
  onGap(): void
}

export class ClockWatch {
  readonly #o: ClockWatchOptions
  /** Of each peer's clock to this one, in milliseconds, as its last heartbeat showed it. */
  readonly #offsets = new Map<PartyId, number>()
  readonly #cancel: Cancel
  #drift: number

  constructor(options: ClockWatchOptions) {
    this.#o = options
    this.#drift = this.#measure()
    this.#cancel = options.timers.every(HEARTBEAT_MS, () => {
      this.#look()
      options.beat()
    })
  }

  #measure(): number {
    return this.#o.clock.now() - this.#o.clock.monotonic()
  }

  #look(): void {
    const drift = this.#measure()
    if (Math.abs(drift - this.#drift) > MAX_GAP_MS) {
      this.#o.logger.log('warn', 'clock.gap', { gapMs: drift - this.#drift })
      // What peers said was measured with the clock before it jumped.
      this.#offsets.clear()
      this.#o.onGap()
      this.#o.beat()
    }
    this.#drift = drift
  }

  heard(from: PartyId, time: number): void {
    this.#offsets.set(from, time - this.#o.clock.now())
  }

  left(party: PartyId): void {
    this.#offsets.delete(party)
  }

  /** How far the median of all clocks is from this one, in milliseconds. */
  get offset(): number {
    const sorted = [0, ...this.#offsets.values()].sort((a, b) => a - b)
    const middle = sorted.length >> 1
    return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  }

  /** Looks at both clocks. @throws node/clock-skew */
  check(): void {
    this.#look()
    const { offset } = this
    if (Math.abs(offset) > MAX_OFFSET_MS)
      throw new Fault('node/clock-skew', { detail: `${Math.round(offset / 1000)} s` })
  }

  stop(): void {
    this.#cancel()
  }
}
