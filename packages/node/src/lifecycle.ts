/**
 * From serving to the end. A node that is told to stop says so to whoever asks whether it is ready,
 * takes on nothing new, and lets what it has begun come to its end before it goes. What has no end in
 * time is failed with a code that says that asking again is safe.
 */
import { type Clock, Fault, isFault } from '@quorate/base'
import type { Timers } from '@quorate/platform'

export type DrainOptions = {
  /** Resolves when no operation of this node's clients runs any more. */
  drained(): Promise<void>
  /** Whether any runs. */
  isBusy(): boolean
  /** Sessions that this node takes part in, whoever leads them. */
  sessions(): Promise<number>
  /** For all of it, in milliseconds. */
  readonly patienceMs: number
  readonly clock: Clock
  readonly timers: Timers
}

export const DEFAULT_STOP_MS = 20_000
/** How long sessions that others lead are waited for: they can choose other signers. */
const OTHERS_MS = 1_000
const LOOK_MS = 50
/** Longer than clients wait between two looks at an operation, so that they see its end here. */
const LINGER_MS = 700

export class Lifecycle {
  #isStopping = false
  #isCutOff = false
  /** Calls that were taken on and are not answered yet. */
  #calls = 0
  #onIdle: () => void = () => undefined

  get isStopping(): boolean {
    return this.#isStopping
  }

  /** Nothing new is taken on from here. */
  beginStop(): void {
    this.#isStopping = true
  }

  /** Carries out a call that may begin something. @throws node/stopping */
  async take<T>(carryOut: () => Promise<T>): Promise<T> {
    if (this.#isStopping) throw new Fault('node/stopping')
    this.#calls += 1
    try {
      return await carryOut()
    } finally {
      this.#calls -= 1
      if (this.#calls === 0) this.#onIdle()
    }
  }

  /** Resolves when every call that was taken on is answered. None may be taken on any more. */
  #answered(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve
      if (this.#calls === 0) resolve()
    })
  }

  /** What fails from here, fails because the node goes. */
  cutOff(): void {
    this.#isStopping = true
    this.#isCutOff = true
  }

  /** What was cut off, here or by the death of the signer, is not the fault of who asked. */
  reasonOf(error: unknown): unknown {
    const isInterrupted = this.#isCutOff || isFault(error, 'enclave/channel-closed')
    return isInterrupted ? new Fault('node/interrupted', { cause: error }) : error
  }

  /** Resolves once all has come to its end, or `patienceMs` have passed; whether it has. */
  async drain(o: DrainOptions): Promise<boolean> {
    const { clock, timers } = o
    const pause = (ms: number): Promise<void> =>
      new Promise((resolve) => void timers.after(ms, resolve))
    const isBusy = o.isBusy() || this.#calls > 0
    const begun = clock.monotonic()
    const left = (): number => o.patienceMs - (clock.monotonic() - begun)
    let isDrained = false
    await Promise.race([
      // What a call begins on its way is among the operations once it is answered.
      this.#answered()
        .then(() => o.drained())
        .then(() => {
          isDrained = true
        }),
      pause(o.patienceMs),
    ])
    const until = clock.monotonic() + Math.min(OTHERS_MS, left())
    while ((await o.sessions()) > 0 && clock.monotonic() < until) await pause(LOOK_MS)
    if (isBusy && isDrained) await pause(LINGER_MS)
    return isDrained
  }
}
