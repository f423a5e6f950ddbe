import type { Command, Options } from '../command.ts'
import { STATE_OPTIONS } from '../hsm-state-options.ts'
import { DEVICE_OPTIONS } from './hsm.ts'

const options: Options = { ...DEVICE_OPTIONS, ...STATE_OPTIONS }
const role: Options = {
  role: { kind: 'text', value: 'ROLE', about: 'e.g. transaction_signer' },
}
const CONFIG = '--hsm-config hsm.yaml'

export const hsmRotateCommands: readonly Command[] = [
  {
    name: 'hsm rotate status',
    summary: 'Show when the keys of roles are due, and how far a rotation has come',
    options,
    examples: [`quorate hsm rotate status ${CONFIG}`, `quorate hsm rotate status ${CONFIG} --json`],
    load: async () => (await import('../actions/hsm-rotate.ts')).status,
  },
  {
    name: 'hsm rotate schedule',
    summary: 'List the next times at which the keys of roles are due',
    options: {
      ...options,
      count: { kind: 'integer', value: 'N', about: 'how many for each role (default 5)' },
    },
    examples: [`quorate hsm rotate schedule ${CONFIG} --count 12`],
    load: async () => (await import('../actions/hsm-rotate.ts')).schedule,
  },
  {
    name: 'hsm rotate now',
    summary: 'Replace the key of a role now, as far as its consumers accept the new one',
    options: {
      ...options,
      ...role,
      confirm: { kind: 'text', value: 'ROLE', about: 'the role again, instead of typing it' },
    },
    examples: [`quorate hsm rotate now --role validator ${CONFIG} --confirm validator`],
    load: async () => (await import('../actions/hsm-rotate.ts')).now,
  },
  {
    name: 'hsm rotate run',
    summary: 'Do what is due and go on with what is under way, once; for a timer of the system',
    options,
    examples: [`quorate hsm rotate run ${CONFIG} --environment production`],
    load: async () => (await import('../actions/hsm-rotate.ts')).run,
  },
  {
    name: 'hsm rotate accept',
    summary: 'Say for a consumer of rotation.consumers that it accepts the new key of a role',
    options: {
      ...options,
      ...role,
      consumer: { kind: 'text', value: 'NAME', about: 'who accepts it' },
      key: { kind: 'text', value: 'ID', about: 'id of the new key, as it was announced' },
    },
    examples: [
      `quorate hsm rotate accept --role validator --consumer explorer --key 8f02… ${CONFIG}`,
    ],
    load: async () => (await import('../actions/hsm-rotate.ts')).accept,
  },
]
