/** The server's figures as Prometheus text (version 0.0.4). They name no project, secret or identity. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type HsmMonitor, renderHsmMetrics } from '@quorate/hsm'
import type { AuditSink } from './audit/sinks.ts'
import type { JobFigures } from './jobs/runner.ts'
import type { Kms } from './kms.ts'

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
const PREFIX = 'quorate_kms_'
const NANOSECONDS = 1e9

type Sample = readonly [labels: string, value: number]
type Metric = {
  readonly name: string
  readonly type: 'counter' | 'gauge'
  readonly help: string
  readonly samples: readonly Sample[]
}

export type MetricsParts = {
  readonly kms: Kms
  readonly sinks: readonly AuditSink[]
  readonly monitors: readonly HsmMonitor[]
  jobs(): readonly JobFigures[]
  internalErrors(): number
}

/** A function that gives the text of now. */
export function metricsOf(parts: MetricsParts): () => string {
  const delay = monitorEventLoopDelay({ resolution: 10 })
  delay.enable()
  return () => {
    const { kms, sinks, monitors } = parts
    const { rss } = process.memoryUsage()
    const metrics: Metric[] = [
      single('gauge', 'sealed', 'Whether the store is sealed: 1 or 0.', kms.isSealed ? 1 : 0),
      single('counter', 'audit_records_total', 'Records in the audit log.', auditRecords(kms)),
      single('gauge', 'audit_signed_records', 'Records that a checkpoint covers.', signed(kms)),
      single('counter', 'stale_rows_total', 'Rows found to be rolled back.', kms.staleRows),
      single(
        'counter',
        'internal_errors_total',
        'Answers that hid an error.',
        parts.internalErrors(),
      ),
      single('gauge', 'resident_bytes', 'Memory of the process.', rss),
      {
        name: 'event_loop_delay_seconds',
        type: 'gauge',
        help: 'How late timers of the event loop were, since the start.',
        samples: [
          ['quantile="0.5"', delay.percentile(50) / NANOSECONDS],
          ['quantile="0.99"', delay.percentile(99) / NANOSECONDS],
        ],
      },
      {
        name: 'audit_sink_backlog',
        type: 'gauge',
        help: 'Records that wait for a sink.',
        samples: sinks.map(({ state }) => [`sink="${state.name}"`, state.waiting]),
      },
      {
        name: 'audit_sink_failures_total',
        type: 'counter',
        help: 'Deliveries that failed and were tried again.',
        samples: sinks.map(({ state }) => [`sink="${state.name}"`, state.failures]),
      },
      {
        name: 'job_failures_total',
        type: 'counter',
        help: 'Runs of periodic jobs that failed.',
        samples: parts.jobs().map(({ name, failures }) => [`job="${name}"`, failures]),
      },
    ]
    return render(metrics) + renderHsmMetrics(monitors.map(({ report }) => report))
  }
}

const single = (type: Metric['type'], name: string, help: string, value: number): Metric => ({
  name,
  type,
  help,
  samples: [['', value]],
})

const auditRecords = (kms: Kms): number => (kms.isSealed ? 0 : kms.journal.head.seq)
const signed = (kms: Kms): number => (kms.isSealed ? 0 : (kms.checkpoints.newest?.seq ?? 0))

const render = (metrics: readonly Metric[]): string =>
  metrics
    .map(({ name, type, help, samples }) =>
      [
        `# HELP ${PREFIX}${name} ${help}`,
        `# TYPE ${PREFIX}${name} ${type}`,
        ...samples.map(
          ([labels, value]) => `${PREFIX}${name}${labels === '' ? '' : `{${labels}}`} ${value}`,
        ),
        '',
      ].join('\n'),
    )
    .join('')
