/**
 * Requests that come by the queue instead of HTTP. Each is the same signed request; its result goes
 * back as the same operation that HTTP would show, with the receipts of the nodes in it. Whoever can
 * write to the queue can put anything there: what is not a signed request of an enrolled client is
 * taken off it, counted and logged.
 */
import {
  checkPermitted,
  checkRequestSignature,
  decodeRequest,
  type OperationJson,
  type Permission,
  requestHash,
  type SignedRequest,
} from '@quorate/api'
import type { AcceptedRecord } from '@quorate/auth'
import { type Clock, equalBytes, Fault, isFault, type Logger, toHex, utf8 } from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'
import type { QueuedRequest, QueueKind, RequestQueue, Timers } from '@quorate/platform'
import type { Operations } from './operations.ts'

export type QueueFigures = {
  /** Results that were published. */
  answered: number
  /** What was no valid request. */
  refused: number
  /** Valid requests that could not be carried out now, and come again. */
  postponed: number
  /** Valid requests that came too often. */
  givenUp: number
}

export type QueueService = {
  readonly figures: Readonly<QueueFigures>
  stop(): void
}

export type QueueServiceOptions = {
  readonly queue: RequestQueue
  readonly operations: Pick<Operations, 'begin' | 'ended' | 'get'>
  readonly cluster: AcceptedRecord
  /** Requests of a kind that this node carries out at once. */
  readonly atOnce: { readonly keygen: number; readonly sign: number }
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
}

/** What may come on each subject, and what its client must be permitted. */
const KINDS: {
  readonly [Kind in QueueKind]: { readonly body: string; readonly permission: Permission }
} = {
  keygen: { body: 'createWallet', permission: 'wallet.create' },
  sign: { body: 'sign', permission: 'tx.sign' },
  reshare: { body: 'refresh', permission: 'wallet.refresh' },
}
const WORKING_MS = 10_000
const LATER_MS = 2_000
const MAX_DELIVERIES = 5

export function serveQueue(options: QueueServiceOptions): QueueService {
  const { queue, operations, timers, logger, atOnce } = options
  const figures: QueueFigures = { answered: 0, refused: 0, postponed: 0, givenUp: 0 }

  const carryOut = async (kind: QueueKind, request: SignedRequest): Promise<void> => {
    // The client knows it before there is a session, and nobody else can have the same.
    const id = toHex(requestHash(request))
    const { id: operation, project } = await operations.begin(request, id)
    await operations.ended(operation)
    const answer: OperationJson = await operations.get(operation, project)
    await queue.respond(kind, id, utf8(JSON.stringify(answer)))
    figures.answered++
  }

  const serve = async (queued: QueuedRequest): Promise<void> => {
    const { kind, delivery } = queued
    let request: SignedRequest
    try {
      request = acceptable(queued, options)
    } catch (error) {
      figures.refused++
      logger.log('warn', 'queue.request-refused', { kind, code: codeOf(error) })
      queued.refuse()
      return
    }
    const stop = timers.every(WORKING_MS, () => queued.working())
    try {
      await carryOut(kind, request)
      await queued.done()
    } catch (error) {
      const isHopeless = isFault(error) && !error.retryable
      const code = codeOf(error)
      if (isHopeless || delivery >= MAX_DELIVERIES) {
        figures.givenUp++
        logger.log('error', 'queue.request-given-up', { kind, code, delivery })
        queued.refuse()
      } else {
        figures.postponed++
        logger.log('warn', 'queue.request-postponed', { kind, code, delivery })
        queued.later(LATER_MS * delivery)
      }
    } finally {
      stop()
    }
  }

  const stops = [
    queue.consume('keygen', atOnce.keygen, serve),
    queue.consume('reshare', atOnce.keygen, serve),
    queue.consume('sign', atOnce.sign, serve),
  ]
  return {
    figures,
    stop: () => {
      for (const stop of stops) stop()
    },
  }
}

/**
 * The request, where a client enrolled in this cluster signed it and may ask for it here.
 * @throws base/…, auth/other-cluster, auth/unauthenticated, auth/client-expired, api/bad-signature,
 *   api/not-permitted, node/request-mismatch
 */
function acceptable(
  { kind, request: encoded }: QueuedRequest,
  { cluster, clock }: QueueServiceOptions,
): SignedRequest {
  const request = decodeRequest(encoded)
  if (!equalBytes(request.cluster, cluster.cluster)) throw new Fault('auth/other-cluster')
  const client = cluster.record.clients.find(({ id }) => id === request.client)
  if (client === undefined) throw new Fault('auth/unauthenticated')
  checkRequestSignature(request, client.key, verifyEd25519)
  if (clock.now() >= client.expiresAt) throw new Fault('auth/client-expired')
  const { body, permission } = KINDS[kind]
  if (request.body.kind !== body || request.body.value.project !== client.project)
    throw new Fault('node/request-mismatch')
  checkPermitted([client.role], permission)
  return request
}

const codeOf = (error: unknown): string => (isFault(error) ? error.code : 'node/internal')
