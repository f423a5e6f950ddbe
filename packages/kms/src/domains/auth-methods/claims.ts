/** Tokens of other issuers: signature, times, issuer and audience, and what their claims have to be. */
import { type Clock, Fault } from '@quorate/base'
import { type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { namePattern } from '../access/glob.ts'

export type Expected = {
  readonly issuer: string
  readonly audiences: readonly string[]
  readonly algorithms: readonly string[]
  readonly clockSkewSeconds: number
}

/**
 * The claims of a valid token. Only asymmetric algorithms are ever listed, so neither `none` nor a
 * public key taken for an HMAC key passes.
 * @throws kms/unauthenticated for whatever is wrong with it, kms/identity-provider
 */
export async function verifiedClaims(
  token: string,
  keys: JWTVerifyGetKey,
  expected: Expected,
  clock: Clock,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer: expected.issuer,
      audience: [...expected.audiences],
      algorithms: [...expected.algorithms],
      clockTolerance: expected.clockSkewSeconds,
      currentDate: new Date(clock.now()),
      requiredClaims: ['exp', 'iss', 'aud'],
    })
    return payload
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault('kms/unauthenticated', { cause: error })
  }
}

/** Whether every named claim has a value, or a list with one, that one of its patterns matches. */
export function areBound(
  payload: JWTPayload,
  bounds: { readonly [name: string]: readonly string[] },
): boolean {
  return Object.entries(bounds).every(([name, patterns]) => {
    const values = valuesOf(claimOf(payload, name))
    return patterns.map(namePattern).some((each) => values.some((value) => each.matches(value)))
  })
}

/** A claim by its whole name (`https://example.org/team`), or by the dotted way to it (`repo.owner`). */
function claimOf(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name]
  let at: unknown = payload
  for (const part of name.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined
    at = (at as { readonly [key: string]: unknown })[part]
  }
  return at
}

const valuesOf = (claim: unknown): readonly string[] =>
  (Array.isArray(claim) ? claim : [claim]).flatMap((value: unknown) =>
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? [String(value)]
      : [],
  )
