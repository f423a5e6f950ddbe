/** The state around an HSM, opened for one command: rotations, backups, and what else must survive a restart. */
import { type HsmState, openHsmState } from '@quorate/hsm'
import type { Given } from './command.ts'
import { stateDirectory } from './hsm-state-options.ts'

/** What `use` gives, with the state; it is closed whatever happens. @throws platform/directory-in-use, hsm/state-damaged */
export async function withState<T>(given: Given, use: (state: HsmState) => Promise<T>): Promise<T> {
  const state = await openHsmState(stateDirectory(given))
  try {
    return await use(state)
  } finally {
    await state.close()
  }
}
