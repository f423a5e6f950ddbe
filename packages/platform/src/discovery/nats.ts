/**
 * A board on a NATS key-value bucket, one key for each node. The bucket drops what is older than 15
 * seconds, and does not tell its watchers when it does, so it is polled.
 */
import type { KV } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/nats-core'
import { Fault } from '@quorate/base'
import type { Broker } from '../bus/nats/broker.ts'
import { nodeKey, nodesBucket } from '../bus/nats/subjects.ts'
import { ANNOUNCE_MS, type Board, MAX_RECORD_BYTES, RECORD_LIFE_MS } from './port.ts'

export type NatsBoardOptions = {
  /** Not closed with the board. */
  readonly broker: Broker
  readonly prefix: string
  /** The cluster id, 32 bytes. */
  readonly cluster: Uint8Array
  readonly self: number
  /** Indices of all others. */
  readonly peers: readonly number[]
  /** Whether a bucket that is missing is made; without it it must be there. */
  readonly isMaker?: boolean
}

const ANSWER_MS = 5_000

/** Loads the library; the server may be away. */
export async function openNatsBoard(options: NatsBoardOptions): Promise<Board> {
  const { broker, prefix, cluster, self, peers } = options
  const [{ Kvm }, { jetstream }] = await Promise.all([
    import('@nats-io/kv'),
    import('@nats-io/jetstream'),
  ])
  const buckets = new WeakMap<NatsConnection, Promise<KV>>()

  const openBucket = async (connection: NatsConnection): Promise<KV> => {
    // Without the question about the account, which a node need not be permitted to ask.
    const client = jetstream(connection, { checkAPI: false, timeout: ANSWER_MS })
    const kvm = new Kvm(client)
    const name = nodesBucket(prefix)
    const manager = await client.jetstreamManager(false)
    const isThere = await manager.streams.info(`KV_${name}`).then(
      () => true,
      () => false,
    )
    if (isThere || options.isMaker !== true)
      return kvm.open(name, { allow_direct: true, timeout: ANSWER_MS })
    return kvm.create(name, {
      ttl: RECORD_LIFE_MS,
      history: 1,
      maxValueSize: MAX_RECORD_BYTES,
      allow_direct: true,
      timeout: ANSWER_MS,
    })
  }
  const bucket = async (): Promise<KV> => {
    if (!broker.isUp) throw new Fault('platform/discovery-unavailable')
    const connection = await broker.connection()
    const made = buckets.get(connection) ?? openBucket(connection)
    buckets.set(connection, made)
    made.catch(() => buckets.delete(connection))
    return made
  }
  const failing = async <T>(work: (kv: KV) => Promise<T>): Promise<T> => {
    try {
      return await work(await bucket())
    } catch (error) {
      throw new Fault('platform/discovery-unavailable', { cause: error })
    }
  }

  return {
    put: (record) =>
      failing(async (kv) => {
        await kv.put(nodeKey(cluster, self), record)
      }),
    read: () =>
      failing(async (kv) => {
        const records = new Map<number, Uint8Array>()
        for (const index of peers) {
          const entry = await kv.get(nodeKey(cluster, index))
          if (entry !== null && entry.operation === 'PUT' && entry.value.length <= MAX_RECORD_BYTES)
            records.set(index, Uint8Array.from(entry.value))
        }
        return records
      }),
    pauseMs: ANNOUNCE_MS,
    close: async () => undefined,
  }
}
