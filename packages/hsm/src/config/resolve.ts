/** From the settings of all sources to one device: what a URI, a file and single settings say together. */
import { isAbsolute, resolve } from 'node:path'
import { Fault, type Secret } from '@quorate/base'
import type { Config, Origin } from '@quorate/platform'
import { someOf, withoutAbsent } from '../absent.ts'
import { refuseRotation } from '../rotation/config.ts'
import { CLOUD_KEYS, cloudConfigOf } from './cloud.ts'
import { needsHardware } from './custody.ts'
import { readHsmFile } from './file.ts'
import { type HsmConfig, type HsmEnvironment, type HsmType, isCloud, isVendor } from './model.ts'
import { refuseWatch } from './monitoring.ts'
import { onePin, type PinFrom, type PinSource, pinFile, pinFromDescriptor } from './pin.ts'
import type { SectionValues } from './section.ts'
import { HSM_SETTINGS, type HsmSettings, type HsmValues } from './settings.ts'
import { parseHsmUri } from './uri.ts'
import { environmentFor, typeOfLibrary } from './vendors.ts'

export type DeviceConfig = {
  readonly config: HsmConfig
  /** Labels of the key that seals shares and of the identity key; the caller's own choice unless given. */
  readonly keyLabel: string | undefined
  readonly identityLabel: string | undefined
  /** Dispose of it. */
  readonly pin: Secret<Uint8Array> | undefined
  readonly pinFrom?: PinFrom | undefined
  /** What its file says of what is built around it; nothing where there is no file. */
  readonly sections: SectionValues
}

export type ResolveOptions = {
  readonly environment: HsmEnvironment
  /** Of a simulated or software device, where none is named. */
  readonly directory?: string
  /** The environment of this process; what a vendor's module reads from it is passed on. */
  readonly env: { readonly [name: string]: string | undefined }
  /**
   * Whether the caller heeds what the file says of failover, roles and what goes with them, or opens the
   * device alone on purpose. Without it a file that asks for these is refused.
   */
  readonly takesCustody?: boolean
}

/** What a program does with its device that heeds no roles: it is known by it. */
const OWN_ROLE = 'node_identity'

type Found<T = unknown> = { readonly value: T; readonly where: string }
type Values = Map<string, Found>

/**
 * What the settings describe. A flag or the environment wins over a file, but a URI and single
 * settings that contradict each other are an error, whichever came from where.
 * @throws platform/settings-disagree, hsm/bad-config, hsm/not-yet-supported, hsm/bad-uri, and what
 *   reading the file and the PIN throws
 */
export function resolveHsm(
  settings: Pick<Config<HsmSettings>, 'get' | 'origin'>,
  options: ResolveOptions,
): DeviceConfig {
  const values: Values = new Map()
  for (const name of Object.keys(HSM_SETTINGS) as (keyof HsmSettings)[]) {
    const value = settings.get(name)
    if (value !== undefined)
      values.set(name.slice('hsm.'.length), { value, where: whereOf(settings.origin(name), name) })
  }
  const pins: PinSource[] = []
  const file = values.get('file')
  const sections: SectionValues =
    file === undefined
      ? new Map()
      : addFile(values, pins, file.value as string, options.environment)
  if (options.takesCustody !== true) refuseRotation(sections)
  if (options.takesCustody !== true) refuseWatch(sections)
  if (options.takesCustody !== true && needsHardware(sections, OWN_ROLE))
    values.set('requireCustody', { value: 'hardware', where: 'the policy of roles' })
  const get = <K extends keyof HsmValues>(key: K): HsmValues[K] | undefined =>
    values.get(key)?.value as HsmValues[K] | undefined
  const uri = get('uri')
  if (uri !== undefined) addUri(values, pins, uri)
  const descriptor = get('pinDescriptor')
  if (descriptor !== undefined)
    pins.unshift({
      from: { origin: 'descriptor' },
      where: `descriptor ${descriptor}`,
      read: () => pinFromDescriptor(descriptor),
    })
  const pin = get('pin')
  if (pin !== undefined)
    pins.unshift({ ...placeOfPin(settings.origin('hsm.pin'), options.env), read: () => pin })

  checkEnabled(get('enabled'), values, options.environment)
  const config = hsmConfigOf(get, options)
  const given = onePin(pins)
  return {
    config,
    keyLabel: get('keyLabel'),
    identityLabel: get('identityLabel'),
    pin: given?.pin,
    pinFrom: given?.from,
    sections,
  }
}

/** A plain PIN stands in the environment, for no other source takes one; any other is in a file. */
function placeOfPin(
  origin: Origin | undefined,
  env: ResolveOptions['env'],
): { readonly from: PinFrom; readonly where: string } {
  const where = origin?.where ?? 'hsm.pin'
  if (origin?.isPlainSecret === true) return { from: { origin: 'environment' }, where }
  const path = origin?.kind === 'environment' ? env[where] : where
  return {
    from: { origin: 'file', path: path?.startsWith('/') === true ? path : undefined },
    where,
  }
}

const whereOf = (origin: Origin | undefined, name: string): string => origin?.where ?? name

function addFile(
  values: Values,
  pins: PinSource[],
  path: string,
  environment: HsmEnvironment,
): SectionValues {
  const { values: more, where, environment: meant, pinFile: pinPath, sections } = readHsmFile(path)
  if (meant !== undefined && meant !== environment)
    throw new Fault('platform/settings-disagree', {
      detail: `environment: ${where.get('environment')} says ${meant}, this program runs in ${environment}`,
    })
  for (const [key, value] of Object.entries(more))
    if (!values.has(key)) values.set(key, { value, where: where.get(key) ?? path })
  // As with every other setting, the one of a flag or of the environment wins.
  if (pinPath !== undefined && !values.has('pin'))
    pins.push(pinFile(pinPath, where.get('pinFile') ?? path))
  return sections
}

/** What a URI says may be said elsewhere too, but not otherwise. */
function addUri(values: Values, pins: PinSource[], uri: string): void {
  const { pinFile: pinPath, ...said } = parseHsmUri(uri)
  for (const [key, value] of Object.entries(said)) {
    const other = values.get(key)
    if (other !== undefined && other.value !== value && !refines(key, value, other.value))
      throw new Fault('platform/settings-disagree', {
        detail: `hsm.${key}: the URI and ${other.where}`,
      })
    if (other === undefined) values.set(key, { value, where: 'the URI' })
  }
  if (pinPath !== undefined) pins.push(pinFile(pinPath, 'pin-source of the URI'))
}

/** `pkcs11:` says that there is a module, not whose. */
const refines = (key: string, said: unknown, other: unknown): boolean =>
  key === 'type' && said === 'pkcs11' && isVendor(String(other))

function checkEnabled(
  isEnabled: boolean | undefined,
  values: Values,
  environment: HsmEnvironment,
): void {
  const names = [
    'type',
    'uri',
    'library',
    'token',
    'serial',
    'slot',
    'directory',
    'region',
    'vaultUrl',
    'keyRing',
  ]
  const named = names.find((key) => values.has(key))
  if (isEnabled === true && named === undefined)
    throw new Fault('hsm/bad-config', { detail: 'hsm.enabled is true, and no HSM is named' })
  if (isEnabled === false && named !== undefined)
    throw new Fault('platform/settings-disagree', {
      detail: `hsm.enabled is false, and ${values.get(named)?.where} names an HSM`,
    })
  if (isEnabled === false && environment !== 'development')
    throw new Fault('hsm/bad-config', {
      detail: 'hsm.enabled is false, but outside development something must hold the keys',
    })
}

export type GetValue = <K extends keyof HsmValues>(key: K) => HsmValues[K] | undefined

/** The device that single values describe. @throws hsm/bad-config */
export function hsmConfigOf(
  get: GetValue,
  { environment, directory, env }: ResolveOptions,
): HsmConfig {
  const type = typeOf(get)
  const common = {
    type,
    environment,
    requireCustody: get('requireCustody'),
    allowSimulatedInProduction: get('allowSimulatedInProduction'),
    allowSoftwareInProduction: get('allowSoftwareInProduction'),
  }
  if (isCloud(type)) {
    refuseOthers(get, type, ['directory', 'keyFile', ...MODULE_KEYS, 'pin', 'pinDescriptor'])
    return present({ ...common, cloud: cloudConfigOf(type, get, env) })
  }
  refuseOthers(get, type, CLOUD_KEYS)
  if (type === 'zymbit') {
    refuseOthers(get, type, ZYMBIT_REFUSED)
    const library = get('library')
    return present({
      ...common,
      directory: directoryFor(type, get, directory),
      library: library === undefined ? undefined : absolute(library),
      token: someOf({ serial: get('serial') }),
      env: get('env'),
    })
  }
  if (!isVendor(type)) {
    refuseOthers(get, type, MODULE_KEYS)
    if (type === 'simulated') refuseOthers(get, type, ['keyFile'])
    const keyFile = get('keyFile')
    return present({
      ...common,
      directory: directoryFor(type, get, directory),
      keyFile: keyFile === undefined ? undefined : absolute(keyFile),
    })
  }
  refuseOthers(get, type, ['directory', 'keyFile'])
  const library = get('library')
  if (type === 'pkcs11' && library === undefined)
    throw new Fault('hsm/bad-config', {
      detail: 'name the vendor (hsm.type) or the module (hsm.library, module-path of the URI)',
    })
  return present({
    ...common,
    library: library === undefined ? undefined : absolute(library),
    token: someOf({ label: get('token'), serial: get('serial'), slot: get('slot') }),
    initArgs: get('initArgs'),
    env: environmentFor(type, library, get('env') ?? [], env),
    login: get('login'),
    pool: someOf({
      size: get('pool.size'),
      maxOverflow: get('pool.maxOverflow'),
      acquireTimeoutMs: get('pool.acquireTimeout'),
      idleTimeoutMs: get('pool.idleTimeout'),
    }),
  })
}

/** Named, or known by the place of the module, or simulated where nothing is said at all. */
function typeOf(get: GetValue): HsmType {
  const known = get('type')
  const library = get('library')
  if (known !== undefined && known !== 'pkcs11') return known
  if (library !== undefined) return typeOfLibrary(library)
  if (known === undefined && [get('token'), get('serial'), get('slot')].some(Boolean))
    return 'pkcs11'
  return known ?? 'simulated'
}

/** @throws hsm/bad-config where none is named */
function directoryFor(type: HsmType, get: GetValue, usual: string | undefined): string {
  const place = get('directory') ?? usual
  if (place !== undefined) return absolute(place)
  throw new Fault('hsm/bad-config', { detail: `hsm.directory is needed for type ${type}` })
}

/** A Zymbit asks no PIN and has one session. */
const ZYMBIT_REFUSED = [
  'keyFile',
  'token',
  'slot',
  'login',
  'initArgs',
  'pin',
  'pinDescriptor',
  'pool.size',
  'pool.maxOverflow',
] as const

/** What only PKCS#11 modules have. */
const MODULE_KEYS = ['library', 'token', 'serial', 'slot', 'login', 'initArgs', 'env'] as const

function refuseOthers(get: GetValue, type: HsmType, keys: readonly (keyof HsmValues)[]): void {
  const found = keys.find((key) => get(key) !== undefined)
  if (found !== undefined)
    throw new Fault('hsm/bad-config', { detail: `hsm.${found} means nothing for type ${type}` })
}

const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(path))

const present = (config: HsmConfig): HsmConfig => ({
  ...withoutAbsent(config),
  type: config.type,
  environment: config.environment,
})
