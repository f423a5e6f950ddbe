/**
 * Who asks, and what he may. Holds in memory what has been looked up; every change of identities,
 * groups, roles and tokens goes through `exclusive` and drops what it touches, so that the next request
 * already meets the new state.
 */
import { bug, Fault, type Id } from '@quorate/base'
import type { KmsContext } from '../../context.ts'
import type { Soon } from '../../soon.ts'
import type { PolicyBody } from '../approvals/model.ts'
import type { GroupBody, Identity, IdentityBody } from '../identities/model.ts'
import type { Token, TokenService } from '../tokens/service.ts'
import type { Action } from './actions.ts'
import { neighbourhood } from './cidr.ts'
import { coverGap } from './cover.ts'
import { Documents } from './documents.ts'
import { type Grant, heldRules, type Role, type RoleBody, rolesNamed } from './grant.ts'
import { EVERYWHERE, type HeldRule } from './model.ts'
import { type Asked, CompiledPolicy, refusalOf } from './policy.ts'
import type {
  Access,
  AccessRequest,
  Connection,
  Decision,
  DecisionRecord,
  IdentityKind,
  Principal,
  Resource,
} from './port.ts'
import { Lockout, type Rate, RateLimiter } from './throttle.ts'

export type AccessSettings = {
  /** Of each identity. */
  readonly identityRate: Rate
  /** Of each address (IPv6: /64) as long as it has not shown a valid token. */
  readonly addressRate: Rate
}
export const ACCESS_DEFAULTS: AccessSettings = {
  identityRate: { perSecond: 5_000, burst: 10_000 },
  addressRate: { perSecond: 10, burst: 100 },
}

/** What somebody holds, as of the last change. */
export type Holder = { readonly identity: Identity; readonly policy: CompiledPolicy }

const MAX_HOLDERS = 20_000

/** Carries the compiled policy of its identity; only `authenticate` makes one. */
class Caller implements Principal {
  readonly kind: IdentityKind
  readonly id: Id<'idn'>
  readonly name: string
  readonly project: Id<'prj'> | undefined
  readonly tokenId: Id<'tok'>
  readonly address: string
  readonly requestId: Id<'req'>
  readonly #policy: CompiledPolicy

  constructor(
    { identity, policy }: Holder,
    tokenId: string,
    { address, requestId }: { readonly address: string; readonly requestId: string },
  ) {
    this.kind = identity.body.kind
    this.id = identity.id as Id<'idn'>
    this.name = identity.name
    this.project = identity.project === EVERYWHERE ? undefined : identity.project
    this.tokenId = tokenId as Id<'tok'>
    this.address = address
    this.requestId = requestId as Id<'req'>
    this.#policy = policy
  }

  static policyOf(principal: Principal): CompiledPolicy {
    return #policy in principal ? principal.#policy : bug('a principal that nobody authenticated')
  }
}

export class AccessService implements Access {
  readonly identities: Documents<IdentityBody>
  readonly groups: Documents<GroupBody>
  readonly roles: Documents<RoleBody>
  readonly policies: Documents<PolicyBody>
  readonly lockout: Lockout = new Lockout()
  readonly #context: KmsContext
  readonly #tokens: TokenService
  readonly #identityRate: RateLimiter
  readonly #addressRate: RateLimiter
  readonly #holders = new Map<string, Holder>()
  /** Grows with each change; what was loaded before one is not kept after it. */
  #changes = 0
  #running: Promise<unknown> = Promise.resolve()

  constructor(context: KmsContext, tokens: TokenService, settings: Partial<AccessSettings> = {}) {
    const { identityRate, addressRate } = { ...ACCESS_DEFAULTS, ...settings }
    this.#context = context
    this.#tokens = tokens
    this.identities = new Documents(context.sql, 'identity')
    this.groups = new Documents(context.sql, 'group')
    this.roles = new Documents(context.sql, 'role')
    this.policies = new Documents(context.sql, 'approval-policy')
    this.#identityRate = new RateLimiter(identityRate)
    this.#addressRate = new RateLimiter(addressRate)
  }

  /** At once for who was here lately. */
  authenticate(request: AccessRequest): Soon<Principal> {
    const text = bearerOf(request.header('authorization'))
    const token =
      text === undefined ? undefined : this.#tokens.usedLately(text, request.connection.address)
    const holder = token && this.#holders.get(token.identity)
    return token === undefined || holder?.identity.body.isActive !== true
      ? this.#authenticateAnew(request, text)
      : this.#caller(holder, token, request)
  }

  async #authenticateAnew(request: AccessRequest, text: string | undefined): Promise<Principal> {
    const { connection } = request
    let isCounted = false
    const count = (): void => {
      if (!isCounted) this.admitStranger(connection)
      isCounted = true
    }
    const token =
      text === undefined ? undefined : await this.#tokens.use(text, connection.address, count)
    const holder = token && (await this.holder(token.identity))
    if (token === undefined || holder?.identity.body.isActive !== true) {
      count()
      if (text !== undefined) await this.#recordStranger(request)
      throw new Fault('kms/unauthenticated')
    }
    return this.#caller(holder, token, request)
  }

  #caller(holder: Holder, token: Token, { id, connection }: AccessRequest): Caller {
    this.#identityRate.take(holder.identity.id, this.#context.clock.monotonic())
    return new Caller(holder, token.id, { address: connection.address, requestId: id })
  }

  #recordStranger({ id, connection }: AccessRequest): Promise<void> {
    return this.#context.journal.record({
      actor: 'system',
      action: 'auth.token',
      resource: 'token',
      decision: 'deny',
      reason: 'kms/unauthenticated',
      requestId: id as Id<'req'>,
      outcome: 'failed',
      fields: [{ name: 'address', kind: 'text', value: connection.address }],
    })
  }

  /** Counts a request without a known token against its address. @throws kms/rate-limited */
  admitStranger({ address }: Connection): void {
    this.#addressRate.take(neighbourhood(address), this.#context.clock.monotonic())
  }

  /** Counts a try at a short code, of which there are few enough to guess. @throws kms/rate-limited */
  admitGuess(principal: Principal): void {
    this.#addressRate.take(`guess/${principal.id}`, this.#context.clock.monotonic())
  }

  authorize(principal: Principal, action: Action, resource: Resource): Decision {
    return Caller.policyOf(principal).decide({
      action,
      resource,
      now: this.#context.clock.now(),
      address: principal.address,
    })
  }

  check(principal: Principal, action: Action, resource: Resource): Soon<Decision> {
    const decision = this.authorize(principal, action, resource)
    return decision.allowed ? decision : this.#refuseAction(principal, action, resource, decision)
  }

  async #refuseAction(
    principal: Principal,
    action: Action,
    resource: Resource,
    decision: Decision,
  ): Promise<never> {
    await this.#context.journal.record({
      ...this.recordOf(principal, action, resource, decision),
      outcome: 'failed',
      fields: [
        { name: 'token', kind: 'text', value: principal.tokenId },
        { name: 'address', kind: 'text', value: principal.address },
      ],
    })
    throw new Fault('kms/not-permitted', { detail: refusalOf(action, decision) })
  }

  recordOf(
    principal: Principal,
    action: Action,
    resource: Resource,
    decision: Decision,
  ): DecisionRecord {
    return {
      actor: principal.id,
      action,
      resource: resource.id ?? resource.kind,
      project: resource.project,
      decision: decision.allowed ? 'allow' : 'deny',
      reason: decision.rule ?? 'no-rule',
      requestId: principal.requestId,
    }
  }

  isMember(principal: Principal, project: Id<'prj'> | undefined): boolean {
    return Caller.policyOf(principal).reaches(project ?? EVERYWHERE)
  }

  /** What an identity holds now, `undefined` where there is none. @throws kms/rolled-back */
  async holder(id: string): Promise<Holder | undefined> {
    const known = this.#holders.get(id)
    if (known !== undefined) return known
    for (;;) {
      const before = this.#changes
      const identity = await this.identities.get(id)
      if (identity === undefined) return undefined
      const policy = new CompiledPolicy(await this.rulesOfIdentity(identity))
      if (before !== this.#changes) continue
      const holder = { identity, policy }
      if (this.#holders.size >= MAX_HOLDERS)
        this.#holders.delete(this.#holders.keys().next().value as string)
      this.#holders.set(id, holder)
      return holder
    }
  }

  /** Every rule that the identity holds by itself and by its groups. */
  async rulesOfIdentity({ body }: Pick<Identity, 'body'>): Promise<readonly HeldRule[]> {
    const groups = await Promise.all(body.groups.map((id) => this.groups.get(id)))
    return this.rulesOfGrants([
      ...body.grants,
      ...groups.flatMap((group) => group?.body.grants ?? []),
    ])
  }

  async rulesOfGrants(grants: readonly Grant[]): Promise<readonly HeldRule[]> {
    const found = await Promise.all(rolesNamed(grants).map((id) => this.roles.get(id)))
    const roles = new Map<string, Role>(found.flatMap((role) => (role ? [[role.id, role]] : [])))
    return grants.flatMap((grant) => heldRules(grant, roles))
  }

  /** What the holder may, as of now where no other time is asked for; one who does not exist may nothing. */
  decideFor(
    holder: Holder | undefined,
    asked: Omit<Asked, 'now'> & { readonly now: number | undefined },
  ): Decision {
    const policy = holder?.identity.body.isActive ? holder.policy : new CompiledPolicy([])
    return policy.decide({ ...asked, now: asked.now ?? this.#context.clock.now() })
  }

  /** The record of a read, on disk before its answer. */
  note(record: DecisionRecord): Promise<void> {
    return this.#context.journal.record({ ...record, outcome: 'done', fields: [] })
  }

  /**
   * Runs one change of access at a time, so that what it has checked is still so when it is written, and
   * forgets what was held before. Nothing inside may call it again.
   */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#running.then(work).finally(() => this.forget())
    this.#running = result.catch(() => undefined)
    return result
  }

  /** Forgets what everybody holds; the next request of each loads it anew. */
  forget(): void {
    this.#changes++
    this.#holders.clear()
  }

  /**
   * Whether the caller holds all of `rules` himself, as of now and not of when his request began. A refusal is
   * recorded first. @throws kms/escalation naming the first action that he lacks
   */
  async checkHolds(
    principal: Principal,
    rules: readonly HeldRule[],
    record: DecisionRecord,
  ): Promise<void> {
    const holder = await this.holder(principal.id)
    const held = holder?.identity.body.isActive ? holder.policy.rules : []
    const gap = coverGap(held, rules, this.#context.clock.now())
    if (gap !== undefined) await this.refuse(record, 'kms/escalation', `it takes ${gap}`)
  }

  /** Records that a permitted call was refused after all, then throws. */
  async refuse(
    record: DecisionRecord,
    code: 'kms/escalation' | 'kms/not-approver' | 'kms/bad-approval',
    detail: string,
  ): Promise<never> {
    await this.#context.journal.record({
      ...record,
      decision: 'deny',
      reason: code,
      outcome: 'failed',
      fields: [],
    })
    throw new Fault(code, { detail })
  }
}

/** The token of `Authorization: Bearer …`. */
function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,512})$/i.exec(header ?? '')?.[1]
}
