import type { Command, Options } from '../command.ts'
import { SCOPE_OPTIONS } from '../kms/options.ts'

const identities = () => import('../kms/actions/identities.ts')

const IDENTITY = { name: 'IDENTITY', about: 'name or id of a person or machine' }
const GROUP = { name: 'GROUP', about: 'name or id of a group' }
const ROLE = { name: 'ROLE', about: 'a built-in role, or name or id of another' }
const grantOptions: Options = {
  ...SCOPE_OPTIONS,
  rules: { kind: 'text', value: 'FILE', about: 'a JSON list of rules; - for standard input' },
  for: { kind: 'text', value: 'TIME', about: 'for so long from now, such as 8h' },
  until: { kind: 'text', value: 'TIME', about: 'until then, such as 2026-01-31T14:05Z' },
  reason: { kind: 'text', value: 'TEXT', about: 'why' },
}

/** People, machines and groups of a KMS. */
export const kmsIdentityCommands: readonly Command[] = [
  {
    name: 'kms identities list',
    summary:
      'List the machines of a project, or with --instance the people and machines of the KMS',
    options: SCOPE_OPTIONS,
    examples: ['quorate kms identities list', 'quorate kms identities list --instance'],
    load: async () => (await identities()).listIdentities,
  },
  {
    name: 'kms identities create',
    summary: 'Enrol a machine, or a person; it may nothing yet',
    arguments: [{ name: 'NAME', about: 'its name' }],
    options: {
      ...SCOPE_OPTIONS,
      person: { kind: 'flag', about: 'a person, who may hold grants in any project' },
    },
    examples: ['quorate kms identities create ci', 'quorate kms identities create ada --person'],
    load: async () => (await identities()).createIdentity,
  },
  {
    name: 'kms identities show',
    summary: 'Show what an identity holds and signs in with',
    arguments: [IDENTITY],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms identities show ci'],
    load: async () => (await identities()).showIdentity,
  },
  {
    name: 'kms identities rename',
    summary: 'Give an identity another name',
    arguments: [IDENTITY, { name: 'NAME', about: 'its new name' }],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms identities rename ci build'],
    load: async () => (await identities()).renameIdentity,
  },
  {
    name: 'kms identities deactivate',
    summary: 'Put identities out of action, at once; what they hold stays',
    arguments: [{ ...IDENTITY, isMany: true }],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms identities deactivate ci'],
    load: async () => (await identities()).deactivateIdentities,
  },
  {
    name: 'kms identities activate',
    summary: 'Put identities into action again, as after a restore',
    arguments: [{ ...IDENTITY, isMany: true }],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms identities activate ci ada'],
    load: async () => (await identities()).activateIdentities,
  },
  {
    name: 'kms identities delete',
    summary: 'Remove an identity with its tokens and secrets, at once',
    arguments: [IDENTITY],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms identities delete ci'],
    load: async () => (await identities()).removeIdentity,
  },
  {
    name: 'kms identities grant',
    summary: 'Give an identity a role or rules in a project, for good or for a time',
    arguments: [IDENTITY, { ...ROLE, isOptional: true }],
    options: grantOptions,
    examples: [
      'quorate kms identities grant ci viewer',
      'quorate kms identities grant ada developer --for 8h --reason incident',
      'quorate kms identities grant ci --rules rules.json',
    ],
    load: async () => (await identities()).grantToIdentity,
  },
  {
    name: 'kms identities revoke',
    summary: 'Take a grant away from an identity, at once',
    arguments: [IDENTITY, { name: 'GRANT', about: 'id of the grant, as show shows it' }],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms identities revoke ci grt_01arz3ndektsv4rrffq69g5fav'],
    load: async () => (await identities()).revokeFromIdentity,
  },
  {
    name: 'kms identities secret',
    summary: 'Make a client secret to sign in with; it is shown once',
    arguments: [IDENTITY],
    options: {
      ...SCOPE_OPTIONS,
      for: { kind: 'text', value: 'TIME', about: 'how long it lives (default 90d)' },
      uses: { kind: 'integer', value: 'N', about: 'how often it can be used (default: any)' },
      description: { kind: 'text', value: 'TEXT', about: 'what it is for' },
      output: {
        kind: 'text',
        value: 'FILE',
        about: 'write it to a new file that only you can read',
      },
    },
    examples: [
      'quorate kms identities secret ci --output ci.secret',
      'quorate kms identities secret ci --for 10m --uses 1',
    ],
    load: async () => (await identities()).createSecret,
  },
  {
    name: 'kms identities secret delete',
    summary: 'Remove a client secret, at once',
    arguments: [IDENTITY, { name: 'SECRET', about: 'its id, cse_…' }],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms identities secret delete ci cse_01arz3ndektsv4rrffq69g5fav'],
    load: async () => (await identities()).removeSecret,
  },
  {
    name: 'kms identities login-method',
    summary: 'Let an identity sign in by universal, kubernetes, jwt or tls',
    arguments: [IDENTITY, { name: 'METHOD', about: 'universal, kubernetes, jwt or tls' }],
    options: {
      ...SCOPE_OPTIONS,
      settings: {
        kind: 'text',
        value: 'FILE',
        about: 'its settings in JSON; universal has defaults',
      },
      remove: { kind: 'flag', about: 'no longer by this method' },
    },
    examples: [
      'quorate kms identities login-method ci universal',
      'quorate kms identities login-method ci jwt --settings github.json',
    ],
    load: async () => (await identities()).loginMethod,
  },
  {
    name: 'kms identities approver-key',
    summary: "Enrol the public half of an approver's key, or remove it",
    arguments: [IDENTITY],
    options: {
      ...SCOPE_OPTIONS,
      public: { kind: 'text', value: 'HEX', about: 'the public half, as its owner sends it' },
      key: { kind: 'text', value: 'FILE', about: 'the key file itself, where it is yours' },
      name: { kind: 'text', value: 'NAME', about: 'what to call it (default: approver)' },
      remove: { kind: 'text', value: 'ID', about: 'remove that key, apk_…' },
    },
    examples: ['quorate kms identities approver-key ada --key ada.key --name laptop'],
    load: async () => (await identities()).approverKey,
  },
  {
    name: 'kms approver-key create',
    summary: 'Make a key that signs approvals; it stays in its file',
    arguments: [{ name: 'FILE', about: 'a new file that only you can read' }],
    examples: ['quorate kms approver-key create ada.key'],
    load: async () => (await identities()).createKey,
  },
  {
    name: 'kms groups list',
    summary: 'List groups',
    options: SCOPE_OPTIONS,
    examples: ['quorate kms groups list'],
    load: async () => (await identities()).listGroups,
  },
  {
    name: 'kms groups create',
    summary: 'Make a group',
    arguments: [{ name: 'NAME', about: 'its name' }],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms groups create backend --instance'],
    load: async () => (await identities()).createGroup,
  },
  {
    name: 'kms groups show',
    summary: 'Show what the members of a group hold by it',
    arguments: [GROUP],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms groups show backend'],
    load: async () => (await identities()).showGroup,
  },
  {
    name: 'kms groups delete',
    summary: 'Remove a group without members',
    arguments: [GROUP],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms groups delete backend'],
    load: async () => (await identities()).removeGroup,
  },
  {
    name: 'kms groups grant',
    summary: 'Give a group a role or rules in a project, for good or for a time',
    arguments: [GROUP, { ...ROLE, isOptional: true }],
    options: grantOptions,
    examples: ['quorate kms groups grant backend developer'],
    load: async () => (await identities()).grantToGroup,
  },
  {
    name: 'kms groups revoke',
    summary: 'Take a grant away from a group, at once',
    arguments: [GROUP, { name: 'GRANT', about: 'id of the grant, as show shows it' }],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms groups revoke backend grt_01arz3ndektsv4rrffq69g5fav'],
    load: async () => (await identities()).revokeFromGroup,
  },
  {
    name: 'kms groups add',
    summary: 'Put an identity into a group',
    arguments: [GROUP, IDENTITY],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms groups add backend ada'],
    load: async () => (await identities()).addMember,
  },
  {
    name: 'kms groups remove',
    summary: 'Take an identity out of a group',
    arguments: [GROUP, IDENTITY],
    options: SCOPE_OPTIONS,
    examples: ['quorate kms groups remove backend ada'],
    load: async () => (await identities()).removeMember,
  },
]
