/** The form of sign-in settings, and what in them cannot work or would not be safe. */

import { X509Certificate } from 'node:crypto'
import { Fault } from '@quorate/base'
import { type TSchema, Type } from '@sinclair/typebox'
import { parseNetwork } from '../access/cidr.ts'
import { MAX_TTL_SECONDS } from '../tokens/service.ts'
import { readStaticKeys } from './keys.ts'
import type {
  JwtSettings,
  KubernetesSettings,
  MethodSettings,
  TlsSettings,
  TokenLimits,
} from './model.ts'

const text = (maxLength: number): TSchema => Type.String({ minLength: 1, maxLength })
const patterns = Type.Array(text(256), { minItems: 1, maxItems: 32 })
const pem = text(65_536)
const url = Type.String({ pattern: '^https?://[^\\s#]+$', maxLength: 512 })

export const limitsSchema = Type.Object(
  {
    ttlSeconds: Type.Integer({ minimum: 1, maximum: MAX_TTL_SECONDS }),
    maxTtlSeconds: Type.Integer({ minimum: 1, maximum: MAX_TTL_SECONDS }),
    maxUses: Type.Integer({ minimum: 0, maximum: 1_000_000 }),
    addresses: Type.Array(text(64), { maxItems: 32 }),
  },
  { additionalProperties: false, title: 'TokenLimits' },
)

/** Algorithms with a public key. HMAC is not among them: whoever can check such a token can make one. */
export const JWT_ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
] as const

const strict = { additionalProperties: false } as const

export const METHOD_SCHEMAS = {
  universal: Type.Object({ limits: limitsSchema }, strict),
  kubernetes: Type.Object(
    {
      limits: limitsSchema,
      mode: Type.Union([Type.Literal('jwks'), Type.Literal('review')]),
      issuer: text(512),
      audience: text(256),
      namespaces: patterns,
      serviceAccounts: patterns,
      jwksUrl: Type.Optional(url),
      jwks: Type.Optional(pem),
      apiUrl: Type.Optional(url),
      caCertificate: Type.Optional(pem),
    },
    strict,
  ),
  jwt: Type.Object(
    {
      limits: limitsSchema,
      keys: Type.Union([Type.Literal('oidc'), Type.Literal('url'), Type.Literal('static')]),
      issuer: text(512),
      audiences: Type.Array(text(256), { minItems: 1, maxItems: 16 }),
      subject: Type.Optional(text(256)),
      claims: Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.:/-]{1,128}$' }), patterns, {
        maxProperties: 32,
        additionalProperties: false,
      }),
      algorithms: Type.Array(Type.Union(JWT_ALGORITHMS.map((name) => Type.Literal(name))), {
        minItems: 1,
        maxItems: JWT_ALGORITHMS.length,
      }),
      clockSkewSeconds: Type.Integer({ minimum: 0, maximum: 300 }),
      jwksUrl: Type.Optional(url),
      jwks: Type.Optional(pem),
      caCertificate: Type.Optional(pem),
    },
    strict,
  ),
  tls: Type.Object(
    {
      limits: limitsSchema,
      caCertificates: pem,
      commonNames: Type.Optional(patterns),
      dnsNames: Type.Optional(patterns),
      uris: Type.Optional(patterns),
      organizationalUnits: Type.Optional(patterns),
      revokedSerials: Type.Array(Type.String({ pattern: '^[0-9A-F]{1,64}$' }), {
        maxItems: 10_000,
      }),
    },
    strict,
  ),
} as const

function refuse(detail: string): never {
  throw new Fault('kms/bad-auth-method', { detail })
}

/** The settings, if they can work. @throws kms/bad-auth-method, kms/bad-rule */
export function checkMethods(methods: MethodSettings): MethodSettings {
  for (const settings of Object.values(methods))
    if (settings !== undefined) checkLimits(settings.limits)
  if (methods.kubernetes !== undefined) checkKubernetes(methods.kubernetes)
  if (methods.jwt !== undefined) checkJwt(methods.jwt)
  if (methods.tls !== undefined) checkTls(methods.tls)
  return methods
}

export function checkLimits({ ttlSeconds, maxTtlSeconds, addresses }: TokenLimits): void {
  if (ttlSeconds > maxTtlSeconds) refuse('ttlSeconds is over maxTtlSeconds')
  for (const each of addresses) parseNetwork(each)
}

function checkKubernetes(settings: KubernetesSettings): void {
  const { mode, apiUrl, jwks, jwksUrl, caCertificate } = settings
  if (mode === 'review' && apiUrl === undefined) refuse('apiUrl is missing')
  if (mode === 'jwks' && (jwks === undefined) === (jwksUrl === undefined))
    refuse('give either jwks or jwksUrl')
  const remote = mode === 'review' ? apiUrl : jwksUrl
  checkRemote(remote, caCertificate)
  if (remote?.startsWith('https:') && caCertificate === undefined)
    refuse('caCertificate is missing: the authority of a cluster is its own')
  if (mode === 'jwks' && jwks !== undefined) readStaticKeys(jwks)
}

function checkJwt({ keys, issuer, jwks, jwksUrl, caCertificate }: JwtSettings): void {
  if (keys === 'static' ? jwks === undefined : jwks !== undefined)
    refuse('jwks goes with keys: static, and is needed there')
  if (keys === 'url' ? jwksUrl === undefined : jwksUrl !== undefined)
    refuse('jwksUrl goes with keys: url, and is needed there')
  if (jwks !== undefined) readStaticKeys(jwks)
  checkRemote(keys === 'oidc' ? issuer : jwksUrl, caCertificate)
}

/** Keys that come unprotected over a network could be anybody's. */
function checkRemote(remote: string | undefined, caCertificate: string | undefined): void {
  if (caCertificate !== undefined) parseCertificates(caCertificate)
  if (remote === undefined) return
  const parsed = URL.canParse(remote) ? new URL(remote) : refuse('an address is no URL')
  const isLoopback = ['127.0.0.1', '[::1]', 'localhost'].includes(parsed.hostname)
  if (parsed.protocol !== 'https:' && !(parsed.protocol === 'http:' && isLoopback))
    refuse('an address begins with https, except on loopback')
  if (parsed.username !== '' || parsed.password !== '') refuse('an address holds no password')
}

function checkTls({
  caCertificates,
  commonNames,
  dnsNames,
  uris,
  organizationalUnits,
}: TlsSettings): void {
  if (parseCertificates(caCertificates).some(({ ca }) => !ca))
    refuse('one of caCertificates is no certificate authority')
  if ([commonNames, dnsNames, uris, organizationalUnits].every((each) => each === undefined))
    refuse('say which certificates: commonNames, dnsNames, uris or organizationalUnits')
}

/** The certificates of a PEM text, at least one. @throws kms/bad-auth-method */
export function parseCertificates(text: string): readonly X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  try {
    if (blocks.length > 0) return blocks.map((block) => new X509Certificate(block))
  } catch {
    // Said below: whatever is wrong with it, it is no certificate.
  }
  return refuse('that is no certificate in PEM')
}
