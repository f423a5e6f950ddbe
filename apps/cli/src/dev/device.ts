/** The HSM of the nodes of a development cluster, where it is not the simulated one in their data. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Fault, Secret, utf8 } from '@quorate/base'
import { HSM_SETTINGS, type HsmConfig, resolveHsm } from '@quorate/hsm'
import type { NodeHsmConfig } from '@quorate/node'
import { loadConfig, writeFileAtomic } from '@quorate/platform'
import type { Given } from '../command.ts'
import { readJson } from '../files.ts'
import { deviceOf } from '../hsm-device.ts'
import { type Home, hasCluster } from './home.ts'

/** Kept beside the cluster: it lives in this HSM for good. */
export type DevDevice = {
  readonly v: 1
  /** `{node}` in it stands for the number of the node. */
  readonly uri: string
  /** Read at every start; null where the PIN is asked for. */
  readonly pinFile: string | null
  /** NAME=VALUE for the module. */
  readonly env: readonly string[]
}

/** What `quorate up` is told of an HSM. */
export type GivenDevice = {
  readonly device: DevDevice
  readonly pin: Secret<Uint8Array> | undefined
}

const uriOf = (uri: string, index: number): string => uri.replaceAll('{node}', `${index}`)

/** @throws cli/bad-file */
export function readDevDevice({ deviceFile }: Pick<Home, 'deviceFile'>): DevDevice | undefined {
  if (!existsSync(deviceFile)) return undefined
  const device = readJson(deviceFile) as Partial<DevDevice> | null
  if (device?.v !== 1 || typeof device.uri !== 'string' || !Array.isArray(device.env))
    throw new Fault('cli/bad-file', { detail: deviceFile })
  return device as DevDevice
}

export function writeDevDevice({ deviceFile }: Pick<Home, 'deviceFile'>, device: DevDevice): void {
  writeFileAtomic(deviceFile, utf8(`${JSON.stringify(device, null, 2)}\n`))
}

/** @throws cli/other-hsm where the options name another HSM than the cluster was made with */
export function refuseOtherDevice(given: Given, home: Home): void {
  const asked = given.text('hsm')
  if (asked === undefined || !hasCluster(home)) return
  const known = readDevDevice(home)?.uri
  if (asked !== known)
    throw new Fault('cli/other-hsm', { detail: known ?? 'simulated, in the data of the nodes' })
}

/** The HSM that the options name, else that of the cluster, with its PIN. */
export async function devDeviceOf(given: Given, home: Home): Promise<GivenDevice | undefined> {
  const known = readDevDevice(home)
  const [asked, askedPinFile] = [given.text('hsm'), given.text('pin-file')]
  if (asked === undefined && known === undefined) return undefined
  const uri = asked ?? known?.uri ?? ''
  const fromStdin = askedPinFile === '-'
  const pinFile = fromStdin
    ? null
    : askedPinFile === undefined
      ? (known?.pinFile ?? null)
      : resolve(askedPinFile)
  const { config, pin } = await deviceOf(
    { uri: uriOf(uri, 1), pinFile: fromStdin ? '-' : (pinFile ?? undefined) },
    { environment: 'development' },
  )
  return { device: { v: 1, uri, pinFile, env: known?.env ?? config.env ?? [] }, pin }
}

/** The HSM of one node, with a copy of the PIN. */
export function nodeDevice(given: GivenDevice | undefined, index: number): NodeHsmConfig {
  if (given === undefined) return { config: { type: 'simulated', environment: 'development' } }
  const { device, pin } = given
  const settings = loadConfig(HSM_SETTINGS, {
    flags: { 'hsm.uri': uriOf(device.uri, index) },
    env: {},
  })
  const { config, keyLabel } = resolveHsm(settings, { environment: 'development', env: {} })
  return {
    config: withEnvironment(config, device.env),
    keyLabel,
    pin: pin === undefined ? undefined : new Secret(pin.expose().slice()),
  }
}

const withEnvironment = (config: HsmConfig, env: readonly string[]): HsmConfig =>
  config.env === undefined ? config : { ...config, env }

/** Lines of the configuration of node `index`. The PIN comes by a descriptor where no file holds it. */
export function deviceLines(
  device: DevDevice,
  index: number,
  pinDescriptor: number,
): readonly string[] {
  const { pinFile, env } = device
  return [
    'hsm:',
    `  uri: ${JSON.stringify(uriOf(device.uri, index))}`,
    pinFile === null
      ? `  pinDescriptor: ${pinDescriptor}`
      : `  pinFile: ${JSON.stringify(pinFile)}`,
    ...(env.length === 0 ? [] : ['  env:', ...env.map((each) => `    - ${JSON.stringify(each)}`)]),
  ]
}
