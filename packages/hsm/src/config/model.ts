/** What describes one device, from whatever source it came; and its canonical bytes. */
import { array, bool, type Codec, field, int, oneOf, optional, record, text } from '@quorate/base'
import type { Custody } from '../provider.ts'

/** Types of the vendor profiles come first, then a PKCS#11 module without a profile, then our own. */
export const VENDORS = [
  'aws-cloudhsm',
  'nshield',
  'luna',
  'luna-cloud',
  'fortanix',
  'utimaco',
  'yubihsm2',
  'softhsm',
  'tpm2',
  'nss',
  'opencryptoki',
  'pkcs11',
] as const
export type Vendor = (typeof VENDORS)[number]

/** Services of a cloud, reached by their official clients. */
export const CLOUD_TYPES = ['aws-kms', 'azure-hsm', 'google-hsm'] as const
export type CloudType = (typeof CLOUD_TYPES)[number]

export type HsmType = Vendor | 'zymbit' | CloudType | 'software' | 'simulated'
export const HSM_TYPES: readonly HsmType[] = [
  ...VENDORS,
  'zymbit',
  ...CLOUD_TYPES,
  'software',
  'simulated',
]

export const HSM_ENVIRONMENTS = ['development', 'staging', 'production'] as const
export type HsmEnvironment = (typeof HSM_ENVIRONMENTS)[number]

export const isVendor = (type: string): type is Vendor => VENDORS.some((each) => each === type)

/** Whether a library of its vendor is behind it, which a process of its own loads. */
export const isHosted = (type: string): type is Vendor | 'zymbit' =>
  isVendor(type) || type === 'zymbit'

export const isCloud = (type: string): type is CloudType =>
  CLOUD_TYPES.some((each) => each === type)

export type PoolConfig = {
  /** Sessions that stay open. */
  readonly size?: number | undefined
  /** How many more may be opened under load. */
  readonly maxOverflow?: number | undefined
  readonly acquireTimeoutMs?: number | undefined
  readonly idleTimeoutMs?: number | undefined
}

/** Where a service of a cloud is, and how it is asked. Credentials come from its official chain, never from here. */
export type CloudConfig = {
  /** AWS. */
  readonly region?: string | undefined
  /** AWS and Google: the URL of another entrance than the usual one. */
  readonly endpoint?: string | undefined
  /** Azure: https://NAME.managedhsm.azure.net. */
  readonly vaultUrl?: string | undefined
  /** Azure: certificates (PEM) that vouch for `vaultUrl` instead of those of the system. */
  readonly caFile?: string | undefined
  /** Google. */
  readonly project?: string | undefined
  readonly location?: string | undefined
  readonly keyRing?: string | undefined
  /** AWS: what the aliases of its keys begin with. */
  readonly keyPrefix?: string | undefined
  /** AWS and Google: how long a destroyed key can still be brought back. */
  readonly deletionDays?: number | undefined
  /** Azure: whether a destroyed key is also purged. */
  readonly purge?: boolean | undefined
  /** Of one request. */
  readonly requestTimeoutMs?: number | undefined
}

export type HsmConfig = {
  readonly type: HsmType
  readonly environment: HsmEnvironment
  /** Opening fails below this level. */
  readonly requireCustody?: Custody | undefined
  /** Without `true` here a simulated HSM is refused in production. */
  readonly allowSimulatedInProduction?: boolean | undefined
  /** The same for everything else that is no hardware. */
  readonly allowSoftwareInProduction?: boolean | undefined
  /** `simulated`, `software`, and the labels of a `zymbit`: mode 0700, made where missing. */
  readonly directory?: string | undefined
  /** `software`: opened by the content of this file instead of a passphrase. */
  readonly keyFile?: string | undefined
  /** PKCS#11 and `zymbit`: absolute path of the module; where the vendor puts it unless given. */
  readonly library?: string | undefined
  /** Exactly one token must match all that is given; of a `zymbit` the serial number. */
  readonly token?: TokenQuery | undefined
  /** C_Initialize's pReserved string, for modules that want one. */
  readonly initArgs?: string | undefined
  /** NAME=VALUE for the process that loads the module. */
  readonly env?: readonly string[] | undefined
  readonly login?: 'user' | 'none' | undefined
  readonly pool?: PoolConfig | undefined
  readonly cloud?: CloudConfig | undefined
}
export type TokenQuery = {
  readonly label?: string | undefined
  readonly serial?: string | undefined
  /** CK_SLOT_ID in decimal: some are beyond 2^53. */
  readonly slot?: string | undefined
}

const path = text(4096)
const name = text(200)

const cloudConfigCodec: Codec<CloudConfig> = record({
  region: optional(0, name),
  endpoint: optional(1, path),
  vaultUrl: optional(2, path),
  caFile: optional(3, path),
  project: optional(4, name),
  location: optional(5, name),
  keyRing: optional(6, name),
  keyPrefix: optional(7, name),
  deletionDays: optional(8, int(1, 120)),
  purge: optional(9, bool),
  requestTimeoutMs: optional(10, int(1)),
})

/** For the channel to the process that opens the device. */
export const hsmConfigCodec: Codec<HsmConfig> = record({
  type: field(0, oneOf(...HSM_TYPES)),
  environment: field(1, oneOf(...HSM_ENVIRONMENTS)),
  requireCustody: optional(2, oneOf('software', 'sealed', 'hardware')),
  allowSimulatedInProduction: optional(3, bool),
  allowSoftwareInProduction: optional(4, bool),
  directory: optional(5, path),
  keyFile: optional(6, path),
  library: optional(7, path),
  token: optional(
    8,
    record({ label: optional(0, name), serial: optional(1, name), slot: optional(2, text(20)) }),
  ),
  initArgs: optional(9, text(1000)),
  env: optional(10, array(text(4500), { max: 64 })),
  login: optional(11, oneOf('user', 'none')),
  pool: optional(
    12,
    record({
      size: optional(0, int(1, 256)),
      maxOverflow: optional(1, int(0, 256)),
      acquireTimeoutMs: optional(2, int(1)),
      idleTimeoutMs: optional(3, int(1)),
    }),
  ),
  cloud: optional(20, cloudConfigCodec),
})
