import type { Options } from './command.ts'

/** Options of commands that sign approvals. */
export const VOICE_OPTIONS: Options = {
  admin: {
    kind: 'text',
    value: 'FILE',
    about: 'key file of an administrator, to sign as that one',
  },
  hours: { kind: 'integer', value: 'N', about: 'how long the approval counts (default 24)' },
}
