/**
 * Waits for breaches of a device's perimeter in a process of its own, so that nothing which hangs or
 * crashes while keys are used delays them: the library gives no promise about two threads. It asks again
 * and again; each answer comes as soon as there is something new.
 */
import type { Clock, Logger } from '@quorate/base'
import type { TamperEvent } from '../provider.ts'
import type { Supervisor } from './supervisor.ts'

/** How long the device waits for an event before it says that there was none. */
const WAIT_MS = 1_000
/** After a failure. Whether it is started anew is the supervisor's to decide. */
const PAUSE_MS = 500
/** A watch that has had no answer for so long is lost. */
const LOST_MS = 15_000

type Listener = (event: TamperEvent) => void

const eventAt = (channel: number, seconds: number): TamperEvent => ({
  time: seconds * 1000,
  what: `perimeter channel ${channel} was breached`,
  channel,
})

/** An event for each channel that was breached. `seconds`: by channel, since the epoch; 0 for never. */
export const eventsOf = (seconds: readonly number[]): readonly TamperEvent[] =>
  seconds.flatMap((each, channel) => (each === 0 ? [] : [eventAt(channel, each)]))

export class PerimeterWatch {
  readonly #start: () => Supervisor
  readonly #clock: Clock
  readonly #listeners = new Set<Listener>()
  readonly #logger: Logger
  #supervisor: Supervisor | undefined
  #closing: Promise<void> = Promise.resolve()
  #breaches: readonly number[] = []
  #answeredAt = 0

  /** `start` gives a supervisor that has not been opened. */
  constructor(start: () => Supervisor, clock: Clock, logger: Logger) {
    this.#start = start
    this.#clock = clock
    this.#logger = logger
  }

  /** Whether somebody listens and nothing can be heard. */
  get isLost(): boolean {
    return this.#supervisor !== undefined && this.#clock.monotonic() - this.#answeredAt > LOST_MS
  }

  /** Tells every breach, those that are known already first. Gives back what ends the listening. */
  listen(listener: Listener): () => void {
    const own: Listener = (event) => listener(event)
    this.#listeners.add(own)
    if (this.#supervisor === undefined) this.#begin()
    else for (const event of eventsOf(this.#breaches)) queueMicrotask(() => this.#tell(own, event))
    return () => {
      this.#listeners.delete(own)
      if (this.#listeners.size === 0) void this.close()
    }
  }

  async close(): Promise<void> {
    const supervisor = this.#supervisor
    this.#supervisor = undefined
    if (supervisor !== undefined) this.#closing = supervisor.close()
    await this.#closing
  }

  #begin(): void {
    const supervisor = this.#start()
    this.#supervisor = supervisor
    this.#breaches = []
    this.#answeredAt = this.#clock.monotonic()
    // Where it cannot be opened it is tried again, and counts as lost meanwhile.
    void supervisor.open().catch(() => undefined)
    void this.#follow(supervisor)
  }

  async #follow(supervisor: Supervisor): Promise<void> {
    while (this.#supervisor === supervisor)
      try {
        const seconds = await supervisor.pool.submit('perimeter', {
          known: this.#breaches,
          waitMs: WAIT_MS,
        })
        if (this.#supervisor !== supervisor) return
        this.#answeredAt = this.#clock.monotonic()
        this.#note(seconds)
      } catch {
        await new Promise((resolve) => {
          setTimeout(resolve, PAUSE_MS).unref()
        })
      }
  }

  #note(seconds: readonly number[]): void {
    const before = this.#breaches
    this.#breaches = seconds
    for (const [channel, each] of seconds.entries())
      if (each !== 0 && each !== before[channel])
        for (const listener of this.#listeners) this.#tell(listener, eventAt(channel, each))
  }

  /** A listener that fails keeps nobody else from hearing. */
  #tell(listener: Listener, event: TamperEvent): void {
    if (!this.#listeners.has(listener)) return
    try {
      listener(event)
    } catch (error) {
      this.#logger.log('error', 'hsm/event-listener-failed', {
        error: error instanceof Error ? error.name : typeof error,
      })
    }
  }
}
