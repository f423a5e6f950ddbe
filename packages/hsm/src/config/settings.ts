/**
 * The settings of a device: one table for flags, environment and file. Names that other programs use
 * in the environment are aliases of ours; HSM_PIN_FILE comes with HSM_PIN, and is the better one.
 */

import type { Secret } from '@quorate/base'
import { type Setting, setting, settingType } from '@quorate/platform'
import type { Custody } from '../provider.ts'
import { HSM_TYPES, type HsmType } from './model.ts'
import { milliseconds, type SettingType } from './section.ts'

const { boolean, choice, integer, list, path, secret, text } = settingType
/** What people and other programs call them. */
const OTHER_NAMES: { readonly [name: string]: HsmType } = {
  aws: 'aws-cloudhsm',
  cloudhsm: 'aws-cloudhsm',
  kms: 'aws-kms',
  azure: 'azure-hsm',
  'azure-managed-hsm': 'azure-hsm',
  google: 'google-hsm',
  'google-cloud-hsm': 'google-hsm',
  entrust: 'nshield',
  ncipher: 'nshield',
  safenet: 'luna',
  dpod: 'luna-cloud',
  yubihsm: 'yubihsm2',
  yubico: 'yubihsm2',
  softhsm2: 'softhsm',
  tpm: 'tpm2',
  hsm6: 'zymbit',
  generic: 'pkcs11',
}

const types = choice(...HSM_TYPES)
const type: SettingType<HsmType> = {
  ...types,
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
  type: HsmType
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
  region: string
  endpoint: string
  vaultUrl: string
  caFile: string
  project: string
  location: string
  keyRing: string
  keyPrefix: string
  deletionDays: number
  purge: boolean
  requestTimeout: number
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
  'hsm.uri': setting(text(/^[a-z0-9-]+:.{1,4000}$/, 'a URI, e.g. pkcs11:token=main'), {
    description:
      'The HSM: pkcs11:… (RFC 7512), aws-kms:…, azure-hsm:…, google-hsm:…, zymbit:DIR, software:DIR or simulated:DIR.',
  }),
  'hsm.type': setting(type, {
    description: 'What holds the keys; the simulated HSM unless told.',
    aliases: ['HSM_VENDOR'],
  }),
  'hsm.directory': setting(path, {
    description:
      'Directory of the simulated or software HSM, or of the labels of a Zymbit; hsm/ in the data directory unless told.',
  }),
  'hsm.keyFile': setting(path, {
    description: 'What opens the software HSM instead of a passphrase: a file of random bytes.',
  }),
  'hsm.library': setting(path, {
    description: "The PKCS#11 module, or Zymbit's library; where the vendor puts it unless told.",
    aliases: ['HSM_LIBRARY_PATH', 'HSM_LIB_PATH'],
  }),
  'hsm.token': setting(label, {
    description: 'Label of the token.',
    aliases: ['HSM_TOKEN_LABEL'],
  }),
  'hsm.serial': setting(text(/^[\x21-\x7e]{1,64}$/, 'a serial number'), {
    description: 'Serial number of the token, or of a Zymbit.',
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
  'hsm.region': setting(text(/^[a-z0-9-]{1,40}$/, 'a region, e.g. eu-central-1'), {
    description: 'aws-kms: the region of the keys; AWS_REGION unless told.',
  }),
  'hsm.endpoint': setting(text(/^https?:\/\/\S{1,1000}$/, 'a URL'), {
    description: 'aws-kms, google-hsm: another entrance of the service, such as a private one.',
  }),
  'hsm.vaultUrl': setting(text(/^https:\/\/\S{1,1000}$/, 'a URL that begins with https:'), {
    description: 'azure-hsm: the Managed HSM, https://NAME.managedhsm.azure.net.',
  }),
  'hsm.caFile': setting(path, {
    description: 'azure-hsm: certificates (PEM) to trust instead of those of the system.',
  }),
  'hsm.project': setting(text(/^[a-z0-9:.-]{1,63}$/, 'the id of a project'), {
    description: 'google-hsm: the project of the key ring.',
  }),
  'hsm.location': setting(text(/^[a-z0-9-]{1,63}$/, 'a location, e.g. europe-west3'), {
    description: 'google-hsm: the location of the key ring.',
  }),
  'hsm.keyRing': setting(text(/^[A-Za-z0-9_-]{1,63}$/, 'the name of a key ring'), {
    description: 'google-hsm: the key ring; it must be there.',
  }),
  'hsm.keyPrefix': setting(text(/^[A-Za-z0-9_-]{1,60}$/, 'letters, digits, _ and -'), {
    description: 'aws-kms: aliases of its keys begin with alias/ and this; quorate unless told.',
  }),
  'hsm.deletionDays': setting(integer(1, 120), {
    description: 'aws-kms (7 to 30), google-hsm: how long a destroyed key can be brought back; 30.',
  }),
  'hsm.purge': setting(boolean, {
    description:
      'azure-hsm: whether destroying a key also purges it, so that nothing brings it back.',
  }),
  'hsm.requestTimeout': setting(milliseconds, {
    description: 'aws-kms, azure-hsm, google-hsm: how long one request may take; 10 s unless told.',
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
