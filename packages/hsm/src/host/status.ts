/** How an HSM is, for people and for Prometheus. */
import type { Custody, ProviderHealth } from '../provider.ts'
import type { OperationName } from './operations.ts'
import type { PoolFigures } from './pool-limits.ts'
import { LATENCY_BOUNDS, type OperationFigures } from './statistics.ts'
import type { SupervisorFigures } from './supervisor.ts'

/** What a provider host has done, and how it is. */
export type HostFigures = SupervisorFigures & {
  readonly pool: PoolFigures
  /** Results of the device that were wrong, and did not leave. */
  readonly wrongResults: number
  /** Over the last minute. */
  readonly operationsPerSecond: number
  /** Share of operations for whose failure the device is to blame, 0 to 1, over the last minute. */
  readonly errorRate: number
  readonly operations: ReadonlyMap<OperationName, OperationFigures>
}

export type HsmStatus = HostFigures & {
  /** The label of the token. */
  readonly component: string
}

/** What the process that opened an HSM tells of it, whatever is behind it. */
export type HsmReport = {
  /** The label of the token; the type where it has none. */
  readonly component: string
  readonly custody: Custody
  readonly health: CheckedHealth
  /** Absent for keys in files, which have no host. */
  readonly host?: HostFigures | undefined
}
/** The answer of a provider that was asked for its health at `time`, in milliseconds since the epoch. */
export type CheckedHealth = ProviderHealth & { readonly time: number }

type Labels = { readonly [name: string]: string }
type Sample = readonly [labels: Labels, value: number, suffix?: string]
type Metric = {
  readonly name: string
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly help: string
  samples(report: HsmReport): readonly Sample[]
}

/** Samples of a host, where there is one. */
const ofHost =
  (samples: (host: HostFigures) => readonly Sample[]): Metric['samples'] =>
  ({ host }) =>
    host === undefined ? [] : samples(host)

/** A metric of a host with one sample, which has no label besides the component. */
const single = (
  type: 'gauge' | 'counter',
  name: string,
  help: string,
  value: (host: HostFigures) => number,
): Metric => ({ name, type, help, samples: ofHost((host) => [[{}, value(host)]]) })

const isUsable = ({ health, host }: HsmReport): boolean =>
  health.state === 'ok' &&
  (host === undefined || (host.state === 'up' && host.breaker === 'closed'))

const METRICS: readonly Metric[] = [
  {
    name: 'hsm_component_health',
    type: 'gauge',
    help: 'Whether it can be used, and answered when it was last asked: 1 or 0.',
    samples: (report) => [[{}, isUsable(report) ? 1 : 0]],
  },
  {
    name: 'hsm_component_checked_seconds',
    type: 'gauge',
    help: 'When it was last asked for its health, since the epoch.',
    samples: ({ health }) => [[{}, health.time / 1000]],
  },
  {
    name: 'hsm_component_custody',
    type: 'gauge',
    help: 'How far it is trusted with a key: 1 at its level.',
    samples: ({ custody }) => [[{ level: custody }, 1]],
  },
  single(
    'gauge',
    'hsm_operations_per_second',
    'Over the last minute.',
    (host) => host.operationsPerSecond,
  ),
  single(
    'gauge',
    'hsm_error_rate',
    'Share of operations that failed on the device, over the last minute.',
    (host) => host.errorRate,
  ),
  {
    name: 'hsm_operations_total',
    type: 'counter',
    help: 'Operations by outcome: done, failed on the device, refused for the sake of the caller.',
    samples: ofHost(({ operations }) =>
      [...operations].flatMap(([operation, figures]) =>
        (['done', 'failed', 'refused'] as const).map(
          (outcome): Sample => [{ operation, outcome }, figures[outcome]],
        ),
      ),
    ),
  },
  {
    name: 'hsm_operation_seconds',
    type: 'histogram',
    help: 'From request to answer.',
    samples: ofHost(({ operations }) =>
      [...operations].flatMap(([operation, figures]) => histogram(operation, figures)),
    ),
  },
  {
    name: 'hsm_pool_sessions',
    type: 'gauge',
    help: 'Sessions that are open, that are at work, and that may be open.',
    samples: ofHost(({ pool }) =>
      (['open', 'busy', 'limit'] as const).map((state): Sample => [{ state }, pool[state]]),
    ),
  },
  single('gauge', 'hsm_pool_queue', 'Requests that wait for a session.', ({ pool }) => pool.queued),
  single('gauge', 'hsm_breaker_open', 'Whether it is not even tried: 1 or 0.', ({ breaker }) =>
    breaker === 'closed' ? 0 : 1,
  ),
  single(
    'counter',
    'hsm_host_restarts_total',
    'Hosts started after the first.',
    ({ restarts }) => restarts,
  ),
  {
    name: 'hsm_host_ends_total',
    type: 'counter',
    help: 'Hosts that have ended, by reason.',
    samples: ofHost(({ ends }) =>
      Object.entries(ends).map(([reason, count]): Sample => [{ reason }, count]),
    ),
  },
  single(
    'counter',
    'hsm_wrong_results_total',
    'Results that did not hold and were kept back.',
    ({ wrongResults }) => wrongResults,
  ),
]

function histogram(operation: OperationName, figures: OperationFigures): readonly Sample[] {
  let sum = 0
  const buckets = figures.buckets.map((count, i): Sample => {
    sum += count
    const le = i < LATENCY_BOUNDS.length ? String(LATENCY_BOUNDS[i]) : '+Inf'
    return [{ operation, le }, sum, '_bucket']
  })
  return [...buckets, [{ operation }, figures.seconds, '_sum'], [{ operation }, sum, '_count']]
}

/** Prometheus text (version 0.0.4) of all these HSMs; each name begins with `prefix`. */
export function renderHsmMetrics(reports: readonly HsmReport[], prefix = 'quorate_'): string {
  const lines = METRICS.flatMap(({ name, type, help, samples }) => [
    `# HELP ${prefix}${name} ${help}`,
    `# TYPE ${prefix}${name} ${type}`,
    ...reports.flatMap((report) =>
      samples(report).map(
        ([labels, value, suffix = '']) =>
          `${prefix}${name}${suffix}${labelText({ component: report.component, ...labels })} ${value}`,
      ),
    ),
  ])
  return `${lines.join('\n')}\n`
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return `{${pairs.join(',')}}`
}

const ESCAPES: { readonly [character: string]: string } = { '\\': '\\\\', '"': '\\"', '\n': '\\n' }
const escaped = (value: string): string =>
  value.replace(/[\\"\n]/g, (character) => ESCAPES[character] ?? character)
