/**
 * The queue through which signed requests reach a cluster and results come back. A request is taken by
 * one node at a time and comes again until that node says that it is settled. Whoever runs the queue
 * can lose, repeat or invent anything on it: requests are signed by their clients, results hold
 * receipts that the nodes signed, and both are checked by who takes them.
 */
import type { Cancel } from '../../time/timers.ts'
import type { QueueKind } from '../nats/subjects.ts'

export type QueuedRequest = {
  readonly kind: QueueKind
  readonly request: Uint8Array
  /** 1 when it comes for the first time. */
  readonly delivery: number
  /** It is settled and never comes again; resolves once the queue knows. */
  done(): Promise<void>
  /** It cannot be settled now, and shall come again after `delayMs`, to any node. */
  later(delayMs: number): void
  /** It is still worked on: the time until it comes again begins anew. */
  working(): void
  /** It can never be settled, and shall not come again. */
  refuse(): void
}

export type RequestQueue = {
  /**
   * Puts a request on the queue. `id` names its content: within two minutes a second one with this id
   * is not queued, unless the queue was started again in between: who takes it must know what it has
   * done already. @throws platform/queue-full, platform/frame-too-large, platform/broker-unavailable
   */
  publish(kind: QueueKind, id: string, request: Uint8Array): Promise<'queued' | 'known'>
  /**
   * Hands requests to `handler`, at most `atOnce` at a time: one is over when its promise settles.
   * One that was neither done nor refused by then comes again.
   */
  consume(
    kind: QueueKind,
    atOnce: number,
    handler: (request: QueuedRequest) => Promise<void>,
  ): Cancel
  /**
   * Publishes a result of the request `id`; the same bytes again are not published twice.
   * @throws platform/frame-too-large, platform/broker-unavailable
   */
  respond(kind: QueueKind, id: string, result: Uint8Array): Promise<void>
  /** Hands over every result of the request `id`, past and to come, some perhaps twice. */
  onResponse(kind: QueueKind, id: string, handler: (result: Uint8Array) => void): Cancel
  /** Stops consuming. What is under way is not waited for. */
  close(): Promise<void>
}

export type RequestQueueLimits = {
  /** Requests that wait or are worked on. */
  readonly maxRequests: number
  /** Requests of one kind that are worked on in the whole cluster. */
  readonly maxUnsettled: number
  /** After which a request whose node has said nothing comes again. */
  readonly settleMs: number
  /** For which an id is known. */
  readonly knownMs: number
  /** For which results are kept. */
  readonly resultMs: number
}
export const REQUEST_QUEUE_LIMITS: RequestQueueLimits = {
  maxRequests: 10_000,
  maxUnsettled: 256,
  settleMs: 30_000,
  knownMs: 120_000,
  resultMs: 24 * 60 * 60_000,
}

/** Of a request or result id: what may stand in a subject. */
export const QUEUE_ID_PATTERN: RegExp = /^[A-Za-z0-9_-]{1,64}$/
