/** Asks an open HSM for its health again and again, and tells how it is. */
import type { Clock, Logger } from '@quorate/base'
import type { Timers } from '@quorate/platform'
import type { CheckedHealth, HsmReport } from './host/status.ts'
import type { ProviderHealth } from './provider.ts'
import type { OpenHsm } from './registry.ts'

const HEALTH_MS = 30_000

export type MonitorPorts = {
  readonly clock: Clock
  readonly timers: Timers
  readonly logger: Logger
}

export class HsmMonitor {
  readonly #device: OpenHsm
  readonly #type: string
  readonly #ports: MonitorPorts
  readonly #cancel: () => void
  #health: CheckedHealth
  #isAsking = false
  #isStopped = false

  private constructor(device: OpenHsm, type: string, ports: MonitorPorts, first: CheckedHealth) {
    this.#device = device
    this.#type = type
    this.#ports = ports
    this.#health = first
    this.#cancel = ports.timers.every(HEALTH_MS, () => void this.#check())
  }

  /** Resolves with the first answer in. `type`: of the configuration, what a token without a label goes by. */
  static async start(device: OpenHsm, type: string, ports: MonitorPorts): Promise<HsmMonitor> {
    const first = await device.provider.health()
    const time = ports.clock.now()
    const monitor = new HsmMonitor(device, type, ports, { ...first, time })
    if (first.state === 'failed') monitor.#log()
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
    // One that takes long is not asked again meanwhile.
    if (this.#isAsking) return
    this.#isAsking = true
    const health = await this.#device.provider.health()
    this.#isAsking = false
    // That it was closed is no news.
    if (this.#isStopped) return
    const before = this.#health
    this.#health = { ...health, time: this.#ports.clock.now() }
    if (wordOf(before) !== wordOf(health)) this.#log()
  }

  #log(): void {
    const { component, health } = this.report
    const { logger } = this.#ports
    if (health.state === 'ok') logger.log('info', 'hsm/healthy', { component })
    else logger.log('error', 'hsm/unhealthy', { component, code: health.reason })
  }
}

const wordOf = (health: ProviderHealth): string =>
  health.state === 'ok' ? health.state : health.reason
