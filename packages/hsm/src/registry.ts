/**
 * From a configuration to an open provider: one call, whatever the vendor and the environment. How far
 * a type is trusted stands in `custody.ts` alone.
 */
import { existsSync } from 'node:fs'
import { type Clock, Fault, type Logger, type Meter, Secret } from '@quorate/base'
import { ensurePrivateDirectory, readFile } from '@quorate/platform'
import { withoutAbsent } from './absent.ts'
import { openCloud } from './cloud/open.ts'
import {
  HSM_TYPES,
  type HsmConfig,
  type HsmEnvironment,
  isCloud,
  isHosted,
  isVendor,
} from './config/model.ts'
import { pinFromFile } from './config/pin.ts'
import { hsmConfigOf } from './config/resolve.ts'
import type { HsmValues } from './config/settings.ts'
import { parseHsmUri } from './config/uri.ts'
import { findLibrary, profileOf } from './config/vendors.ts'
import { checkCustody } from './custody.ts'
import type { DeviceSettings } from './device.ts'
import { DeviceFault } from './errors.ts'
import { HostedHsm } from './host/hosted-hsm.ts'
import type { Custody, HsmProvider } from './provider.ts'
import { SimulatedHsm } from './simulated/provider.ts'
import { SoftwareHsm } from './software/provider.ts'
import type { Unlock } from './software/root-key.ts'

/** A device by its address alone. */
export type HsmAddress = { readonly uri: string; readonly environment: HsmEnvironment }

export type HsmPorts = {
  readonly clock: Clock
  /** PIN or passphrase, in UTF-8. Wiped once it is needed no more, at the latest by `close`. */
  readonly pin?: Secret<Uint8Array> | undefined
  readonly logger?: Logger
  readonly meter?: Meter
  /** Of the names of metrics; `quorate_` unless told. */
  readonly metricsPrefix?: string
}

export type OpenHsm = {
  readonly provider: HsmProvider
  /** Out of our table, never out of the provider's mouth. */
  readonly custody: Custody
  /** What the provider is behind its interface, for those who look into it; absent for keys in files and services. */
  readonly hosted: HostedHsm | undefined
  /** Closes the provider and wipes the PIN. */
  close(): Promise<void>
}

const MAX_KEY_FILE_BYTES = 4096
/** Where Zymbit puts it. */
const ZYMBIT_LIBRARY = '/usr/lib/libzk_app_utils.so'

/** Its bus does one operation at a time. */
const ONE_SESSION = { size: 1, maxOverflow: 0 } as const

const SILENT: Logger = { log: () => undefined, with: () => SILENT }

/**
 * The provider that `config` describes, with its custody level. It owns the PIN from now on.
 * @throws hsm/unknown-type naming the known ones, hsm/weak-custody, hsm/simulated-in-production,
 *   hsm/software-in-production, and what opening the device throws
 */
export async function openHsm(config: HsmConfig | HsmAddress, ports: HsmPorts): Promise<OpenHsm> {
  try {
    return 'uri' in config ? await openUri(config, ports) : await openConfig(config, ports)
  } catch (error) {
    ports.pin?.[Symbol.dispose]()
    throw error
  }
}

function openUri({ uri, environment }: HsmAddress, ports: HsmPorts): Promise<OpenHsm> {
  const { pinFile, ...said } = parseHsmUri(uri)
  const values: Partial<HsmValues> = said
  const config = hsmConfigOf((key) => values[key], { environment, env: process.env })
  const pin = ports.pin ?? (pinFile === undefined ? undefined : pinFromFile(pinFile))
  return openHsm(config, { ...ports, pin })
}

async function openConfig(config: HsmConfig, ports: HsmPorts): Promise<OpenHsm> {
  const { type } = config
  // Configurations come from files, so the type is not to be believed.
  if (!HSM_TYPES.includes(type))
    throw new Fault('hsm/unknown-type', { detail: `known types: ${HSM_TYPES.join(', ')}` })
  const custody = checkCustody(config)
  const { pin } = ports
  const hosted = isHosted(type) ? await openHosted(config, ports) : undefined
  const provider = hosted ?? (await openInProcess(config, ports))
  return {
    provider,
    custody,
    hosted,
    async close() {
      await provider.close()
      pin?.[Symbol.dispose]()
    },
  }
}

function openInProcess(config: HsmConfig, ports: HsmPorts): Promise<HsmProvider> {
  const { type, cloud = {} } = config
  const { clock, logger = SILENT } = ports
  return isCloud(type) ? openCloud(type, cloud, { clock, logger }) : openFiles(config, ports)
}

async function openFiles(config: HsmConfig, { clock, pin }: HsmPorts): Promise<HsmProvider> {
  const { type, directory, keyFile } = config
  if (directory === undefined)
    throw new Fault('hsm/bad-config', { detail: `a directory is needed for type ${type}` })
  if (type === 'simulated') return SimulatedHsm.open(directory, clock)
  const unlock = unlockWith(keyFile, pin)
  try {
    return await SoftwareHsm.open(directory, unlock, clock)
  } finally {
    unlock.secret[Symbol.dispose]()
  }
}

function unlockWith(keyFile: string | undefined, pin: Secret<Uint8Array> | undefined): Unlock {
  if (keyFile !== undefined)
    return {
      by: 'key-file',
      secret: new Secret(readFile(keyFile, { maxBytes: MAX_KEY_FILE_BYTES, isSecret: true })),
    }
  if (pin !== undefined) return { by: 'passphrase', secret: pin }
  throw new Fault('hsm/bad-pin', { detail: 'a passphrase or a key file is needed' })
}

function openHosted(config: HsmConfig, ports: HsmPorts): Promise<HostedHsm> {
  const { pin, logger = SILENT, meter, metricsPrefix, clock } = ports
  const pool = config.type === 'zymbit' ? { ...config.pool, ...ONE_SESSION } : config.pool
  return HostedHsm.open({
    settings: deviceSettings(config),
    clock,
    logger,
    ...(pin !== undefined && { readPin: () => Promise.resolve(pin.expose().slice()) }),
    ...(pool !== undefined && { pool: withoutAbsent(pool) }),
    ...(meter !== undefined && { meter }),
    ...(metricsPrefix !== undefined && { metricsPrefix }),
  })
}

/** What the provider host is told of a device that has one. @throws hsm/library-missing, hsm/bad-config, platform/directory-mode */
export function deviceSettings(config: HsmConfig): DeviceSettings {
  const { type, library, token = {}, initArgs, env = [], login } = config
  if (type === 'zymbit') return zymbitSettings(config)
  if (!isVendor(type))
    throw new Fault('hsm/bad-config', { detail: `type ${type} has no library of its vendor` })
  const profile = profileOf(type, library)
  if (initArgs === undefined && profile.initArgs !== undefined)
    throw new Fault('hsm/bad-config', {
      detail: `${profile.name} needs hsm.initArgs: ${profile.initArgs}`,
    })
  return {
    driver: 'pkcs11',
    library: library ?? findLibrary(profile),
    profile: profile.id,
    token: withoutAbsent(token),
    env: variables(env),
    ...(initArgs !== undefined && { initArgs }),
    ...(login !== undefined && { userType: login }),
  }
}

function zymbitSettings({ library, directory, token, env = [] }: HsmConfig): DeviceSettings {
  if (directory === undefined)
    throw new Fault('hsm/bad-config', { detail: 'hsm.directory is needed: it keeps the labels' })
  const path = library ?? ZYMBIT_LIBRARY
  if (!existsSync(path)) throw new DeviceFault('hsm/library-missing', { detail: path })
  ensurePrivateDirectory(directory)
  const serial = token?.serial
  return {
    driver: 'zymbit',
    library: path,
    profile: 'zymbit',
    token: serial === undefined ? {} : { serial },
    env: variables(env),
    directory,
  }
}

/** From NAME=VALUE. */
const variables = (env: readonly string[]): DeviceSettings['env'] =>
  Object.fromEntries(
    env.map((each) => {
      const at = each.indexOf('=')
      return [each.slice(0, at), each.slice(at + 1)] as const
    }),
  )
