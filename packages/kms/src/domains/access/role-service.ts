/** Custom roles. To change one is to change what each of its holders holds, so it takes all of it. */
import { Fault, isName, newId } from '@quorate/base'
import type { KmsContext } from '../../context.ts'
import { type By, doneBy } from './act.ts'
import { checkIfMatch, orConflict, type Writes } from './documents.ts'
import type { Role, RoleBody } from './grant.ts'
import { checkRules, type HeldRule, type Rule, type Scope } from './model.ts'
import { isBuiltInRole } from './roles.ts'
import type { AccessService } from './service.ts'

export class RoleService {
  readonly #context: KmsContext
  readonly #access: AccessService

  constructor(context: KmsContext, access: AccessService) {
    this.#context = context
    this.#access = access
  }

  /** @throws kms/not-found */
  async get(id: string): Promise<Role> {
    const role = await this.#access.roles.get(id)
    if (role === undefined) throw new Fault('kms/not-found')
    return role
  }

  /** @throws kms/bad-rule, kms/bad-name, kms/built-in-role, kms/name-taken, kms/escalation */
  create(by: By, project: Scope, name: string, body: RoleBody): Promise<Role> {
    return this.#access.exclusive(async () => {
      checkRoleName(name)
      checkRules(body.rules)
      await this.#checkHolds(by, project, body.rules)
      const { clock, random } = this.#context
      const role: Role = { id: newId('rol', clock.now(), random), project, name, version: 1, body }
      await this.#commit(by, this.#access.roles.insert(role), role.id)
      return role
    })
  }

  /** @throws as `create`, kms/not-found, kms/changed-meanwhile */
  update(
    by: By,
    id: string,
    change: Partial<RoleBody> & { readonly name?: string },
    ifMatch?: string,
  ): Promise<Role> {
    return this.#access.exclusive(async () => {
      const current = await this.get(id)
      checkIfMatch(ifMatch, current.version)
      const name = change.name ?? current.name
      checkRoleName(name)
      const body: RoleBody = {
        rules: checkRules(change.rules ?? current.body.rules),
        description: change.description ?? current.body.description,
      }
      await this.#checkHolds(by, current.project, [...current.body.rules, ...body.rules])
      await this.#commit(by, this.#access.roles.update(current, { name, body }), id)
      return { ...current, name, version: current.version + 1, body }
    })
  }

  /** Only a role that no grant and no policy names. @throws kms/in-use, kms/escalation, kms/not-found */
  remove(by: By, id: string): Promise<void> {
    return this.#access.exclusive(async () => {
      const role = await this.get(id)
      await this.#checkHolds(by, role.project, role.body.rules)
      const holders = await Promise.all([
        this.#access.identities.mentioning(id, 1),
        this.#access.groups.mentioning(id, 1),
        this.#access.policies.mentioning(id, 1),
      ])
      if (holders.some((found) => found.length > 0)) throw new Fault('kms/in-use')
      await this.#commit(by, this.#access.roles.remove(role), id)
    })
  }

  #checkHolds(by: By, scope: Scope, rules: readonly Rule[]): Promise<void> {
    const held = rules.map(
      (rule): HeldRule => ({
        rule,
        label: 'role',
        scope,
        startsAt: Number.NEGATIVE_INFINITY,
        endsAt: Number.POSITIVE_INFINITY,
      }),
    )
    return this.#access.checkHolds(by.principal, held, by.record)
  }

  async #commit(by: By, writes: Writes, resource: string): Promise<void> {
    await orConflict(
      this.#context.journal.commit({
        ...writes,
        audit: [doneBy(by, resource)],
      }),
    )
  }
}

function checkRoleName(name: string): void {
  if (!isName(name))
    throw new Fault('kms/bad-name', { detail: '1 to 64 letters, digits, ".", "_" or "-"' })
  if (isBuiltInRole(name) || name.startsWith('rol_'))
    throw new Fault('kms/built-in-role', { detail: 'the name of a built-in role' })
}
