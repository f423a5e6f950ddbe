/** Telling what changed in a failover: an audit record, an event and a metric of each. */
import { type Clock, Fault, type Meter } from '@quorate/base'
import type { EmergencyRules } from '@quorate/policy'
import type { AuditContext, HsmAuditSink } from '../audit/record.ts'
import type { HsmEventFact, HsmEvents } from '../events.ts'
import type { FailoverChange, SlotPlan } from './machine.ts'

export type ReportPorts = {
  readonly clock: Clock
  readonly audit: HsmAuditSink
  readonly events?: HsmEvents | undefined
  readonly meter?: Meter | undefined
  /** Of the names of metrics; `quorate_` unless told. */
  readonly metricsPrefix?: string | undefined
}

/** The share of a limit from which on it is nearly used up. */
const NEAR = 0.8
type Limit = 'emergency' | 'fallback'

export class FailoverReport {
  readonly #ports: ReportPorts
  readonly #plans: readonly SlotPlan[]
  readonly #emergency: EmergencyRules
  /** Limits of which it was told that they are nearly used up, with what they are of. */
  readonly #nearlyUsed = new Map<Limit, string>()

  constructor(ports: ReportPorts, plans: readonly SlotPlan[], emergency: EmergencyRules) {
    this.#ports = ports
    this.#plans = plans
    this.#emergency = emergency
  }

  /** Resolves once it is in the audit log. @throws hsm/audit-unavailable: then nothing was told */
  async changed(change: FailoverChange): Promise<void> {
    switch (change.kind) {
      case 'opened':
        return this.#emit(
          { kind: 'breaker.opened', reason: change.reason },
          this.#name(change.slot),
        )
      case 'closed':
        return this.#emit({ kind: 'breaker.closed' }, this.#name(change.slot))
      default:
        return this.#moved(change)
    }
  }

  async #moved(change: Extract<FailoverChange, { kind: 'switched' | 'returned' }>): Promise<void> {
    const [from, to] = [this.#name(change.from), this.#name(change.to)]
    const reason = change.kind === 'switched' ? change.reason : undefined
    await this.#record(`failover.${change.kind}`, from, reason, { source: `${from} to ${to}` })
    if (this.#isEmergency(change.from)) {
      this.#emit({ kind: 'emergency.left' }, from)
      this.#clear('emergency')
    }
    if (change.kind === 'returned' && !this.#isEmergency(change.to)) this.#clear('fallback')
    this.#emit(
      change.kind === 'switched'
        ? { kind: 'failover.switched', from, to, reason: change.reason }
        : { kind: 'failover.returned', from, to },
      from,
    )
    if (this.#isEmergency(change.to))
      this.#emit({ kind: 'emergency.entered', limits: this.#emergency }, to)
    this.#count('failovers', { from, to })
  }

  /** One more operation is made by the emergency device, the last of `used`. */
  emergencyUsed(slot: string, used: number): void {
    this.#count('emergency_operations', { component: slot })
    this.#near(slot, 'emergency', used, this.#emergency.maxTransactions)
  }

  emergencyExhausted(slot: string, limit: string): void {
    this.#emit({ kind: 'emergency.exhausted', limit }, slot)
  }

  /** Resolves once it is in the audit log. @throws hsm/audit-unavailable */
  async fallbackUsed(
    role: string,
    { used, max }: { readonly used: number; readonly max: number },
    reason: string,
  ): Promise<void> {
    await this.#record('fallback.used', 'software', reason, { role })
    this.#emit({ kind: 'fallback.used', role, left: max - used }, 'software')
    this.#count('fallback_operations', { role })
    this.#near('software', 'fallback', used, max)
  }

  fallbackExhausted(role: string): void {
    this.#emit({ kind: 'fallback.exhausted', role }, 'software')
  }

  /** Told once on the way to the limit. */
  #near(component: string, limit: Limit, used: number, max: number): void {
    if (used !== Math.ceil(max * NEAR)) return
    this.#nearlyUsed.set(limit, component)
    this.#emit({ kind: 'limit.near', limit, used, max }, component)
  }

  #clear(limit: Limit): void {
    const component = this.#nearlyUsed.get(limit)
    if (component === undefined) return
    this.#nearlyUsed.delete(limit)
    this.#emit({ kind: 'limit.clear', limit }, component)
  }

  async #record(
    operation: string,
    device: string,
    code: string | undefined,
    context: AuditContext,
  ): Promise<void> {
    const { audit, clock } = this.#ports
    try {
      await audit.append({ time: clock.now(), operation, device, ...context, result: 'done', code })
    } catch (cause) {
      throw new Fault('hsm/audit-unavailable', { cause })
    }
  }

  #emit<F extends HsmEventFact>(fact: DistributedOmit<F>, component: string): void {
    this.#ports.events?.emit({ ...fact, time: this.#ports.clock.now(), component } as F)
  }

  #count(name: string, labels: { readonly [name: string]: string }): void {
    const { meter, metricsPrefix = 'quorate_' } = this.#ports
    meter?.count(`${metricsPrefix}hsm_${name}_total`, 1, labels)
  }

  #isEmergency(slot: number | undefined): boolean {
    return slot !== undefined && this.#plans[slot]?.place === 'emergency'
  }

  #name(slot: number | undefined): string {
    return (slot === undefined ? undefined : this.#plans[slot]?.name) ?? 'none'
  }
}

type DistributedOmit<F> = F extends unknown ? Omit<F, 'time' | 'component'> : never
