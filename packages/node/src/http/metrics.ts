/**
 * `GET /metrics`: the figures of the node, of its signer and of the HSM as Prometheus text. Like the health
 * route it is open to whoever reaches the server, so it names no client, wallet or key.
 */
import type { Clock } from '@quorate/base'
import type { PoolReport } from '@quorate/enclave'
import { type HsmReport, renderHsmMetrics } from '@quorate/hsm'
import { type HttpRoute, METRICS_CONTENT_TYPE, type Registry } from '@quorate/platform'
import { readPools } from './pool-metrics.ts'

/** For how long one answer of the signer serves all who ask. */
const FRESH_MS = 1_000

export type MetricsOptions = {
  hsmStatus(): Promise<HsmReport>
  /** What the signer does and holds ahead. */
  signerStatus(): Promise<SignerStatus>
  /** Brings up to date what is only found out by looking. */
  look(): Promise<unknown>
  readonly registry: Registry
  readonly clock: Clock
  /** Of the name of each metric. */
  readonly prefix: string
}

export type SignerStatus = { readonly sessions: number; readonly pools: PoolReport }

export function metricsRoute<Principal>(options: MetricsOptions): HttpRoute<Principal> {
  const { hsmStatus, signerStatus, look, registry, clock, prefix } = options
  let status: SignerStatus = { sessions: 0, pools: { shelves: [], totals: [] } }
  registry.read(
    'gauge',
    'sessions_running',
    'Sessions that this node takes part in now.',
    () => status.sessions,
  )
  readPools(registry, () => status.pools)
  const ask = async (): Promise<string> => {
    const [hsm, signer] = await Promise.all([hsmStatus(), signerStatus(), look()])
    status = signer
    return renderHsmMetrics([hsm], prefix)
  }
  let last: { readonly time: number; readonly text: Promise<string> } | undefined
  const report = (): Promise<string> => {
    const time = clock.monotonic()
    // A refusal too serves until then: strangers must not be able to keep the signer busy.
    if (last === undefined || time - last.time >= FRESH_MS) last = { time, text: ask() }
    return last.text
  }
  return {
    method: 'GET',
    path: '/metrics',
    isPublic: true,
    handle: async () => {
      const hsm = await report()
      return { text: { type: METRICS_CONTENT_TYPE, content: hsm + registry.render() } }
    },
  }
}
