/** Figures of what happens around the devices: events, failovers, alerts and audit, for Prometheus. */
import type { Registry } from '@quorate/platform'
import type { HsmAuditFigures } from '../audit/log.ts'
import { EVENT_SEVERITIES, type HsmEvents } from '../events.ts'
import { type Alert, type AlertState, alertStateOf } from './alert.ts'

export type HsmMetricSources = {
  readonly events: HsmEvents
  /** Of the alert book. */
  readonly alerts?: (() => readonly Alert[]) | undefined
  readonly audit?: (() => HsmAuditFigures) | undefined
}

const UNRESOLVED: readonly AlertState[] = ['open', 'acknowledged']

/** Adds the figures to `registry`, whose prefix begins their names; gives back what ends the counting. */
export function addHsmMetrics(
  registry: Registry,
  { events, alerts, audit }: HsmMetricSources,
): () => void {
  const all = registry.counter('hsm_events_total', 'What happened around the devices, by kind.', [
    'kind',
    'severity',
  ])
  const switched = registry.counter(
    'hsm_failovers_total',
    'Moves from one device to the next, and back.',
    ['from', 'to'],
  )
  const fallen = registry.counter(
    'hsm_fallback_operations_total',
    'Operations that a software key did in place of a device.',
    ['role'],
  )
  if (alerts !== undefined)
    registry.read('gauge', 'hsm_alerts', 'Alerts that are not resolved, by severity.', () => {
      const list = alerts()
      return EVENT_SEVERITIES.flatMap((severity) =>
        UNRESOLVED.map(
          (state) =>
            [
              { severity, state },
              list.filter((each) => each.severity === severity && alertStateOf(each) === state)
                .length,
            ] as const,
        ),
      )
    })
  if (audit !== undefined) {
    registry.read(
      'counter',
      'hsm_audit_records_total',
      'Records of the audit chain.',
      () => audit().records,
    )
    registry.read(
      'counter',
      'hsm_audit_failures_total',
      'Writes of the audit log that failed; what waited for them was kept back.',
      () => audit().failures,
    )
    registry.read(
      'gauge',
      'hsm_audit_waiting',
      'Records that a place besides the files has not yet taken.',
      () => audit().places.map(({ name, waiting }) => [{ sink: name }, waiting] as const),
    )
  }
  return events.on((event) => {
    all.add({ kind: event.kind, severity: event.severity })
    if (event.kind === 'failover.switched' || event.kind === 'failover.returned')
      switched.add({ from: event.from, to: event.to })
    if (event.kind === 'fallback.used') fallen.add({ role: event.role })
  })
}
