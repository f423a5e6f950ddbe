/**
 * `GET /metrics`: the figures of the HSM as Prometheus text. Like the health route it is open to
 * whoever reaches the server, so it names no client, wallet or key.
 */
import type { Clock } from '@quorate/base'
import { type HsmReport, renderHsmMetrics } from '@quorate/hsm'
import type { HttpRoute } from '@quorate/platform'

/** For how long one answer of the signer serves all who ask. */
const FRESH_MS = 1_000
/** Of the text format, version 0.0.4. */
const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

export type MetricsOptions = {
  hsmStatus(): Promise<HsmReport>
  readonly clock: Clock
  /** Of the name of each metric. */
  readonly prefix: string
}

export function metricsRoute<Principal>(options: MetricsOptions): HttpRoute<Principal> {
  const { hsmStatus, clock, prefix } = options
  let last: { readonly time: number; readonly report: Promise<HsmReport> } | undefined
  const report = (): Promise<HsmReport> => {
    const time = clock.monotonic()
    // A refusal too serves until then: strangers must not be able to keep the signer busy.
    if (last === undefined || time - last.time >= FRESH_MS) last = { time, report: hsmStatus() }
    return last.report
  }
  return {
    method: 'GET',
    path: '/metrics',
    isPublic: true,
    handle: async () => ({
      text: { type: CONTENT_TYPE, content: renderHsmMetrics([await report()], prefix) },
    }),
  }
}
