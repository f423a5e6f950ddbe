/** What a token is and what lies in it, for people and for `doctor`. */
import { toHex } from '@quorate/base'
import type { MechanismFacts, ObjectFacts, TokenFacts } from '../device.ts'
import type { KeyAlgorithm, SigningAlgorithm } from '../provider.ts'
import { ULONG_BYTES } from './arena.ts'
import type { Attributes } from './attributes.ts'
import type { Connection } from './connection.ts'
import {
  type AttributeName,
  CKA,
  CKK,
  CKM,
  CKO,
  flagNames,
  MECHANISM_FLAGS,
  type MechanismName,
  nameOf,
  TOKEN_FLAGS,
} from './constants.ts'
import { CkrError } from './cryptoki.ts'
import { algorithmOfParams, ecParams, publicKeyOfPoint } from './ec.ts'
import { isIncapable } from './faults.ts'
import { type CipherMode, firstAccepted, generatePair } from './generate.ts'
import { attributesOf, destroyObjects, search } from './objects.ts'
import { paddedText, readTokenInfo } from './slots.ts'

/** CK_INFO: cryptoki version, manufacturer, flags, description, library version. */
function libraryFacts({ cryptoki, arena }: Connection): TokenFacts['library'] {
  const at = arena.reserve(88)
  cryptoki.C_GetInfo(at)
  const version = (offset: number): string => arena.read(at + offset, 2).join('.')
  return {
    description: paddedText(arena.read(at + 48, 32)),
    version: version(80),
    cryptoki: version(0),
  }
}

/** Every mechanism of the token, in its order. @throws CkrError */
export function readMechanisms({ cryptoki, arena, slot }: Connection): readonly MechanismFacts[] {
  const count = arena.putUlongs(0)
  cryptoki.C_GetMechanismList(slot, 0, count)
  const list = arena.reserve(Number(arena.readUlong(count)) * ULONG_BYTES)
  cryptoki.C_GetMechanismList(slot, list, count)
  const info = arena.reserve(3 * ULONG_BYTES)
  return Array.from({ length: Number(arena.readUlong(count)) }, (_, i) => {
    const code = Number(arena.readUlong(list + i * ULONG_BYTES))
    const flags = mechanismFlags(() => cryptoki.C_GetMechanismInfo(slot, code, info))
      ? Number(arena.readUlong(info + 2 * ULONG_BYTES))
      : 0
    return {
      name: nameOf('CKM', CKM, code),
      code,
      flags: flagNames(MECHANISM_FLAGS, flags),
      minKeySize: arena.readCount(info) ?? 0,
      maxKeySize: arena.readCount(info + ULONG_BYTES) ?? 0,
    }
  })
}

/** Whether the token tells of a mechanism that it lists: some do not for their own. */
function mechanismFlags(ask: () => void): boolean {
  try {
    ask()
    return true
  } catch (error) {
    if (error instanceof CkrError && isIncapable(error.ckr)) return false
    throw error
  }
}

const has =
  (mechanisms: readonly MechanismFacts[]) =>
  (name: MechanismName): boolean =>
    mechanisms.some(({ code }) => code === CKM[name])

/** AES-GCM where profile and token have it, else AES-CBC with a MAC, else undefined. */
export function cipherModeOf(
  { profile }: Connection,
  mechanisms: readonly MechanismFacts[],
): CipherMode | undefined {
  const can = has(mechanisms)
  if (!can('AES_KEY_GEN')) return undefined
  if (profile.gcmIv !== 'none' && can('AES_GCM')) return 'gcm'
  return can('AES_CBC_PAD') && canMac(profile.hmacKey.mechanism, can) ? 'cbc-hmac' : undefined
}

const canMac = (keygen: MechanismName, can: (name: MechanismName) => boolean): boolean =>
  can('SHA256_HMAC') && can(keygen)

const PAIR_MECHANISMS: {
  readonly [A in SigningAlgorithm]: readonly [keygen: MechanismName, sign: MechanismName]
} = {
  ed25519: ['EC_EDWARDS_KEY_PAIR_GEN', 'EDDSA'],
  p256: ['EC_KEY_PAIR_GEN', 'ECDSA'],
  secp256k1: ['EC_KEY_PAIR_GEN', 'ECDSA'],
}

/**
 * What this token can do through this layer. Mechanisms do not tell of curves, so each is tried once
 * with a key that the session does not keep, unless the profile knows.
 */
export function algorithmsOf(
  connection: Connection,
  mechanisms: readonly MechanismFacts[],
): readonly KeyAlgorithm[] {
  const can = has(mechanisms)
  const { profile } = connection
  const signing = (Object.keys(PAIR_MECHANISMS) as SigningAlgorithm[]).filter(
    (algorithm) =>
      PAIR_MECHANISMS[algorithm].every(can) &&
      (profile.curves?.includes(algorithm) ?? hasCurve(connection, algorithm)),
  )
  return [
    ...signing,
    ...(cipherModeOf(connection, mechanisms) === undefined ? [] : (['aes-256'] as const)),
    ...(canMac(profile.hmacKey.mechanism, can) ? (['hmac-sha256'] as const) : []),
  ]
}

function hasCurve(connection: Connection, algorithm: SigningAlgorithm): boolean {
  const [mechanism] = PAIR_MECHANISMS[algorithm]
  const params = ecParams(algorithm, connection.profile.edParams)
  if (params.length === 0) return false
  try {
    const made = firstAccepted(params, (EC_PARAMS) =>
      generatePair(
        connection,
        mechanism,
        { TOKEN: false, VERIFY: true, EC_PARAMS },
        { TOKEN: false, PRIVATE: true, SENSITIVE: true, EXTRACTABLE: false, SIGN: true },
      ),
    )
    destroyObjects(connection, made)
    return true
  } catch (error) {
    if (error instanceof CkrError && isIncapable(error.ckr)) return false
    throw error
  }
}

export function tokenFacts(
  connection: Connection,
  mechanisms: readonly MechanismFacts[],
  algorithms: readonly KeyAlgorithm[],
): TokenFacts {
  const { cryptoki, arena, slot, profile } = connection
  const { flags, slot: id, ...info } = readTokenInfo(cryptoki, arena, slot)
  const canWrap = profile.wrap.some(has(mechanisms))
  return {
    library: libraryFacts(connection),
    slot: id.toString(),
    ...info,
    maxSessions: profile.maxSessions ?? info.maxSessions,
    flags: flagNames(TOKEN_FLAGS, flags),
    mechanisms,
    algorithms,
    capabilities: [
      ...(canWrap ? (['wrap'] as const) : []),
      ...(profile.canImport ? (['import'] as const) : []),
    ],
  }
}

const BOOLEANS = (Object.keys(CKA) as AttributeName[]).filter((name) => CKA[name].kind === 'bool')
const OTHERS = [
  'CLASS',
  'KEY_TYPE',
  'LABEL',
  'ID',
  'START_DATE',
  'END_DATE',
  'EC_PARAMS',
  'EC_POINT',
  'ALLOWED_MECHANISMS',
  'WRAP_TEMPLATE',
  'UNWRAP_TEMPLATE',
] as const

/** Every key object of the token, ours or not. @throws CkrError */
export function objectFacts(connection: Connection): readonly ObjectFacts[] {
  const classes = [CKO.PRIVATE_KEY, CKO.SECRET_KEY, CKO.PUBLIC_KEY]
  const found = classes.flatMap((CLASS) => search(connection, { CLASS }))
  const facts = found.map((handle) =>
    factsOf(attributesOf(connection, handle, [...OTHERS, ...BOOLEANS])),
  )
  connection.demandLogin()
  return facts
}

function factsOf(told: Attributes): ObjectFacts {
  const flags = BOOLEANS.flatMap((name) => {
    const value = told[name]
    return typeof value === 'boolean' ? [[name, value] as const] : []
  })
  return {
    class: nameOf('CKO', CKO, told.CLASS ?? -1),
    keyType: nameOf('CKK', CKK, told.KEY_TYPE ?? -1),
    label: told.LABEL ?? '',
    id: toHex(told.ID ?? new Uint8Array()),
    flags: Object.fromEntries(flags),
    ...mechanismNames(told),
    ...(told.WRAP_TEMPLATE === undefined ? {} : { hasWrapTemplate: told.WRAP_TEMPLATE }),
    ...(told.UNWRAP_TEMPLATE === undefined ? {} : { hasUnwrapTemplate: told.UNWRAP_TEMPLATE }),
    ...(told.START_DATE === undefined ? {} : { startDate: told.START_DATE }),
    ...(told.END_DATE === undefined ? {} : { endDate: told.END_DATE }),
    ...publicKeyOf(told),
  }
}

const mechanismNames = ({ ALLOWED_MECHANISMS }: Attributes): Partial<ObjectFacts> =>
  ALLOWED_MECHANISMS === undefined
    ? {}
    : { allowedMechanisms: ALLOWED_MECHANISMS.map((code) => nameOf('CKM', CKM, code)) }

/** Only of curves that we know, and points that are on them. */
function publicKeyOf({ EC_PARAMS, EC_POINT }: Attributes): Partial<ObjectFacts> {
  const algorithm = EC_PARAMS === undefined ? undefined : algorithmOfParams(EC_PARAMS)
  if (algorithm === undefined || EC_POINT === undefined) return {}
  try {
    return { publicKey: publicKeyOfPoint(algorithm, EC_POINT) }
  } catch {
    return {}
  }
}
