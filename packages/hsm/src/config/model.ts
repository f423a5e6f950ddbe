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

export type HsmType = Vendor | 'software' | 'simulated'
export const HSM_TYPES: readonly HsmType[] = [...VENDORS, 'software', 'simulated']

export const HSM_ENVIRONMENTS = ['development', 'staging', 'production'] as const
export type HsmEnvironment = (typeof HSM_ENVIRONMENTS)[number]

export const isVendor = (type: string): type is Vendor => VENDORS.some((each) => each === type)

export type PoolConfig = {
  /** Sessions that stay open. */
  readonly size?: number | undefined
  /** How many more may be opened under load. */
  readonly maxOverflow?: number | undefined
  readonly acquireTimeoutMs?: number | undefined
  readonly idleTimeoutMs?: number | undefined
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
  /** `simulated` and `software`: mode 0700, made where missing. */
  readonly directory?: string | undefined
  /** `software`: opened by the content of this file instead of a passphrase. */
  readonly keyFile?: string | undefined
  /** PKCS#11: absolute path of the module; that of the vendor's profile unless given. */
  readonly library?: string | undefined
  /** Exactly one token must match all that is given. */
  readonly token?: TokenQuery | undefined
  /** C_Initialize's pReserved string, for modules that want one. */
  readonly initArgs?: string | undefined
  /** NAME=VALUE for the process that loads the module. */
  readonly env?: readonly string[] | undefined
  readonly login?: 'user' | 'none' | undefined
  readonly pool?: PoolConfig | undefined
}
export type TokenQuery = {
  readonly label?: string | undefined
  readonly serial?: string | undefined
  /** CK_SLOT_ID in decimal: some are beyond 2^53. */
  readonly slot?: string | undefined
}

const path = text(4096)
const name = text(200)

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
})
