/** Routes of approval policies and access requests. */
import { fromRfc3339 } from '@quorate/api'
import { type Static, Type } from '@sinclair/typebox'
import { etagOf } from '../access/documents.ts'
import { rulesSchema } from '../access/model.ts'
import type { GuardedRoute, KmsRoute, RouteInput } from '../access/route.ts'
import {
  idOf,
  type ListQuery,
  listOf,
  listQuery,
  nameText,
  pageOf,
  projectOf,
  rfc,
  scopeOf,
  seconds,
  shortText,
  strict,
  time,
} from '../access/schema.ts'
import type { AccessService } from '../access/service.ts'
import { resourceOfDocument } from '../identities/routes.ts'
import {
  type ApprovalPolicy,
  MAX_APPROVERS,
  MAX_GRANT_SECONDS,
  MAX_REQUEST_SECONDS,
  type RequestDocument,
} from './model.ts'
import type { PolicyService } from './policy-service.ts'
import { type ApprovalService, requestHashHex } from './service.ts'

type ById = { readonly id: string }
type Nothing = Record<never, never>

const principals = Type.Array(Type.String({ pattern: '^(idn|grp)_[0-7][0-9a-hjkmnp-tv-z]{25}$' }), {
  maxItems: MAX_APPROVERS,
  uniqueItems: true,
})
const policyBody = {
  roles: Type.Array(Type.String({ pattern: '^[a-z][a-z0-9_-]{0,63}$' }), {
    minItems: 1,
    maxItems: 16,
  }),
  approvers: principals,
  required: Type.Integer({ minimum: 1, maximum: MAX_APPROVERS }),
  bypassers: principals,
  maxDurationSeconds: seconds(MAX_GRANT_SECONDS),
  requestSeconds: seconds(MAX_REQUEST_SECONDS),
  allowsSelfApproval: Type.Boolean(),
}
const policyChange = Type.Object(policyBody, strict)
const newPolicy = Type.Object(
  { name: nameText, project: Type.Optional(idOf('prj')), ...policyBody },
  strict,
)
const newRequest = Type.Object(
  {
    policy: idOf('apl'),
    role: Type.String({ pattern: '^[a-z][a-z0-9_-]{0,63}$' }),
    durationSeconds: seconds(MAX_GRANT_SECONDS),
    reason: shortText(256),
  },
  strict,
)
const decision = Type.Object(
  {
    decision: Type.Union([Type.Literal('approve'), Type.Literal('deny')]),
    publicKey: Type.String({ pattern: '^[0-9a-f]{64}$' }),
    expiresAt: time,
    signature: Type.String({ pattern: '^[0-9a-f]{128}$' }),
  },
  strict,
)

const policyAnswer = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    project: Type.Union([Type.String(), Type.Null()]),
    version: Type.Integer(),
    ...policyBody,
  },
  { title: 'ApprovalPolicy' },
)
const requestAnswer = Type.Object(
  {
    id: Type.String(),
    project: Type.Union([Type.String(), Type.Null()]),
    policy: Type.String(),
    policyVersion: Type.Integer(),
    requester: Type.String(),
    role: Type.String(),
    rulesHash: Type.String(),
    rules: rulesSchema,
    durationSeconds: Type.Integer(),
    reason: Type.String(),
    required: Type.Integer(),
    state: Type.String(),
    createdAt: Type.String(),
    expiresAt: Type.String(),
    requestHash: Type.String(),
    approvals: Type.Array(
      Type.Object({
        approver: Type.String(),
        publicKey: Type.String(),
        decision: Type.String(),
        expiresAt: Type.String(),
        signature: Type.String(),
        at: Type.String(),
      }),
    ),
    grant: Type.Union([Type.Object({ id: Type.String(), endsAt: Type.String() }), Type.Null()]),
  },
  { title: 'AccessRequest' },
)

const policyJson = ({ id, name, project, version, body }: ApprovalPolicy) => ({
  id,
  name,
  project: projectOf(project) ?? null,
  version,
  ...body,
})

export function approvalRoutes(
  access: AccessService,
  policies: PolicyService,
  approvals: ApprovalService,
): readonly KmsRoute[] {
  const requestJson = (request: RequestDocument) => {
    const { terms, rules, approvals: given, grant } = request.body
    return {
      id: request.id,
      project: projectOf(request.project) ?? null,
      policy: terms.policy,
      policyVersion: terms.policyVersion,
      requester: terms.requester,
      role: terms.role,
      rulesHash: terms.rulesHash,
      rules,
      durationSeconds: terms.durationSeconds,
      reason: terms.reason,
      required: terms.required,
      state: approvals.stateOf(request),
      createdAt: rfc(terms.createdAt),
      expiresAt: rfc(terms.expiresAt),
      requestHash: requestHashHex(terms),
      approvals: given.map((each) => ({
        ...each,
        expiresAt: rfc(each.expiresAt),
        at: rfc(each.at),
      })),
      grant: grant === undefined ? null : { id: grant.id, endsAt: rfc(grant.endsAt) },
    }
  }
  const ofPolicy = async ({ params }: RouteInput<ById>) =>
    resourceOfDocument('approval-policy', await access.policies.get(params.id))
  const ofRequest = async ({ params }: RouteInput<ById>) =>
    resourceOfDocument('access-request', await approvals.find(params.id))
  const policyId = Type.Object({ id: idOf('apl') })
  const requestId = Type.Object({ id: idOf('arq') })

  const listPolicies: GuardedRoute<RouteInput<Nothing, ListQuery>> = {
    method: 'GET',
    path: '/api/v1/approval-policies',
    operationId: 'listApprovalPolicies',
    summary: 'Approval policies of a project',
    permission: 'approval-policy.read',
    query: listQuery,
    answer: listOf(policyAnswer),
    resourceOf: ({ query }) => ({
      kind: 'approval-policy',
      project: projectOf(scopeOf(query.project)),
    }),
    handle: async ({ query, record }) => {
      await access.note(record)
      const load = (page: { after: string; limit: number }) =>
        policies.list(scopeOf(query.project), page)
      return { body: await pageOf(query, load, policyJson) }
    },
  }

  const createPolicy: GuardedRoute<RouteInput<Nothing, unknown, Static<typeof newPolicy>>> = {
    method: 'POST',
    path: '/api/v1/approval-policies',
    operationId: 'createApprovalPolicy',
    summary: 'Say who may let whom have a role for a time',
    permission: 'approval-policy.write',
    body: newPolicy,
    answer: policyAnswer,
    status: 201,
    resourceOf: ({ body }) => ({
      kind: 'approval-policy',
      project: projectOf(scopeOf(body.project)),
    }),
    handle: async ({ body, principal, record }) => {
      const { name, project, ...rest } = body
      const policy = await policies.create({ principal, record }, scopeOf(project), name, rest)
      return { body: policyJson(policy), headers: { etag: etagOf(policy.version) } }
    },
  }

  const updatePolicy: GuardedRoute<RouteInput<ById, unknown, Static<typeof policyChange>>> = {
    method: 'PUT',
    path: '/api/v1/approval-policies/{id}',
    operationId: 'updateApprovalPolicy',
    summary: 'Replace a policy; requests that wait under the old one end',
    permission: 'approval-policy.write',
    params: policyId,
    body: policyChange,
    answer: policyAnswer,
    resourceOf: ofPolicy,
    handle: async ({ params, body, principal, record, header }) => {
      const by = { principal, record }
      const policy = await policies.update(by, params.id, body, header('if-match'))
      return { body: policyJson(policy), headers: { etag: etagOf(policy.version) } }
    },
  }

  const removePolicy: GuardedRoute<RouteInput<ById>> = {
    method: 'DELETE',
    path: '/api/v1/approval-policies/{id}',
    operationId: 'deleteApprovalPolicy',
    summary: 'Remove a policy; requests that wait under it end',
    permission: 'approval-policy.write',
    params: policyId,
    status: 204,
    resourceOf: ofPolicy,
    handle: async ({ params, principal, record }) => {
      await policies.remove({ principal, record }, params.id)
      return {}
    },
  }

  const list: GuardedRoute<RouteInput<Nothing, ListQuery>> = {
    method: 'GET',
    path: '/api/v1/access-requests',
    operationId: 'listAccessRequests',
    summary: 'Access requests of a project',
    permission: 'access-request.read',
    query: listQuery,
    answer: listOf(requestAnswer),
    resourceOf: ({ query }) => ({
      kind: 'access-request',
      project: projectOf(scopeOf(query.project)),
    }),
    handle: async ({ query, record }) => {
      await access.note(record)
      const load = (page: { after: string; limit: number }) =>
        approvals.listRequests(scopeOf(query.project), page)
      return { body: await pageOf(query, load, requestJson) }
    },
  }

  const create: GuardedRoute<RouteInput<Nothing, unknown, Static<typeof newRequest>>> = {
    method: 'POST',
    path: '/api/v1/access-requests',
    operationId: 'createAccessRequest',
    summary: 'Ask for a role for a time',
    permission: 'access-request.create',
    body: newRequest,
    answer: requestAnswer,
    status: 201,
    resourceOf: async ({ body }) =>
      resourceOfDocument('approval-policy', await access.policies.get(body.policy)),
    handle: async ({ body, principal, record }) => ({
      body: requestJson(await approvals.create({ principal, record }, body)),
    }),
  }

  const get: GuardedRoute<RouteInput<ById>> = {
    method: 'GET',
    path: '/api/v1/access-requests/{id}',
    operationId: 'getAccessRequest',
    summary: 'One request, with the hash that approvers sign',
    permission: 'access-request.read',
    params: requestId,
    answer: requestAnswer,
    resourceOf: ofRequest,
    handle: async ({ params, record }) => {
      await access.note(record)
      return { body: requestJson(await approvals.request(params.id)) }
    },
  }

  const decide: GuardedRoute<RouteInput<ById, unknown, Static<typeof decision>>> = {
    method: 'POST',
    path: '/api/v1/access-requests/{id}/decisions',
    operationId: 'decideAccessRequest',
    summary: 'Approve or deny with a signature of your enrolled key',
    permission: 'access-request.decide',
    params: requestId,
    body: decision,
    answer: requestAnswer,
    resourceOf: ofRequest,
    handle: async ({ params, body, principal, record }) => {
      const decided = { ...body, expiresAt: fromRfc3339(body.expiresAt) }
      return {
        body: requestJson(await approvals.decide({ principal, record }, params.id, decided)),
      }
    },
  }

  const bypass: GuardedRoute<RouteInput<ById>> = {
    method: 'POST',
    path: '/api/v1/access-requests/{id}/bypass',
    operationId: 'bypassAccessRequest',
    summary: 'Break glass: grant without approvals, loudly',
    permission: 'access-request.bypass',
    params: requestId,
    answer: requestAnswer,
    resourceOf: ofRequest,
    handle: async ({ params, principal, record }) => ({
      body: requestJson(await approvals.bypass({ principal, record }, params.id)),
    }),
  }

  const revoke: GuardedRoute<RouteInput<ById>> = {
    method: 'POST',
    path: '/api/v1/access-requests/{id}/revoke',
    operationId: 'revokeAccessRequest',
    summary: 'End a request and take back what it granted, at once',
    permission: 'access-request.revoke',
    params: requestId,
    answer: requestAnswer,
    resourceOf: ofRequest,
    handle: async ({ params, principal, record }) => ({
      body: requestJson(await approvals.revoke({ principal, record }, params.id)),
    }),
  }

  return [
    listPolicies,
    createPolicy,
    updatePolicy,
    removePolicy,
    list,
    create,
    get,
    decide,
    bypass,
    revoke,
  ]
}
