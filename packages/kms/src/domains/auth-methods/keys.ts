/**
 * Public keys of token issuers: given, fetched, or found by OpenID discovery. Fetched sets are kept for
 * ten minutes and fetched again early for an unknown key id, at most twice a minute, so that a stream of
 * forged tokens does not become a stream of requests.
 */
import { type Clock, Fault } from '@quorate/base'
import { createLocalJWKSet, type JSONWebKeySet, type JWK, type JWTVerifyGetKey } from 'jose'
import type { FetchJson } from './fetch-json.ts'

const MAX_KEYS = 100
const MAX_SETS = 256
const FRESH_MS = 10 * 60_000
const RETRY_MS = 30_000
const FAILED_MS = 5_000
const KEY_TYPES = ['RSA', 'EC', 'OKP']

/** Members of a JWK that are public (RFC 7517, RFC 7518 section 6, RFC 8037). */
const PUBLIC_MEMBERS: ReadonlySet<string> = new Set('kty kid use alg crv x y n e'.split(' '))

const publicPart = (key: JWK): JWK =>
  Object.fromEntries(Object.entries(key).filter(([name]) => PUBLIC_MEMBERS.has(name))) as JWK

/** The public signature keys in `document`, and nothing else of it. @throws kms/identity-provider */
export function publicKeys(document: unknown): JSONWebKeySet {
  const { keys } = (document ?? {}) as { readonly keys?: unknown }
  if (!Array.isArray(keys) || keys.length > MAX_KEYS)
    throw new Fault('kms/identity-provider', {
      detail: 'the key set has no list of at most 100 keys',
    })
  const usable = (keys as readonly unknown[]).filter((key): key is JWK => {
    const { kty, use } = (key ?? {}) as JWK
    // A symmetric key in a public place would let anybody sign.
    return (
      typeof kty === 'string' && KEY_TYPES.includes(kty) && (use === undefined || use === 'sig')
    )
  })
  return { keys: usable.map(publicPart) }
}

/** @throws kms/bad-auth-method */
export function readStaticKeys(text: string): JSONWebKeySet {
  try {
    const set = publicKeys(JSON.parse(text))
    if (set.keys.length > 0) return set
  } catch (error) {
    throw new Fault('kms/bad-auth-method', { detail: 'jwks is no JSON key set', cause: error })
  }
  throw new Fault('kms/bad-auth-method', { detail: 'jwks has no public signature key' })
}

export type KeySource = {
  readonly url: string
  readonly ca?: string | undefined
  /** Whether `url` is an issuer whose discovery document names the keys. */
  readonly isIssuer: boolean
}

type Entry = {
  readonly keys: Promise<JSONWebKeySet>
  /** Monotonic, of the request. */
  readonly at: number
  hasFailed: boolean
}

export class KeySets {
  readonly #fetch: FetchJson
  readonly #clock: Clock
  readonly #sets = new Map<string, Entry>()

  constructor(fetch: FetchJson, clock: Clock) {
    this.#fetch = fetch
    this.#clock = clock
  }

  /** Finds the key of a token, for `jwtVerify`. @throws kms/identity-provider */
  finder(source: KeySource): JWTVerifyGetKey {
    return async (header, token) => {
      const isKnown = ({ keys }: JSONWebKeySet): boolean =>
        keys.some(({ kid }) => header?.kid === undefined || kid === header.kid)
      const found = await this.#get(source, FRESH_MS)
      const keys = isKnown(found) ? found : await this.#get(source, RETRY_MS)
      return createLocalJWKSet(keys)(header, token)
    }
  }

  /** A set of at most that age. Those who wait for one share a request; a failure serves for a while too. */
  #get(source: KeySource, maxAgeMs: number): Promise<JSONWebKeySet> {
    const now = this.#clock.monotonic()
    const id = JSON.stringify([source.url, source.isIssuer, source.ca])
    const known = this.#sets.get(id)
    if (known !== undefined && now - known.at < (known.hasFailed ? FAILED_MS : maxAgeMs))
      return known.keys
    if (known === undefined && this.#sets.size >= MAX_SETS)
      this.#sets.delete(this.#sets.keys().next().value as string)
    const entry: Entry = { keys: this.#load(source), at: now, hasFailed: false }
    this.#sets.set(id, entry)
    entry.keys.catch(() => {
      entry.hasFailed = true
    })
    return entry.keys
  }

  async #load({ url, ca, isIssuer }: KeySource): Promise<JSONWebKeySet> {
    const keysUrl = isIssuer ? await this.#discover(url, ca) : url
    return publicKeys(await this.#fetch(keysUrl, { ca }))
  }

  /** OpenID Connect Discovery 1.0, section 4. */
  async #discover(issuer: string, ca: string | undefined): Promise<string> {
    const document = await this.#fetch(
      `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
      { ca },
    )
    const { issuer: named, jwks_uri: keysUrl } = (document ?? {}) as {
      readonly issuer?: unknown
      readonly jwks_uri?: unknown
    }
    if (named !== issuer || typeof keysUrl !== 'string' || !isAsSafe(keysUrl, issuer))
      throw new Fault('kms/identity-provider', { detail: 'the discovery document is not usable' })
    return keysUrl
  }
}

/** Discovery must not lead from TLS to no TLS. */
const isAsSafe = (url: string, issuer: string): boolean =>
  url.startsWith('https://') || (url.startsWith('http://') && issuer.startsWith('http://'))
