/** The state around an HSM as a look from outside: read from a copy where another process holds it. */
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isFault } from '@quorate/base'
import { type HsmState, openHsmState } from '@quorate/hsm'
import type { Given } from './command.ts'
import { withState } from './hsm-state.ts'
import { stateDirectory } from './hsm-state-options.ts'

/** A copy that was made while the other process wrote may not fit together; the next one will. */
const TRIES = 5

/** What `use` gives, with a state that it only reads. @throws hsm/state-damaged, and what opening it throws */
export async function withStateRead<T>(
  given: Given,
  use: (state: HsmState) => Promise<T>,
): Promise<T> {
  try {
    return await withState(given, use)
  } catch (error) {
    if (!isFault(error, 'platform/directory-in-use')) throw error
  }
  for (let tries = 1; ; tries++)
    try {
      return await withCopy(stateDirectory(given), use)
    } catch (error) {
      if (!isFault(error, 'hsm/state-damaged') || tries === TRIES) throw error
    }
}

async function withCopy<T>(from: string, use: (state: HsmState) => Promise<T>): Promise<T> {
  const place = mkdtempSync(join(tmpdir(), 'quorate-state-'))
  try {
    const copy = join(place, 'state')
    mkdirSync(copy, { mode: 0o700 })
    // The database and its log; what processes share of it is made anew.
    for (const name of readdirSync(from))
      if (/^state\.db(-wal)?$/.test(name)) copyFileSync(join(from, name), join(copy, name))
    const state = await openHsmState(copy)
    try {
      return await use(state)
    } finally {
      await state.close()
    }
  } finally {
    rmSync(place, { recursive: true, force: true })
  }
}
