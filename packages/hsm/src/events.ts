/**
 * What happens around the devices, told to whoever listens: monitor, alerts, notifications, audit. In:
 * facts from failover, roles, rotation, backup and monitor. Out: events with the severity of their kind,
 * which stands in one table, so that no caller makes a tamper event sound harmless.
 */
import type { Logger } from '@quorate/base'

export const EVENT_SEVERITIES = ['info', 'warning', 'critical'] as const
export type EventSeverity = (typeof EVENT_SEVERITIES)[number]

/** What the kinds tell besides time and component. Codes are error codes; nothing here is secret. */
type Facts = {
  'failover.switched': { readonly from: string; readonly to: string; readonly reason: string }
  'failover.returned': { readonly from: string; readonly to: string }
  'emergency.entered': {
    readonly limits: {
      readonly maxTransactions: number
      readonly maxTimeSeconds: number
      readonly allowedOperations: readonly string[]
    }
  }
  'emergency.exhausted': { readonly limit: string }
  'emergency.left': object
  'fallback.used': { readonly role: string; readonly left: number }
  'fallback.exhausted': { readonly role: string }
  'breaker.opened': { readonly reason: string }
  'breaker.closed': object
  'health.lost': { readonly reason: string }
  'health.restored': object
  /** It answers, but its host, its breaker or some of its operations are in trouble. */
  'health.degraded': { readonly reason: string }
  /** Share of operations that failed on the device, 0 to 1. */
  'errors.high': { readonly rate: number }
  'errors.normal': { readonly rate: number }
  'rotation.due': { readonly role: string }
  'rotation.started': { readonly role: string }
  'rotation.completed': { readonly role: string; readonly from: string; readonly to: string }
  'rotation.failed': { readonly role: string; readonly reason: string }
  'rotation.overdue': { readonly role: string; readonly dueAt: number }
  /** A key whose overlap has ended was deactivated. */
  'rotation.retired': { readonly role: string; readonly key: string }
  'backup.made': { readonly role?: string; readonly location: string }
  'backup.failed': { readonly role?: string; readonly reason: string }
  'tamper.detected': { readonly channel: string }
  'signing.locked': { readonly role: string; readonly reason: string }
  'signing.unlocked': { readonly role: string; readonly by: string }
  /** A bound is nearly used up: of a rate, a pool, a budget. */
  'limit.near': {
    readonly limit: string
    readonly used: number
    readonly max: number
    readonly role?: string
  }
  /** It is far enough from its bound again. */
  'limit.clear': { readonly limit: string; readonly role?: string }
  'config.changed': { readonly what: string }
  /** Records no longer reach a sink; where it is one that confirms, results are kept back. */
  'audit.lost': { readonly sink: string }
  'audit.restored': { readonly sink: string }
}

export type EventKind = keyof Facts

/** How grave each kind is. */
export const SEVERITY_OF: { readonly [K in EventKind]: EventSeverity } = {
  'failover.switched': 'warning',
  'failover.returned': 'info',
  'emergency.entered': 'critical',
  'emergency.exhausted': 'critical',
  'emergency.left': 'info',
  'fallback.used': 'info',
  'fallback.exhausted': 'warning',
  'breaker.opened': 'warning',
  'breaker.closed': 'info',
  'health.lost': 'critical',
  'health.restored': 'info',
  'health.degraded': 'warning',
  'errors.high': 'critical',
  'errors.normal': 'info',
  'rotation.due': 'info',
  'rotation.started': 'info',
  'rotation.completed': 'info',
  'rotation.failed': 'critical',
  'rotation.overdue': 'warning',
  'rotation.retired': 'info',
  'backup.made': 'info',
  'backup.failed': 'warning',
  'tamper.detected': 'critical',
  'signing.locked': 'critical',
  'signing.unlocked': 'info',
  'limit.near': 'warning',
  'limit.clear': 'info',
  'config.changed': 'info',
  'audit.lost': 'critical',
  'audit.restored': 'info',
}

export const EVENT_KINDS: readonly EventKind[] = Object.keys(SEVERITY_OF) as EventKind[]

type Common = {
  /** Milliseconds since the epoch. */
  readonly time: number
  /** Name of the device, slot or part that it is about. */
  readonly component: string
}

/** What is emitted: the severity is added by its kind. */
export type HsmEventFact = {
  [K in EventKind]: Common & { readonly kind: K } & Facts[K]
}[EventKind]

/** What listeners get. */
export type HsmEvent = HsmEventFact & { readonly severity: EventSeverity }

export type HsmEventListener = (event: HsmEvent) => void

export type HsmEvents = {
  /** Tells every listener, in the order in which they came, before it returns. Never throws. */
  emit(fact: HsmEventFact): void
  /** Gives back what ends the listening. */
  on(listener: HsmEventListener): () => void
}

/** A place where events are emitted and heard. A listener that throws is logged, and harms nobody else. */
export function hsmEvents(logger?: Logger): HsmEvents {
  const listeners = new Set<HsmEventListener>()
  return {
    emit(fact) {
      const event: HsmEvent = { ...fact, severity: SEVERITY_OF[fact.kind] }
      // Whoever begins to listen meanwhile hears the next one.
      for (const listener of new Set(listeners))
        try {
          listener(event)
        } catch (error) {
          logger?.log('error', 'hsm/event-listener-failed', {
            kind: event.kind,
            error: error instanceof Error ? error.name : typeof error,
          })
        }
    },
    on(listener) {
      // One of its own each time: the same function may listen twice.
      const own: HsmEventListener = (event) => listener(event)
      listeners.add(own)
      return () => {
        listeners.delete(own)
      }
    },
  }
}
