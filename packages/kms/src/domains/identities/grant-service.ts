/**
 * Groups, and what identities and groups hold. Whoever gives or takes away something holds all of it
 * himself: also what denies, for to lift a refusal is to give what it refused.
 */
import { Fault, isName, newId } from '@quorate/base'
import type { KmsContext } from '../../context.ts'
import { type By, doneBy } from '../access/act.ts'
import { type Document, orConflict, type Writes } from '../access/documents.ts'
import type { Grant } from '../access/grant.ts'
import { checkRules, EVERYWHERE, type HeldRule, type Rule, type Scope } from '../access/model.ts'
import { isBuiltInRole } from '../access/roles.ts'
import type { AccessService } from '../access/service.ts'
import { checkNotLast } from './administrators.ts'
import {
  type Group,
  type GroupBody,
  type Identity,
  type IdentityBody,
  MAX_GRANTS,
} from './model.ts'

export type NewGrant = {
  readonly scope: Scope
  readonly role?: string | undefined
  readonly rules?: readonly Rule[] | undefined
  readonly startsAt?: number | undefined
  readonly endsAt?: number | undefined
  readonly reason?: string | undefined
}

type Subject = { readonly scope: Scope; readonly grants: readonly Grant[] }

export class GrantService {
  readonly #context: KmsContext
  readonly #access: AccessService

  constructor(context: KmsContext, access: AccessService) {
    this.#context = context
    this.#access = access
  }

  /** @throws kms/not-found, kms/bad-grant, kms/bad-rule, kms/escalation, kms/limit-reached */
  addGrant(by: By, subject: string, grant: NewGrant): Promise<Grant> {
    return this.#changeGrants(by, subject, async (current) => {
      const added = await this.makeGrant(by, current.scope, grant)
      return { grants: [...current.grants, added], result: added, concerned: [added] }
    })
  }

  /** @throws kms/not-found, kms/escalation, kms/last-administrator */
  removeGrant(by: By, subject: string, grantId: string): Promise<void> {
    return this.#changeGrants(by, subject, async (current) => {
      const removed = current.grants.find(({ id }) => id === grantId) ?? missing()
      const grants = current.grants.filter((each) => each !== removed)
      return { grants, result: undefined, concerned: [removed] }
    })
  }

  /** A grant in form, for a subject of that scope. Nobody has checked yet who gives it. @throws kms/bad-grant, kms/bad-rule */
  async makeGrant(by: By, subjectScope: Scope, grant: NewGrant): Promise<Grant> {
    const { clock, random } = this.#context
    const now = clock.now()
    const { scope, role, rules, startsAt, endsAt } = grant
    const refuse = (detail: string): never => {
      throw new Fault('kms/bad-grant', { detail })
    }
    if ((role === undefined) === (rules === undefined)) refuse('it names either a role or rules')
    if (subjectScope !== EVERYWHERE && subjectScope !== scope)
      refuse('what belongs to a project is granted something in that project only')
    if (rules !== undefined) checkRules(rules)
    if (role !== undefined && !isBuiltInRole(role)) {
      const custom = (await this.#access.roles.get(role)) ?? refuse('there is no such role')
      if (custom.project !== EVERYWHERE && custom.project !== scope)
        refuse('the role belongs to another project')
    }
    if (endsAt !== undefined && endsAt <= Math.max(now, startsAt ?? now))
      refuse('it ends before it begins')
    return { id: newId('grt', now, random), ...grant, by: by.principal.id, at: now }
  }

  /** @throws kms/name-taken */
  createGroup(by: By, project: Scope, name: string): Promise<Group> {
    return this.#access.exclusive(async () => {
      const { clock, random } = this.#context
      const now = clock.now()
      const body: GroupBody = { grants: [], createdAt: now }
      const group: Group = {
        id: newId('grp', now, random),
        project,
        name: checkedName(name),
        version: 1,
        body,
      }
      await this.#commit(by, this.#access.groups.insert(group), group.id)
      return group
    })
  }

  /** Only a group without members goes. @throws kms/in-use, kms/escalation */
  removeGroup(by: By, id: string): Promise<void> {
    return this.#access.exclusive(async () => {
      const group = await this.group(id)
      await this.#access.checkHolds(
        by.principal,
        await this.#access.rulesOfGrants(group.body.grants),
        by.record,
      )
      if ((await this.#access.identities.mentioning(id, 1)).length > 0)
        throw new Fault('kms/in-use')
      await this.#commit(by, this.#access.groups.remove(group), id)
    })
  }

  /** @throws kms/not-found */
  async group(id: string): Promise<Group> {
    return (await this.#access.groups.get(id)) ?? missing()
  }

  #changeGrants<T>(
    by: By,
    subject: string,
    change: (
      current: Subject,
    ) => Promise<{ grants: readonly Grant[]; result: T; concerned: readonly Grant[] }>,
  ): Promise<T> {
    return this.#access.exclusive(async () => {
      const isGroup = subject.startsWith('grp_')
      const current: Document<GroupBody | IdentityBody> = isGroup
        ? await this.group(subject)
        : ((await this.#access.identities.get(subject)) ?? missing())
      const now = this.#context.clock.now()
      const { grants, result, concerned } = await change({
        scope: current.project,
        grants: current.body.grants,
      })
      const rules: readonly HeldRule[] = await this.#access.rulesOfGrants(concerned)
      await this.#access.checkHolds(by.principal, rules, by.record)
      // What has ended long since is of no use to anybody; the audit log keeps it.
      const left = grants.filter(({ endsAt }) => endsAt === undefined || endsAt > now)
      if (left.length > MAX_GRANTS) throw new Fault('kms/limit-reached')
      const body = { ...current.body, grants: left }
      if (!isGroup)
        await checkNotLast(this.#access.identities, current as Identity, body as IdentityBody)
      const writes = isGroup
        ? this.#access.groups.update(current as Group, { body: body as GroupBody })
        : this.#access.identities.update(current as Identity, { body: body as IdentityBody })
      await this.#commit(by, writes, concerned[0]?.id ?? subject)
      return result
    })
  }

  async #commit(by: By, writes: Writes, resource: string): Promise<void> {
    await orConflict(this.#context.journal.commit({ ...writes, audit: [doneBy(by, resource)] }))
  }
}

/** @throws kms/bad-name */
export function checkedName(name: string): string {
  if (!isName(name))
    throw new Fault('kms/bad-name', { detail: '1 to 64 letters, digits, ".", "_" or "-"' })
  return name
}

function missing(): never {
  throw new Fault('kms/not-found')
}
