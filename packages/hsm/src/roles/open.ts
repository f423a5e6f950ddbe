/** From a configuration to a custody of roles: opens nothing before it is needed, but knows all devices. */
import { Fault, isFault, Secret } from '@quorate/base'
import { loadConfig } from '@quorate/platform'
import { custodyConfigOf, type DeviceSource, type Retries } from '../config/custody.ts'
import type { HsmEnvironment } from '../config/model.ts'
import { type DeviceConfig, resolveHsm } from '../config/resolve.ts'
import { HSM_SETTINGS } from '../config/settings.ts'
import { checkCustody } from '../custody.ts'
import type { SlotPlace } from '../failover/machine.ts'
import type { FailoverSlot, FallbackSlot } from '../failover/options.ts'
import type { SlotDevice } from '../failover/slot.ts'
import { type HsmPorts, openHsm } from '../registry.ts'
import { type Asking, type CustodyPorts, RoleCustody } from './custody.ts'

export type CustodySource = {
  /** The first device, resolved with `takesCustody`; its PIN belongs to the custody from now on. */
  readonly device: DeviceConfig
  readonly environment: HsmEnvironment
  /** The environment of this process; what a vendor's module reads from it is passed on. */
  readonly env: { readonly [name: string]: string | undefined }
}

/**
 * The custody that a file describes. Roles for which it names a key, and that have none, get that one: it is
 * bound where it is there, else made.
 * @throws hsm/bad-config, policy/malformed, hsm/weak-custody, hsm/software-in-production, hsm/state-damaged, and
 *   for roles without a key what the device throws
 */
export async function openRoleCustody(
  source: CustodySource,
  ports: CustodyPorts,
): Promise<RoleCustody> {
  const { device, environment } = source
  const config = custodyConfigOf(device.sections)
  const { policy, secondary, emergency, cacheSize } = config
  const slot = (
    name: string,
    place: SlotPlace,
    { maxRetries, retryIntervalMs }: Retries,
    opener: SlotDevice,
  ): FailoverSlot => ({ name, place, maxRetries, retryIntervalMs, ...opener })
  const other = (from: DeviceSource): SlotDevice =>
    slotDevice(() => resolveOther(from, source), ports)
  const devices = [
    slot('primary', 'primary', config.primary, ownDevice(device, ports)),
    ...secondary.devices.map((from, i) =>
      slot(i === 0 ? 'secondary' : `secondary-${i + 1}`, 'secondary', secondary, other(from)),
    ),
    ...(emergency.device === undefined
      ? []
      : [slot('emergency', 'emergency', secondary, other(emergency.device))]),
  ]
  const fallback: FallbackSlot | undefined = config.fallback && {
    ...config.fallback,
    name: 'software',
    ...other(config.fallback.device),
  }
  checkBackends(config.policy, devices)
  const custody = await RoleCustody.open(
    {
      name: config.name,
      environment,
      policy,
      devices,
      fallback,
      cacheSize,
      release: () => device.pin?.[Symbol.dispose](),
    },
    ports,
  )
  try {
    for (const [role, label] of config.keys) await ensureKey(custody, role, label)
    return custody
  } catch (error) {
    await custody.close()
    throw error
  }
}

const AT_START: Asking = { source: 'configuration' }

async function ensureKey(custody: RoleCustody, role: string, label: string): Promise<void> {
  if (custody.bindings.find(role) !== undefined) return
  try {
    await custody.bindKey(role, 'primary', { label }, AT_START)
  } catch (error) {
    if (!isFault(error, 'hsm/key-not-found')) throw error
    await custody.makeKey(role, { label }, AT_START)
  }
}

/** A device whose PIN is read anew each time; what it is trusted with is known before. */
function slotDevice(resolve: () => DeviceConfig, ports: CustodyPorts): SlotDevice {
  const { config, pin } = resolve()
  pin?.[Symbol.dispose]()
  return {
    custody: checkCustody(config),
    open: async () => {
      const now = resolve()
      return openHsm(now.config, { ...hsmPorts(ports), pin: now.pin })
    },
  }
}

/** The first one, whose PIN may have come from where nothing can be read twice. */
function ownDevice({ config, pin }: DeviceConfig, ports: CustodyPorts): SlotDevice {
  return {
    custody: checkCustody(config),
    open: () =>
      openHsm(config, { ...hsmPorts(ports), pin: pin && new Secret(pin.expose().slice()) }),
  }
}

const hsmPorts = ({ clock, logger, meter, metricsPrefix }: CustodyPorts): HsmPorts => ({
  clock,
  ...(logger !== undefined && { logger }),
  ...(meter !== undefined && { meter }),
  ...(metricsPrefix !== undefined && { metricsPrefix }),
})

/** Settings of the environment are those of the first device alone. */
function resolveOther(from: DeviceSource, { environment, env }: CustodySource): DeviceConfig {
  const isUri = /^[a-z0-9-]+:/.test(from)
  const settings = loadConfig(HSM_SETTINGS, {
    flags: isUri ? { 'hsm.uri': from } : { 'hsm.file': from },
    env: {},
  })
  return resolveHsm(settings, { environment, env })
}

/** @throws hsm/bad-config */
function checkBackends(
  policy: ReturnType<typeof custodyConfigOf>['policy'],
  devices: readonly FailoverSlot[],
): void {
  const names = devices.map(({ name }) => name)
  for (const [role, { keyGeneration }] of policy.roles) {
    const { defaultBackend } = keyGeneration
    if (defaultBackend !== undefined && !names.includes(defaultBackend))
      throw new Fault('hsm/bad-config', {
        detail: `defaultBackend ${defaultBackend} of the role ${role} is none of ${names.join(', ')}`,
      })
  }
}
