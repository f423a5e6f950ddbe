/** The request queue within one process, for one machine and for tests. It forgets all when it ends. */
import { createHash } from 'node:crypto'
import { bug, Fault, type Logger } from '@quorate/base'
import type { Cancel, Timers } from '../../time/timers.ts'
import type { QueueKind } from '../nats/subjects.ts'
import { MAX_FRAME_BYTES } from '../port.ts'
import {
  QUEUE_ID_PATTERN,
  type QueuedRequest,
  REQUEST_QUEUE_LIMITS,
  type RequestQueue,
  type RequestQueueLimits,
} from './port.ts'

export type MemoryQueueOptions = {
  readonly timers: Timers
  readonly logger: Logger
  readonly limits?: Partial<RequestQueueLimits>
}

type Waiting = { readonly kind: QueueKind; readonly request: Uint8Array; deliveries: number }
type Consumer = {
  readonly kind: QueueKind
  free: number
  readonly handler: (request: QueuedRequest) => Promise<void>
}

/** One queue; each node and client of the process has its own end of it by `open`. */
export class MemoryRequests {
  readonly #options: MemoryQueueOptions
  readonly #limits: RequestQueueLimits
  readonly #known = new Set<string>()
  readonly #waiting: Waiting[] = []
  readonly #unsettled = new Map<QueueKind, number>()
  #size = 0
  readonly #consumers = new Set<Consumer>()
  readonly #results = new Map<string, Map<string, Uint8Array>>()
  readonly #listeners = new Map<string, Set<(result: Uint8Array) => void>>()

  constructor(options: MemoryQueueOptions) {
    this.#options = options
    this.#limits = { ...REQUEST_QUEUE_LIMITS, ...options.limits }
  }

  open(): RequestQueue {
    const own = new Set<Cancel>()
    return {
      publish: async (kind, id, request) => this.#publish(kind, checkedId(id), request),
      consume: (kind, atOnce, handler) => {
        const consumer: Consumer = { kind, free: atOnce, handler }
        this.#consumers.add(consumer)
        const stop = (): void => {
          this.#consumers.delete(consumer)
        }
        own.add(stop)
        this.#serveSoon()
        return stop
      },
      respond: async (kind, id, result) => this.#respond(`${kind}.${checkedId(id)}`, result),
      onResponse: (kind, id, handler) => this.#listen(`${kind}.${checkedId(id)}`, handler),
      close: async () => {
        for (const stop of own) stop()
      },
    }
  }

  #publish(kind: QueueKind, id: string, request: Uint8Array): 'queued' | 'known' {
    if (request.length > MAX_FRAME_BYTES) throw new Fault('platform/frame-too-large')
    const name = `${kind}.${id}`
    if (this.#known.has(name)) return 'known'
    if (this.#size >= this.#limits.maxRequests) throw new Fault('platform/queue-full')
    this.#known.add(name)
    this.#options.timers.after(this.#limits.knownMs, () => this.#known.delete(name))
    this.#size++
    this.#waiting.push({ kind, request: request.slice(), deliveries: 0 })
    this.#serveSoon()
    return 'queued'
  }

  /** Not at once: whoever published or settled goes on first. */
  #serveSoon(): void {
    setImmediate(() => this.#serve())
  }

  #serve(): void {
    for (let at = 0; at < this.#waiting.length; ) {
      const { kind } = this.#waiting[at]!
      const unsettled = this.#unsettled.get(kind) ?? 0
      const consumer = [...this.#consumers].find((each) => each.kind === kind && each.free > 0)
      if (consumer === undefined || unsettled >= this.#limits.maxUnsettled) at++
      else {
        const [next] = this.#waiting.splice(at, 1)
        this.#unsettled.set(kind, unsettled + 1)
        this.#deliver(consumer, next!)
      }
    }
  }

  #deliver(consumer: Consumer, waiting: Waiting): void {
    const { timers, logger } = this.#options
    const { settleMs } = this.#limits
    waiting.deliveries++
    let isOver = false
    let cancel: Cancel = () => {}
    const settle = (isGone: boolean, delayMs = 0): void => {
      if (isOver) return
      isOver = true
      cancel()
      this.#unsettled.set(waiting.kind, (this.#unsettled.get(waiting.kind) ?? 1) - 1)
      if (isGone) this.#size--
      else
        timers.after(delayMs, () => {
          this.#waiting.push(waiting)
          this.#serveSoon()
        })
      this.#serveSoon()
    }
    const working = (): void => {
      cancel()
      if (!isOver) cancel = timers.after(settleMs, () => settle(false))
    }
    working()
    consumer.free--
    consumer
      .handler({
        kind: waiting.kind,
        request: waiting.request,
        delivery: waiting.deliveries,
        done: async () => settle(true),
        later: (delayMs) => settle(false, delayMs),
        working,
        refuse: () => settle(true),
      })
      .catch(() => logger.log('error', 'queue.handler-failed', { kind: waiting.kind }))
      .finally(() => {
        consumer.free++
        this.#serveSoon()
      })
  }

  #respond(name: string, result: Uint8Array): void {
    if (result.length > MAX_FRAME_BYTES) throw new Fault('platform/frame-too-large')
    const results = this.#results.get(name) ?? new Map<string, Uint8Array>()
    if (results.size === 0) {
      this.#results.set(name, results)
      this.#options.timers.after(this.#limits.resultMs, () => this.#results.delete(name))
    }
    const hash = createHash('sha256').update(result).digest('hex')
    if (results.has(hash)) return
    results.set(hash, result.slice())
    for (const listener of this.#listeners.get(name) ?? []) listener(result.slice())
  }

  #listen(name: string, handler: (result: Uint8Array) => void): Cancel {
    const listeners = this.#listeners.get(name) ?? new Set()
    listeners.add(handler)
    this.#listeners.set(name, listeners)
    for (const result of this.#results.get(name)?.values() ?? []) handler(result.slice())
    return () => {
      listeners.delete(handler)
      if (listeners.size === 0) this.#listeners.delete(name)
    }
  }
}

/** Ids come from our own hashes. */
const checkedId = (id: string): string => (QUEUE_ID_PATTERN.test(id) ? id : bug('a bad queue id'))
