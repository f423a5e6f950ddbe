import type { Argument, Command, Options } from '../command.ts'
import { CONNECTION_OPTIONS } from '../connection-options.ts'
import { VOICE_OPTIONS } from '../voice-options.ts'

const request: Argument = { name: 'REQUEST', about: 'the hash of the request, or how it begins' }
const options: Options = { ...VOICE_OPTIONS, ...CONNECTION_OPTIONS }

export const approvalCommands: readonly Command[] = [
  {
    name: 'approval list',
    summary: 'List the requests that wait for approvals or a delay',
    options: CONNECTION_OPTIONS,
    examples: ['quorate approval list', 'quorate approval list --json'],
    load: async () => (await import('../actions/approval.ts')).list,
  },
  {
    name: 'approval show',
    summary: 'Show what a request that waits would do, read from its own bytes',
    arguments: [request],
    options: CONNECTION_OPTIONS,
    examples: ['quorate approval show 3fa92c'],
    load: async () => (await import('../actions/approval.ts')).show,
  },
  {
    name: 'approval approve',
    summary: 'Show a request, and approve it with a client or administrator key',
    arguments: [request],
    options,
    examples: [
      'quorate approval approve 3fa92c',
      'quorate approval approve 3fa92c --url http://node-1:7600 --cluster cluster.cbor --client ann.json',
    ],
    load: async () => (await import('../actions/approval.ts')).approve,
  },
  {
    name: 'approval reject',
    summary: 'Show a request, and reject it for good',
    arguments: [request],
    options,
    examples: ['quorate approval reject 3fa92c'],
    load: async () => (await import('../actions/approval.ts')).reject,
  },
]
