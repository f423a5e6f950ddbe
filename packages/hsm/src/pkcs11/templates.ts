/**
 * Templates of new keys. Each key serves one purpose and no other: what may sign does not derive,
 * what encrypts data does not wrap keys, what wraps keys does not decrypt, so that the known attacks
 * by combining uses (Clulow 2003; Bortolozzo et al. 2010) find nothing to combine.
 *
 * Tokens are free to make something else of a template, so the attributes of every new key are read
 * back and judged here.
 */
import { fromHex } from '@quorate/base'
import type { DeviceKeyRequest } from '../device.ts'
import type { SigningAlgorithm } from '../provider.ts'
import type { Attributes, Template } from './attributes.ts'
import {
  type AttributeName,
  type BooleanAttribute,
  CKA,
  CKK,
  CKM,
  CKO,
  type MechanismName,
} from './constants.ts'
import type { Profile } from './profiles/profile.ts'

/** A template and the mechanism that makes the key. */
export type Plan = { readonly mechanism: MechanismName; readonly template: Template }
export type PairPlan = {
  readonly mechanism: MechanismName
  readonly privateTemplate: Template
  /** Without CKA_EC_PARAMS. */
  readonly publicTemplate: Template
}

const PRIVATE_USES = ['SIGN', 'SIGN_RECOVER', 'DECRYPT', 'UNWRAP', 'DERIVE'] as const
const PUBLIC_USES = ['VERIFY', 'VERIFY_RECOVER', 'ENCRYPT', 'WRAP', 'DERIVE'] as const
const SECRET_USES = ['ENCRYPT', 'DECRYPT', 'SIGN', 'VERIFY', 'WRAP', 'UNWRAP', 'DERIVE'] as const

const usesOf = (all: readonly BooleanAttribute[], allowed: readonly BooleanAttribute[]): Template =>
  Object.fromEntries(all.map((use) => [use, allowed.includes(use)]))

/** Attributes that a token may leave out without making a weaker key of it: others still guard it. */
const SOFT: readonly AttributeName[] = [
  'COPYABLE',
  'START_DATE',
  'ALLOWED_MECHANISMS',
  'WRAP_TEMPLATE',
]
/** Where the defaults are safe, a token may want not to be told. */
const SAID_TWICE: readonly AttributeName[] = [
  ...PRIVATE_USES,
  ...PUBLIC_USES,
  ...SECRET_USES,
  'MODIFIABLE',
]

type Rung = (template: Template) => Template

/** What to say of a template, try after try, where a token refuses it. The key is judged by the whole. */
export function ladderOf({ unsaid }: Profile): readonly [Rung, ...Rung[]] {
  const isSoft = (name: AttributeName): boolean => SOFT.includes(name)
  const isUnsaid = (name: AttributeName, value: unknown): boolean =>
    value === false && unsaid.includes(name)
  const isSaidTwice = (name: AttributeName, value: unknown): boolean =>
    value === false && SAID_TWICE.includes(name)
  return [
    (template) => without(template, isUnsaid),
    (template) => without(template, (name, value) => isSoft(name) || isUnsaid(name, value)),
    (template) => without(template, (name, value) => isSoft(name) || isSaidTwice(name, value)),
  ]
}

function without(
  template: Template,
  drop: (name: AttributeName, value: unknown) => boolean,
): Template {
  const entries = Object.entries(template) as [AttributeName, unknown][]
  return Object.fromEntries(entries.filter(([name, value]) => !drop(name, value)))
}

/** Whole template of a key in this vendor's terms. */
const guarded = (
  { denied }: Profile,
  { id, label }: DeviceKeyRequest,
  particular: Template,
): Template =>
  without(
    {
      ...particular,
      ID: fromHex(id),
      LABEL: label,
      TOKEN: true,
      // Last: some tokens take no more attributes once this is set.
      MODIFIABLE: false,
    },
    (name) => denied.includes(name),
  )

/** How a private or secret key is guarded. */
const secrecy = (
  { isWrappable = false, withTrusted = false }: DeviceKeyRequest,
  today: string,
): Template => ({
  PRIVATE: true,
  SENSITIVE: true,
  EXTRACTABLE: isWrappable,
  ...(withTrusted && { WRAP_WITH_TRUSTED: true }),
  COPYABLE: false,
  START_DATE: today,
})

const PAIR = {
  ed25519: [CKK.EC_EDWARDS, 'EC_EDWARDS_KEY_PAIR_GEN', 'EDDSA'],
  p256: [CKK.EC, 'EC_KEY_PAIR_GEN', 'ECDSA'],
  secp256k1: [CKK.EC, 'EC_KEY_PAIR_GEN', 'ECDSA'],
} as const

export function signingKey(
  profile: Profile,
  algorithm: SigningAlgorithm,
  request: DeviceKeyRequest,
  today: string,
): PairPlan {
  const [KEY_TYPE, mechanism, use] = PAIR[algorithm]
  return {
    mechanism,
    privateTemplate: guarded(profile, request, {
      CLASS: CKO.PRIVATE_KEY,
      KEY_TYPE,
      ...secrecy(request, today),
      ...usesOf(PRIVATE_USES, ['SIGN']),
      ALLOWED_MECHANISMS: [use],
    }),
    publicTemplate: guarded(profile, request, {
      CLASS: CKO.PUBLIC_KEY,
      KEY_TYPE,
      ...usesOf(PUBLIC_USES, ['VERIFY']),
    }),
  }
}

const aesKey = (
  profile: Profile,
  request: DeviceKeyRequest,
  today: string,
  particular: Template,
): Plan => ({
  mechanism: 'AES_KEY_GEN',
  template: guarded(profile, request, {
    CLASS: CKO.SECRET_KEY,
    KEY_TYPE: CKK.AES,
    VALUE_LEN: 32,
    ...secrecy(request, today),
    ...particular,
  }),
})

/** AES-256 for data: AES-GCM, or AES-CBC beside a MAC key. */
export const dataKey = (
  profile: Profile,
  request: DeviceKeyRequest,
  today: string,
  use: 'AES_GCM' | 'AES_CBC_PAD',
): Plan =>
  aesKey(profile, request, today, {
    ...usesOf(SECRET_USES, ['ENCRYPT', 'DECRYPT']),
    ALLOWED_MECHANISMS: [use],
  })

/** What every key that comes out of a wrap must be: else it could be unwrapped into one that tells itself. */
const UNWRAPPED: Template = { SENSITIVE: true, EXTRACTABLE: false }

/** AES-256 that wraps other keys for a backup. */
export const wrappingKey = (profile: Profile, request: DeviceKeyRequest, today: string): Plan =>
  aesKey(profile, request, today, {
    ...usesOf(SECRET_USES, ['WRAP', 'UNWRAP']),
    ALLOWED_MECHANISMS: profile.wrap,
    UNWRAP_TEMPLATE: UNWRAPPED,
    WRAP_TEMPLATE: { SENSITIVE: true },
  })

export const hmacKey = (profile: Profile, request: DeviceKeyRequest, today: string): Plan => ({
  mechanism: profile.hmacKey.mechanism,
  template: guarded(profile, request, {
    CLASS: CKO.SECRET_KEY,
    KEY_TYPE: CKK[profile.hmacKey.type],
    VALUE_LEN: 32,
    ...secrecy(request, today),
    ...usesOf(SECRET_USES, ['SIGN']),
    ALLOWED_MECHANISMS: ['SHA256_HMAC'],
  }),
})

/** Nothing is believed of a token that keeps these to itself. */
const MUST_TELL: readonly AttributeName[] = ['SENSITIVE', 'EXTRACTABLE']

/**
 * What the new key of a template must show when it is read back. `isImported`: its secret came from
 * outside, so it can neither be local nor always have been secret.
 */
export function expectedOf({ denied }: Profile, asked: Template, isImported: boolean): Template {
  const history: Template = isImported
    ? {}
    : {
        LOCAL: true,
        ALWAYS_SENSITIVE: true,
        ...(asked.EXTRACTABLE === false ? { NEVER_EXTRACTABLE: true } : {}),
      }
  return without(
    { ...asked, ...history },
    (name) =>
      denied.includes(name) ||
      !(CKA[name].kind === 'bool' || name === 'ALLOWED_MECHANISMS' || name === 'UNWRAP_TEMPLATE'),
  )
}

/** In which attributes a key is weaker than expected, or other. */
export const weaknesses = (expected: Template, told: Attributes): readonly AttributeName[] =>
  namesOf(expected).filter((name) => !isAsExpected(name, expected, told))

export const namesOf = (template: Template): readonly AttributeName[] =>
  Object.keys(template) as AttributeName[]

function isAsExpected(name: AttributeName, expected: Template, told: Attributes): boolean {
  if (told[name] === undefined) return !MUST_TELL.includes(name)
  if (name === 'UNWRAP_TEMPLATE') return told.UNWRAP_TEMPLATE === true
  if (name === 'ALLOWED_MECHANISMS') {
    const codes = (expected.ALLOWED_MECHANISMS ?? []).map((each) => BigInt(CKM[each]))
    // An empty list is that of a token which keeps the attribute and sets no limit.
    return (told.ALLOWED_MECHANISMS ?? []).every((code) => codes.includes(code))
  }
  // A copy has the guards of the original.
  return name === 'COPYABLE' || told[name] === expected[name]
}
