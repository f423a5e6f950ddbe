/** The processes of one device: one for its keys, and on demand one that waits for its events. */
import type { Clock, Logger, Meter } from '@quorate/base'
import { systemClock, systemTimers, type Timers } from '@quorate/platform'
import type { DeviceSettings, PinnedKey, TokenFacts } from '../device.ts'
import { BREAKER_LIMITS, type BreakerLimits } from './breaker.ts'
import type { TimesOverride } from './operations.ts'
import { POOL_LIMITS, type PoolLimits } from './pool-limits.ts'
import { Statistics } from './statistics.ts'
import { Supervisor } from './supervisor.ts'

export type HostedHsmOptions = {
  readonly settings: DeviceSettings
  /** Gives the PIN in UTF-8, before each start of a host; the bytes are wiped after use. */
  readonly readPin?: () => Promise<Uint8Array>
  readonly logger: Logger
  readonly pool?: Partial<PoolLimits>
  readonly times?: TimesOverride
  readonly breaker?: Partial<BreakerLimits>
  /** Keys that the caller knows already. */
  readonly pins?: readonly PinnedKey[]
  readonly meter?: Meter
  /** Of the names of metrics; `quorate_` unless told. */
  readonly metricsPrefix?: string
  readonly clock?: Clock
  readonly timers?: Timers
  /** The module that the host's process runs; for tests with a device of their own. */
  readonly entry?: URL
}

export type DeviceHosts = {
  readonly supervisor: Supervisor
  /** A second process for the same device, not opened yet; what it does is in no figures. */
  readonly newWatcher: () => Supervisor
  readonly statistics: Statistics
  readonly clock: Clock
}

const CHILD = new URL('./child.js', import.meta.url)

/** Supervisors that have not been opened. `facts`: of the token, once they are known. */
export function hostsOf(
  options: HostedHsmOptions,
  facts: () => TokenFacts | undefined,
): DeviceHosts {
  const { settings, clock = systemClock, timers = systemTimers, logger } = options
  const statistics = new Statistics(clock, options.meter, options.metricsPrefix ?? 'quorate_')
  const limits = { ...POOL_LIMITS, ...options.pool }
  const common = {
    settings: () => settingsOf(settings, facts()),
    readPin: options.readPin,
    times: options.times ?? {},
    breaker: { ...BREAKER_LIMITS, ...options.breaker },
    entry: options.entry ?? CHILD,
    clock,
    timers,
    logger,
  }
  return {
    supervisor: new Supervisor({ ...common, limits, statistics }),
    newWatcher: () =>
      new Supervisor({
        ...common,
        limits: { ...limits, size: 1, maxOverflow: 0 },
        statistics: new Statistics(clock, undefined, ''),
      }),
    statistics,
    clock,
  }
}

/** Once it is known which token this is, no other will do. */
const settingsOf = (settings: DeviceSettings, facts: TokenFacts | undefined): DeviceSettings =>
  facts === undefined || facts.serial === ''
    ? settings
    : { ...settings, token: { ...settings.token, serial: facts.serial } }
