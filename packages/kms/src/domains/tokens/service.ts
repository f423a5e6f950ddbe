/**
 * Access tokens: 256 random bits, kept as a keyed digest. Looking one up is one indexed read, and
 * none while it is in the cache; a revoked one leaves the cache before the revocation is answered.
 */
import { hash } from 'node:crypto'
import { Fault, newId, toHex } from '@quorate/base'
import type { KmsContext } from '../../context.ts'
import { isAllowedAddress, type Network, parseNetwork } from '../access/cidr.ts'
import type { PageOptions, Writes } from '../access/documents.ts'
import type { TokenLimits } from '../auth-methods/model.ts'
import { mintSecret, parseSecret } from './secret-text.ts'
import { type Credential, Credentials } from './store.ts'

export const DEFAULT_TTL_SECONDS = 3600
export const MAX_TTL_SECONDS = 86_400
/** Of what people sign in with, until passkeys. */
export const PERSONAL_SECRET_SECONDS: number = 90 * 86_400

/** Of tokens where nothing else is said. */
export const DEFAULT_LIMITS: TokenLimits = {
  ttlSeconds: DEFAULT_TTL_SECONDS,
  maxTtlSeconds: MAX_TTL_SECONDS,
  maxUses: 0,
  addresses: [],
}

export type TokenBody = {
  readonly name: string
  /** What it was got with: `universal`, `kubernetes`, …, `issued` by an administrator, `device`, `bootstrap`. */
  readonly method: string
  readonly createdAt: number
  readonly createdBy: string
  /** Milliseconds since the epoch; no renewal goes beyond. */
  readonly renewableUntil: number
  readonly ttlSeconds: number
  readonly addresses: readonly string[]
}
export type Token = Credential<TokenBody>

export type SecretBody = {
  readonly description: string
  readonly createdAt: number
  readonly createdBy: string
}
/** The secret of the universal method, by which people sign in too. */
export type ClientSecret = Credential<SecretBody>
export type NewClientSecret = {
  readonly identity: string
  readonly description: string
  readonly createdBy: string
  readonly ttlSeconds: number
  /** 0 without a limit. */
  readonly maxUses: number
}
export type MintedSecret = {
  /** Shown once. */
  readonly text: string
  readonly secret: ClientSecret
  readonly writes: Writes
}

export type NewToken = {
  readonly identity: string
  readonly name: string
  readonly method: string
  readonly createdBy: string
  readonly limits: TokenLimits
}

export type MintedToken = {
  /** Shown once. */
  readonly text: string
  readonly token: Token
  readonly writes: Writes
}

type Cached = { token: Token; readonly networks: readonly Network[]; readonly key: string }

const MAX_CACHED = 50_000

/** Makes room for one more. */
function drop(map: Map<string, unknown>, max: number): void {
  if (map.size >= max) map.delete(map.keys().next().value as string)
}

export class TokenService {
  readonly #context: KmsContext
  readonly #store: Credentials
  /** By digest. */
  readonly #cache = new Map<string, Cached>()
  /** Those of the cache that were used lately, by a hash of their text; alone it counts for nothing. */
  readonly #lately = new Map<string, Cached>()
  /** Grows with each revocation: what was read before one is not put into the cache after it. */
  #revocations = 0
  /** Uses of tokens that count them, one after the other. */
  #counting: Promise<unknown> = Promise.resolve()

  constructor(context: KmsContext) {
    this.#context = context
    this.#store = new Credentials(context.sql)
  }

  get credentials(): Credentials {
    return this.#store
  }

  /** The keyed digest of a credential's 32 bytes. @throws kms/sealed */
  digestOf(purpose: 'token' | 'client-secret' | 'bootstrap', secret: Uint8Array): Uint8Array {
    return this.#context.barrier.pepper(`credential/${purpose}`, secret)
  }

  /** A new token and what stores it; it counts once the change is committed. */
  mint({ identity, name, method, createdBy, limits }: NewToken): MintedToken {
    const { clock, random } = this.#context
    const now = clock.now()
    const text = mintSecret('qkt', random)
    const secret = parseSecret('qkt', text)!
    const ttlSeconds = Math.min(limits.ttlSeconds, limits.maxTtlSeconds)
    const token: Token = {
      digest: this.digestOf('token', secret),
      id: newId('tok', now, random),
      kind: 'token',
      identity,
      expiresAt: now + ttlSeconds * 1000,
      usesLeft: limits.maxUses === 0 ? null : limits.maxUses,
      version: 1,
      body: {
        name,
        method,
        createdAt: now,
        createdBy,
        renewableUntil: now + limits.maxTtlSeconds * 1000,
        ttlSeconds,
        addresses: limits.addresses,
      },
    }
    secret.fill(0)
    return { text, token, writes: this.#store.insert(token) }
  }

  /** A new client secret and what stores it; it counts once the change is committed. */
  mintClientSecret(wanted: NewClientSecret): MintedSecret {
    const { clock, random } = this.#context
    const now = clock.now()
    const text = mintSecret('qks', random)
    const bytes = parseSecret('qks', text)!
    const secret: ClientSecret = {
      digest: this.digestOf('client-secret', bytes),
      id: newId('cse', now, random),
      kind: 'client-secret',
      identity: wanted.identity,
      expiresAt: now + wanted.ttlSeconds * 1000,
      usesLeft: wanted.maxUses === 0 ? null : wanted.maxUses,
      version: 1,
      body: { description: wanted.description, createdAt: now, createdBy: wanted.createdBy },
    }
    bytes.fill(0)
    return { text, secret, writes: this.#store.insert(secret) }
  }

  /**
   * As `use`, at once, for a token that was used before and counts no uses; `undefined` says nothing. A token that
   * was revoked or altered since has left the cache, and is not found.
   */
  usedLately(text: string, address: string): Token | undefined {
    const cached = this.#lately.get(hash('sha256', text, 'base64'))
    return cached !== undefined &&
      this.#cache.get(cached.key) === cached &&
      cached.token.usesLeft === null &&
      this.#isUsable(cached, address)
      ? cached.token
      : undefined
  }

  #isUsable({ token, networks }: Cached, address: string): boolean {
    return (
      token.expiresAt > this.#context.clock.now() &&
      (networks.length === 0 || isAllowedAddress(address, networks))
    )
  }

  /**
   * The valid token of this text, used once. `undefined` for anything else, without a reason.
   * `onMiss` runs before a token that is not in the cache is looked up, and may throw.
   * @throws kms/sealed, kms/rolled-back
   */
  async use(text: string, address: string, onMiss: () => void): Promise<Token | undefined> {
    const secret = parseSecret('qkt', text)
    if (secret === undefined) return undefined
    const digest = this.digestOf('token', secret)
    const key = toHex(digest)
    let cached = this.#cache.get(key)
    if (cached === undefined) {
      onMiss()
      cached = await this.#load(key, digest)
    }
    if (cached === undefined || !this.#isUsable(cached, address)) return undefined
    if (cached.token.usesLeft !== null) return this.#count(key)
    drop(this.#lately, MAX_CACHED)
    this.#lately.set(hash('sha256', text, 'base64'), cached)
    return cached.token
  }

  get(id: string): Promise<Token | undefined> {
    return this.#store.byId('token', id)
  }

  list(identity: string, page: PageOptions): Promise<readonly Token[]> {
    return this.#store.list('token', identity, page)
  }

  /** The token with its life begun anew, and what stores it. @throws kms/not-renewable */
  renew(token: Token): { readonly next: Token; readonly writes: Writes } {
    const { renewableUntil, ttlSeconds } = token.body
    const expiresAt = Math.min(renewableUntil, this.#context.clock.now() + ttlSeconds * 1000)
    if (expiresAt <= token.expiresAt && token.expiresAt >= renewableUntil)
      throw new Fault('kms/not-renewable')
    return this.#store.update(token, { expiresAt: Math.max(expiresAt, token.expiresAt) })
  }

  /** Call before and after the change that removes or alters the token is committed. */
  forget(token: Pick<Token, 'digest'>): void {
    this.#revocations++
    this.#cache.delete(toHex(token.digest))
  }

  /** Forgets all; for `seal`. */
  clear(): void {
    this.#revocations++
    this.#cache.clear()
    this.#lately.clear()
  }

  async #load(key: string, digest: Uint8Array): Promise<Cached | undefined> {
    for (;;) {
      const before = this.#revocations
      const token = await this.#store.byDigest<TokenBody>('token', digest)
      if (token === undefined) return undefined
      if (before !== this.#revocations) continue
      const cached = { token, networks: token.body.addresses.map(parseNetwork), key }
      drop(this.#cache, MAX_CACHED)
      this.#cache.set(key, cached)
      return cached
    }
  }

  /** One use less, on disk before it counts. */
  #count(key: string): Promise<Token | undefined> {
    const counted = this.#counting.then(async () => {
      const cached = this.#cache.get(key)
      // Another use, or a revocation, was faster.
      if (cached === undefined || cached.token.usesLeft === null || cached.token.usesLeft < 1)
        return undefined
      const { token } = cached
      const { next, writes } = this.#store.update(token, { usesLeft: cached.token.usesLeft - 1 })
      await this.#context.journal.commit({
        ...writes,
        audit: [
          {
            actor: token.identity,
            action: 'token.use',
            resource: token.id,
            decision: 'none',
            outcome: 'done',
            fields: [{ name: 'usesLeft', kind: 'int', value: next.usesLeft ?? 0 }],
          },
        ],
      })
      cached.token = next
      return next
    })
    this.#counting = counted.catch(() => undefined)
    return counted
  }
}
