import type { Given, Options } from './command.ts'

const MAX_HOURS = 24

/** Of commands that have something signed. */
export const WAIT_OPTION: Options = {
  hours: {
    kind: 'integer',
    value: 'N',
    about: `how long it waits where policy asks for approvals or a delay (default ${MAX_HOURS})`,
  },
}

/** In milliseconds. @throws cli/bad-value */
export const waitOf = (given: Given): number =>
  (given.integer('hours', 1, MAX_HOURS) ?? MAX_HOURS) * 3_600_000
