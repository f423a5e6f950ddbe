/** What keys of ours are in Google Cloud KMS, and which states a version has. */
import type { protos } from '@google-cloud/kms'
import type { KeyAlgorithm } from '../../provider.ts'

type CryptoKey = protos.google.cloud.kms.v1.ICryptoKey
type Purpose = keyof typeof protos.google.cloud.kms.v1.CryptoKey.CryptoKeyPurpose
type VersionAlgorithm =
  keyof typeof protos.google.cloud.kms.v1.CryptoKeyVersion.CryptoKeyVersionAlgorithm

type Shape = { readonly purpose: Purpose; readonly algorithm: VersionAlgorithm }

export const SHAPES: { readonly [A in KeyAlgorithm]: Shape } = {
  ed25519: { purpose: 'ASYMMETRIC_SIGN', algorithm: 'EC_SIGN_ED25519' },
  p256: { purpose: 'ASYMMETRIC_SIGN', algorithm: 'EC_SIGN_P256_SHA256' },
  secp256k1: { purpose: 'ASYMMETRIC_SIGN', algorithm: 'EC_SIGN_SECP256K1_SHA256' },
  'aes-256': { purpose: 'RAW_ENCRYPT_DECRYPT', algorithm: 'AES_256_GCM' },
  'hmac-sha256': { purpose: 'MAC', algorithm: 'HMAC_SHA256' },
}
export const ALGORITHMS: readonly KeyAlgorithm[] = Object.keys(SHAPES) as KeyAlgorithm[]

/** Protection levels. */
export const HARDWARE: ReadonlySet<unknown> = new Set(['HSM', 'HSM_SINGLE_TENANT'])
/** States of a version that is none any more. */
export const GONE: ReadonlySet<unknown> = new Set(['DESTROYED', 'DESTROY_SCHEDULED'])
/** States of a version that is none yet. */
export const MAKING: ReadonlySet<unknown> = new Set(['PENDING_GENERATION', 'PENDING_IMPORT'])

/** The algorithm of keys that have this purpose and template. */
export const algorithmOf = ({ purpose, versionTemplate }: CryptoKey): KeyAlgorithm | undefined =>
  ALGORITHMS.find((each) => {
    const shape = SHAPES[each]
    return shape.purpose === purpose && shape.algorithm === versionTemplate?.algorithm
  })
