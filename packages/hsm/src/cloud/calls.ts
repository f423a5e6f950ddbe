/**
 * Requests to a service: each with a deadline, tried again where that can help, with growing pauses of random
 * length (exponential backoff, full jitter), so that many clients of a busy service do not come back at once.
 * The clients' own retries are off: two layers of them would multiply.
 */
import { randomInt } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { isFault } from '@quorate/base'
import type { Timers } from '@quorate/platform'
import { DeviceFault } from '../errors.ts'
import { type FailureKind, isRetried, networkFailure, ServiceFailure } from './failure.ts'

export const MAX_ATTEMPTS = 4
export const DEFAULT_TIMEOUT_MS = 10_000
const FIRST_PAUSE_MS = 100
const MAX_PAUSE_MS = 5000

export type CallPorts = {
  readonly timers: Pick<Timers, 'after'>
  /** A whole number from 0 to `below` − 1. */
  readonly draw: (below: number) => number
}

/** Timers that keep the process alive: somebody waits for the answer. */
export const systemCallPorts: CallPorts = {
  timers: {
    after(delayMs, run) {
      const timer = setTimeout(run, delayMs)
      return () => clearTimeout(timer)
    },
  },
  draw: (below) => randomInt(below),
}

export type CallsOptions = CallPorts & {
  readonly timeoutMs: number
  /** What an error of the client means. */
  readonly classify: (error: unknown) => FailureKind
}

export class Calls {
  readonly timeoutMs: number
  readonly #options: CallsOptions
  readonly #closing = new AbortController()

  constructor(options: CallsOptions) {
    this.#options = options
    this.timeoutMs = options.timeoutMs
    // One for each request under way.
    setMaxListeners(0, this.#closing.signal)
  }

  /** @throws hsm/closed */
  checkOpen(): void {
    if (this.#closing.signal.aborted) throw new DeviceFault('hsm/closed')
  }

  /**
   * What `send` gives, sent again after failures that pass; `attempts: 1` for what must not be done twice.
   * @throws ServiceFailure, hsm/closed, and faults of ours that `send` throws
   */
  async run<T>(
    send: (signal: AbortSignal) => Promise<T>,
    { attempts = MAX_ATTEMPTS }: { readonly attempts?: number } = {},
  ): Promise<T> {
    for (let attempt = 1; ; attempt++)
      try {
        return await this.#once(send)
      } catch (error) {
        if (!(error instanceof ServiceFailure)) throw error
        if (attempt >= attempts || !isRetried(error.kind)) throw error
        await this.pause(attempt)
      }
  }

  /** Waits before attempt `attempt` + 1. @throws hsm/closed */
  async pause(attempt: number): Promise<void> {
    const longest = Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1))
    await this.#race(new Promise<never>(() => undefined), 1 + this.#options.draw(longest)).catch(
      (error: unknown) => {
        if (!(error instanceof ServiceFailure)) throw error
      },
    )
  }

  /** Requests under way end with hsm/closed. */
  close(): void {
    this.#closing.abort()
  }

  async #once<T>(send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.checkOpen()
    const ending = new AbortController()
    const work = send(ending.signal)
    // It may still fail once nobody waits for it any more.
    work.catch(() => undefined)
    try {
      return await this.#race(work, this.#options.timeoutMs)
    } catch (error) {
      if (error instanceof ServiceFailure || isFault(error)) throw error
      throw new ServiceFailure(networkFailure(error) ?? this.#options.classify(error))
    } finally {
      ending.abort()
    }
  }

  /** `work`, if it ends before the time is up and before this is closed. */
  #race<T>(work: Promise<T>, ms: number): Promise<T> {
    const { signal } = this.#closing
    return new Promise((resolve, reject) => {
      const cancel = this.#options.timers.after(ms, () => {
        signal.removeEventListener('abort', onClose)
        reject(new ServiceFailure('unavailable'))
      })
      const onClose = (): void => {
        cancel()
        reject(new DeviceFault('hsm/closed'))
      }
      if (signal.aborted) return onClose()
      signal.addEventListener('abort', onClose, { once: true })
      work.then(resolve, reject).finally(() => {
        cancel()
        signal.removeEventListener('abort', onClose)
      })
    })
  }
}
