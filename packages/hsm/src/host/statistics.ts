/** What a provider host has done, in numbers. */
import type { Clock, Meter } from '@quorate/base'
import type { OperationName } from './operations.ts'

/** Upper ends of the latency buckets, in seconds; one more is for all above. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5,
]

export type OperationFigures = {
  readonly done: number
  /** For which the device or its host is to blame. */
  readonly failed: number
  /** Refused for the caller's sake: wrong arguments, missing keys. */
  readonly refused: number
  /** From request to answer, done or not. */
  readonly seconds: number
  /** By bucket, not summed up: those of `LATENCY_BOUNDS`, then the rest. */
  readonly buckets: readonly number[]
}

export type Outcome = 'done' | 'failed' | 'refused'

type Figures = { done: number; failed: number; refused: number; seconds: number; buckets: number[] }

const WINDOW_SECONDS = 60

/** Counts per second of the last minute. */
class Rate {
  readonly #counts = new Float64Array(WINDOW_SECONDS)
  #second = 0

  add(second: number): void {
    this.#moveTo(second)
    this.#counts[second % WINDOW_SECONDS]! += 1
  }

  total(second: number): number {
    this.#moveTo(second)
    return this.#counts.reduce((sum, count) => sum + count, 0)
  }

  #moveTo(second: number): void {
    const from = Math.max(this.#second, second - WINDOW_SECONDS)
    for (let passed = from + 1; passed <= second; passed++)
      this.#counts[passed % WINDOW_SECONDS] = 0
    this.#second = second
  }
}

export class Statistics {
  readonly #clock: Clock
  readonly #meter: Meter | undefined
  readonly #prefix: string
  readonly #figures = new Map<OperationName, Figures>()
  readonly #all = new Rate()
  readonly #failed = new Rate()
  readonly #since: number
  #lastDone = Number.NEGATIVE_INFINITY

  /** Also reports to `meter`, under names that begin with `prefix`. */
  constructor(clock: Clock, meter: Meter | undefined, prefix: string) {
    this.#clock = clock
    this.#meter = meter
    this.#prefix = prefix
    this.#since = clock.monotonic()
  }

  record(operation: OperationName, outcome: Outcome, fromMs: number, toMs: number): void {
    const figures = this.#of(operation)
    const seconds = (toMs - fromMs) / 1000
    figures[outcome]++
    if (outcome === 'done') this.#lastDone = toMs
    figures.seconds += seconds
    let bucket = 0
    while (bucket < LATENCY_BOUNDS.length && seconds > LATENCY_BOUNDS[bucket]!) bucket++
    figures.buckets[bucket]! += 1
    const second = Math.floor(toMs / 1000)
    this.#all.add(second)
    if (outcome === 'failed') this.#failed.add(second)
    if (this.#meter === undefined) return
    this.#meter.count(`${this.#prefix}hsm_operations_total`, 1, { operation, outcome })
    this.#meter.observe(`${this.#prefix}hsm_operation_seconds`, seconds, { operation })
  }

  /** Something that happened to the host, not to an operation. */
  event(name: string): void {
    this.#meter?.count(`${this.#prefix}hsm_host_events_total`, 1, { event: name })
  }

  get operations(): ReadonlyMap<OperationName, OperationFigures> {
    return this.#figures
  }

  /** When an operation was last done, by the monotonic clock. */
  get lastDone(): number {
    return this.#lastDone
  }

  /** Over the last minute, or since the beginning where that is less. */
  get rates(): { readonly operationsPerSecond: number; readonly errorRate: number } {
    const now = this.#clock.monotonic()
    const second = Math.floor(now / 1000)
    const all = this.#all.total(second)
    const seconds = Math.min(WINDOW_SECONDS, Math.max(1, (now - this.#since) / 1000))
    return {
      operationsPerSecond: all / seconds,
      errorRate: all === 0 ? 0 : this.#failed.total(second) / all,
    }
  }

  #of(operation: OperationName): Figures {
    let figures = this.#figures.get(operation)
    if (figures === undefined) {
      const buckets = Array.from({ length: LATENCY_BOUNDS.length + 1 }, () => 0)
      figures = { done: 0, failed: 0, refused: 0, seconds: 0, buckets }
      this.#figures.set(operation, figures)
    }
    return figures
  }
}
