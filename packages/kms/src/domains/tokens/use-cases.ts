/** What people do with tokens: issue one to an identity, renew, revoke, and let another device in. */
import { Fault, type Id } from '@quorate/base'
import type { KmsContext } from '../../context.ts'
import { type By, doneBy } from '../access/act.ts'
import type { PageOptions } from '../access/documents.ts'
import type { DecisionRecord, Principal } from '../access/port.ts'
import type { AccessService } from '../access/service.ts'
import type { TokenLimits } from '../auth-methods/model.ts'
import { checkLimits } from '../auth-methods/settings.ts'
import type { IdentityService } from '../identities/service.ts'
import { MAX_CREDENTIALS } from '../identities/service.ts'
import type { MintedToken, Token, TokenService } from './service.ts'

/** Expired rows that one run of the clean-up takes. */
const CLEAN_UP = 500

export class TokenUseCases {
  readonly #context: KmsContext
  readonly #access: AccessService
  readonly #tokens: TokenService
  readonly #identities: IdentityService

  constructor(
    context: KmsContext,
    access: AccessService,
    tokens: TokenService,
    identities: IdentityService,
  ) {
    this.#context = context
    this.#access = access
    this.#tokens = tokens
    this.#identities = identities
  }

  /** @throws kms/not-found, kms/escalation, kms/limit-reached, kms/bad-auth-method */
  issue(by: By, identity: string, name: string, limits: TokenLimits): Promise<MintedToken> {
    return this.#access.exclusive(async () => {
      checkLimits(limits)
      const target = await this.#identities.get(identity)
      await this.#identities.checkActsAs(by, target)
      const have = await this.#tokens.list(identity, { limit: MAX_CREDENTIALS })
      if (have.length >= MAX_CREDENTIALS) throw new Fault('kms/limit-reached')
      const minted = this.#tokens.mint({
        identity,
        name,
        method: 'issued',
        createdBy: by.principal.id,
        limits,
      })
      await this.#context.journal.commit({
        ...minted.writes,
        audit: [doneBy(by, minted.token.id)],
      })
      return minted
    })
  }

  list(identity: string, page: PageOptions): Promise<readonly Token[]> {
    return this.#tokens.list(identity, page)
  }

  /** @throws kms/not-renewable */
  async renewOwn(principal: Principal): Promise<Token> {
    const token = await this.own(principal)
    const { next, writes } = this.#tokens.renew(token)
    this.#tokens.forget(token)
    await this.#context.journal.commit({
      ...writes,
      audit: [{ ...selfRecord(principal, 'token.renew'), outcome: 'done', fields: [] }],
    })
    this.#tokens.forget(token)
    return next
  }

  async revokeOwn(principal: Principal): Promise<void> {
    await this.#revoke(await this.own(principal), selfRecord(principal, 'token.revoke'))
  }

  /** @throws kms/not-found */
  async revoke(by: By, id: string): Promise<void> {
    const token = (await this.#tokens.get(id)) ?? missing()
    await this.#revoke(token, { ...by.record, resource: id })
  }

  async own(principal: Principal): Promise<Token> {
    return (await this.#tokens.get(principal.tokenId)) ?? missing()
  }

  /** Removes tokens and secrets that have ended. */
  async cleanUp(): Promise<number> {
    const { clock, journal } = this.#context
    const ended = await this.#tokens.credentials.expired(clock.now(), CLEAN_UP)
    if (ended.length === 0) return 0
    const writes = ended.map((each) => this.#tokens.credentials.remove(each))
    for (const each of ended) this.#tokens.forget(each)
    await journal.commit({
      statements: writes.flatMap(({ statements }) => statements),
      leaves: writes.flatMap(({ leaves }) => leaves),
      audit: [
        {
          actor: 'system',
          action: 'token.expire',
          resource: 'credential',
          decision: 'none',
          outcome: 'done',
          fields: [{ name: 'count', kind: 'int', value: ended.length }],
        },
      ],
    })
    return ended.length
  }

  async #revoke(token: Token, record: DecisionRecord): Promise<void> {
    this.#tokens.forget(token)
    await this.#context.journal.commit({
      ...this.#tokens.credentials.remove(token),
      audit: [{ ...record, outcome: 'done', fields: [] }],
    })
    this.#tokens.forget(token)
  }
}

/** The audit record of what somebody does with what is his own. */
export const selfRecord = (principal: Principal, action: string): DecisionRecord => ({
  actor: principal.id,
  action,
  resource: principal.tokenId satisfies Id<'tok'>,
  project: principal.project,
  decision: 'allow',
  reason: 'self',
  requestId: principal.requestId,
})

function missing(): never {
  throw new Fault('kms/not-found')
}
