/**
 * Access requests: asked by one, decided by the signatures of others, granted for a time. Everything
 * that is decided stands in the audit chain with what it takes to check it.
 */

import { publicHash } from '@quorate/api'
import { Fault, fromHex, newId, toHex } from '@quorate/base'
import type { KmsContext } from '../../context.ts'
import type { AuditDraft } from '../../storage/port.ts'
import { type By, doneBy } from '../access/act.ts'
import {
  Documents,
  joinWrites,
  orConflict,
  type PageOptions,
  type Writes,
} from '../access/documents.ts'
import type { Grant } from '../access/grant.ts'
import type { Scope } from '../access/model.ts'
import type { AccessService } from '../access/service.ts'
import { type Identity, MAX_GRANTS } from '../identities/model.ts'
import {
  type Approval,
  type ApprovalPolicy,
  type RequestBody,
  type RequestDocument,
  type RequestTerms,
  requestHash,
  rulesHash,
} from './model.ts'
import { countApprovals, isAmong, isGenuine, stateOf, whyNotApprover } from './policy.ts'
import { hashField, termsFields } from './record.ts'

export type NewRequest = {
  readonly policy: string
  readonly role: string
  readonly durationSeconds: number
  readonly reason: string
}
export type Decided = Pick<Approval, 'publicKey' | 'decision' | 'expiresAt' | 'signature'>

export class ApprovalService {
  readonly #context: KmsContext
  readonly #access: AccessService
  readonly #requests: Documents<RequestBody>

  constructor(context: KmsContext, access: AccessService) {
    this.#context = context
    this.#access = access
    this.#requests = new Documents(context.sql, 'access-request')
  }

  /** @throws kms/not-found */
  async request(id: string): Promise<RequestDocument> {
    return (await this.#requests.get(id)) ?? missing()
  }

  find(id: string): Promise<RequestDocument | undefined> {
    return this.#requests.get(id)
  }

  listRequests(project: Scope, page: PageOptions): Promise<readonly RequestDocument[]> {
    return this.#requests.list(project, page)
  }

  /** @throws kms/not-found, kms/bad-grant */
  create(by: By, wanted: NewRequest): Promise<RequestDocument> {
    return this.#access.exclusive(async () => {
      const { clock, random } = this.#context
      const policy = (await this.#access.policies.get(wanted.policy)) ?? missing()
      const { body } = policy
      if (!body.roles.includes(wanted.role)) refuse('the policy does not offer this role')
      if (wanted.durationSeconds > body.maxDurationSeconds) refuse('longer than the policy allows')
      const now = clock.now()
      const rules = await this.#rulesOf(policy.project, wanted.role)
      const id = newId('arq', now, random)
      const terms: RequestTerms = {
        id,
        project: policy.project,
        policy: policy.id,
        policyVersion: policy.version,
        requester: by.principal.id,
        role: wanted.role,
        rulesHash: rulesHash(rules),
        durationSeconds: wanted.durationSeconds,
        reason: wanted.reason.normalize('NFC'),
        required: body.required,
        createdAt: now,
        expiresAt: now + body.requestSeconds * 1000,
      }
      const document = { id, project: policy.project, name: id, body: openRequest(terms, rules) }
      await this.#commit(this.#requests.insert(document), [doneBy(by, id, termsFields(terms))])
      return { ...document, version: 1 }
    })
  }

  /**
   * Adds the caller's signed word; with the last one that is needed the grant is in force at once, and one
   * refusal ends the request.
   * @throws kms/not-found, kms/request-closed, kms/not-approver, kms/bad-approval
   */
  decide(by: By, id: string, decided: Decided): Promise<RequestDocument> {
    return this.#access.exclusive(async () => {
      const { clock } = this.#context
      const now = clock.now()
      const { request, policy } = await this.#open(id)
      const { terms } = request.body
      const approver = (await this.#access.identities.get(by.principal.id)) ?? missing()
      const why = whyNotApprover(policy.body, terms.requester, approver)
      if (why !== undefined) await this.#access.refuse(by.record, 'kms/not-approver', why)
      const approval: Approval = { ...decided, approver: approver.id, at: now }
      if (approval.expiresAt <= now || approval.expiresAt > terms.expiresAt)
        await this.#access.refuse(
          by.record,
          'kms/bad-approval',
          'it has ended, or outlives the request',
        )
      if (!isGenuine(terms, approval, approver))
        await this.#access.refuse(by.record, 'kms/bad-approval', 'the signature does not verify')
      const body: RequestBody = {
        ...request.body,
        approvals: [
          ...request.body.approvals.filter((each) => each.approver !== approver.id),
          approval,
        ],
      }
      const record = doneBy(by, id, [
        hashField(terms),
        { name: 'decision', kind: 'text', value: approval.decision },
        { name: 'publicKey', kind: 'hash', value: publicHash(fromHex(approval.publicKey)) },
        { name: 'expiresAt', kind: 'int', value: approval.expiresAt },
        { name: 'signature', kind: 'text', value: approval.signature },
      ])
      if (approval.decision === 'deny')
        return this.#put(request, { ...body, state: 'denied' }, [record])
      const approvers = await this.#approvers(body)
      if (countApprovals(policy, body, approvers, now) < policy.body.required)
        return this.#put(request, body, [record])
      return this.#grant(request, body, [record], { ...by.record, reason: 'approved' })
    })
  }

  /** Break glass: granted without approvals, loudly. @throws kms/not-found, kms/request-closed, kms/not-approver */
  bypass(by: By, id: string): Promise<RequestDocument> {
    return this.#access.exclusive(async () => {
      const { request, policy } = await this.#open(id)
      const bypasser = (await this.#access.identities.get(by.principal.id)) ?? missing()
      if (!bypasser.body.isActive || !isAmong(policy.body.bypassers, bypasser))
        await this.#access.refuse(
          by.record,
          'kms/not-approver',
          'the policy does not list you as a bypasser',
        )
      this.#context.logger.log('warn', 'kms.break-glass', { request: id, by: bypasser.id })
      return this.#grant(request, request.body, [], { ...by.record, reason: 'break-glass' })
    })
  }

  /** Ends a request, and what it has granted. @throws kms/not-found, kms/request-closed */
  revoke(by: By, id: string): Promise<RequestDocument> {
    return this.#access.exclusive(async () => {
      const request = await this.request(id)
      const { state, terms, grant } = request.body
      if (state !== 'open' && state !== 'granted') throw new Fault('kms/request-closed')
      const holder = grant && (await this.#access.identities.get(terms.requester))
      const grants = holder?.body.grants.filter((each) => each.id !== grant?.id)
      const taken: readonly Writes[] =
        holder === undefined || grants === undefined || grants.length === holder.body.grants.length
          ? []
          : [this.#access.identities.update(holder, { body: { ...holder.body, grants } })]
      return this.#put(
        request,
        { ...request.body, state: 'revoked' },
        [doneBy(by, id, [hashField(terms)])],
        taken,
      )
    })
  }

  stateOf(request: RequestDocument): ReturnType<typeof stateOf> {
    return stateOf(request.body, this.#context.clock.now())
  }

  /** A request that can still be decided, under the very policy and rules that it was made for. */
  async #open(
    id: string,
  ): Promise<{ readonly request: RequestDocument; readonly policy: ApprovalPolicy }> {
    const request = await this.request(id)
    const { terms } = request.body
    const policy = await this.#access.policies.get(terms.policy)
    const isSame =
      policy?.version === terms.policyVersion &&
      rulesHash(await this.#rulesOf(policy.project, terms.role)) === terms.rulesHash
    if (this.stateOf(request) !== 'open' || policy === undefined || !isSame)
      throw new Fault('kms/request-closed')
    return { request, policy }
  }

  async #grant(
    request: RequestDocument,
    body: RequestBody,
    records: readonly AuditDraft[],
    record: By['record'],
  ): Promise<RequestDocument> {
    const { clock, random } = this.#context
    const now = clock.now()
    const { terms, rules } = body
    const requester = await this.#access.identities.get(terms.requester)
    if (requester === undefined || !requester.body.isActive) throw new Fault('kms/request-closed')
    const grant: Grant = {
      id: newId('grt', now, random),
      scope: request.project,
      rules,
      endsAt: now + terms.durationSeconds * 1000,
      reason: terms.reason,
      by: record.actor,
      at: now,
      request: terms.id,
    }
    const grants = requester.body.grants.filter(
      ({ endsAt }) => endsAt === undefined || endsAt > now,
    )
    if (grants.length >= MAX_GRANTS) throw new Fault('kms/limit-reached')
    const granted: AuditDraft = {
      ...record,
      action: 'access-request.grant',
      resource: terms.id,
      outcome: 'done',
      fields: [
        hashField(terms),
        { name: 'required', kind: 'int', value: terms.required },
        { name: 'grant', kind: 'text', value: grant.id },
        { name: 'requester', kind: 'text', value: terms.requester },
        { name: 'endsAt', kind: 'int', value: grant.endsAt! },
      ],
    }
    return this.#put(
      request,
      { ...body, state: 'granted', grant: { id: grant.id, endsAt: grant.endsAt! } },
      [...records, granted],
      [
        this.#access.identities.update(requester, {
          body: { ...requester.body, grants: [...grants, grant] },
        }),
      ],
    )
  }

  async #put(
    request: RequestDocument,
    body: RequestBody,
    audit: readonly AuditDraft[],
    more: readonly Writes[] = [],
  ): Promise<RequestDocument> {
    await this.#commit(joinWrites(this.#requests.update(request, { body }), ...more), audit)
    return { ...request, version: request.version + 1, body }
  }

  async #commit(writes: Writes, audit: readonly AuditDraft[]): Promise<void> {
    await orConflict(this.#context.journal.commit({ ...writes, audit }))
  }

  async #approvers({ approvals }: RequestBody): Promise<ReadonlyMap<string, Identity>> {
    const found = await Promise.all(
      approvals.map(({ approver }) => this.#access.identities.get(approver)),
    )
    return new Map(found.flatMap((identity) => (identity ? [[identity.id, identity]] : [])))
  }

  async #rulesOf(scope: Scope, role: string): Promise<RequestBody['rules']> {
    const held = await this.#access.rulesOfGrants([{ id: 'grt', scope, role, by: '', at: 0 }])
    return held.map(({ rule }) => rule)
  }
}

const openRequest = (terms: RequestTerms, rules: RequestBody['rules']): RequestBody => ({
  terms,
  rules,
  state: 'open',
  approvals: [],
})

/** The hash of a request as its approvers sign it, in hex. */
export const requestHashHex = (terms: RequestTerms): string => toHex(requestHash(terms))

function refuse(detail: string): never {
  throw new Fault('kms/bad-grant', { detail })
}

function missing(): never {
  throw new Fault('kms/not-found')
}
