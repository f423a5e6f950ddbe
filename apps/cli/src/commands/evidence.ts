import type { Command, Options } from '../command.ts'

const cluster: Options = {
  cluster: {
    kind: 'text',
    value: 'FILE',
    about: 'the signed cluster record (default: that of the development cluster)',
  },
}

export const evidenceCommands: readonly Command[] = [
  {
    name: 'evidence verify',
    summary: 'Check the evidence that a node broke a protocol, with public data only',
    arguments: [{ name: 'FILE', about: 'evidence that a node has kept' }],
    options: cluster,
    examples: [
      'quorate evidence verify 3f…a0.cbor',
      'quorate evidence verify 3f…a0.cbor --cluster cluster.cbor --json',
    ],
    load: async () => (await import('../actions/evidence.ts')).verify,
  },
  {
    name: 'evidence list',
    summary: 'List the evidence that nodes on this machine have kept, and what it proves',
    options: {
      ...cluster,
      data: {
        kind: 'text',
        value: 'DIR',
        about: 'data directory of one node (default: those of the development cluster)',
      },
      limit: { kind: 'integer', value: 'N', about: 'how many, newest first (default 20)' },
    },
    examples: [
      'quorate evidence list',
      'quorate evidence list --data /var/lib/quorate --cluster cluster.cbor',
    ],
    load: async () => (await import('../actions/evidence.ts')).list,
  },
]
