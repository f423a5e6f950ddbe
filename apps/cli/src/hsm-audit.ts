/** The audit log around an HSM, as commands name it. */
import { join, resolve } from 'node:path'
import type { Given, Options } from './command.ts'
import { STATE_OPTIONS, stateDirectory } from './hsm-state-options.ts'

/** Options of every command that reads it. */
export const AUDIT_OPTIONS: Options = {
  ...STATE_OPTIONS,
  'audit-dir': {
    kind: 'text',
    value: 'DIR',
    about: 'where the audit log of the HSM is (default: audit in the state)',
  },
}

/** Absolute. */
export const auditDirectory = (given: Given): string => {
  const named = given.text('audit-dir')
  return named === undefined ? join(stateDirectory(given), 'audit') : resolve(named)
}
