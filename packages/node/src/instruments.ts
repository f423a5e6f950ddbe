/** What a node is watched with: its figures, its traces, and what its log tells of its clock. */
import { Fault, type Logger, toHex } from '@quorate/base'
import type { HsmReport } from '@quorate/hsm'
import {
  type Counter,
  OtlpTracer,
  otlpHeaders,
  Registry,
  systemClock,
  systemRandom,
  systemTimers,
  type Tracer,
  tracesUrl,
} from '@quorate/platform'
import { DEFAULT_METRICS_PREFIX, type NodeConfig } from './config.ts'
import { ClockCheck, type Probes } from './health.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { LocalNode } from './local.ts'
import { LinkFigures } from './node-metrics.ts'
import { putSetting } from './statements.ts'
import { Watch } from './watch.ts'

/** Of the line that is logged for each evidence file. */
const EVIDENCE_KEPT = 'evidence.kept'

export type Instruments = {
  readonly registry: Registry
  readonly tracer: Tracer | undefined
  readonly watch: Watch
  readonly clock: ClockCheck
  readonly links: LinkFigures
  /** The one to log with. */
  readonly logger: Logger
}

/** @throws platform/bad-setting */
export function openInstruments(
  config: NodeConfig,
  logger: Logger,
  index: () => number,
): Instruments {
  const registry = new Registry(config.metricsPrefix ?? DEFAULT_METRICS_PREFIX)
  const clock = new ClockCheck(systemClock)
  const tracer = openTracer(config, logger)
  const watch = new Watch({ registry, tracer, clock: systemClock, logger, index })
  const evidence = registry.counter(
    'evidence_kept_total',
    'Files that convict a party, kept in evidence/ of the data directory.',
  )
  return {
    registry,
    tracer,
    watch,
    clock,
    links: new LinkFigures(),
    logger: hearing(logger, clock, evidence),
  }
}

function openTracer({ tracing, environment }: NodeConfig, logger: Logger): Tracer | undefined {
  if (tracing === undefined) return undefined
  const { endpoint, service, headers: given } = tracing
  const headers = given && otlpHeaders(given)
  if (given !== undefined && headers === undefined)
    throw new Fault('platform/bad-setting', { detail: 'tracing.headers: expected name=value,…' })
  return new OtlpTracer({
    url: tracesUrl(endpoint),
    headers,
    resource: {
      'service.name': service,
      'service.instance.id': toHex(systemRandom.bytes(8)),
      'deployment.environment.name': environment,
    },
    clock: systemClock,
    random: systemRandom,
    timers: systemTimers,
    logger,
  })
}

/** `logger`, whose lines about a skewed clock and about evidence are heard on their way. */
const hearing = (logger: Logger, clock: ClockCheck, evidence: Counter): Logger => ({
  log(level, event, fields) {
    clock.heard(fields?.['code'])
    if (event === EVIDENCE_KEPT) evidence.add({})
    logger.log(level, event, fields)
  },
  with: (fields) => hearing(logger.with(fields), clock, evidence),
})

const PROBE = 'readiness'

/** What readiness looks at. `need`: how many nodes, this one included, must be there to sign for some wallet. */
export const probesOf = (
  { journal, signer }: LocalNode,
  lifecycle: Lifecycle,
  clock: ClockCheck,
  present: () => number,
  need: () => Promise<number>,
): Probes => ({
  serving: () => !lifecycle.isStopping,
  store: async () => {
    await journal.commit([putSetting(PROBE, new Uint8Array())], [])
    return true
  },
  signer: async () => {
    await signer.calls.status({})
    return true
  },
  hsm: async () => isUsable(await signer.calls.hsmStatus({})),
  peers: async () => present() >= (await need()),
  clock: () => clock.isSane,
})

const isUsable = ({ health, host }: HsmReport): boolean =>
  health.state === 'ok' &&
  (host === undefined || (host.state === 'up' && host.breaker === 'closed'))
