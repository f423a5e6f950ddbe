import type { Argument, Command, Options } from '../command.ts'
import { CONNECTION_OPTIONS } from '../connection-options.ts'
import { VOICE_OPTIONS } from '../voice-options.ts'

const change: Argument = { name: 'FILE', about: 'a change of quorate policy propose' }
const out: Options = { out: { kind: 'text', value: 'FILE', about: 'write it to this new file' } }
const wallet: Options = { wallet: { kind: 'text', value: 'WALLET', about: 'id or name' } }

export const policyCommands: readonly Command[] = [
  {
    name: 'policy check',
    summary: 'Check a policy file, and name the line and column of every mistake',
    arguments: [{ name: 'FILE', about: 'a policy in YAML or JSON, - for standard input' }],
    examples: ['quorate policy check treasury.yaml', 'quorate policy check treasury.yaml --json'],
    load: async () => (await import('../actions/policy.ts')).check,
  },
  {
    name: 'policy simulate',
    summary: 'Say how a policy would have decided past requests, budgets included',
    arguments: [{ name: 'REQUESTS', about: 'past requests, one JSON document in each line' }],
    options: {
      policy: { kind: 'text', value: 'FILE', about: 'the policy to try' },
      against: { kind: 'text', value: 'FILE', about: 'another policy, to name the differences' },
      compare: { kind: 'flag', about: 'compare it with the policy in force for the wallet' },
      ...wallet,
      ...CONNECTION_OPTIONS,
    },
    examples: [
      'quorate policy simulate requests.jsonl --policy treasury.yaml',
      'quorate policy simulate requests.jsonl --policy new.yaml --against old.yaml --json',
    ],
    load: async () => (await import('../actions/policy.ts')).trial,
  },
  {
    name: 'policy propose',
    summary: "Make a change of a wallet's policy, for those who must approve it",
    arguments: [{ name: 'FILE', about: 'the new policy in YAML or JSON' }],
    options: {
      days: { kind: 'integer', value: 'N', about: 'how long it can take force (default 7)' },
      ...wallet,
      ...out,
      ...CONNECTION_OPTIONS,
    },
    examples: ['quorate policy propose treasury.yaml --wallet vault --out change.cbor'],
    load: async () => (await import('../actions/policy-change.ts')).propose,
  },
  {
    name: 'policy approve',
    summary: 'Show the change of a policy, and sign it with a client or administrator key',
    arguments: [change],
    options: {
      reject: { kind: 'flag', about: 'reject it instead' },
      ...out,
      ...VOICE_OPTIONS,
      ...CONNECTION_OPTIONS,
    },
    examples: [
      'quorate policy approve change.cbor --out signed.cbor --cluster cluster.cbor --client ann.json',
      'quorate policy approve change.cbor --out signed.cbor --cluster cluster.cbor --admin alice.json',
    ],
    load: async () => (await import('../actions/policy-change.ts')).approve,
  },
  {
    name: 'policy apply',
    summary: 'Have an approved change of a policy take force at every node',
    arguments: [
      { ...change, about: 'the change, signed; several files are put together', isMany: true },
    ],
    options: CONNECTION_OPTIONS,
    examples: ['quorate policy apply signed-ann.cbor signed-ben.cbor'],
    load: async () => (await import('../actions/policy-change.ts')).apply,
  },
]
