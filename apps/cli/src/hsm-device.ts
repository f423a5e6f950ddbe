/** The HSM that options, environment and configuration name together, and its PIN. */
import { resolve } from 'node:path'
import type { Secret } from '@quorate/base'
import {
  checkHsmEnvironment,
  type DeviceConfig,
  HSM_SETTINGS,
  type HsmConfig,
  type HsmEnvironment,
  isVendor,
  type PinFrom,
  pinFromDescriptor,
  resolveHsm,
} from '@quorate/hsm'
import { loadConfig } from '@quorate/platform'
import type { Given } from './command.ts'
import { askSecret } from './pin.ts'

export type DevicePlace = {
  readonly environment: HsmEnvironment
  /** Of a simulated or software HSM where none is named. */
  readonly directory?: string
  /** Whether this is a command that looks at one device, whatever else its file describes; a node is none. */
  readonly takesCustody?: boolean
}

/** What the command line says of it. */
export type AskedDevice = {
  readonly uri?: string | undefined
  /** A configuration file. */
  readonly file?: string | undefined
  /** `-` for standard input. */
  readonly pinFile?: string | undefined
}

const STDIN = 0

/** Whose PIN is needed can be told without opening it. */
const needsPin = ({ type, login, keyFile }: HsmConfig): boolean =>
  isVendor(type) ? login !== 'none' : type === 'software' && keyFile === undefined

const questionFor = ({ type }: HsmConfig): string =>
  type === 'software' ? 'Passphrase of the software HSM: ' : 'PIN of the HSM: '

type WithPin = {
  readonly config: HsmConfig
  readonly pin?: Secret<Uint8Array> | undefined
  readonly pinFrom?: PinFrom | undefined
}

/** `device` with the PIN that is typed at the terminal, where it needs one and none was given. */
export async function withPin<D extends WithPin>(device: D): Promise<D> {
  if (device.pin !== undefined || !needsPin(device.config)) return device
  const pin = await askSecret(questionFor(device.config))
  return pin === undefined ? device : { ...device, pin, pinFrom: { origin: 'prompt' } }
}

/** What the options of `HSM_OPTIONS` say. */
export const askedOf = (given: Given): AskedDevice => ({
  uri: given.text('hsm'),
  file: given.text('hsm-config'),
  pinFile: given.text('pin-file'),
})

/**
 * What describes the device, its PIN as far as that is in a file or in the environment; nobody is asked.
 * @throws what reading the configuration throws, platform/settings-disagree, hsm/bad-config
 */
export function describedDevice(asked: AskedDevice, place: DevicePlace): DeviceConfig {
  const { env } = process
  checkHsmEnvironment(env)
  const { uri, file, pinFile } = asked
  const settings = loadConfig(HSM_SETTINGS, {
    flags: {
      ...(uri !== undefined && { 'hsm.uri': uri }),
      ...(file !== undefined && { 'hsm.file': file }),
      ...(pinFile !== undefined && pinFile !== '-' && { 'hsm.pinFile': pinFile }),
    },
    env,
    otherNames: Object.keys(env).filter((name) => !name.startsWith('QUORATE_HSM_')),
  })
  return resolveHsm(settings, { ...place, env })
}

/** @throws what `describedDevice` throws */
export async function deviceOf(asked: AskedDevice, place: DevicePlace): Promise<DeviceConfig> {
  const { pinFile } = asked
  const device = describedDevice(asked, place)
  if (pinFile !== '-')
    return withPin(
      device.pinFrom?.origin === 'file' && pinFile !== undefined
        ? { ...device, pinFrom: { origin: 'file', path: resolve(pinFile) } }
        : device,
    )
  device.pin?.[Symbol.dispose]()
  return { ...device, pin: pinFromDescriptor(STDIN), pinFrom: { origin: 'descriptor' } }
}
