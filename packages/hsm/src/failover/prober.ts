/** Asks devices that are down whether they work again, each when it is due. */
import type { Cancel, Timers } from '@quorate/platform'
import type { FailoverState } from './machine.ts'

export class Prober {
  readonly #timers: Pick<Timers, 'after'>
  readonly #probe: (slot: number) => Promise<void>
  readonly #pending = new Map<number, Cancel>()
  #isStopped = false

  /** `probe` never throws. */
  constructor(timers: Pick<Timers, 'after'>, probe: (slot: number) => Promise<void>) {
    this.#timers = timers
    this.#probe = probe
  }

  /** Sets a timer for each device that is down, where there is none. */
  schedule(state: FailoverState, now: number): void {
    for (const [slot, each] of state.entries()) {
      if (each.is !== 'down' || this.#pending.has(slot) || this.#isStopped) continue
      const cancel = this.#timers.after(Math.max(0, each.probeAt - now), () => {
        this.#pending.delete(slot)
        void this.#probe(slot)
      })
      this.#pending.set(slot, cancel)
    }
  }

  /** Asks all that are due now. */
  async probeDue(state: FailoverState, now: number): Promise<void> {
    const due = [...state.entries()].filter(([, each]) => each.is === 'down' && each.probeAt <= now)
    await Promise.all(due.map(([slot]) => this.#probe(slot)))
  }

  stop(): void {
    this.#isStopped = true
    for (const cancel of this.#pending.values()) cancel()
  }
}
