/** Waiting that a close ends, and that keeps the process alive: an operation waits for it. */
import type { Timers } from '@quorate/platform'

/** Of the system; unlike those of `systemTimers` these hold the process. */
export const holdingTimers: Pick<Timers, 'after'> = {
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
}

export class Waits {
  readonly #timers: Pick<Timers, 'after'>
  readonly #ends = new Set<() => void>()

  constructor(timers: Pick<Timers, 'after'>) {
    this.#timers = timers
  }

  /** Resolves after `ms`, or when all waiting ends. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel()
        this.#ends.delete(end)
        resolve()
      }
      const cancel = this.#timers.after(Math.max(0, ms), end)
      this.#ends.add(end)
    })
  }

  /** What `work` gives within `ms`; `undefined` where it takes longer. @throws what it throws within that time */
  async within<T>(ms: number, work: Promise<T>): Promise<{ readonly value: T } | undefined> {
    let cancel = (): void => undefined
    const late = new Promise<undefined>((resolve) => {
      cancel = this.#timers.after(ms, () => resolve(undefined))
    })
    try {
      return await Promise.race([work.then((value) => ({ value })), late])
    } finally {
      cancel()
    }
  }

  endAll(): void {
    for (const end of new Set(this.#ends)) end()
  }
}
