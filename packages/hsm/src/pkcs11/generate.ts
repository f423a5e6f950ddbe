/** Keys made in the token, by the safe template of their kind. */
import type { DeviceKeyRequest } from '../device.ts'
import { DeviceFault } from '../errors.ts'
import type { KeyInfo, SigningAlgorithm } from '../provider.ts'
import { ULONG_BYTES } from './arena.ts'
import { putTemplate, type Template } from './attributes.ts'
import type { Connection, OpenSession } from './connection.ts'
import { CKR, type MechanismName } from './constants.ts'
import { checkRequest, createKey, type Part } from './create.ts'
import { CkrError } from './cryptoki.ts'
import { ecParams } from './ec.ts'
import { isIncapable } from './faults.ts'
import type { Keys } from './keys.ts'
import { putMechanism } from './mechanism.ts'
import { dataKey, hmacKey, ladderOf, type Plan, signingKey, wrappingKey } from './templates.ts'

/** How this token encrypts: decided by its profile and mechanisms. */
export type CipherMode = 'gcm' | 'cbc-hmac'

/** @throws hsm/key-exists, hsm/unsupported, hsm/weak-key, hsm/bad-argument, what `Connection.run` throws */
export function generateKey(
  connection: Connection,
  keys: Keys,
  request: DeviceKeyRequest,
  mode: CipherMode,
): KeyInfo {
  checkRequest(request)
  return createKey(connection, keys, request, planOf(connection, request, mode))
}

/** CK_DATE counts days. */
export const today = (): string => new Date().toISOString().slice(0, 10)

function planOf(
  connection: Connection,
  request: DeviceKeyRequest,
  mode: CipherMode,
): readonly Part[] {
  const { profile } = connection
  const { algorithm, use } = request
  const date = today()
  const secret = (plan: Plan): Part => secretPart(connection, plan)
  switch (algorithm) {
    case 'aes-256':
      if (use === 'wrapping') return [secret(wrappingKey(profile, request, date))]
      return mode === 'gcm'
        ? [secret(dataKey(profile, request, date, 'AES_GCM'))]
        : [
            secret(dataKey(profile, request, date, 'AES_CBC_PAD')),
            secret(hmacKey(profile, request, date)),
          ]
    case 'hmac-sha256':
      return [secret(hmacKey(profile, request, date))]
    default:
      return [pairPart(connection, algorithm, request, date)]
  }
}

/** A secret key made in the token. */
export const secretPart = (connection: Connection, { mechanism, template }: Plan): Part => ({
  asked: template,
  make: () => climb(connection, (rung) => [generateSecret(connection, mechanism, rung(template))]),
})

function pairPart(
  connection: Connection,
  algorithm: SigningAlgorithm,
  request: DeviceKeyRequest,
  date: string,
): Part {
  const { profile } = connection
  const plan = signingKey(profile, algorithm, request, date)
  const make = (EC_PARAMS: Uint8Array): readonly bigint[] =>
    climb(connection, (rung) =>
      generatePair(
        connection,
        plan.mechanism,
        { EC_PARAMS, ...rung(plan.publicTemplate) },
        rung(plan.privateTemplate),
      ),
    )
  return {
    asked: plan.privateTemplate,
    make: () => firstAccepted(ecParams(algorithm, profile.edParams), make),
  }
}

/** What the first choice gives that the token does not decline. @throws hsm/unsupported where there is none, CkrError */
export function firstAccepted<A, T>(choices: readonly A[], attempt: (choice: A) => T): T {
  let last: CkrError | undefined
  for (const choice of choices)
    try {
      return attempt(choice)
    } catch (error) {
      if (!(error instanceof CkrError && isIncapable(error.ckr))) throw error
      last = error
    }
  throw last ?? new DeviceFault('hsm/unsupported', { detail: 'a curve that it does not have' })
}

const ABOUT_TEMPLATE: readonly number[] = [
  CKR.ATTRIBUTE_TYPE_INVALID,
  CKR.ATTRIBUTE_VALUE_INVALID,
  CKR.ATTRIBUTE_READ_ONLY,
  CKR.TEMPLATE_INCOMPLETE,
  CKR.TEMPLATE_INCONSISTENT,
]

/** Tries with the whole template first, then with less and less of what is not needed. */
export function climb<T>(
  { profile }: Connection,
  attempt: (rung: (template: Template) => Template) => T,
): T {
  const [first, ...rest] = ladderOf(profile)
  try {
    return attempt(first)
  } catch (error) {
    let last: unknown = error
    for (const rung of rest) {
      if (!(last instanceof CkrError && ABOUT_TEMPLATE.includes(last.ckr))) throw last
      try {
        return attempt(rung)
      } catch (next) {
        last = next
      }
    }
    throw last
  }
}

function generateSecret(
  { cryptoki, arena, session }: OpenSession,
  mechanism: MechanismName,
  template: Template,
): bigint {
  const handle = arena.reserve(ULONG_BYTES)
  const attributes = putTemplate(arena, template)
  cryptoki.C_GenerateKey(session, putMechanism(arena, mechanism), ...attributes, handle)
  return arena.readUlong(handle)
}

/** Handles of the private and the public half. @throws CkrError */
export function generatePair(
  { cryptoki, arena, session }: OpenSession,
  mechanism: MechanismName,
  publicTemplate: Template,
  privateTemplate: Template,
): readonly [bigint, bigint] {
  const [publicAt, privateAt] = [arena.reserve(ULONG_BYTES), arena.reserve(ULONG_BYTES)]
  cryptoki.C_GenerateKeyPair(
    session,
    putMechanism(arena, mechanism),
    ...putTemplate(arena, publicTemplate),
    ...putTemplate(arena, privateTemplate),
    publicAt,
    privateAt,
  )
  return [arena.readUlong(privateAt), arena.readUlong(publicAt)]
}
