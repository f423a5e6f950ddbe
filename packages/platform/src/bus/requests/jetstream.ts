/**
 * The request queue on a NATS server with JetStream: a work-queue stream for requests, a stream that
 * keeps results for a day. An outage of the server stops the queue until it is back, and nothing else.
 */
import { createHash } from 'node:crypto'
import type { Consumer, JetStreamClient, JetStreamManager, JsMsg } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/nats-core'
import { bug, Fault, isFault, type Logger } from '@quorate/base'
import type { Cancel, Timers } from '../../time/timers.ts'
import type { Broker } from '../nats/broker.ts'
import {
  type QueueKind,
  requestStream,
  requestSubject,
  responseStream,
  responseSubject,
} from '../nats/subjects.ts'
import {
  QUEUE_ID_PATTERN,
  type QueuedRequest,
  REQUEST_QUEUE_LIMITS,
  type RequestQueue,
  type RequestQueueLimits,
} from './port.ts'
import { ensureStreams } from './streams.ts'

export type JetStreamQueueOptions = {
  /** Not closed with the queue. */
  readonly broker: Broker
  readonly prefix: string
  readonly timers: Timers
  readonly logger: Logger
  readonly limits?: Partial<RequestQueueLimits>
  /** Whether streams that are missing are made; without it they must be there. */
  readonly isMaker?: boolean
}

type Stream = { readonly client: JetStreamClient; readonly manager: JetStreamManager }
type Library = typeof import('@nats-io/jetstream')

/** How long one question for the next request stands. */
const PULL_MS = 5_000
const RETRY_MS = 500
/** For an answer of the server. */
const ANSWER_MS = 5_000
/** Of an answer's and a request's headers. */
const HEADER_BYTES = 512
/** Past results of one request that are looked at: whoever may publish there could add any number. */
const MAX_PAST_RESULTS = 64

/** Loads the library; the server may be away. */
export async function openJetStreamQueue(options: JetStreamQueueOptions): Promise<RequestQueue> {
  return new Engine(options, await import('@nats-io/jetstream'))
}

class Engine implements RequestQueue {
  readonly #o: JetStreamQueueOptions
  readonly #limits: RequestQueueLimits
  readonly #library: Library
  /** Streams as they were made or found on each connection. */
  readonly #ready = new WeakMap<NatsConnection, Promise<Stream>>()
  readonly #stops = new Set<Cancel>()

  constructor(options: JetStreamQueueOptions, library: Library) {
    this.#o = options
    this.#limits = { ...REQUEST_QUEUE_LIMITS, ...options.limits }
    this.#library = library
  }

  async publish(kind: QueueKind, id: string, request: Uint8Array): Promise<'queued' | 'known'> {
    const isKnown = await this.#publish(
      requestSubject(this.#o.prefix, kind),
      checkedId(id),
      request,
    )
    return isKnown ? 'known' : 'queued'
  }

  async respond(kind: QueueKind, id: string, result: Uint8Array): Promise<void> {
    const subject = responseSubject(this.#o.prefix, kind, checkedId(id))
    // Named by its content, so that nobody can take its place beforehand.
    await this.#publish(subject, createHash('sha256').update(result).digest('hex'), result)
  }

  /** Whether the server knew the message already. */
  async #publish(subject: string, messageId: string, message: Uint8Array): Promise<boolean> {
    const { broker } = this.#o
    if (!broker.isUp) throw new Fault('platform/broker-unavailable')
    if (message.length + HEADER_BYTES > broker.maxPayload)
      throw new Fault('platform/frame-too-large', {
        detail: `${message.length} bytes; the broker takes ${broker.maxPayload}`,
      })
    try {
      const { client } = await this.#stream()
      const { duplicate } = await client.publish(subject, message, {
        msgID: messageId,
        timeout: ANSWER_MS,
      })
      return duplicate
    } catch (error) {
      if (isFault(error)) throw error
      const isFull =
        error instanceof Error && /^maximum (messages|bytes) exceeded$/.test(error.message)
      throw new Fault(isFull ? 'platform/queue-full' : 'platform/broker-unavailable', {
        cause: error,
      })
    }
  }

  async #stream(): Promise<Stream> {
    const connection = await this.#o.broker.connection()
    const known = this.#ready.get(connection)
    if (known !== undefined) return known
    const made = this.#open(connection)
    this.#ready.set(connection, made)
    made.catch(() => this.#ready.delete(connection))
    return made
  }

  async #open(connection: NatsConnection): Promise<Stream> {
    const { jetstream, jetstreamManager } = this.#library
    const options = { timeout: ANSWER_MS, checkAPI: false }
    const manager = await jetstreamManager(connection, options)
    if (this.#o.isMaker === true) await ensureStreams(manager, this.#o.prefix, this.#limits)
    return { client: jetstream(connection, options), manager }
  }

  consume(
    kind: QueueKind,
    atOnce: number,
    handler: (request: QueuedRequest) => Promise<void>,
  ): Cancel {
    const slots = new Slots(atOnce)
    const stop = (): void => {
      this.#stops.delete(stop)
      slots.close()
    }
    this.#stops.add(stop)
    void this.#pull(kind, slots, handler)
    return stop
  }

  async #pull(
    kind: QueueKind,
    slots: Slots,
    handler: (request: QueuedRequest) => Promise<void>,
  ): Promise<void> {
    let isWell = true
    while (await slots.free()) {
      try {
        const consumer = await this.#consumer(kind)
        // With a connection that has gone this ends at once, and the next one is waited for.
        const message = await consumer.next({ expires: PULL_MS })
        isWell = true
        if (message === null) continue
        if (slots.isClosed) message.nak()
        else void this.#hand(kind, message, slots, handler)
      } catch (error) {
        if (slots.isClosed || isFault(error, 'platform/broker-closed')) return
        // Once for an outage.
        this.#o.logger.log(isWell ? 'warn' : 'debug', 'queue.unavailable', {
          kind,
          error: nameOf(error),
        })
        isWell = false
        await new Promise<void>((resolve) => this.#o.timers.after(RETRY_MS, resolve))
      }
    }
  }

  async #consumer(kind: QueueKind): Promise<Consumer> {
    const { client } = await this.#stream()
    return client.consumers.get(requestStream(this.#o.prefix), kind)
  }

  async #hand(
    kind: QueueKind,
    message: JsMsg,
    slots: Slots,
    handler: (request: QueuedRequest) => Promise<void>,
  ): Promise<void> {
    slots.take()
    try {
      await handler({
        kind,
        request: Uint8Array.from(message.data),
        delivery: message.info.deliveryCount,
        done: async () => {
          // Unanswered, the request may come again; who settled it knows it then.
          await message.ackAck({ timeout: ANSWER_MS }).catch(() => false)
        },
        later: (delayMs) => message.nak(delayMs),
        working: () => message.working(),
        refuse: () => message.term(),
      })
    } catch (error) {
      this.#o.logger.log('error', 'queue.handler-failed', { kind, error: nameOf(error) })
    } finally {
      slots.give()
    }
  }

  onResponse(kind: QueueKind, id: string, handler: (result: Uint8Array) => void): Cancel {
    const subject = responseSubject(this.#o.prefix, kind, checkedId(id))
    let isStopped = false
    const past = (): void => {
      this.#past(subject, (result) => {
        if (!isStopped) handler(result)
      }).catch((error: unknown) =>
        this.#o.logger.log('debug', 'queue.past-results-failed', { error: nameOf(error) }),
      )
    }
    // First the live ones, so that none falls between.
    const stops = [
      this.#o.broker.subscribe(subject, (_subject, result) => handler(result)),
      this.#o.broker.onChange((isUp) => {
        if (isUp) past()
      }),
    ]
    if (this.#o.broker.isUp) past()
    const stop = (): void => {
      isStopped = true
      this.#stops.delete(stop)
      for (const each of stops) each()
    }
    this.#stops.add(stop)
    return stop
  }

  async #past(subject: string, handler: (result: Uint8Array) => void): Promise<void> {
    const { manager } = await this.#stream()
    for (let seq = 1, count = 0; count < MAX_PAST_RESULTS; count++) {
      const stored = await manager.direct.getMessage(responseStream(this.#o.prefix), {
        seq,
        next_by_subj: subject,
      })
      if (stored === null || stored.seq < seq) return
      handler(Uint8Array.from(stored.data))
      seq = stored.seq + 1
    }
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop()
  }
}

/** How many requests may be handled at once. */
class Slots {
  #left: number
  #isClosed = false
  #wake: () => void = () => {}

  constructor(count: number) {
    this.#left = count
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Waits for one to be free; false when closed. */
  async free(): Promise<boolean> {
    while (this.#left === 0 && !this.#isClosed)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    return !this.#isClosed
  }

  take(): void {
    this.#left--
  }

  give(): void {
    this.#left++
    this.#wake()
  }

  close(): void {
    this.#isClosed = true
    this.#wake()
  }
}

/** Ids come from our own hashes. */
const checkedId = (id: string): string => (QUEUE_ID_PATTERN.test(id) ? id : bug('a bad queue id'))

/** The library's name of the error; its text may hold what the server said. */
const nameOf = (error: unknown): string =>
  isFault(error) ? error.code : error instanceof Error ? error.name.slice(0, 64) : 'unknown'
