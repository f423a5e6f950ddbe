/** Runs periodic jobs while the store is unsealed: one run of each at a time, none after the stop. */
import { isFault, type Logger } from '@quorate/base'
import type { Cancel, Timers } from '@quorate/platform'
import type { PeriodicJob } from '../context.ts'

export type JobFigures = { readonly name: string; readonly runs: number; readonly failures: number }

type Entry = { readonly job: PeriodicJob; runs: number; failures: number }

export class JobRunner {
  readonly #entries: Entry[]
  readonly #timers: Timers
  readonly #logger: Logger
  readonly #isSealed: () => boolean
  readonly #stop = new AbortController()
  readonly #waiting = new Map<Entry, Cancel>()
  readonly #running = new Set<Promise<void>>()

  constructor(
    jobs: readonly PeriodicJob[],
    ports: { readonly timers: Timers; readonly logger: Logger; isSealed(): boolean },
  ) {
    this.#entries = jobs.map((job) => ({ job, runs: 0, failures: 0 }))
    this.#timers = ports.timers
    this.#logger = ports.logger
    this.#isSealed = ports.isSealed
  }

  get figures(): readonly JobFigures[] {
    return this.#entries.map(({ job, runs, failures }) => ({ name: job.name, runs, failures }))
  }

  start(): void {
    for (const entry of this.#entries) this.#schedule(entry)
  }

  #schedule(entry: Entry): void {
    if (this.#stop.signal.aborted) return
    this.#waiting.set(
      entry,
      this.#timers.after(entry.job.everyMs, () => {
        const run = this.#run(entry).finally(() => {
          this.#running.delete(run)
          this.#schedule(entry)
        })
        this.#running.add(run)
      }),
    )
  }

  async #run(entry: Entry): Promise<void> {
    if (this.#isSealed()) return
    entry.runs++
    try {
      await entry.job.run(this.#stop.signal)
    } catch (error) {
      // Sealed in the middle of a run is no failure.
      if (isFault(error, 'kms/sealed')) return
      entry.failures++
      this.#logger.log('error', 'job.failed', {
        job: entry.job.name,
        error: error instanceof Error ? `${error.name}: ${error.message}` : typeof error,
      })
    }
  }

  /** Ends the waiting, and waits for what runs. */
  async stop(): Promise<void> {
    this.#stop.abort()
    for (const cancel of this.#waiting.values()) cancel()
    await Promise.all(this.#running)
  }
}
