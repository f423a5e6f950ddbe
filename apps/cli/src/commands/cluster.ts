import type { Command, Options } from '../command.ts'
import { CONNECTION_OPTIONS } from '../connection-options.ts'
import { HSM_OPTIONS } from '../hsm-options.ts'

const local: Options = {
  environment: {
    kind: 'text',
    value: 'NAME',
    about: 'development, staging or production; no default',
  },
  data: {
    kind: 'text',
    value: 'DIR',
    about: 'the data directory of the node; it must not be running',
  },
  ...HSM_OPTIONS,
}
const out: Options = { out: { kind: 'text', value: 'FILE', about: 'write it to this new file' } }

export const clusterCommands: readonly Command[] = [
  {
    name: 'cluster card',
    summary: 'Make the card of a node: what a cluster record needs to know of it',
    options: {
      name: { kind: 'text', value: 'NAME', about: 'what operators call the node' },
      ...local,
      ...out,
    },
    examples: [
      'quorate cluster card --environment staging --data /var/lib/quorate --name alpha --out alpha.card',
    ],
    load: async () => (await import('../actions/cluster.ts')).card,
  },
  {
    name: 'cluster propose',
    summary:
      'Make a cluster record: the first from node cards and client keys, or the next after another',
    options: {
      name: { kind: 'text', value: 'NAME', about: 'of the cluster' },
      environment: {
        kind: 'text',
        value: 'NAME',
        about: 'development, staging or production; no default',
      },
      card: {
        kind: 'list',
        value: 'FILE',
        about: 'a node card; the nodes are numbered in this order',
      },
      client: { kind: 'list', value: 'FILE', about: 'what quorate client new printed' },
      admin: {
        kind: 'list',
        value: 'NAME=KEY',
        about: 'an admin with an Ed25519 public key in hex',
      },
      'admin-threshold': {
        kind: 'integer',
        value: 'N',
        about: 'admins that must sign the next record (default: a majority)',
      },
      policy: {
        kind: 'text',
        value: 'NAME',
        about: 'policy template of wallets that choose none (default allow-list)',
      },
      after: {
        kind: 'text',
        value: 'FILE',
        about:
          'make the record after the last of this cluster file, with clients or admins changed',
      },
      'remove-client': {
        kind: 'list',
        value: 'ID',
        about: 'a client whose entry ends (with --after)',
      },
      recipient: {
        kind: 'list',
        value: 'FILE',
        about: 'what quorate backup recipients made; with --after in place of those of before',
      },
      restore: {
        kind: 'text',
        value: 'CARD',
        about: 'card of a machine that takes the place of a node (with --after)',
      },
      'accept-older-backup': {
        kind: 'flag',
        about: 'although the other nodes know of a later backup: what is in that one is lost',
      },
      'client-days': {
        kind: 'integer',
        value: 'DAYS',
        about: 'how long the client entries hold (default 365)',
      },
      ...out,
    },
    examples: [
      'quorate cluster propose --name treasury --environment staging --card a.card --card b.card --card c.card --client op.json --admin alice=3b6a…29 --out record.cbor',
      'quorate cluster propose --after cluster.cbor --remove-client cli_01… --out next.cbor',
    ],
    load: async () => (await import('../actions/cluster-propose.ts')).propose,
  },
  {
    name: 'cluster sign',
    summary:
      'Sign a proposed cluster record as one of its nodes or admins, after comparing the words',
    arguments: [{ name: 'RECORD', about: 'the file that quorate cluster propose made' }],
    options: {
      admin: {
        kind: 'text',
        value: 'FILE',
        about: 'key file of an admin: sign a later record as that admin',
      },
      ...local,
      ...out,
    },
    examples: [
      'quorate cluster sign next.cbor --admin alice.json --out next.alice.cbor',
      'quorate cluster sign record.cbor --environment staging --data /var/lib/quorate --out record.1.cbor',
    ],
    load: async () => (await import('../actions/cluster.ts')).sign,
  },
  {
    name: 'cluster join',
    summary:
      'Take a cluster record into force at this node: signed by all nodes, or by enough admins',
    arguments: [{ name: 'SIGNED', about: 'the signed files of all nodes', isMany: true }],
    options: { ...local, ...out },
    examples: [
      'quorate cluster join record.1.cbor record.2.cbor record.3.cbor --environment staging --data /var/lib/quorate --out cluster.cbor',
    ],
    load: async () => (await import('../actions/cluster.ts')).join,
  },
  {
    name: 'cluster show',
    summary: 'Show a cluster record: nodes, admins, clients, and the words to compare',
    arguments: [
      {
        name: 'RECORD',
        about: 'a record file (default: that of the development cluster)',
        isOptional: true,
      },
    ],
    examples: ['quorate cluster show', 'quorate cluster show record.cbor'],
    load: async () => (await import('../actions/cluster-show.ts')).show,
  },
  {
    name: 'client new',
    summary: 'Make the key file of a client, and print its public part for cluster propose',
    options: {
      role: { kind: 'text', value: 'ROLE', about: 'operator, signer or auditor' },
      name: { kind: 'text', value: 'NAME', about: 'what people call it (default: the role)' },
      project: { kind: 'text', value: 'ID', about: 'its project (default: a new one)' },
      ...out,
    },
    examples: ['quorate client new --role signer --out signer.json'],
    load: async () => (await import('../actions/client.ts')).create,
  },
  {
    name: 'admin new',
    summary: 'Make the key file of an admin, and print its public part for cluster propose',
    options: {
      name: { kind: 'text', value: 'NAME', about: 'what the record calls the admin' },
      ...out,
    },
    examples: ['quorate admin new --name alice --out alice.json'],
    load: async () => (await import('../actions/client.ts')).createAdmin,
  },
  {
    name: 'audit verify',
    summary: 'Check audit logs record by record against the signed checkpoints',
    arguments: [
      {
        name: 'LOG',
        about:
          'a file of quorate audit show --json, or the URL of a node (default: every node of the cluster)',
        isOptional: true,
      },
    ],
    options: CONNECTION_OPTIONS,
    examples: ['quorate audit verify', 'quorate audit verify audit.json'],
    load: async () => (await import('../actions/audit.ts')).verify,
  },
  {
    name: 'audit show',
    summary: 'Show the newest audit records of a node; with --json all of them, fit to be verified',
    options: {
      limit: {
        kind: 'integer',
        value: 'N',
        about: 'how many records (default 20, with --json all)',
      },
      ...CONNECTION_OPTIONS,
    },
    examples: ['quorate audit show --limit 50', 'quorate audit show --node 2 --json'],
    load: async () => (await import('../actions/audit.ts')).show,
  },
]
