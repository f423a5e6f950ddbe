/**
 * A board on Consul: the record of each node under a key, and the node as a service with a TTL check,
 * for those who look at Consul. A change in who passes its check ends the wait of a read early;
 * who is alive the records themselves say.
 */
import { Fault, fromUtf8, type Logger, toHex } from '@quorate/base'
import { clusterWord } from '../bus/nats/subjects.ts'
import { type ConsulAccess, type ConsulAnswer, type ConsulCall, callConsul } from './consul-http.ts'
import { type Board, MAX_RECORD_BYTES, RECORD_LIFE_MS } from './port.ts'

export type ConsulBoardOptions = ConsulAccess & {
  /** The cluster id, 32 bytes. */
  readonly cluster: Uint8Array
  readonly self: number
  readonly logger: Logger
  /** For which a read waits for a change; 5 s unless told. */
  readonly waitMs?: number
}

const SERVICE = 'quorate'
const DEREGISTER_AFTER = '10m'
const ANSWER_MS = 5_000
const WAIT_MS = 5_000
/** Between reads, so that a server that never waits is not asked without end. */
const PAUSE_MS = 500
const MAX_NODES = 50

/** Connects when it is used. */
export function openConsulBoard(options: ConsulBoardOptions): Board {
  const { cluster, self, logger, waitMs = WAIT_MS } = options
  const word = clusterWord(cluster)
  const folder = `${SERVICE}/${word}/nodes/`
  const service = `${SERVICE}-${word}-${self}`
  const closing = new AbortController()
  let isRegistered = false
  /** The version of the own key that was written last; 0 for none. */
  let version = 0
  let healthIndex = 0

  const call = (
    method: ConsulCall['method'],
    target: string,
    rest: { readonly body?: Uint8Array; readonly timeoutMs?: number } = {},
  ): Promise<ConsulAnswer> =>
    callConsul(options, { timeoutMs: ANSWER_MS, ...rest, method, target, signal: closing.signal })

  const register = async (): Promise<void> => {
    const definition = {
      ID: service,
      Name: SERVICE,
      Tags: [word],
      Meta: { cluster: toHex(cluster), index: String(self) },
      Check: {
        CheckID: service,
        Name: 'heartbeat',
        TTL: `${RECORD_LIFE_MS / 1000}s`,
        DeregisterCriticalServiceAfter: DEREGISTER_AFTER,
      },
    }
    const body = Buffer.from(JSON.stringify(definition))
    expectOk(await call('PUT', '/v1/agent/service/register', { body }))
    isRegistered = true
  }

  /** Tells the check that the node lives. An agent that has forgotten the service is told of it anew. */
  const pass = async (): Promise<void> => {
    if (!isRegistered) await register()
    const target = `/v1/agent/check/pass/${service}`
    if ((await call('PUT', target)).status === 200) return
    await register()
    expectOk(await call('PUT', target))
  }

  const write = async (record: Uint8Array): Promise<boolean> => {
    const answer = await call('PUT', `/v1/kv/${folder}${self}?cas=${version}`, { body: record })
    expectOk(answer)
    return fromUtf8(answer.body)?.trim() === 'true'
  }

  const ownVersion = async (): Promise<number> => {
    const answer = await call('GET', `/v1/kv/${folder}${self}`)
    return answer.status === 404 ? 0 : (entriesOf(answer)[0]?.version ?? 0)
  }

  return {
    async put(record) {
      await pass()
      if (!(await write(record))) {
        // Of the last life of this node, or of somebody who may not write here but could.
        if (version !== 0) logger.log('warn', 'discovery.own-record-changed')
        version = await ownVersion()
        if (!(await write(record))) throw new Fault('platform/discovery-unavailable')
      }
      version = await ownVersion()
    },

    async read() {
      const query = `passing=true&tag=${word}&index=${healthIndex}&wait=${waitMs}ms`
      const health = await call('GET', `/v1/health/service/${SERVICE}?${query}`, {
        // Consul adds up to a sixteenth to the wait.
        timeoutMs: waitMs + Math.ceil(waitMs / 8) + ANSWER_MS,
      })
      expectOk(health)
      // An index that goes back belongs to a server that began anew.
      healthIndex = health.index < healthIndex ? 0 : health.index
      const answer = await call('GET', `/v1/kv/${folder}?recurse=true`)
      const records = new Map<number, Uint8Array>()
      if (answer.status === 404) return records
      for (const { key, value } of entriesOf(answer)) {
        const index = Number(/^\d{1,2}$/.exec(key.slice(folder.length))?.[0])
        if (key.startsWith(folder) && index >= 1 && index <= MAX_NODES && index !== self)
          records.set(index, value)
      }
      return records
    },

    pauseMs: PAUSE_MS,

    close: async () => {
      closing.abort()
    },
  }
}

function expectOk({ status }: ConsulAnswer): void {
  if (status !== 200)
    throw new Fault('platform/discovery-unavailable', { detail: `Consul answered ${status}` })
}

type Entry = { readonly key: string; readonly value: Uint8Array; readonly version: number }

/** The key-value entries of an answer; what does not look like one is left out. */
function entriesOf(answer: ConsulAnswer): readonly Entry[] {
  expectOk(answer)
  const list = parseJson(answer.body)
  if (!Array.isArray(list)) throw new Fault('platform/discovery-unavailable')
  return (list as readonly unknown[]).flatMap((each) => {
    const { Key, Value, ModifyIndex } = (each ?? {}) as { readonly [name: string]: unknown }
    if (typeof Key !== 'string' || typeof Value !== 'string') return []
    if (!Number.isSafeInteger(ModifyIndex) || Value.length > 2 * MAX_RECORD_BYTES) return []
    const value = new Uint8Array(Buffer.from(Value, 'base64'))
    return value.length > MAX_RECORD_BYTES
      ? []
      : [{ key: Key, value, version: ModifyIndex as number }]
  })
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(body) ?? '')
  } catch (cause) {
    throw new Fault('platform/discovery-unavailable', { cause })
  }
}
