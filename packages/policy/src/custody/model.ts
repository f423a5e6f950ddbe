/**
 * What policy says of keys by the role they act in: where a key may live, how fast it signs, what it may
 * do when devices fail, and how keys are made. Data only; `decide.ts` judges with it.
 */

/** Roles that every policy has; others are named by the policy itself. */
export const ROLES = ['validator', 'admin', 'transaction_signer', 'node_identity'] as const
/** Roles whose keys live in hardware, whatever a policy says. */
export const HARDWARE_ROLES: readonly string[] = ['admin']

export const KEY_OPERATIONS = [
  'sign',
  'verify',
  'encrypt',
  'decrypt',
  'hmac',
  'generate',
  'import',
  'destroy',
  'attest',
] as const
export type KeyOperation = (typeof KEY_OPERATIONS)[number]

export const CUSTODY_LEVELS = ['software', 'sealed', 'hardware'] as const
export type CustodyLevel = (typeof CUSTODY_LEVELS)[number]

/** Why a device is used: as the first, in its place, as the last resort, or as keys in files. */
export const PLACES = ['primary', 'secondary', 'emergency', 'software'] as const
export type Place = (typeof PLACES)[number]

export const CURVES = ['ed25519', 'p256', 'secp256k1'] as const
export type Curve = (typeof CURVES)[number]

/** How keys are made, and what a key that was made must be. */
export type KeyRules = {
  /** Name of the device that makes keys unless told; the first one where absent. */
  readonly defaultBackend?: string
  /** Whether the secret part may leave the device. */
  readonly extractable: boolean
  /** Whether the device must refuse to reveal the secret part. */
  readonly sensitive: boolean
  /** Bits that a key has at least. */
  readonly size: number
  /** Of keys for which none is named. */
  readonly curve: Curve
}

/** What a role that moves assets over a bridge obeys besides. */
export type BridgeRules = {
  readonly nonExportableKeys: boolean
  /** Signatures that a transaction has from others before this key signs it. */
  readonly minimumSignatures: number
  /** In the smallest unit; absent for no limit. */
  readonly maximumTransactionValue?: bigint
  /** Whether keys are made in production only. */
  readonly requireProductionMode: boolean
}

export type RoleRules = {
  readonly operations: readonly KeyOperation[]
  readonly requireHsm: boolean
  readonly allowSoftwareFallback: boolean
  /** Signatures a second, over all keys of the role. */
  readonly maxSigningRate: number
  readonly auditAllOperations: boolean
  readonly keyGeneration: KeyRules
  readonly bridge?: BridgeRules
}

/** How far keys may be used when only the emergency device is left. */
export type EmergencyRules = {
  readonly maxTransactions: number
  readonly maxTimeSeconds: number
  readonly allowedOperations: readonly KeyOperation[]
}

export type CustodyPolicy = {
  readonly v: 1
  readonly roles: ReadonlyMap<string, RoleRules>
  readonly emergency: EmergencyRules
}

export const MAX_SIGNING_RATE = 1_000_000

export const KEY_RULES: KeyRules = {
  extractable: false,
  sensitive: true,
  size: 256,
  curve: 'secp256k1',
}

export const EMERGENCY_RULES: EmergencyRules = {
  maxTransactions: 1000,
  maxTimeSeconds: 3600,
  allowedOperations: ['sign'],
}

/** A policy's own word on bridges, where it says nothing in detail. */
export const BRIDGE_RULES: BridgeRules = {
  nonExportableKeys: true,
  minimumSignatures: 1,
  requireProductionMode: true,
}

export const ROLE_RULES: RoleRules = {
  operations: KEY_OPERATIONS,
  requireHsm: false,
  allowSoftwareFallback: false,
  maxSigningRate: 1000,
  auditAllOperations: true,
  keyGeneration: KEY_RULES,
}

/** The policy where nobody says anything: the four roles, of which those in `HARDWARE_ROLES` need hardware. */
export const DEFAULT_CUSTODY_POLICY: CustodyPolicy = {
  v: 1,
  roles: new Map(
    ROLES.map((role) => [role, { ...ROLE_RULES, requireHsm: HARDWARE_ROLES.includes(role) }]),
  ),
  emergency: EMERGENCY_RULES,
}
