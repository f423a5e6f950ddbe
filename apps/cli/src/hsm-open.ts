/** An HSM opened for one command. */
import { Fault, isFault } from '@quorate/base'
import {
  type DeviceConfig,
  type HsmConfig,
  type HsmProvider,
  type KeyInfo,
  type OpenHsm,
  openHsm,
  parseKeyId,
} from '@quorate/hsm'
import { systemClock } from '@quorate/platform'
import type { Given } from './command.ts'
import { isEnvironment } from './environment.ts'
import { type AskedDevice, askedOf, deviceOf } from './hsm-device.ts'
import type { Output } from './output.ts'

export type CommandHsm = OpenHsm & { readonly device: DeviceConfig }

/** What a command's options name; a URI that is its argument counts as --hsm. @throws cli/bad-value for both */
export function namedDevice(given: Given): AskedDevice {
  const [uri] = given.arguments
  const asked = askedOf(given)
  if (uri === undefined) return asked
  if (asked.uri !== undefined && asked.uri !== uri)
    throw new Fault('cli/bad-value', { detail: 'the URI is given twice' })
  return { ...asked, uri }
}

/** @throws cli/missing-argument where nothing names an HSM, and what opening it throws */
export async function resolveDevice(given: Given, asked: AskedDevice): Promise<DeviceConfig> {
  const environment = given.text('environment') ?? 'development'
  if (!isEnvironment(environment))
    throw new Fault('cli/bad-value', {
      detail: '--environment takes development, staging or production',
    })
  try {
    return await deviceOf(asked, { environment, takesCustody: true })
  } catch (error) {
    if (
      isFault(error, 'hsm/bad-config') &&
      Object.values(asked).every((each) => each === undefined)
    )
      throw new Fault('cli/missing-argument', {
        detail:
          '--hsm URI, e.g. --hsm pkcs11:token=quorate?module-path=/usr/lib/softhsm/libsofthsm2.so',
        cause: error,
      })
    throw error
  }
}

/** What `use` gives, with the HSM that the options name, opened as `asOpened` says. It is closed, and its PIN wiped, whatever happens. */
export async function withHsm<T>(
  given: Given,
  output: Output,
  use: (hsm: CommandHsm) => Promise<T>,
  asOpened: (config: HsmConfig) => HsmConfig = (config) => config,
): Promise<T> {
  const device = await resolveDevice(given, namedDevice(given))
  output.progress('opening the HSM')
  const { config, pin } = device
  const hsm = await openHsm(asOpened(config), { clock: systemClock, pin })
  try {
    return await use({ ...hsm, device })
  } finally {
    await hsm.close()
  }
}

/** The key of that label, else of that id. @throws hsm/key-not-found, hsm/key-ambiguous */
export async function findKey(provider: HsmProvider, named: string): Promise<KeyInfo> {
  try {
    return await provider.find({ label: named })
  } catch (error) {
    if (!isFault(error, 'hsm/key-not-found') || !/^([0-9a-f]{2}){1,32}$/.test(named)) throw error
    return provider.find({ id: parseKeyId(named) })
  }
}
