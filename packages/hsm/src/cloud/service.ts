/**
 * What a service in a cloud must be able to do. What is the same for all of them (arguments, deadlines, pins,
 * the form of signatures and whether they hold) is in `provider.ts`.
 */
import type { CloudType } from '../config/model.ts'
import type { Encrypted, KeyAlgorithm, KeyId } from '../provider.ts'

export type CloudKey<Ref> = {
  readonly id: KeyId
  readonly label: string
  readonly algorithm: KeyAlgorithm
  /** In the form of `KeyInfo.publicKey`; absent for secret keys. */
  readonly publicKey?: Uint8Array
  readonly createdAt: number
  /** What the call that made it drew: by this it knows its own key after a lost answer. */
  readonly request: string | undefined
  /** How the service calls exactly this key, in this version. */
  readonly ref: Ref
}

export type NewKey = {
  readonly id: KeyId
  readonly label: string
  readonly algorithm: KeyAlgorithm
  readonly request: string
}

/** Bytes that the service takes at once. */
export type CloudLimits = {
  readonly plaintext: number
  readonly macMessage: number
  readonly ed25519Message?: number
}

export type CloudFacts = {
  readonly type: CloudType
  readonly name: string
  /** Of the account, vault or key ring. */
  readonly serial: string
  readonly algorithms: readonly KeyAlgorithm[]
  readonly limits: CloudLimits
  readonly deletionDays?: number
}

/** What the module said when it made a key: no nonce of today is in it. */
export type VendorStatement = {
  readonly format: 'marvell-hsm'
  readonly blob: Uint8Array
  /** DER, in any order. */
  readonly certificates: readonly Uint8Array[]
}

/** Every method throws ServiceFailure, or a fault of ours. */
export type CloudService<Ref> = {
  readonly facts: CloudFacts
  /**
   * The key, or `undefined`. `thorough`: also one whose making was interrupted, which is completed.
   * @throws hsm/weak-custody for a key that is not in hardware
   */
  look(id: KeyId, thorough: boolean): Promise<CloudKey<Ref> | undefined>
  /** Keys of ours that are in hardware. */
  list(): Promise<readonly CloudKey<Ref>[]>
  /** Makes a key, and never a second one under the id of another. */
  create(key: NewKey): Promise<CloudKey<Ref>>
  /** `data`: a digest for ECDSA, of which r ‖ s comes back, in whichever half s is; the message for Ed25519. */
  sign(key: CloudKey<Ref>, data: Uint8Array): Promise<Uint8Array>
  /** `plaintext`: never empty. */
  encrypt(key: CloudKey<Ref>, plaintext: Uint8Array, aad: Uint8Array): Promise<Encrypted>
  decrypt(key: CloudKey<Ref>, encrypted: Encrypted, aad: Uint8Array): Promise<Uint8Array>
  hmac(key: CloudKey<Ref>, message: Uint8Array): Promise<Uint8Array>
  random(length: number): Promise<Uint8Array>
  /** Until when it can be brought back; `undefined` where it is gone at once. */
  destroy(key: CloudKey<Ref>): Promise<Date | undefined>
  readonly attest?: (key: CloudKey<Ref>) => Promise<VendorStatement>
  close(): void
}
