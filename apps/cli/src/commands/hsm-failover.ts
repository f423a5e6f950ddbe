import type { Command, Options } from '../command.ts'
import { STATE_OPTIONS } from '../hsm-state-options.ts'

const role: Options = {
  role: { kind: 'text', value: 'ROLE', about: 'e.g. validator (default: every role)' },
}
const name: Options = {
  name: { kind: 'text', value: 'NAME', about: 'as failover.name says; hsm where it says nothing' },
}

export const hsmFailoverCommands: readonly Command[] = [
  {
    name: 'hsm failover status',
    summary: 'Show which device signs and why, and what emergency and fallback have left',
    options: { ...STATE_OPTIONS, ...name },
    examples: ['quorate hsm failover status', 'quorate hsm failover status --json'],
    load: async () => (await import('../actions/hsm-failover.ts')).status,
  },
  {
    name: 'hsm failover renew',
    summary: 'Let the software fallback begin anew, when its operations are used up',
    options: {
      ...STATE_OPTIONS,
      ...name,
      confirm: { kind: 'text', value: 'NAME', about: 'the name again, instead of typing it' },
    },
    examples: ['quorate hsm failover renew --name hsm --confirm hsm'],
    load: async () => (await import('../actions/hsm-failover.ts')).renew,
  },
  {
    name: 'hsm lock',
    summary: 'Stop signing, for one role or for all, until somebody unlocks it',
    options: {
      ...STATE_OPTIONS,
      ...role,
      reason: { kind: 'text', value: 'TEXT', about: 'what whoever is refused will read' },
    },
    examples: ["quorate hsm lock --reason 'cabinet was open'"],
    load: async () => (await import('../actions/hsm-failover.ts')).lock,
  },
  {
    name: 'hsm unlock',
    summary: 'Let a role, or all of them, sign again after a lock',
    options: {
      ...STATE_OPTIONS,
      ...role,
      by: { kind: 'text', value: 'NAME', about: 'who unlocks it (default: the user)' },
      confirm: { kind: 'text', value: 'TEXT', about: '"unlock ROLE" or "unlock every role"' },
    },
    examples: ["quorate hsm unlock --confirm 'unlock every role'"],
    load: async () => (await import('../actions/hsm-failover.ts')).unlock,
  },
]
