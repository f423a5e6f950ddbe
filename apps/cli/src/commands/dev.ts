import type { Command, Options } from '../command.ts'
import { CONNECTION_OPTIONS } from '../connection-options.ts'

const clusterOptions: Options = {
  nodes: { kind: 'integer', value: 'N', about: 'how many nodes a new cluster has (default 3)' },
  threshold: {
    kind: 'integer',
    value: 'T',
    about: 'signers that a new wallet needs (default: a majority)',
  },
  port: {
    kind: 'integer',
    value: 'PORT',
    about:
      'of node 1 on 127.0.0.1, the others have the next ones; 0 for unix sockets only (default 7600)',
  },
}

const busOptions: Options = {
  bus: {
    kind: 'text',
    value: 'NAME',
    about: 'mesh (default), or nats to have the nodes reach each other through a NATS server',
  },
  'nats-url': {
    kind: 'text',
    value: 'URL',
    about: 'that server, on this machine (default nats://127.0.0.1:4222)',
  },
}

const hsmOptions: Options = {
  hsm: {
    kind: 'text',
    value: 'URI',
    about:
      'what holds the keys of a new cluster; {node} in it is the number of each node (default: a simulated HSM in the data of each)',
  },
  'pin-file': {
    kind: 'text',
    value: 'FILE',
    about: 'PIN or passphrase of it, mode 0600; - for standard input (default: a prompt)',
  },
}

export const devCommands: readonly Command[] = [
  {
    name: 'up',
    summary: 'Start the development cluster on this machine, making it where it is missing',
    options: {
      ...clusterOptions,
      ...busOptions,
      ...hsmOptions,
      'first-run': {
        kind: 'flag',
        about: 'make a first wallet and sign a sample, where there is no wallet yet',
      },
    },
    examples: [
      'quorate up',
      'quorate up --nodes 5 --threshold 3 --port 7700',
      'quorate up --bus nats --nats-url nats://127.0.0.1:4222',
      "quorate up --hsm 'pkcs11:token=node-{node}?module-path=/usr/lib/softhsm/libsofthsm2.so' --pin-file pin",
    ],
    load: async () => (await import('../actions/dev.ts')).up,
  },
  {
    name: 'down',
    summary: 'Stop the development cluster; its data stay',
    examples: ['quorate down'],
    load: async () => (await import('../actions/dev.ts')).down,
  },
  {
    name: 'reset',
    summary: 'Remove the development cluster with all its keys and wallets',
    options: {
      confirm: {
        kind: 'text',
        value: 'reset',
        about: 'the word that confirms it, instead of typing it',
      },
      down: { kind: 'flag', about: 'stop the nodes first' },
    },
    examples: ['quorate reset', 'quorate reset --down --confirm reset'],
    load: async () => (await import('../actions/dev.ts')).reset,
  },
  {
    name: 'status',
    summary: 'Show the nodes, and what each sees of the others',
    options: CONNECTION_OPTIONS,
    examples: ['quorate status', 'quorate status --json'],
    load: async () => (await import('../actions/status.ts')).status,
  },
  {
    name: 'logs',
    summary: 'Show the newest log lines of the nodes',
    arguments: [{ name: 'NODE', about: 'the number of one node', isOptional: true }],
    options: {
      lines: { kind: 'integer', value: 'N', about: 'how many lines of each (default 30)' },
      follow: { kind: 'flag', about: 'go on with new lines until Ctrl-C' },
    },
    examples: ['quorate logs', 'quorate logs 2 --follow'],
    load: async () => (await import('../actions/logs.ts')).logs,
  },
  {
    name: 'demo',
    summary:
      'Do the main job once: three nodes, three wallets, four signed transactions, checked by others',
    options: { keep: { kind: 'flag', about: 'leave the nodes running and their data in place' } },
    examples: ['quorate demo', 'quorate demo --json'],
    load: async () => (await import('../actions/demo.ts')).demo,
  },
  {
    name: 'doctor',
    summary: 'Look for what is wrong or weak on this machine, and say how to put it right',
    options: CONNECTION_OPTIONS,
    examples: [
      'quorate doctor',
      'quorate doctor --url http://127.0.0.1:7600 --cluster cluster.cbor --client ops.key',
    ],
    load: async () => (await import('../actions/doctor.ts')).doctor,
  },
  {
    name: 'networks',
    summary: 'List the networks that wallets can be made for, and with which suites',
    examples: ['quorate networks'],
    load: async () => (await import('../actions/networks.ts')).networks,
  },
]
