/**
 * What is particular about one vendor's module, as data. Nothing outside of `pkcs11/` learns it.
 *
 * Sources are the vendors' manuals and published clients. Profiles of devices that are not in the
 * test matrix say so in `isProven`.
 */
import type { SigningAlgorithm } from '../../provider.ts'
import type { AttributeName, MechanismName } from '../constants.ts'
import type { ParamsForm } from '../ec.ts'

/**
 * How AES-GCM gets its IV (PKCS#11 2.40 leaves it to the vendor):
 * caller12         12 bytes from us
 * hsmWritesParam   12 zero bytes from us, which C_Encrypt replaces by the IV that it made
 * hsmAppends16     none from us; 16 bytes stand behind the tag at the end of the ciphertext
 * none             no AES-GCM: AES-CBC-PAD, then HMAC-SHA-256, with two keys under one CKA_ID
 */
export type GcmIv = 'caller12' | 'hsmWritesParam' | 'hsmAppends16' | 'none'

/** Shape of the PIN; `profiles/pin.ts` checks it. */
export type PinForm = 'plain' | 'user:password' | 'hex-key-id+password' | 'api-key'

/** RFC 3394; RFC 5649 under the number that some tokens use for it, and under its own. */
export type WrapMechanism = 'AES_KEY_WRAP' | 'AES_KEY_WRAP_PAD' | 'AES_KEY_WRAP_KWP'

export type Attestation = 'yubihsm' | 'luna-pkc' | 'nshield' | 'none'

export type Profile = {
  readonly id: string
  /** What people read. */
  readonly name: string
  /** Whether the test matrix runs against it. The others follow documentation. */
  readonly isProven: boolean
  /** Usual places of the module, best first; `*` stands for a version. */
  readonly libraries: readonly string[]
  /** Parts of file names and of CK_TOKEN_INFO or CK_INFO manufacturers that give the vendor away, in lower case. */
  readonly hints: { readonly files: readonly string[]; readonly manufacturers: readonly string[] }
  /** Variables from which the module reads where its configuration is, with the usual value. */
  readonly env: { readonly [name: string]: string }
  /** What C_Initialize takes in pReserved, where it takes something; `{directory}` is to be replaced. */
  readonly initArgs?: string
  readonly slotBy: 'serial' | 'label' | 'slot'
  readonly pinForm: PinForm
  /** Sessions that the device bears, where less than it says. */
  readonly maxSessions?: number
  /** Forms of CKA_EC_PARAMS for Ed25519, to be tried in this order. */
  readonly edParams: readonly ParamsForm[]
  readonly gcmIv: GcmIv
  /** Whose random numbers make the IV under `caller12`, and under `none`. */
  readonly ivSource: 'device' | 'system'
  /** Longest plaintext of one AES-GCM operation. */
  readonly gcmMaxBytes?: number
  readonly hmacKey: {
    readonly type: 'GENERIC_SECRET' | 'SHA256_HMAC'
    readonly mechanism: MechanismName
  }
  /** Curves that it can do where trying them out would leave keys behind. Undefined: they are tried. */
  readonly curves?: readonly SigningAlgorithm[]
  /** Mechanisms for wrapping keys, best first. */
  readonly wrap: readonly WrapMechanism[]
  /** Attributes that it has not, or does not heed. They are not asked for, and keys not judged by them. */
  readonly denied: readonly AttributeName[]
  /** Attributes that it does not want to be told are false. Keys are judged by them none the less. */
  readonly unsaid: readonly AttributeName[]
  readonly canImport: boolean
  /** Whether the module spreads keys and operations over several devices by itself. */
  readonly isHaInLibrary: boolean
  readonly attestation: Attestation
  /** Return values by which it says that it is busy. */
  readonly throttle: readonly number[]
  /** Return values, besides those of the standard, for a ciphertext or wrapped key that does not verify. */
  readonly cannotOpen: readonly number[]
}

const STANDARD: Profile = {
  id: 'generic',
  name: 'PKCS#11 module',
  isProven: true,
  libraries: [],
  hints: { files: [], manufacturers: [] },
  env: {},
  slotBy: 'serial',
  pinForm: 'plain',
  edParams: ['oid', 'printable', 'gnu'],
  gcmIv: 'caller12',
  ivSource: 'device',
  hmacKey: { type: 'GENERIC_SECRET', mechanism: 'GENERIC_SECRET_KEY_GEN' },
  wrap: ['AES_KEY_WRAP_KWP', 'AES_KEY_WRAP_PAD'],
  denied: [],
  unsaid: [],
  canImport: false,
  isHaInLibrary: false,
  attestation: 'none',
  throttle: [],
  cannotOpen: [],
}

/** A module that does what the standard says, except for `particular`. */
export const profile = (particular: Partial<Profile> & { readonly id: string }): Profile => ({
  ...STANDARD,
  isProven: false,
  ...particular,
})

export const generic: Profile = STANDARD
