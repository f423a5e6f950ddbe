/**
 * Service accounts of Kubernetes. `jwks` checks the projected token here; `review` asks the cluster,
 * which also knows of pods and accounts that are gone, with the token itself as the caller.
 */
import { type Clock, Fault } from '@quorate/base'
import { createLocalJWKSet, decodeJwt } from 'jose'
import { namePattern } from '../access/glob.ts'
import { verifiedClaims } from './claims.ts'
import type { FetchJson } from './fetch-json.ts'
import { type KeySets, readStaticKeys } from './keys.ts'
import type { KubernetesSettings } from './model.ts'

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']
const SUBJECT =
  /^system:serviceaccount:([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?):([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)$/

export type KubernetesTools = {
  readonly keys: KeySets
  readonly fetch: FetchJson
  readonly clock: Clock
}

/** The account's name as the cluster writes it. @throws kms/unauthenticated, kms/identity-provider */
export async function checkKubernetes(
  settings: KubernetesSettings,
  token: string,
  tools: KubernetesTools,
): Promise<string> {
  const subject =
    settings.mode === 'jwks'
      ? await verifyHere(settings, token, tools)
      : await review(settings, token, tools.fetch)
  const [, namespace, , account] = SUBJECT.exec(subject) ?? []
  const isAllowed = (patterns: readonly string[], value: string): boolean =>
    patterns.some((pattern) => namePattern(pattern).matches(value))
  if (
    namespace === undefined ||
    account === undefined ||
    !isAllowed(settings.namespaces, namespace) ||
    !isAllowed(settings.serviceAccounts, account)
  )
    throw new Fault('kms/unauthenticated')
  return subject
}

async function verifyHere(
  { issuer, audience, jwks, jwksUrl, caCertificate }: KubernetesSettings,
  token: string,
  { keys, clock }: KubernetesTools,
): Promise<string> {
  const finder =
    jwks === undefined
      ? keys.finder({ url: jwksUrl ?? '', ca: caCertificate, isIssuer: false })
      : createLocalJWKSet(readStaticKeys(jwks))
  const expected = { issuer, audiences: [audience], algorithms: ALGORITHMS, clockSkewSeconds: 30 }
  const { sub = '' } = await verifiedClaims(token, finder, expected, clock)
  return sub
}

/** TokenReview, authentication.k8s.io/v1. */
async function review(
  { issuer, audience, apiUrl = '', caCertificate }: KubernetesSettings,
  token: string,
  fetch: FetchJson,
): Promise<string> {
  checkIssuer(token, issuer)
  const answer = await fetch(
    `${apiUrl.replace(/\/$/, '')}/apis/authentication.k8s.io/v1/tokenreviews`,
    {
      ca: caCertificate,
      post: {
        bearer: token,
        body: {
          apiVersion: 'authentication.k8s.io/v1',
          kind: 'TokenReview',
          spec: { token, audiences: [audience] },
        },
      },
    },
  )
  const { status } = (answer ?? {}) as {
    readonly status?: {
      readonly authenticated?: unknown
      readonly audiences?: unknown
      readonly user?: { readonly username?: unknown }
    }
  }
  const { audiences } = status ?? {}
  const username = status?.user?.username
  if (
    status?.authenticated !== true ||
    !Array.isArray(audiences) ||
    !audiences.includes(audience) ||
    typeof username !== 'string'
  )
    throw new Fault('kms/unauthenticated')
  return username
}

/** Before the token is sent anywhere: one of another cluster must not end up with this one. */
function checkIssuer(token: string, issuer: string): void {
  let found: unknown
  try {
    found = decodeJwt(token).iss
  } catch (error) {
    throw new Fault('kms/unauthenticated', { cause: error })
  }
  if (found !== issuer) throw new Fault('kms/unauthenticated')
}
