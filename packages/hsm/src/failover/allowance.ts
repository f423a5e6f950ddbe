/**
 * So many operations, within so much time, and not one more: what an emergency or a fallback may use.
 * What is used is on disk before the operation begins, so neither a crash nor a restart gives any back.
 *
 * Time is that of the monotonic clock while this process runs; from one process to the next it is that of
 * the wall clock, as far as that has gone beyond the latest time ever seen. So a clock that is set back
 * gives no time back, and one that jumps ahead takes none while the process runs.
 */
import { type Clock, type Codec, Fault, field, int, nullable, record } from '@quorate/base'
import type { HsmState } from '../state/store.ts'

type AllowanceLimits = {
  readonly maxOperations: number
  /** `null` for no end. */
  readonly maxTimeMs: number | null
}

export type AllowanceUse = { readonly used: number; readonly elapsedMs: number }

type Period = {
  readonly used: number
  readonly elapsedMs: number
  /** Latest time of the wall clock that was seen. */
  readonly highWater: number
  /** When it was left; a period that was not goes on, however late it is. */
  readonly leftAt: number | null
}
const period: Codec<Period> = record({
  used: field(0, int()),
  elapsedMs: field(1, int()),
  highWater: field(2, int()),
  leftAt: field(3, nullable(int())),
})

/** What was used of the period that `state` keeps under `name`, at the time `now` of the wall clock. */
export function readAllowance(
  state: Pick<HsmState, 'read'>,
  name: string,
  now: number,
): AllowanceUse {
  const { used = 0, elapsedMs = 0, highWater = now } = state.read(name, period) ?? {}
  return { used, elapsedMs: elapsedMs + Math.max(0, Math.floor(now) - highWater) }
}

export class Allowance {
  readonly limits: AllowanceLimits
  readonly #state: HsmState
  readonly #name: string
  readonly #clock: Clock
  #period: Period | undefined
  /** What had elapsed of the period at a time of the monotonic clock. */
  #elapsedAt: { readonly elapsedMs: number; readonly at: number }

  private constructor(state: HsmState, name: string, limits: AllowanceLimits, clock: Clock) {
    this.limits = limits
    this.#state = state
    this.#name = name
    this.#clock = clock
    this.#period = state.read(name, period)
    const { elapsedMs } = readAllowance(state, name, clock.now())
    this.#elapsedAt = { elapsedMs, at: clock.monotonic() }
  }

  /** What `state` keeps under `name`. @throws hsm/state-damaged */
  static open(state: HsmState, name: string, limits: AllowanceLimits, clock: Clock): Allowance {
    return new Allowance(state, name, limits, clock)
  }

  /** Of the present period; nothing where none was begun. */
  get use(): AllowanceUse {
    return this.#period === undefined
      ? { used: 0, elapsedMs: 0 }
      : { used: this.#period.used, elapsedMs: this.#elapsed() }
  }

  /** Whether a period was begun, and not left. */
  get isEntered(): boolean {
    return this.#period?.leftAt === null
  }

  get left(): number {
    return this.#isOver() ? 0 : Math.max(0, this.limits.maxOperations - this.use.used)
  }

  /**
   * Begins a period, or goes on with the one before where that was left before its time was over: one that
   * is left and entered again and again gets no more than one allowance. Durable once resolved.
   */
  async enter(): Promise<void> {
    await this.#change((now) =>
      now.leftAt !== null && this.#isOver() ? 'anew' : { ...now, leftAt: null },
    )
  }

  /** The need for it is over for now. Durable once resolved. */
  async leave(): Promise<void> {
    await this.#change((now) => ({ ...now, leftAt: this.#wall() }))
  }

  /** Everything is allowed anew. Durable once resolved. */
  async renew(): Promise<void> {
    await this.#change(() => 'anew')
  }

  /** One operation is about to be made; gives its number in the period, durable once resolved. @throws policy/role-denied where none is left */
  async charge(): Promise<number> {
    const { used } = await this.#change((now) => {
      if (now.used >= this.limits.maxOperations || this.#isOver())
        throw new Fault('policy/role-denied', { detail: `what ${this.#name} allows is used up` })
      return { ...now, used: now.used + 1 }
    })
    return used
  }

  #wall(): number {
    return Math.max(0, Math.floor(this.#clock.now()))
  }

  #elapsed(): number {
    const { elapsedMs, at } = this.#elapsedAt
    return elapsedMs + Math.max(0, Math.floor(this.#clock.monotonic() - at))
  }

  #isOver(): boolean {
    const { maxTimeMs } = this.limits
    return maxTimeMs !== null && this.#period !== undefined && this.#elapsed() >= maxTimeMs
  }

  async #change(next: (now: Period) => Period | 'anew'): Promise<Period> {
    // Updates of one name are applied one after the other, so none sees a count that another has used.
    const changed = await this.#state.update(this.#name, period, (old) => {
      if (old === undefined) this.#elapsedAt = { elapsedMs: 0, at: this.#clock.monotonic() }
      const wall = this.#wall()
      const now: Period = {
        used: old?.used ?? 0,
        elapsedMs: this.#elapsed(),
        highWater: Math.max(old?.highWater ?? 0, wall),
        leftAt: old?.leftAt ?? null,
      }
      const result = next(now)
      if (result !== 'anew') return result
      this.#elapsedAt = { elapsedMs: 0, at: this.#clock.monotonic() }
      return { ...now, used: 0, elapsedMs: 0, leftAt: null }
    })
    this.#period = changed
    return changed
  }
}
