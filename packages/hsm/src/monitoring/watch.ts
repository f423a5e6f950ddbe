/**
 * Everything that watches over the devices of one program, put together: events, audit log, alerts and who
 * is told of them, a monitor for each device, and the reaction to tampering. In: the configuration and the
 * state of the HSM layer. Out: what the other parts emit into and append to, and figures.
 */
import {
  type Clock,
  equalBytes,
  type Logger,
  type Random,
  Secret,
  type Signer,
  utf8,
  wipe,
} from '@quorate/base'
import { type Registry, readFile, type Timers } from '@quorate/platform'
import { cloudWatchDelivery } from '../audit/cloudwatch.ts'
import { type AuditPlace, HsmAuditLog } from '../audit/log.ts'
import { syslogDelivery } from '../audit/syslog.ts'
import type { MonitoringConfig } from '../config/monitoring.ts'
import { type HsmEvents, hsmEvents } from '../events.ts'
import type { OpenedDevice } from '../failover/slot.ts'
import { type HsmReport, renderHsmMetrics } from '../host/status.ts'
import { hasCapability } from '../provider.ts'
import type { HsmState } from '../state/store.ts'
import { AlertBook } from './alerts.ts'
import { addHsmMetrics } from './metrics.ts'
import { HsmMonitor } from './monitor.ts'
import { logNotifier, type Notifier, notifyAll, webhookNotifier } from './notify.ts'
import { type TamperPorts, type TamperWatch, watchTamper } from './tamper.ts'

export type HsmWatchPorts = {
  readonly state: HsmState
  readonly clock: Clock
  readonly timers: Timers
  readonly random: Random
  readonly logger: Logger
  /** Signs checkpoints of the audit log; its own operations must not go through that log's devices. */
  readonly signer?: Signer | undefined
  /** Of the audit log, where the configuration names none. */
  readonly auditDirectory: string
}

const MAX_SECRET_BYTES = 4096
const PREFIX = 'quorate_'

export class HsmWatch {
  readonly events: HsmEvents
  readonly audit: HsmAuditLog
  /** Absent where alerting is switched off. */
  readonly alerts: AlertBook | undefined
  readonly notifier: Notifier
  readonly #config: MonitoringConfig
  readonly #ports: HsmWatchPorts
  readonly #monitors: HsmMonitor[] = []
  readonly #tampers: TamperWatch[] = []
  readonly #stopAlerts: (() => void) | undefined

  private constructor(
    config: MonitoringConfig,
    ports: HsmWatchPorts,
    parts: { events: HsmEvents; audit: HsmAuditLog; notifier: Notifier },
  ) {
    this.#config = config
    this.#ports = ports
    this.events = parts.events
    this.audit = parts.audit
    this.notifier = parts.notifier
    this.alerts = config.alerting && new AlertBook({ ...ports, notifier: parts.notifier })
    this.#stopAlerts = this.alerts?.listen(parts.events)
  }

  /** @throws hsm/audit-tampered, hsm/bad-config, hsm/state-damaged, hsm/client-missing, and what the files throw */
  static async open(config: MonitoringConfig, ports: HsmWatchPorts): Promise<HsmWatch> {
    const events = hsmEvents(ports.logger)
    const notifier = notifierOf(config, ports)
    try {
      const audit = await HsmAuditLog.open({
        ...ports,
        events,
        directory: config.audit.directory ?? ports.auditDirectory,
        anchorFile: config.audit.anchorFile,
        places: await placesOf(config, ports),
      })
      return new HsmWatch(config, ports, { events, audit, notifier })
    } catch (error) {
      notifier.close()
      throw error
    }
  }

  /** Watches an open device under this name until all is closed. `locks` is what a tamper event locks. */
  async add(device: OpenedDevice, name: string, locks: TamperPorts['locks']): Promise<void> {
    const { events, audit } = this
    // First: what was done to the device before the start counts too.
    if (hasCapability(device.provider, 'tamper'))
      this.#tampers.push(
        watchTamper(device.provider, name, { ...this.#ports, events, audit, locks }),
      )
    const { limits } = this.#config
    this.#monitors.push(await HsmMonitor.start(device, name, { ...this.#ports, events, limits }))
  }

  get reports(): readonly HsmReport[] {
    return this.#monitors.map(({ report }) => report)
  }

  /** Prometheus text of the devices; the other figures are added to a registry by `addMetrics`. */
  renderMetrics(): string {
    return renderHsmMetrics(this.reports, this.#config.metricsPrefix ?? PREFIX)
  }

  /** Adds the figures of events, alerts and audit, under the prefix of the registry; gives back what ends it. */
  addMetrics(registry: Registry): () => void {
    const { events, alerts, audit } = this
    return addHsmMetrics(registry, {
      events,
      audit: () => audit.figures,
      ...(alerts !== undefined && { alerts: () => alerts.list() }),
    })
  }

  /** Once everything that was heard so far is on disk, and told or given up. */
  async settled(): Promise<void> {
    await Promise.all(this.#tampers.map((each) => each.settled()))
    await this.alerts?.settled()
  }

  async close(): Promise<void> {
    for (const each of [...this.#monitors, ...this.#tampers]) each.stop()
    await Promise.all(this.#tampers.map((each) => each.settled()))
    this.#stopAlerts?.()
    this.notifier.close()
    await this.alerts?.settled()
    await this.audit.close()
  }
}

function notifierOf({ alerting }: MonitoringConfig, ports: HsmWatchPorts): Notifier {
  const log = logNotifier(ports.logger)
  const { webhook } = alerting ?? {}
  if (webhook === undefined) return log
  const secret = webhookSecret(webhook.secretFile)
  return notifyAll([log, webhookNotifier({ ...ports, url: webhook.url, secret })])
}

const ENCODED = utf8('whsec_')

/** The bytes of the file without the line end; after `whsec_` they are in base64, as receivers show them. */
function webhookSecret(path: string): Secret<Uint8Array> {
  const bytes = readFile(path, { maxBytes: MAX_SECRET_BYTES, isSecret: true })
  let end = bytes.length
  while (end > 0 && (bytes[end - 1] === 0x0a || bytes[end - 1] === 0x0d)) end--
  const isEncoded = equalBytes(bytes.subarray(0, ENCODED.length), ENCODED)
  const secret = isEncoded
    ? new Uint8Array(
        Buffer.from(Buffer.from(bytes.subarray(ENCODED.length, end)).toString('latin1'), 'base64'),
      )
    : bytes.slice(0, end)
  wipe(bytes)
  return new Secret(secret)
}

async function placesOf(
  { audit: { syslog, cloudWatch } }: MonitoringConfig,
  { clock }: HsmWatchPorts,
): Promise<readonly AuditPlace[]> {
  const places: AuditPlace[] = []
  if (syslog !== undefined) places.push({ delivery: syslogDelivery(syslog) })
  if (cloudWatch !== undefined) {
    const { isRequired, ...options } = cloudWatch
    places.push({ delivery: await cloudWatchDelivery({ ...options, clock }), isRequired })
  }
  return places
}
