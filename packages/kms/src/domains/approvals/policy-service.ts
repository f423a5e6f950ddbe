/**
 * Approval policies. Whoever makes one holds all that it can give, and nobody gets to be an approver by
 * a way around it.
 */
import { Fault, newId } from '@quorate/base'
import type { KmsContext } from '../../context.ts'
import type { AuditDraft } from '../../storage/port.ts'
import { type By, doneBy } from '../access/act.ts'
import { checkIfMatch, orConflict, type PageOptions, type Writes } from '../access/documents.ts'
import { EVERYWHERE, type Scope } from '../access/model.ts'
import type { Principal } from '../access/port.ts'
import type { AccessService } from '../access/service.ts'
import { checkedName, type GrantService } from '../identities/grant-service.ts'
import type { Identity } from '../identities/model.ts'
import type { ApprovalPolicy, PolicyBody } from './model.ts'

/** Policies that one identity or group may stand in. */
const MAX_MENTIONS = 100

export class PolicyService {
  readonly #context: KmsContext
  readonly #access: AccessService
  readonly #grants: GrantService

  constructor(context: KmsContext, access: AccessService, grants: GrantService) {
    this.#context = context
    this.#access = access
    this.#grants = grants
  }

  /** @throws kms/not-found */
  async get(id: string): Promise<ApprovalPolicy> {
    return (await this.#access.policies.get(id)) ?? missing()
  }

  list(project: Scope, page: PageOptions): Promise<readonly ApprovalPolicy[]> {
    return this.#access.policies.list(project, page)
  }

  /** Whoever makes a policy holds all that it can give. @throws kms/escalation, kms/bad-grant, kms/name-taken */
  create(by: By, project: Scope, name: string, body: PolicyBody): Promise<ApprovalPolicy> {
    return this.#access.exclusive(async () => {
      await this.#checkPolicy(by, project, name, body)
      const { clock, random } = this.#context
      const policy: ApprovalPolicy = {
        id: newId('apl', clock.now(), random),
        project,
        name,
        version: 1,
        body,
      }
      await this.#commit(this.#access.policies.insert(policy), [doneBy(by, policy.id)])
      return policy
    })
  }

  /** Requests that wait under the old version end. @throws as `create`, kms/changed-meanwhile */
  update(by: By, id: string, body: PolicyBody, ifMatch?: string): Promise<ApprovalPolicy> {
    return this.#access.exclusive(async () => {
      const current = await this.get(id)
      checkIfMatch(ifMatch, current.version)
      await this.#checkPolicy(by, current.project, current.name, body)
      await this.#commit(this.#access.policies.update(current, { body }), [doneBy(by, id)])
      return { ...current, version: current.version + 1, body }
    })
  }

  /** @throws kms/not-found */
  remove(by: By, id: string): Promise<void> {
    return this.#access.exclusive(async () => {
      await this.#commit(this.#access.policies.remove(await this.get(id)), [doneBy(by, id)])
    })
  }

  async #checkPolicy(by: By, project: Scope, name: string, body: PolicyBody): Promise<void> {
    checkedName(name)
    const grants = await Promise.all(
      body.roles.map((role) => this.#grants.makeGrant(by, EVERYWHERE, { scope: project, role })),
    )
    await this.#access.checkHolds(by.principal, await this.#access.rulesOfGrants(grants), by.record)
    for (const id of [...body.approvers, ...body.bypassers]) {
      const found = id.startsWith('grp_')
        ? await this.#access.groups.get(id)
        : await this.#access.identities.get(id)
      if (found === undefined) refuse('an approver or bypasser does not exist')
    }
    const isEnough =
      body.approvers.some((id) => id.startsWith('grp_')) ||
      new Set(body.approvers).size >= body.required
    if (!isEnough) refuse('it takes more approvers than there are')
  }

  /**
   * Acting as an approver is to decide what he decides, so it takes the permission to write the policies
   * that he stands in.
   */
  async guardApprovers({ id, body }: Identity, by: By): Promise<void> {
    if (id === by.principal.id) return
    for (const each of [...(id === '' ? [] : [id]), ...body.groups])
      for (const { project } of await this.#access.policies.mentioning(each, MAX_MENTIONS))
        if (!(await this.#mayWritePolicies(by.principal, project)))
          await this.#access.refuse(by.record, 'kms/escalation', 'it takes approval-policy.write')
  }

  async #mayWritePolicies(principal: Principal, project: Scope): Promise<boolean> {
    const holder = await this.#access.holder(principal.id)
    return (
      holder?.policy.decide({
        action: 'approval-policy.write',
        resource: {
          kind: 'approval-policy',
          project: project === EVERYWHERE ? undefined : project,
        },
        now: this.#context.clock.now(),
        address: principal.address,
      }).allowed ?? false
    )
  }

  async #commit(writes: Writes, audit: readonly AuditDraft[]): Promise<void> {
    await orConflict(this.#context.journal.commit({ ...writes, audit }))
  }
}

function refuse(detail: string): never {
  throw new Fault('kms/bad-grant', { detail })
}

function missing(): never {
  throw new Fault('kms/not-found')
}
