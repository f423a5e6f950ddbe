/** kms requests, approve and reject: asking for a role for a time, and letting somebody have it. */
import { Fault, fromHex, type Id, toHex } from '@quorate/base'
import {
  approvalMessage,
  isBuiltInRole,
  type RequestTerms,
  requestHash,
  rulesHash,
} from '@quorate/kms'
import type { Given, Run } from '../../command.ts'
import type { Output } from '../../output.ts'
import { readApproverKey } from '../approver-key.ts'
import { connectKms, type KmsConnection } from '../connect.ts'
import {
  ask,
  idOf,
  inScope,
  listed,
  listOf,
  removeFrom,
  scopeOf,
  secondsOf,
  theOne,
} from '../documents.ts'

type RequestJson = Omit<RequestTerms, 'project' | 'createdAt' | 'expiresAt'> & {
  readonly project: string | null
  readonly createdAt: string
  readonly expiresAt: string
  readonly rules: Parameters<typeof rulesHash>[0]
  readonly state: string
  readonly requestHash: string
  readonly approvals: readonly { readonly approver: string; readonly decision: string }[]
  readonly grant: { readonly id: string; readonly endsAt: string } | null
}
type Decision = 'approve' | 'deny'
type PolicyTerms = {
  readonly roles: readonly string[]
  readonly approvers: readonly string[]
  readonly required: number
  readonly bypassers: readonly string[]
  readonly maxDurationSeconds: number
  readonly requestSeconds: number
  readonly allowsSelfApproval: boolean
}
type Policy = PolicyTerms & {
  readonly id: string
  readonly name: string
  readonly version: number
}

const NEW_POLICY: PolicyTerms = {
  roles: [],
  approvers: [],
  required: 1,
  bypassers: [],
  maxDurationSeconds: 8 * 3600,
  requestSeconds: 86_400,
  allowsSelfApproval: false,
}

export const listRequests: Run = listOf('access-requests', [
  'id',
  'role',
  'state',
  'requester',
  'expiresAt',
])
export const listPolicies: Run = listOf('approval-policies', ['name', 'id'])
export const removePolicy: Run = removeFrom('approval-policies')

/** Ids by names, in the scope that is meant. */
const idsOf = (
  given: Given,
  connection: KmsConnection,
  named: readonly string[],
  kind: 'identities' | 'groups' | 'roles',
): Promise<readonly string[]> =>
  Promise.all(named.map((each) => idOf(given, connection, kind, each)))

/** What the options say of a policy; what they leave out is absent. */
async function policyFrom(given: Given, connection: KmsConnection): Promise<Partial<PolicyTerms>> {
  const [life, waits] = [given.text('for'), given.text('waits')]
  const required = given.integer('required', 1, 32)
  const approvers = [
    ...(await idsOf(given, connection, given.list('approver'), 'identities')),
    ...(await idsOf(given, connection, given.list('approver-group'), 'groups')),
  ]
  const roles = await idsOf(given, connection, given.list('role'), 'roles')
  const bypassers = await idsOf(given, connection, given.list('bypasser'), 'identities')
  return {
    ...(roles.length > 0 && { roles }),
    ...(approvers.length > 0 && { approvers }),
    ...(required !== undefined && { required }),
    ...(bypassers.length > 0 && { bypassers }),
    ...(life !== undefined && { maxDurationSeconds: secondsOf('--for', life) }),
    ...(waits !== undefined && { requestSeconds: secondsOf('--waits', waits) }),
    ...(given.flag('self-approval') && { allowsSelfApproval: true }),
  }
}

export const createPolicy: Run = async (given, output) => {
  const connection = await connectKms(given)
  const made = await ask<Policy>(connection.client, 'POST', '/api/v1/approval-policies', {
    ...NEW_POLICY,
    ...(await policyFrom(given, connection)),
    name: given.argument(0),
    ...inScope(await scopeOf(given, connection)),
  })
  output.result(made, () => [`Policy ${made.name} is there: ${made.id}`])
}

export const updatePolicy: Run = async (given, output) => {
  const { connection, client, id } = await theOne(given, 'approval-policies')
  const project = await scopeOf(given, connection)
  const found = (await listed<Policy>(client, 'approval-policies', project)).find(
    (each) => each.id === id,
  )
  if (found === undefined) throw new Fault('kms/not-found', { detail: given.argument(0) })
  const { roles, approvers, required, bypassers } = found
  const { maxDurationSeconds, requestSeconds, allowsSelfApproval } = found
  const { body } = await client.call<Policy>({
    method: 'PUT',
    target: `/api/v1/approval-policies/${id}`,
    body: {
      roles,
      approvers,
      required,
      bypassers,
      maxDurationSeconds,
      requestSeconds,
      allowsSelfApproval,
      ...(await policyFrom(given, connection)),
      ...(given.flag('no-bypassers') && { bypassers: [] }),
      ...(given.flag('no-self-approval') && { allowsSelfApproval: false }),
    },
    // Another change meanwhile must not be lost.
    headers: { 'if-match': `"${found.version}"` },
  })
  output.result(body, () => [
    `Policy ${body.name} is changed; requests that waited under the old one are over.`,
  ])
}

export const createRequest: Run = async (given, output) => {
  const connection = await connectKms(given)
  const policy = given.required('policy')
  const role = given.argument(0)
  const made = await ask<RequestJson>(connection.client, 'POST', '/api/v1/access-requests', {
    policy: await idOf(given, connection, 'approval-policies', policy),
    // Whoever asks may not be permitted to list roles.
    role: isBuiltInRole(role) ? role : await idOf(given, connection, 'roles', role),
    durationSeconds: secondsOf('--for', given.text('for') ?? '1h'),
    reason: given.required('reason'),
  })
  output.result(made, () => [
    `Asked for: ${made.id}`,
    `It takes ${made.required} of the approvers, until ${made.expiresAt}:`,
    `  quorate kms approve ${made.id} --key FILE`,
  ])
}

const linesOf = (request: RequestJson): readonly string[] => [
  `${request.id}: ${request.state}`,
  `who       ${request.requester}`,
  `role      ${request.role} in ${request.project ?? 'the whole instance'}, for ${request.durationSeconds} s`,
  ...request.rules.map((rule) => `          ${JSON.stringify(rule)}`),
  `why       ${request.reason}`,
  `policy    ${request.policy}, version ${request.policyVersion}`,
  `approved  ${request.approvals.filter(({ decision }) => decision === 'approve').length} of ${request.required}, until ${request.expiresAt}`,
  ...(request.grant === null
    ? []
    : [`granted   ${request.grant.id}, until ${request.grant.endsAt}`]),
]

export const showRequest: Run = async (given, output) => {
  const { client, id } = await theOne(given, 'access-requests')
  const request = await ask<RequestJson>(client, 'GET', `/api/v1/access-requests/${id}`)
  output.result(request, () => linesOf(request))
}

const act =
  (verb: 'revoke' | 'bypass', said: string): Run =>
  async (given, output) => {
    const { client, id } = await theOne(given, 'access-requests')
    const target = `/api/v1/access-requests/${id}/${verb}`
    const request = await ask<RequestJson>(client, 'POST', target, {})
    output.result(request, () => [said, ...linesOf(request)])
  }
export const revokeRequest: Run = act('revoke', 'Ended; what it granted is taken back.')
export const bypassRequest: Run = act('bypass', 'Granted without approvals; the audit log says so.')

export const approve: Run = (given, output) => decide(given, output, 'approve')
export const reject: Run = (given, output) => decide(given, output, 'deny')

async function decide(given: Given, output: Output, decision: Decision): Promise<void> {
  const signer = readApproverKey(given.required('key'))
  const { client, id } = await theOne(given, 'access-requests')
  const request = await ask<RequestJson>(client, 'GET', `/api/v1/access-requests/${id}`)
  const hash = checkedHash(request, id)
  // What is signed is shown before it is.
  output.note(...linesOf(request))
  const { id: approver } = await ask<{ readonly id: Id<'idn'> }>(client, 'GET', '/api/v1/self')
  const expiresAt = Date.parse(request.expiresAt)
  const message = approvalMessage(hash, { decision, approver, expiresAt })
  const decided = await ask<RequestJson>(
    client,
    'POST',
    `/api/v1/access-requests/${id}/decisions`,
    {
      decision,
      publicKey: toHex(signer.publicKey),
      expiresAt: request.expiresAt,
      signature: toHex(await signer.sign(message)),
    },
  )
  output.result(decided, () => [
    `${decision === 'approve' ? 'Approved' : 'Rejected'}: ${id} is ${decided.state}.`,
  ])
}

/**
 * The hash of what the request says, worked out here: the server's own word for it is not signed.
 * @throws cli/does-not-verify
 */
function checkedHash(request: RequestJson, id: string): Uint8Array {
  const { project, createdAt, expiresAt, rules } = request
  const hash = requestHash({
    id: request.id,
    project: project ?? '*',
    policy: request.policy,
    policyVersion: request.policyVersion,
    requester: request.requester,
    role: request.role,
    rulesHash: rulesHash(rules),
    durationSeconds: request.durationSeconds,
    reason: request.reason,
    required: request.required,
    createdAt: Date.parse(createdAt),
    expiresAt: Date.parse(expiresAt),
  })
  if (request.id !== id || toHex(hash) !== toHex(fromHex(request.requestHash)))
    throw new Fault('cli/does-not-verify', {
      detail: 'the server names another hash than that of the request it shows',
    })
  return hash
}
