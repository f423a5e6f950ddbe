/** Where the state around an HSM is, as commands name it; apart from the state, which takes long to load. */
import { join, resolve } from 'node:path'
import type { Given, Options } from './command.ts'
import { homeOf } from './dev/home.ts'

/** Options of every command that opens it. */
export const STATE_OPTIONS: Options = {
  state: {
    kind: 'text',
    value: 'DIR',
    about:
      'where rotations, limits and drills are remembered; one process uses it, and hsm watch acts for others (default: hsm-state in the home)',
  },
}

/** Absolute. */
export const stateDirectory = (given: Given): string =>
  resolve(given.text('state') ?? join(homeOf(given).path, 'hsm-state'))
