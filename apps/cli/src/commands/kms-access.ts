import type { Command, Options } from '../command.ts'
import { KMS_OPTIONS, PLACE_OPTIONS, SCOPE_OPTIONS } from '../kms/options.ts'

const roles = () => import('../kms/actions/roles.ts')
const requests = () => import('../kms/actions/requests.ts')

const ROLE = { name: 'ROLE', about: 'a built-in role, or name or id of another' }
const REQUEST = { name: 'REQUEST', about: 'id of the access request' }
const rules: Options = {
  rules: { kind: 'text', value: 'FILE', about: 'a JSON list of rules; - for standard input' },
}
const approving: Options = {
  ...KMS_OPTIONS,
  ...SCOPE_OPTIONS,
  key: { kind: 'text', value: 'FILE', about: 'your key, by kms approver-key create' },
}

const policy: Options = {
  ...SCOPE_OPTIONS,
  role: { kind: 'list', value: 'ROLE', about: 'what may be asked for' },
  approver: { kind: 'list', value: 'IDENTITY', about: 'whose word counts' },
  'approver-group': { kind: 'list', value: 'GROUP', about: 'whose members’ word counts' },
  required: { kind: 'integer', value: 'N', about: 'how many of them it takes (1 at first)' },
  bypasser: { kind: 'list', value: 'IDENTITY', about: 'who may break the glass' },
  for: { kind: 'text', value: 'TIME', about: 'the longest grant (8h at first)' },
  waits: { kind: 'text', value: 'TIME', about: 'how long a request waits (1d at first)' },
  'self-approval': { kind: 'flag', about: 'one’s own word counts for oneself' },
}

/** Rules of a KMS, and access that others approve. */
export const kmsAccessCommands: readonly Command[] = [
  {
    name: 'kms roles list',
    summary: 'List roles, built-in ones first',
    options: SCOPE_OPTIONS,
    examples: ['quorate kms roles list'],
    load: async () => (await roles()).listRoles,
  },
  {
    name: 'kms roles show',
    summary: 'Show the rules of a role',
    arguments: [ROLE],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms roles show viewer'],
    load: async () => (await roles()).showRole,
  },
  {
    name: 'kms roles create',
    summary: 'Make a role of rules',
    arguments: [{ name: 'NAME', about: 'its name' }],
    options: {
      ...SCOPE_OPTIONS,
      ...rules,
      description: { kind: 'text', value: 'TEXT', about: 'what it is for' },
    },
    examples: ['quorate kms roles create payments --rules payments.json'],
    load: async () => (await roles()).createRole,
  },
  {
    name: 'kms roles update',
    summary: 'Change a role, and with it what all who have it may',
    arguments: [ROLE],
    options: {
      ...SCOPE_OPTIONS,
      ...rules,
      name: { kind: 'text', value: 'NAME', about: 'another name' },
      description: { kind: 'text', value: 'TEXT', about: 'what it is for' },
    },
    examples: ['quorate kms roles update payments --rules payments.json'],
    load: async () => (await roles()).updateRole,
  },
  {
    name: 'kms roles delete',
    summary: 'Remove a role that nobody has',
    arguments: [ROLE],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms roles delete payments'],
    load: async () => (await roles()).removeRole,
  },
  {
    name: 'kms why',
    summary: 'Show whether you, or somebody else, may do something, and every rule about it',
    arguments: [{ name: 'ACTION', about: 'such as secret.read' }],
    options: {
      ...PLACE_OPTIONS,
      ...SCOPE_OPTIONS,
      name: { kind: 'text', value: 'NAME', about: 'of the secret' },
      tag: { kind: 'list', value: 'TAG', about: 'that the secret carries' },
      identity: { kind: 'text', value: 'IDENTITY', about: 'somebody else' },
      at: { kind: 'text', value: 'TIME', about: 'then, as 2026-03-04T12:00:00.000Z' },
      address: { kind: 'text', value: 'ADDRESS', about: 'from there' },
    },
    examples: [
      'quorate kms why secret.read --env production --path /payments --name KEY',
      'quorate kms why secret.update --identity ci',
    ],
    load: async () => (await roles()).why,
  },
  {
    name: 'kms access test',
    summary: 'Try roles before anybody has them: run the cases of a policy file',
    arguments: [{ name: 'FILE', about: 'roles and cases in JSON' }],
    options: KMS_OPTIONS,
    examples: ['quorate kms access test policy.json'],
    load: async () => (await roles()).testPolicy,
  },
  {
    name: 'kms approval-policies list',
    summary: 'List what can be asked for, and who lets one have it',
    options: SCOPE_OPTIONS,
    examples: ['quorate kms approval-policies list'],
    load: async () => (await requests()).listPolicies,
  },
  {
    name: 'kms approval-policies create',
    summary: 'Say who may let others have a role for a time',
    arguments: [{ name: 'NAME', about: 'its name' }],
    options: policy,
    examples: [
      'quorate kms approval-policies create oncall --role developer --approver ada --approver bob --required 2',
    ],
    load: async () => (await requests()).createPolicy,
  },
  {
    name: 'kms approval-policies update',
    summary: 'Change a policy: what is given takes the place of what it was, the rest stays',
    arguments: [{ name: 'POLICY', about: 'name or id' }],
    options: {
      ...policy,
      'no-bypassers': { kind: 'flag', about: 'nobody may break the glass any more' },
      'no-self-approval': { kind: 'flag', about: 'nobody approves for himself any more' },
    },
    examples: ['quorate kms approval-policies update oncall --required 2 --for 4h'],
    load: async () => (await requests()).updatePolicy,
  },
  {
    name: 'kms approval-policies delete',
    summary: 'Remove a policy; requests that wait under it end',
    arguments: [{ name: 'POLICY', about: 'name or id' }],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms approval-policies delete oncall'],
    load: async () => (await requests()).removePolicy,
  },
  {
    name: 'kms requests list',
    summary: 'List requests for access',
    options: SCOPE_OPTIONS,
    examples: ['quorate kms requests list'],
    load: async () => (await requests()).listRequests,
  },
  {
    name: 'kms requests create',
    summary: 'Ask for a role for a time',
    arguments: [ROLE],
    options: {
      ...SCOPE_OPTIONS,
      policy: { kind: 'text', value: 'POLICY', about: 'under which approval policy' },
      for: { kind: 'text', value: 'TIME', about: 'how long (default 1h)' },
      reason: { kind: 'text', value: 'TEXT', about: 'why; approvers read it' },
    },
    examples: ["quorate kms requests create developer --policy oncall --reason 'incident 7'"],
    load: async () => (await requests()).createRequest,
  },
  {
    name: 'kms requests show',
    summary: 'Show what a request asks for, and who approved it',
    arguments: [REQUEST],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms requests show arq_01arz3ndektsv4rrffq69g5fav'],
    load: async () => (await requests()).showRequest,
  },
  {
    name: 'kms requests revoke',
    summary: 'End a request and take back what it granted, at once',
    arguments: [REQUEST],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms requests revoke arq_01arz3ndektsv4rrffq69g5fav'],
    load: async () => (await requests()).revokeRequest,
  },
  {
    name: 'kms requests bypass',
    summary: 'Break the glass: take it without approvals, for all to see',
    arguments: [REQUEST],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms requests bypass arq_01arz3ndektsv4rrffq69g5fav'],
    load: async () => (await requests()).bypassRequest,
  },
  {
    name: 'kms approve',
    summary: 'Sign that somebody may have what he asks for',
    arguments: [REQUEST],
    options: approving,
    examples: ['quorate kms approve arq_01arz3ndektsv4rrffq69g5fav --key ada.key'],
    load: async () => (await requests()).approve,
  },
  {
    name: 'kms reject',
    summary: 'Sign that somebody may not have what he asks for, which ends the request',
    arguments: [REQUEST],
    options: approving,
    examples: ['quorate kms reject arq_01arz3ndektsv4rrffq69g5fav --key ada.key'],
    load: async () => (await requests()).reject,
  },
]
