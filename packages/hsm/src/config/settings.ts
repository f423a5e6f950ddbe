/**
 * The settings of a device: one table for flags, environment and file. Names that other programs use
 * in the environment are aliases of ours; HSM_PIN_FILE comes with HSM_PIN, and is the better one.
 */

import type { Secret } from '@quorate/base'
import { type Setting, setting, settingType } from '@quorate/platform'
import type { Custody } from '../provider.ts'
import { HSM_TYPES, type HsmType } from './model.ts'

const { boolean, choice, duration, integer, list, path, secret, text } = settingType
type SettingType<T> = Setting<T>['type']

const time = duration(1, 86_400_000)

/** A time with its unit, or milliseconds without one. */
const milliseconds: SettingType<number> = {
  ...time,
  expects: 'a time such as 500ms or 30s, or a number of milliseconds',
  parse: ([value = '']) => time.parse([/^\d+$/.test(value) ? `${value}ms` : value]),
}

/** Recognised, and to come: they get a clear answer instead of `unknown`. */
export const LATER_TYPES = ['azure-hsm', 'google-hsm', 'aws-kms', 'zymbit'] as const
export type NamedType = HsmType | (typeof LATER_TYPES)[number]

/** What people and other programs call them. */
const OTHER_NAMES: { readonly [name: string]: HsmType } = {
  aws: 'aws-cloudhsm',
  cloudhsm: 'aws-cloudhsm',
  entrust: 'nshield',
  ncipher: 'nshield',
  safenet: 'luna',
  dpod: 'luna-cloud',
  yubihsm: 'yubihsm2',
  yubico: 'yubihsm2',
  softhsm2: 'softhsm',
  tpm: 'tpm2',
  generic: 'pkcs11',
}

const types = choice(...HSM_TYPES, ...LATER_TYPES)
const type: SettingType<NamedType> = {
  ...types,
  expects: choice(...HSM_TYPES).expects,
  parse([value = '']) {
    const other = Object.hasOwn(OTHER_NAMES, value) ? OTHER_NAMES[value] : undefined
    return types.parse([other ?? value])
  },
}

const label = text(/^[^\p{Cc}]{1,200}$/u, 'a label')

/** What the settings give, by key without `hsm.`. All may be absent. */
export type HsmValues = {
  enabled: boolean
  uri: string
  type: NamedType
  directory: string
  keyFile: string
  library: string
  token: string
  serial: string
  slot: string
  keyLabel: string
  identityLabel: string
  pin: Secret<Uint8Array>
  pinDescriptor: number
  login: 'user' | 'none'
  initArgs: string
  env: readonly string[]
  'pool.size': number
  'pool.maxOverflow': number
  'pool.acquireTimeout': number
  'pool.idleTimeout': number
  requireCustody: Custody
  allowSimulatedInProduction: boolean
  allowSoftwareInProduction: boolean
}

type HsmSettingsOf<Values> = {
  readonly [K in keyof Values & string as `hsm.${K}`]: Setting<Values[K], undefined>
}
export type HsmSettings = HsmSettingsOf<HsmValues> & {
  readonly 'hsm.file': Setting<string, undefined>
}

export const HSM_SETTINGS: HsmSettings = {
  'hsm.file': setting(path, {
    description: 'A file, JSON or YAML, with the settings of the HSM alone.',
    aliases: ['HSM_CONFIG'],
  }),
  'hsm.enabled': setting(boolean, {
    description: 'Set by guides of other products: true demands that an HSM is named.',
    aliases: ['HSM_ENABLED'],
  }),
  'hsm.uri': setting(text(/^[a-z0-9]+:.{1,4000}$/, 'a URI, e.g. pkcs11:token=main'), {
    description: 'The HSM: pkcs11:… (RFC 7512), software:DIR or simulated:DIR.',
  }),
  'hsm.type': setting(type, {
    description: 'What holds the keys; the simulated HSM unless told.',
    aliases: ['HSM_VENDOR'],
  }),
  'hsm.directory': setting(path, {
    description:
      'Directory of the simulated or software HSM; hsm/ in the data directory unless told.',
  }),
  'hsm.keyFile': setting(path, {
    description: 'What opens the software HSM instead of a passphrase: a file of random bytes.',
  }),
  'hsm.library': setting(path, {
    description: "The PKCS#11 module; where the vendor's client puts it unless told.",
    aliases: ['HSM_LIBRARY_PATH', 'HSM_LIB_PATH'],
  }),
  'hsm.token': setting(label, {
    description: 'Label of the token.',
    aliases: ['HSM_TOKEN_LABEL'],
  }),
  'hsm.serial': setting(text(/^[\x21-\x7e]{1,64}$/, 'a serial number'), {
    description: 'Serial number of the token.',
  }),
  'hsm.slot': setting(text(/^\d{1,20}$/, 'the number of a slot'), {
    description:
      'Number of the slot; some modules number anew at every start, so better the label.',
    aliases: ['HSM_SLOT_ID', 'HSM_SLOT'],
  }),
  'hsm.keyLabel': setting(label, {
    description: 'Label of the key that seals the shares; made where missing.',
    aliases: ['HSM_KEY_LABEL'],
  }),
  'hsm.identityLabel': setting(label, {
    description: 'Label of the identity key of the node; made where missing.',
  }),
  'hsm.pin': setting(secret, {
    description: 'PIN of the token, or passphrase of the software HSM; better hsm.pinFile.',
    aliases: ['HSM_PIN'],
  }),
  'hsm.pinDescriptor': setting(integer(3, 255), {
    description: 'Inherited descriptor from which the PIN is read.',
  }),
  'hsm.login': setting(choice('user', 'none'), {
    description: 'none where the token asks no PIN of anybody.',
  }),
  'hsm.initArgs': setting(text(), { description: 'What C_Initialize of the module is given.' }),
  'hsm.env': setting(list(text(/^[A-Za-z_][A-Za-z0-9_]*=.{0,4000}$/, 'NAME=VALUE')), {
    description: 'Environment of the module, such as where its own configuration is.',
  }),
  'hsm.pool.size': setting(integer(1, 256), { description: 'Sessions that stay open.' }),
  'hsm.pool.maxOverflow': setting(integer(0, 256), {
    description: 'Further sessions that may be opened under load.',
  }),
  'hsm.pool.acquireTimeout': setting(milliseconds, {
    description: 'How long an operation waits for a free session.',
  }),
  'hsm.pool.idleTimeout': setting(milliseconds, {
    description: 'When a further session that nobody uses is closed.',
  }),
  'hsm.requireCustody': setting(choice('software', 'sealed', 'hardware'), {
    description: 'Refuse a device below this level.',
  }),
  'hsm.allowSimulatedInProduction': setting(boolean, {
    description: 'Whether production may use a simulated HSM, which protects nothing.',
  }),
  'hsm.allowSoftwareInProduction': setting(boolean, {
    description: 'Whether production may use keys that no hardware holds.',
  }),
}
