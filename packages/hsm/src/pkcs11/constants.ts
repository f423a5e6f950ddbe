/**
 * Numbers of Cryptoki by name, without their CKx_ prefix, and names by number.
 * PKCS#11 2.40 (OASIS, 2015), and of 3.0 and 3.1 what tokens with a 2.40 interface already use.
 */

export const CKR = {
  OK: 0x00,
  HOST_MEMORY: 0x02,
  SLOT_ID_INVALID: 0x03,
  GENERAL_ERROR: 0x05,
  FUNCTION_FAILED: 0x06,
  ARGUMENTS_BAD: 0x07,
  CANT_LOCK: 0x0a,
  ATTRIBUTE_READ_ONLY: 0x10,
  ATTRIBUTE_SENSITIVE: 0x11,
  ATTRIBUTE_TYPE_INVALID: 0x12,
  ATTRIBUTE_VALUE_INVALID: 0x13,
  ACTION_PROHIBITED: 0x1b,
  DATA_INVALID: 0x20,
  DATA_LEN_RANGE: 0x21,
  DEVICE_ERROR: 0x30,
  DEVICE_MEMORY: 0x31,
  DEVICE_REMOVED: 0x32,
  ENCRYPTED_DATA_INVALID: 0x40,
  ENCRYPTED_DATA_LEN_RANGE: 0x41,
  AEAD_DECRYPT_FAILED: 0x42,
  FUNCTION_CANCELED: 0x50,
  FUNCTION_NOT_SUPPORTED: 0x54,
  KEY_HANDLE_INVALID: 0x60,
  KEY_SIZE_RANGE: 0x62,
  KEY_TYPE_INCONSISTENT: 0x63,
  KEY_FUNCTION_NOT_PERMITTED: 0x68,
  KEY_NOT_WRAPPABLE: 0x69,
  KEY_UNEXTRACTABLE: 0x6a,
  MECHANISM_INVALID: 0x70,
  MECHANISM_PARAM_INVALID: 0x71,
  OBJECT_HANDLE_INVALID: 0x82,
  OPERATION_ACTIVE: 0x90,
  OPERATION_NOT_INITIALIZED: 0x91,
  PIN_INCORRECT: 0xa0,
  PIN_INVALID: 0xa1,
  PIN_LEN_RANGE: 0xa2,
  PIN_EXPIRED: 0xa3,
  PIN_LOCKED: 0xa4,
  SESSION_CLOSED: 0xb0,
  SESSION_COUNT: 0xb1,
  SESSION_HANDLE_INVALID: 0xb3,
  SESSION_READ_ONLY: 0xb5,
  SIGNATURE_INVALID: 0xc0,
  SIGNATURE_LEN_RANGE: 0xc1,
  TEMPLATE_INCOMPLETE: 0xd0,
  TEMPLATE_INCONSISTENT: 0xd1,
  TOKEN_NOT_PRESENT: 0xe0,
  TOKEN_NOT_RECOGNIZED: 0xe1,
  TOKEN_WRITE_PROTECTED: 0xe2,
  UNWRAPPING_KEY_HANDLE_INVALID: 0xf0,
  USER_ALREADY_LOGGED_IN: 0x100,
  USER_NOT_LOGGED_IN: 0x101,
  USER_PIN_NOT_INITIALIZED: 0x102,
  USER_TYPE_INVALID: 0x103,
  USER_ANOTHER_ALREADY_LOGGED_IN: 0x104,
  USER_TOO_MANY_TYPES: 0x105,
  WRAPPED_KEY_INVALID: 0x110,
  WRAPPED_KEY_LEN_RANGE: 0x112,
  WRAPPING_KEY_HANDLE_INVALID: 0x113,
  RANDOM_NO_RNG: 0x121,
  DOMAIN_PARAMS_INVALID: 0x130,
  CURVE_NOT_SUPPORTED: 0x140,
  BUFFER_TOO_SMALL: 0x150,
  CRYPTOKI_NOT_INITIALIZED: 0x190,
  CRYPTOKI_ALREADY_INITIALIZED: 0x191,
  FUNCTION_REJECTED: 0x200,
} as const

export const CKM = {
  RSA_PKCS_KEY_PAIR_GEN: 0x0000,
  RSA_PKCS: 0x0001,
  RSA_X_509: 0x0003,
  MD5_RSA_PKCS: 0x0005,
  SHA1_RSA_PKCS: 0x0006,
  RSA_PKCS_OAEP: 0x0009,
  RSA_PKCS_PSS: 0x000d,
  SHA256_RSA_PKCS: 0x0040,
  SHA384_RSA_PKCS: 0x0041,
  SHA512_RSA_PKCS: 0x0042,
  SHA256_RSA_PKCS_PSS: 0x0043,
  RC4: 0x0111,
  DES_KEY_GEN: 0x0120,
  DES_ECB: 0x0121,
  DES_CBC: 0x0122,
  DES_CBC_PAD: 0x0125,
  DES2_KEY_GEN: 0x0130,
  DES3_KEY_GEN: 0x0131,
  DES3_ECB: 0x0132,
  DES3_CBC: 0x0133,
  DES3_CBC_PAD: 0x0136,
  MD5: 0x0210,
  MD5_HMAC: 0x0211,
  SHA_1: 0x0220,
  SHA_1_HMAC: 0x0221,
  SHA256: 0x0250,
  SHA256_HMAC: 0x0251,
  SHA384_HMAC: 0x0261,
  SHA512_HMAC: 0x0271,
  GENERIC_SECRET_KEY_GEN: 0x0350,
  CONCATENATE_BASE_AND_KEY: 0x0360,
  CONCATENATE_BASE_AND_DATA: 0x0362,
  CONCATENATE_DATA_AND_BASE: 0x0363,
  XOR_BASE_AND_DATA: 0x0364,
  EXTRACT_KEY_FROM_KEY: 0x0365,
  EC_KEY_PAIR_GEN: 0x1040,
  ECDSA: 0x1041,
  ECDSA_SHA1: 0x1042,
  ECDSA_SHA256: 0x1044,
  ECDSA_SHA384: 0x1045,
  ECDSA_SHA512: 0x1046,
  ECDH1_DERIVE: 0x1050,
  ECDH1_COFACTOR_DERIVE: 0x1051,
  EC_EDWARDS_KEY_PAIR_GEN: 0x1055,
  EC_MONTGOMERY_KEY_PAIR_GEN: 0x1056,
  EDDSA: 0x1057,
  AES_KEY_GEN: 0x1080,
  AES_ECB: 0x1081,
  AES_CBC: 0x1082,
  AES_MAC: 0x1083,
  AES_CBC_PAD: 0x1085,
  AES_CTR: 0x1086,
  AES_GCM: 0x1087,
  AES_CCM: 0x1088,
  AES_CMAC: 0x108a,
  DES_ECB_ENCRYPT_DATA: 0x1100,
  DES3_ECB_ENCRYPT_DATA: 0x1102,
  AES_ECB_ENCRYPT_DATA: 0x1104,
  AES_CBC_ENCRYPT_DATA: 0x1105,
  AES_KEY_WRAP: 0x2109,
  AES_KEY_WRAP_PAD: 0x210a,
  AES_KEY_WRAP_KWP: 0x210b,
  NCIPHER_SHA256_HMAC_KEY_GEN: 0xde436997,
} as const
export type MechanismName = keyof typeof CKM

export const CKO = {
  DATA: 0,
  CERTIFICATE: 1,
  PUBLIC_KEY: 2,
  PRIVATE_KEY: 3,
  SECRET_KEY: 4,
  HW_FEATURE: 5,
  DOMAIN_PARAMETERS: 6,
  MECHANISM: 7,
} as const

export const CKK = {
  RSA: 0x00,
  DSA: 0x01,
  DH: 0x02,
  EC: 0x03,
  GENERIC_SECRET: 0x10,
  DES: 0x13,
  DES2: 0x14,
  DES3: 0x15,
  AES: 0x1f,
  SHA256_HMAC: 0x2b,
  EC_EDWARDS: 0x40,
  EC_MONTGOMERY: 0x41,
} as const

/** How the value of an attribute is laid out. `text` is UTF-8, `date` is CK_DATE or empty. */
export type AttributeKind = 'bool' | 'ulong' | 'bytes' | 'text' | 'date' | 'mechanisms' | 'template'

export const CKA = {
  CLASS: { code: 0x000, kind: 'ulong' },
  TOKEN: { code: 0x001, kind: 'bool' },
  PRIVATE: { code: 0x002, kind: 'bool' },
  LABEL: { code: 0x003, kind: 'text' },
  VALUE: { code: 0x011, kind: 'bytes' },
  TRUSTED: { code: 0x086, kind: 'bool' },
  KEY_TYPE: { code: 0x100, kind: 'ulong' },
  ID: { code: 0x102, kind: 'bytes' },
  SENSITIVE: { code: 0x103, kind: 'bool' },
  ENCRYPT: { code: 0x104, kind: 'bool' },
  DECRYPT: { code: 0x105, kind: 'bool' },
  WRAP: { code: 0x106, kind: 'bool' },
  UNWRAP: { code: 0x107, kind: 'bool' },
  SIGN: { code: 0x108, kind: 'bool' },
  SIGN_RECOVER: { code: 0x109, kind: 'bool' },
  VERIFY: { code: 0x10a, kind: 'bool' },
  VERIFY_RECOVER: { code: 0x10b, kind: 'bool' },
  DERIVE: { code: 0x10c, kind: 'bool' },
  START_DATE: { code: 0x110, kind: 'date' },
  END_DATE: { code: 0x111, kind: 'date' },
  MODULUS_BITS: { code: 0x121, kind: 'ulong' },
  VALUE_LEN: { code: 0x161, kind: 'ulong' },
  EXTRACTABLE: { code: 0x162, kind: 'bool' },
  LOCAL: { code: 0x163, kind: 'bool' },
  NEVER_EXTRACTABLE: { code: 0x164, kind: 'bool' },
  ALWAYS_SENSITIVE: { code: 0x165, kind: 'bool' },
  KEY_GEN_MECHANISM: { code: 0x166, kind: 'ulong' },
  MODIFIABLE: { code: 0x170, kind: 'bool' },
  COPYABLE: { code: 0x171, kind: 'bool' },
  DESTROYABLE: { code: 0x172, kind: 'bool' },
  EC_PARAMS: { code: 0x180, kind: 'bytes' },
  EC_POINT: { code: 0x181, kind: 'bytes' },
  ALWAYS_AUTHENTICATE: { code: 0x202, kind: 'bool' },
  WRAP_WITH_TRUSTED: { code: 0x210, kind: 'bool' },
  WRAP_TEMPLATE: { code: 0x40000211, kind: 'template' },
  UNWRAP_TEMPLATE: { code: 0x40000212, kind: 'template' },
  ALLOWED_MECHANISMS: { code: 0x40000600, kind: 'mechanisms' },
} as const
export type AttributeName = keyof typeof CKA
export type BooleanAttribute = {
  [N in AttributeName]: (typeof CKA)[N]['kind'] extends 'bool' ? N : never
}[AttributeName]

export const CKF_RW_SESSION = 2
export const CKF_SERIAL_SESSION = 4
export const CKF_OS_LOCKING_OK = 2
export const CKU_USER = 1
/** CKS_RO_USER_FUNCTIONS and CKS_RW_USER_FUNCTIONS: the session may use private objects. */
export const USER_STATES: readonly number[] = [1, 3]
export const CK_UNAVAILABLE_INFORMATION = 0xffff_ffff_ffff_ffffn

/** Flags of CK_TOKEN_INFO. */
export const TOKEN_FLAGS = {
  RNG: 0x1,
  WRITE_PROTECTED: 0x2,
  LOGIN_REQUIRED: 0x4,
  USER_PIN_INITIALIZED: 0x8,
  RESTORE_KEY_NOT_NEEDED: 0x20,
  CLOCK_ON_TOKEN: 0x40,
  PROTECTED_AUTHENTICATION_PATH: 0x100,
  DUAL_CRYPTO_OPERATIONS: 0x200,
  TOKEN_INITIALIZED: 0x400,
  SECONDARY_AUTHENTICATION: 0x800,
  USER_PIN_COUNT_LOW: 0x10000,
  USER_PIN_FINAL_TRY: 0x20000,
  USER_PIN_LOCKED: 0x40000,
  USER_PIN_TO_BE_CHANGED: 0x80000,
  SO_PIN_COUNT_LOW: 0x100000,
  SO_PIN_FINAL_TRY: 0x200000,
  SO_PIN_LOCKED: 0x400000,
  SO_PIN_TO_BE_CHANGED: 0x800000,
  ERROR_STATE: 0x1000000,
} as const

/** Flags of CK_MECHANISM_INFO. */
export const MECHANISM_FLAGS = {
  HW: 0x1,
  ENCRYPT: 0x100,
  DECRYPT: 0x200,
  DIGEST: 0x400,
  SIGN: 0x800,
  SIGN_RECOVER: 0x1000,
  VERIFY: 0x2000,
  VERIFY_RECOVER: 0x4000,
  GENERATE: 0x8000,
  GENERATE_KEY_PAIR: 0x10000,
  WRAP: 0x20000,
  UNWRAP: 0x40000,
  DERIVE: 0x80000,
} as const

/** The prefixed name of `code` in `table`, or the number in hex. */
export function nameOf(
  prefix: string,
  table: { readonly [name: string]: number },
  code: number | bigint,
): string {
  const found = Object.entries(table).find(([, value]) => value === Number(code))
  return found === undefined ? `0x${code.toString(16).padStart(8, '0')}` : `${prefix}_${found[0]}`
}

/** The names of `flags` that the table knows, in its order. */
export const flagNames = (
  table: { readonly [name: string]: number },
  flags: number,
): readonly string[] =>
  Object.entries(table)
    .filter(([, bit]) => Math.floor(flags / bit) % 2 === 1)
    .map(([name]) => name)
