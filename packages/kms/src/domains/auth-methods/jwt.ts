/** JWT and OpenID Connect: whoever the issuer's keys vouch for, within the bounds of the settings. */
import { type Clock, Fault } from '@quorate/base'
import { createLocalJWKSet, type JWTVerifyGetKey } from 'jose'
import { namePattern } from '../access/glob.ts'
import { areBound, verifiedClaims } from './claims.ts'
import { type KeySets, readStaticKeys } from './keys.ts'
import type { JwtSettings } from './model.ts'

/** The subject of the token. @throws kms/unauthenticated, kms/identity-provider */
export async function checkJwt(
  settings: JwtSettings,
  token: string,
  keys: KeySets,
  clock: Clock,
): Promise<string> {
  const payload = await verifiedClaims(token, finderOf(settings, keys), settings, clock)
  const { subject, claims } = settings
  const isSubject =
    subject === undefined ||
    (typeof payload.sub === 'string' && namePattern(subject).matches(payload.sub))
  if (!isSubject || !areBound(payload, claims)) throw new Fault('kms/unauthenticated')
  return payload.sub ?? ''
}

function finderOf(
  { keys: kind, issuer, jwks, jwksUrl, caCertificate }: JwtSettings,
  keys: KeySets,
): JWTVerifyGetKey {
  if (kind === 'static') return createLocalJWKSet(readStaticKeys(jwks ?? ''))
  return keys.finder({
    url: kind === 'oidc' ? issuer : (jwksUrl ?? ''),
    ca: caCertificate,
    isIssuer: kind === 'oidc',
  })
}
