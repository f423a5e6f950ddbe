/**
 * The alert book: what went wrong and is not yet put right, for people. In: events. Out: alerts that are
 * kept in the state of the HSM layer, told once, acknowledged by somebody, and resolved by themselves when
 * the trouble ends, or by hand.
 *
 * The same trouble of the same part is one alert, however often it is seen. The book is bounded: what was
 * resolved goes first, then what is least grave.
 */
import { type Clock, Fault, isFault, type Logger } from '@quorate/base'
import type { EventKind, HsmEvent, HsmEvents } from '../events.ts'
import type { HsmState } from '../state/store.ts'
import {
  ALERTS,
  type Alert,
  type AlertFilter,
  type Book,
  bookCodec,
  bounded,
  clipped,
  detailsOf,
  EMPTY_BOOK,
  listAlerts,
  type StoredAlert,
  shown,
  subjectOf,
} from './alert.ts'
import type { Notifier } from './notify.ts'

/** Kinds that raise an alert, with those that end it. Where there is none, a person has to. */
const RAISES: { readonly [K in EventKind]?: readonly EventKind[] } = {
  'health.lost': ['health.restored'],
  'health.degraded': ['health.restored', 'health.lost'],
  'errors.high': ['errors.normal'],
  'breaker.opened': ['breaker.closed'],
  'failover.switched': ['failover.returned'],
  'emergency.entered': ['emergency.left'],
  'emergency.exhausted': ['emergency.left'],
  'fallback.used': [],
  'fallback.exhausted': [],
  'rotation.failed': ['rotation.completed'],
  'rotation.overdue': ['rotation.completed'],
  'backup.failed': ['backup.made'],
  'tamper.detected': [],
  'signing.locked': ['signing.unlocked'],
  'limit.near': ['limit.clear'],
  'config.changed': [],
  'audit.lost': ['audit.restored'],
}

const BY_ITSELF = 'system'

export type AlertPorts = {
  readonly state: HsmState
  readonly clock: Clock
  readonly logger: Logger
  /** Tells people that an alert was raised or resolved. */
  readonly notifier?: Notifier | undefined
}

export class AlertBook {
  readonly #ports: AlertPorts
  readonly #pending = new Set<Promise<unknown>>()

  /** The book that the state keeps. What people were not yet told is told now. @throws hsm/state-damaged */
  constructor(ports: AlertPorts) {
    this.#ports = ports
    for (const alert of this.list())
      if (!alert.isTold && alert.resolved === undefined) this.#background(this.#tell(alert))
  }

  /** Takes in what happens from now on; gives back what ends that. */
  listen(events: HsmEvents): () => void {
    return events.on((event) => this.#background(this.take(event)))
  }

  /** Newest first. */
  list(filter: AlertFilter = {}): readonly Alert[] {
    return listAlerts(this.#ports.state, filter)
  }

  /** Raises an alert or ends some, as the event says; durable once resolved. */
  async take(event: HsmEvent): Promise<void> {
    if (RAISES[event.kind] !== undefined) await this.#raise(event)
    const ended = (Object.keys(RAISES) as EventKind[]).filter((kind) =>
      RAISES[kind]?.includes(event.kind),
    )
    if (ended.length === 0) return
    const subject = subjectOf(event)
    await this.#resolveWhere(
      (alert) =>
        ended.includes(alert.kind) &&
        alert.component === clipped(event.component) &&
        (subject === '' || alert.subject === '' || alert.subject === subject),
      BY_ITSELF,
    )
  }

  /** Somebody takes care of it. @throws hsm/alert-not-found */
  acknowledge(id: number, by: string): Promise<Alert> {
    return this.#mark(id, (alert, at) =>
      alert.acknowledged === undefined
        ? { ...alert, acknowledged: { by: clipped(by), at } }
        : alert,
    )
  }

  /** It is put right, whatever the devices say. @throws hsm/alert-not-found */
  async resolve(id: number, by: string): Promise<Alert> {
    this.#find(id)
    await this.#resolveWhere((alert) => alert.id === id, by)
    return this.#find(id)
  }

  /** Once everything that was heard so far is kept, and told or given up. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  async #raise(event: HsmEvent): Promise<void> {
    const subject = subjectOf(event)
    let raised: StoredAlert | undefined
    await this.#update((old) => {
      const same = old.alerts.find(
        (each) =>
          each.resolved === undefined &&
          each.kind === event.kind &&
          each.component === clipped(event.component) &&
          each.subject === subject,
      )
      const details = detailsOf(event)
      if (same !== undefined) {
        const seen = { ...same, details, lastAt: event.time, count: same.count + 1 }
        return { ...old, alerts: old.alerts.map((each) => (each === same ? seen : each)) }
      }
      const alert: StoredAlert = {
        id: old.lastId + 1,
        kind: event.kind,
        severity: event.severity,
        component: clipped(event.component),
        subject,
        details,
        raisedAt: event.time,
        lastAt: event.time,
        count: 1,
        isTold: false,
      }
      raised = alert
      return { v: 1, lastId: alert.id, alerts: bounded([...old.alerts, alert]) }
    })
    if (raised !== undefined) this.#background(this.#tell(shown(raised)))
  }

  async #resolveWhere(isMeant: (alert: StoredAlert) => boolean, by: string): Promise<void> {
    const at = this.#ports.clock.now()
    let resolved: readonly StoredAlert[] = []
    await this.#update((old) => {
      resolved = old.alerts
        .filter((alert) => alert.resolved === undefined && isMeant(alert))
        .map((alert) => ({ ...alert, resolved: { by: clipped(by), at } }))
      if (resolved.length === 0) return old
      const byId = new Map(resolved.map((alert) => [alert.id, alert]))
      return { ...old, alerts: old.alerts.map((alert) => byId.get(alert.id) ?? alert) }
    })
    for (const alert of resolved) this.#background(this.#notify(shown(alert), 'alert.resolved'))
  }

  async #mark(id: number, change: (alert: StoredAlert, at: number) => StoredAlert): Promise<Alert> {
    this.#find(id)
    const at = this.#ports.clock.now()
    await this.#update((old) => ({
      ...old,
      alerts: old.alerts.map((alert) => (alert.id === id ? change(alert, at) : alert)),
    }))
    return this.#find(id)
  }

  #find(id: number): Alert {
    const alert = this.list().find((each) => each.id === id)
    if (alert === undefined) throw new Fault('hsm/alert-not-found')
    return alert
  }

  async #update(next: (old: Book) => Book): Promise<void> {
    await this.#ports.state.update(ALERTS, bookCodec, (old) => next(old ?? EMPTY_BOOK))
  }

  async #tell(alert: Alert): Promise<void> {
    // Whoever has nobody to tell leaves it to the next one.
    if (this.#ports.notifier === undefined) return
    await this.#notify(alert, 'alert.raised')
    await this.#update((old) => ({
      ...old,
      alerts: old.alerts.map((each) => (each.id === alert.id ? { ...each, isTold: true } : each)),
    }))
  }

  async #notify(alert: Alert, kind: 'alert.raised' | 'alert.resolved'): Promise<void> {
    const { id, severity, component, details, subject } = alert
    await this.#ports.notifier?.notify({
      id: `${kind.replace('.', '-')}-${id}-${alert.raisedAt}`,
      kind,
      severity: kind === 'alert.resolved' ? 'info' : severity,
      component,
      time: alert.resolved?.at ?? alert.raisedAt,
      details: {
        ...details,
        alert: id,
        event: alert.kind,
        ...(subject !== '' && { subject }),
        ...(alert.resolved !== undefined && { by: alert.resolved.by }),
      },
    })
  }

  #background(work: Promise<unknown>): void {
    const kept = work
      .catch((error: unknown) => {
        // What was given up is told at the next start; the log has it now.
        this.#ports.logger.log('error', 'hsm/alert-trouble', {
          code: isFault(error) ? error.code : 'unknown',
        })
      })
      .finally(() => this.#pending.delete(kept))
    this.#pending.add(kept)
  }
}
