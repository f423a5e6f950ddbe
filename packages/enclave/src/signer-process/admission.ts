/**
 * Takes requests in, so many at once of each kind; more wait for their turn, and beyond that they are
 * refused, so that a node under load answers late before it answers no, and never runs out of memory.
 */
import { Fault } from '@quorate/base'
import type { Limits } from './limits.ts'

export type Lane = 'keygen' | 'sign'

export class Admission {
  readonly #limits: Limits
  readonly #running: Record<Lane, number> = { keygen: 0, sign: 0 }
  readonly #queues: Record<Lane, (() => void)[]> = { keygen: [], sign: [] }
  readonly #ofClient = new Map<string, number>()

  constructor(limits: Limits) {
    this.#limits = limits
  }

  /** How many wait for their turn. */
  get queued(): number {
    return this.#queues.keygen.length + this.#queues.sign.length
  }

  /** Runs `work` when it is its turn. @throws enclave/busy at once where too much waits already */
  async run<T>(lane: Lane, client: string, work: () => Promise<T>): Promise<T> {
    const own = this.#ofClient.get(client) ?? 0
    if (own >= this.#limits.maxPerClient)
      throw new Fault('enclave/busy', { detail: `${own} requests of this client are under way` })
    this.#ofClient.set(client, own + 1)
    try {
      await this.#turn(lane)
      try {
        return await work()
      } finally {
        this.#leave(lane)
      }
    } finally {
      const left = this.#ofClient.get(client)! - 1
      if (left === 0) this.#ofClient.delete(client)
      else this.#ofClient.set(client, left)
    }
  }

  #max(lane: Lane): number {
    return lane === 'keygen' ? this.#limits.maxConcurrentKeygen : this.#limits.maxConcurrentSigning
  }

  async #turn(lane: Lane): Promise<void> {
    if (this.#running[lane] < this.#max(lane)) {
      this.#running[lane]++
      return
    }
    if (this.queued >= this.#limits.maxQueued)
      throw new Fault('enclave/busy', { detail: `${this.queued} requests wait for their turn` })
    // Whoever leaves hands its place on, so the count stays.
    await new Promise<void>((resolve) => this.#queues[lane].push(resolve))
  }

  #leave(lane: Lane): void {
    const next = this.#queues[lane].shift()
    if (next === undefined) this.#running[lane]--
    else next()
  }
}
