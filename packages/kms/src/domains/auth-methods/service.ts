/**
 * Signing in. Every method ends in a short-lived token of the identity that it proves. All failures
 * are one and the same 401, recorded with their reason in the audit log only; what is tried too often
 * from one place pauses there, whether the identity exists or not.
 */
import { Fault, type FaultCode, isFault, isId } from '@quorate/base'
import type { KmsContext } from '../../context.ts'
import { type By, doneBy } from '../access/act.ts'
import { isAllowedAddress, neighbourhood, parseNetwork } from '../access/cidr.ts'
import { joinWrites, type PageOptions, type Writes } from '../access/documents.ts'
import type { Connection, Principal } from '../access/port.ts'
import type { AccessService } from '../access/service.ts'
import type { Identity } from '../identities/model.ts'
import type { IdentityService } from '../identities/service.ts'
import { parseSecret } from '../tokens/secret-text.ts'
import {
  type ClientSecret,
  type MintedToken,
  PERSONAL_SECRET_SECONDS,
  type SecretBody,
  type TokenService,
} from '../tokens/service.ts'
import { selfRecord } from '../tokens/use-cases.ts'
import type { FetchJson } from './fetch-json.ts'
import { checkJwt } from './jwt.ts'
import { KeySets } from './keys.ts'
import { checkKubernetes } from './kubernetes.ts'
import type { MethodName, TokenLimits } from './model.ts'
import { checkTls } from './tls.ts'

export type Login = {
  readonly method: MethodName
  /** `idn_…`, also the client id of the universal method. */
  readonly identity: string
  /** The client secret or the token; empty for a certificate. */
  readonly proof: string
  readonly connection: Connection
  readonly requestId: string
}

/** What a method found: who it was as the issuer names him, and what else is to be written. */
type Proven = { readonly subject: string; readonly writes?: Writes }

const MAX_SECRETS = 100

export class SignInService {
  readonly #context: KmsContext
  readonly #access: AccessService
  readonly #tokens: TokenService
  readonly #identities: IdentityService
  readonly #keys: KeySets
  readonly #fetch: FetchJson

  constructor(
    context: KmsContext,
    services: {
      readonly access: AccessService
      readonly tokens: TokenService
      readonly identities: IdentityService
    },
    fetch: FetchJson,
  ) {
    this.#context = context
    this.#access = services.access
    this.#tokens = services.tokens
    this.#identities = services.identities
    this.#fetch = fetch
    this.#keys = new KeySets(fetch, context.clock)
  }

  /** @throws kms/unauthenticated, kms/rate-limited, kms/identity-provider */
  async logIn(login: Login): Promise<MintedToken> {
    const { clock, journal } = this.#context
    const { method, connection, requestId } = login
    const from = `${login.identity}/${neighbourhood(connection.address)}`
    this.#access.lockout.check(from, clock.monotonic())
    const identity = isId('idn', login.identity)
      ? await this.#access.identities.get(login.identity)
      : undefined
    try {
      const limits = limitsOf(identity, method)
      if (identity === undefined || limits === undefined || !identity.body.isActive)
        throw new Fault('kms/unauthenticated')
      if (
        limits.addresses.length > 0 &&
        !isAllowedAddress(connection.address, limits.addresses.map(parseNetwork))
      )
        throw new Fault('kms/unauthenticated')
      const { subject, writes } = await this.#prove(identity, login)
      const minted = this.#tokens.mint({
        identity: identity.id,
        name: subject.slice(0, 128),
        method,
        createdBy: identity.id,
        limits,
      })
      await journal.commit({
        ...joinWrites(minted.writes, ...(writes === undefined ? [] : [writes])),
        audit: [
          {
            actor: identity.id,
            action: 'auth.login',
            resource: minted.token.id,
            project: identity.project === '*' ? undefined : identity.project,
            decision: 'allow',
            reason: `method:${method}`,
            requestId: requestId as never,
            outcome: 'done',
            fields: [{ name: 'address', kind: 'text', value: connection.address }],
          },
        ],
      })
      this.#access.lockout.succeeded(from)
      return minted
    } catch (error) {
      // Two logins with the same last use of a secret: one was faster.
      const isSpent = isFault(error, 'platform/write-conflict')
      if (!isSpent && !isFault(error, 'kms/unauthenticated')) throw error
      this.#access.lockout.failed(from, clock.monotonic())
      await this.#recordFailure(login, identity)
      throw new Fault('kms/unauthenticated', { cause: error })
    }
  }

  #prove(identity: Identity, { method, proof, connection }: Login): Promise<Proven> | Proven {
    const { universal, kubernetes, jwt, tls } = identity.body.methods
    const { clock } = this.#context
    if (method === 'universal' && universal !== undefined) return this.#useSecret(identity, proof)
    if (method === 'kubernetes' && kubernetes !== undefined)
      return named(
        checkKubernetes(kubernetes, proof, { keys: this.#keys, fetch: this.#fetch, clock }),
      )
    if (method === 'jwt' && jwt !== undefined) return named(checkJwt(jwt, proof, this.#keys, clock))
    if (method === 'tls' && tls !== undefined)
      return { subject: checkTls(tls, connection.certificates?.[0], clock) }
    throw new Fault('kms/unauthenticated')
  }

  async #useSecret(identity: Identity, text: string): Promise<Proven> {
    const found = await this.#findSecret(identity.id, text)
    if (found.usesLeft === null) return { subject: found.id }
    const { writes } = this.#tokens.credentials.update(found, { usesLeft: found.usesLeft - 1 })
    return { subject: found.id, writes }
  }

  /** The good secret of this text. @throws kms/unauthenticated */
  async #findSecret(identity: string, text: string): Promise<ClientSecret> {
    const bytes = parseSecret('qks', text)
    const found =
      bytes &&
      (await this.#tokens.credentials.byDigest<SecretBody>(
        'client-secret',
        this.#tokens.digestOf('client-secret', bytes),
      ))
    if (
      found === undefined ||
      found.identity !== identity ||
      found.expiresAt <= this.#context.clock.now() ||
      found.usesLeft === 0
    )
      throw new Fault('kms/unauthenticated')
    return found
  }

  #recordFailure(
    { method, identity: claimed, connection, requestId }: Login,
    identity: Identity | undefined,
  ): Promise<void> {
    return this.#context.journal.record({
      actor: 'system',
      action: 'auth.login',
      resource: identity?.id ?? (isId('idn', claimed) ? claimed : 'unknown'),
      decision: 'deny',
      reason: 'kms/unauthenticated' satisfies FaultCode,
      requestId: requestId as never,
      outcome: 'failed',
      fields: [
        { name: 'method', kind: 'text', value: method },
        { name: 'address', kind: 'text', value: connection.address },
      ],
    })
  }

  /** A new client secret of the universal method; its text is shown once. @throws kms/escalation, kms/limit-reached */
  createSecret(
    by: By,
    identityId: string,
    wanted: {
      readonly description: string
      readonly ttlSeconds: number
      readonly maxUses: number
    },
  ): Promise<{ readonly text: string; readonly secret: ClientSecret }> {
    return this.#access.exclusive(async () => {
      const identity = await this.#identities.get(identityId)
      await this.#identities.checkActsAs(by, identity)
      if ((await this.listSecrets(identityId, { limit: MAX_SECRETS })).length >= MAX_SECRETS)
        throw new Fault('kms/limit-reached')
      const { text, secret, writes } = this.#tokens.mintClientSecret({
        ...wanted,
        identity: identityId,
        createdBy: by.principal.id,
      })
      await this.#context.journal.commit({
        ...writes,
        audit: [doneBy(by, secret.id)],
      })
      return { text, secret }
    })
  }

  /**
   * Replaces the caller's own secret by a fresh one. It takes the old one: a stolen token alone gets
   * nobody anything that outlives it. @throws kms/unauthenticated, kms/rate-limited
   */
  async rotateOwn(
    principal: Principal,
    current: string,
  ): Promise<{ readonly text: string; readonly secret: ClientSecret }> {
    const { clock, journal } = this.#context
    const from = `${principal.id}/rotate`
    this.#access.lockout.check(from, clock.monotonic())
    const old = await this.#findSecret(principal.id, current).catch((error: unknown) => {
      this.#access.lockout.failed(from, clock.monotonic())
      throw error
    })
    const { text, secret, writes } = this.#tokens.mintClientSecret({
      identity: principal.id,
      description: old.body.description,
      createdBy: principal.id,
      ttlSeconds: PERSONAL_SECRET_SECONDS,
      maxUses: 0,
    })
    await journal.commit({
      ...joinWrites(this.#tokens.credentials.remove(old), writes),
      audit: [
        {
          ...selfRecord(principal, 'auth.rotate-secret'),
          resource: secret.id,
          outcome: 'done',
          fields: [],
        },
      ],
    })
    return { text, secret }
  }

  listSecrets(identity: string, page: PageOptions): Promise<readonly ClientSecret[]> {
    return this.#tokens.credentials.list('client-secret', identity, page)
  }

  /** @throws kms/not-found */
  async removeSecret(by: By, identity: string, id: string): Promise<void> {
    const secret = await this.#tokens.credentials.byId('client-secret', id)
    if (secret === undefined || secret.identity !== identity) throw new Fault('kms/not-found')
    await this.#context.journal.commit({
      ...this.#tokens.credentials.remove(secret),
      audit: [doneBy(by, id)],
    })
  }
}

const named = async (subject: Promise<string>): Promise<Proven> => ({ subject: await subject })

const limitsOf = (identity: Identity | undefined, method: MethodName): TokenLimits | undefined =>
  identity?.body.methods[method]?.limits
