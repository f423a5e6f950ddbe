/**
 * The two streams of the request queue on a JetStream server, and a durable consumer for each kind
 * of request. They use nothing newer than nats-server 2.9, which ignores options that it does not
 * know: what a server made of them is read back.
 */
import type { ConsumerConfig, JetStreamManager, StreamConfig } from '@nats-io/jetstream'
import { Fault } from '@quorate/base'
import {
  QUEUE_KINDS,
  requestStream,
  requestSubject,
  responseStream,
  responseSubject,
} from '../nats/subjects.ts'
import type { RequestQueueLimits } from './port.ts'

const NANOS = 1_000_000
const MAX_STREAM_BYTES = 256 * 1024 * 1024
/** A request that nobody settled in a day has expired long since. */
const MAX_REQUEST_AGE_MS = 24 * 60 * 60_000

type Wanted = Partial<StreamConfig> & { readonly name: string; readonly subjects: string[] }

function streams(prefix: string, limits: RequestQueueLimits): readonly Wanted[] {
  return [
    {
      name: requestStream(prefix),
      subjects: QUEUE_KINDS.map((kind) => requestSubject(prefix, kind)),
      retention: 'workqueue',
      storage: 'file',
      discard: 'new',
      max_msgs: limits.maxRequests,
      max_bytes: MAX_STREAM_BYTES,
      max_age: MAX_REQUEST_AGE_MS * NANOS,
      duplicate_window: limits.knownMs * NANOS,
    },
    {
      name: responseStream(prefix),
      subjects: [responseSubject(prefix, '*', '*')],
      retention: 'limits',
      storage: 'file',
      discard: 'old',
      max_bytes: MAX_STREAM_BYTES,
      max_age: limits.resultMs * NANOS,
      duplicate_window: limits.knownMs * NANOS,
      // Clients read past results by it.
      allow_direct: true,
    },
  ]
}

function consumer(
  prefix: string,
  kind: (typeof QUEUE_KINDS)[number],
  limits: RequestQueueLimits,
): Partial<ConsumerConfig> {
  return {
    durable_name: kind,
    filter_subject: requestSubject(prefix, kind),
    ack_policy: 'explicit',
    deliver_policy: 'all',
    ack_wait: limits.settleMs * NANOS,
    max_ack_pending: limits.maxUnsettled,
    // The node decides which request is hopeless, and says so.
    max_deliver: -1,
  }
}

/** Makes what is missing. @throws platform/queue-mismatch where what is there differs in a way that matters */
export async function ensureStreams(
  manager: JetStreamManager,
  prefix: string,
  limits: RequestQueueLimits,
): Promise<void> {
  for (const wanted of streams(prefix, limits)) {
    const { config } = await found(
      () => manager.streams.info(wanted.name),
      () => manager.streams.add(wanted),
    )
    if (
      config.retention !== wanted.retention ||
      config.discard !== wanted.discard ||
      (wanted.allow_direct === true && config.allow_direct !== true) ||
      wanted.subjects.some((subject) => !config.subjects.includes(subject))
    )
      throw new Fault('platform/queue-mismatch', { detail: `stream ${wanted.name}` })
  }
  const stream = requestStream(prefix)
  for (const kind of QUEUE_KINDS) {
    const wanted = consumer(prefix, kind, limits)
    const { config } = await found(
      () => manager.consumers.info(stream, kind),
      () => manager.consumers.add(stream, wanted),
    )
    if (config.filter_subject !== wanted.filter_subject || config.ack_policy !== wanted.ack_policy)
      throw new Fault('platform/queue-mismatch', { detail: `consumer ${kind} of ${stream}` })
  }
}

/** What is there, or what `make` makes where there is nothing. */
async function found<T>(look: () => Promise<T>, make: () => Promise<T>): Promise<T> {
  try {
    return await look()
  } catch (error) {
    if (!isNotFound(error)) throw error
    // Another node may have made it in the meantime.
    return make().catch((refused: unknown) =>
      look().catch(() => {
        throw refused
      }),
    )
  }
}

const isNotFound = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'StreamNotFoundError' ||
    error.name === 'ConsumerNotFoundError' ||
    ('status' in error && error.status === 404))
