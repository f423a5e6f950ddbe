/**
 * What one thread of the provider host asks of its session with a device. Every call blocks its
 * thread until the device has answered, so nothing here may run in a process that has other work.
 */
import type { Secret } from '@quorate/base'
import type { Encrypted, KeyAlgorithm, KeyId, KeyInfo, KeyQuery, KeyRequest } from './provider.ts'
import type { ZymbitCommands } from './zymbit/commands.ts'

/** What a caller knows of a key before it is used: a key found again must be the same one. */
export type PinnedKey = {
  readonly id: KeyId
  readonly algorithm: KeyAlgorithm
  /** In the form of `KeyInfo.publicKey`; absent for secret keys. */
  readonly publicKey?: Uint8Array
}

export type MechanismFacts = {
  /** `CKM_…`, or `0x…` for one without a name here. */
  readonly name: string
  readonly code: number
  /** Names of CKF_ flags without the prefix, e.g. `SIGN`, `HW`. */
  readonly flags: readonly string[]
  readonly minKeySize: number
  readonly maxKeySize: number
}

export type TokenFacts = {
  readonly library: {
    readonly description: string
    readonly version: string
    readonly cryptoki: string
  }
  /** CK_ULONG in decimal: some are beyond 2^53. */
  readonly slot: string
  readonly label: string
  readonly manufacturer: string
  readonly model: string
  readonly serial: string
  readonly firmware: string
  /** Names of CKF_ flags without the prefix, e.g. `USER_PIN_COUNT_LOW`. */
  readonly flags: readonly string[]
  /** Undefined where the token does not say. */
  readonly maxSessions: number | undefined
  readonly openSessions: number | undefined
  readonly mechanisms: readonly MechanismFacts[]
  /** Algorithms that this token can do through our layer, tried against its mechanisms and its profile. */
  readonly algorithms: readonly KeyAlgorithm[]
  /** Optional operations that this token can do through our layer. */
  readonly capabilities: readonly ('wrap' | 'import' | 'derive' | 'tamper')[]
}

/** One object as it lies in the token, for `doctor`. An attribute that the token does not tell is absent. */
export type ObjectFacts = {
  /** `CKO_PRIVATE_KEY` and the like. */
  readonly class: string
  readonly keyType: string
  readonly label: string
  /** CKA_ID in hex; may be empty. */
  readonly id: string
  /** Boolean attributes by name without CKA_, e.g. `EXTRACTABLE`. */
  readonly flags: { readonly [name: string]: boolean }
  /** CKM_ names; absent where the token does not keep the attribute, empty where none is set. */
  readonly allowedMechanisms?: readonly string[]
  readonly hasWrapTemplate?: boolean
  readonly hasUnwrapTemplate?: boolean
  /** CKA_START_DATE and CKA_END_DATE as YYYY-MM-DD, where set. */
  readonly startDate?: string
  readonly endDate?: string
  readonly publicKey?: Uint8Array
}

/** A request with its id, and what only devices are asked for. */
export type DeviceKeyRequest = KeyRequest & {
  readonly id: KeyId
  /** `wrapping`, for `aes-256` only: a key that wraps and unwraps other keys, and encrypts nothing. */
  readonly use?: 'wrapping'
  /** The key may leave the device wrapped under another key; in plaintext it never does. */
  readonly isWrappable?: boolean
  /** Wrappable, but only under a key that the security officer trusts. */
  readonly withTrusted?: boolean
}

export type DeviceSession = {
  token(): TokenFacts
  /** Cheap: whether the token is there and answers. @throws DeviceFault */
  probe(): void
  objects(): readonly ObjectFacts[]
  generateKey(request: DeviceKeyRequest): KeyInfo
  find(query: KeyQuery): KeyInfo
  list(): readonly KeyInfo[]
  /**
   * `data`: a digest of 32 bytes for ECDSA keys, the message for Ed25519. 64 bytes: for ECDSA r ‖ s as the
   * device gave it, neither normalised nor verified.
   */
  sign(key: PinnedKey, data: Uint8Array): Uint8Array
  encrypt(key: PinnedKey, plaintext: Uint8Array, aad: Uint8Array): Encrypted
  decrypt(key: PinnedKey, encrypted: Encrypted, aad: Uint8Array): Uint8Array
  hmac(key: PinnedKey, message: Uint8Array): Uint8Array
  random(length: number): Uint8Array
  destroy(id: KeyId, label: string): void
  wrapKey(wrapping: PinnedKey, target: PinnedKey): Uint8Array
  unwrapKey(wrapping: PinnedKey, wrapped: Uint8Array, request: DeviceKeyRequest): KeyInfo
  importKey(request: DeviceKeyRequest, secret: Uint8Array): KeyInfo
  /** The key at `path` below `parent`, which may be the id of a wallet. */
  deriveKey(parent: KeyId, path: string, request: DeviceKeyRequest): KeyInfo
  /** What only a Zymbit can do. */
  readonly zymbit?: ZymbitCommands
  /** Ends this session only: others of the process stay logged in. */
  close(): void
}

/**
 * Where a device is, in plain data that crosses to the provider host. The PIN travels apart from it.
 */
export type DeviceSettings = {
  readonly driver: 'pkcs11' | 'zymbit'
  /** Absolute path of the module. */
  readonly library: string
  /** Id of a vendor profile; `zymbit` for that driver. */
  readonly profile: string
  /** Exactly one token must match all that is given. */
  readonly token: { readonly label?: string; readonly serial?: string; readonly slot?: string }
  /** C_Initialize's pReserved string, for modules that want one. */
  readonly initArgs?: string
  /** Added to the environment of the host: modules read their configuration path from it. */
  readonly env: { readonly [name: string]: string }
  readonly userType?: 'user' | 'none'
  /** `zymbit`: where labels are kept, for the device has none. */
  readonly directory?: string
}

/**
 * A session of this thread. `pin` is in UTF-8, and disposed of when the session closes. `gate` is the same
 * 8 bytes, zero at first, for all threads of a process: behind it they log in one after the other, and
 * none any more once a PIN was refused.
 * @throws DeviceFault
 */
export type OpenDevice = (
  settings: DeviceSettings,
  pin: Secret<Uint8Array> | undefined,
  gate: SharedArrayBuffer,
) => DeviceSession
