/**
 * Asks an open HSM for its health again and again, looks at what its host has counted, and tells what
 * changed: by events (from which alerts are made), and in the log.
 */
import type { Clock, Logger } from '@quorate/base'
import type { Timers } from '@quorate/platform'
import type { HsmEventFact, HsmEvents } from '../events.ts'
import type { OpenedDevice } from '../failover/slot.ts'
import type { CheckedHealth, HostFigures, HsmReport } from '../host/status.ts'
import type { ProviderHealth } from '../provider.ts'

export type MonitorLimits = {
  /** How often it is asked. */
  readonly healthCheckMs: number
  /** Share of operations, 0 to 1, that fail on the device within a minute, from which on it is too many. */
  readonly maxErrorRate: number
  /** Fewer operations within a minute say nothing about their share. */
  readonly minOperations: number
  /** Share of the sessions of the pool, 0 to 1, from which on it is nearly used up. */
  readonly poolShare: number
}
export const MONITOR_LIMITS: MonitorLimits = {
  healthCheckMs: 30_000,
  maxErrorRate: 0.1,
  minOperations: 10,
  poolShare: 0.9,
}

export type MonitorPorts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
  readonly events?: HsmEvents | undefined
  readonly limits?: Partial<MonitorLimits> | undefined
}

const MINUTE_SECONDS = 60
/** What was too much is over once it is below this part of its limit, so that nothing flickers. */
const CALM = 0.5

export class HsmMonitor {
  readonly #device: OpenedDevice
  readonly #type: string
  readonly #ports: MonitorPorts
  readonly #limits: MonitorLimits
  readonly #cancel: () => void
  #health: CheckedHealth
  #isAsking = false
  #isStopped = false
  /** Why it is in trouble although it answers. */
  #degraded: string | undefined
  #hasManyErrors = false
  #isPoolNear = false
  #wrongResults = 0

  private constructor(
    device: OpenedDevice,
    type: string,
    ports: MonitorPorts,
    first: CheckedHealth,
  ) {
    this.#device = device
    this.#type = type
    this.#ports = ports
    this.#limits = { ...MONITOR_LIMITS, ...ports.limits }
    this.#health = first
    this.#cancel = ports.timers.every(this.#limits.healthCheckMs, () => void this.#check())
  }

  /** Resolves with the first answer in. `type`: of the configuration, what a token without a label goes by. */
  static async start(device: OpenedDevice, type: string, ports: MonitorPorts): Promise<HsmMonitor> {
    const first = await device.provider.health()
    const time = ports.clock.now()
    const monitor = new HsmMonitor(device, type, ports, { ...first, time })
    if (first.state === 'failed') monitor.#tellHealth(first)
    return monitor
  }

  /** Asks nothing: what is known of its health is what the last check gave. */
  get report(): HsmReport {
    const { custody, hosted } = this.#device
    const health = this.#health
    if (hosted === undefined) return { component: this.#type, custody, health }
    const { component, ...host } = hosted.status()
    return { component: component === '' ? this.#type : component, custody, health, host }
  }

  stop(): void {
    this.#isStopped = true
    this.#cancel()
  }

  async #check(): Promise<void> {
    // One that takes longer than the time between two checks does not answer; it is not asked again meanwhile.
    if (this.#isAsking) {
      this.#learn({ state: 'failed', reason: 'hsm/unavailable' })
      return
    }
    this.#isAsking = true
    const health = await this.#device.provider.health()
    this.#isAsking = false
    // That it was closed is no news.
    if (this.#isStopped) return
    this.#learn(health)
    this.#lookAtHost()
  }

  #learn(health: ProviderHealth): void {
    const before = this.#health
    this.#health = { ...health, time: this.#ports.clock.now() }
    if (wordOf(before) !== wordOf(health)) this.#tellHealth(health)
  }

  #tellHealth(health: ProviderHealth): void {
    const { logger } = this.#ports
    const { component } = this.report
    if (health.state === 'ok') {
      logger.log('info', 'hsm/healthy', { component })
      // Trouble that goes on is found again by the look at the host that follows.
      this.#degraded = undefined
      this.#emit({ kind: 'health.restored' })
    } else {
      logger.log('error', 'hsm/unhealthy', { component, code: health.reason })
      this.#emit({ kind: 'health.lost', reason: health.reason })
    }
  }

  #lookAtHost(): void {
    const { host } = this.report
    if (host === undefined) return
    this.#lookAtTrouble(host)
    this.#lookAtErrors(host)
    this.#lookAtPool(host)
  }

  #lookAtTrouble(host: HostFigures): void {
    const hasWrong = host.wrongResults > this.#wrongResults
    this.#wrongResults = host.wrongResults
    // Without an answer it is lost, which says more.
    if (this.#health.state !== 'ok') return
    const reason = hasWrong
      ? 'wrong-result'
      : host.breaker !== 'closed'
        ? 'breaker-open'
        : host.state === 'up'
          ? undefined
          : `host-${host.state}`
    if (reason === this.#degraded) return
    const was = this.#degraded
    this.#degraded = reason
    if (reason !== undefined) this.#emit({ kind: 'health.degraded', reason })
    else if (was !== undefined) this.#emit({ kind: 'health.restored' })
  }

  #lookAtErrors({ errorRate: rate, operationsPerSecond }: HostFigures): void {
    const { maxErrorRate, minOperations } = this.#limits
    const isMeant = operationsPerSecond * MINUTE_SECONDS >= minOperations
    if (!this.#hasManyErrors && isMeant && rate >= maxErrorRate) {
      this.#hasManyErrors = true
      this.#emit({ kind: 'errors.high', rate })
    } else if (this.#hasManyErrors && rate < maxErrorRate * CALM) {
      this.#hasManyErrors = false
      this.#emit({ kind: 'errors.normal', rate })
    }
  }

  #lookAtPool({ pool }: HostFigures): void {
    const { busy: used, limit: max } = pool
    const { poolShare } = this.#limits
    if (!this.#isPoolNear && used >= max * poolShare && max > 0) {
      this.#isPoolNear = true
      this.#emit({ kind: 'limit.near', limit: 'pool', used, max })
    } else if (this.#isPoolNear && used < max * poolShare * CALM) {
      this.#isPoolNear = false
      this.#emit({ kind: 'limit.clear', limit: 'pool' })
    }
  }

  #emit(fact: Unplaced<HsmEventFact>): void {
    const { events, clock } = this.#ports
    const { component } = this.report
    events?.emit({ ...fact, component, time: clock.now() })
  }
}

type Unplaced<Fact> = Fact extends unknown ? Omit<Fact, 'time' | 'component'> : never

const wordOf = (health: ProviderHealth): string =>
  health.state === 'ok' ? health.state : health.reason
