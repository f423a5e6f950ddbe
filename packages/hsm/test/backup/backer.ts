/** A process that makes a backup of a device's keys or restores the newest one, and may die at an armed place. */
import { join } from 'node:path'
import { openHsmState, SimulatedHsm } from '@quorate/hsm'
import { armFailpoints, openBlobStore, systemClock, systemRandom } from '@quorate/platform'
import { Backups } from '#src/backup/backups.js'

// The test runner starts every file of a test directory, without an argument.
const [, , root, device, what] = process.argv
if (root !== undefined && device !== undefined) {
  armFailpoints(process.env, { isDevelopment: true })
  const state = await openHsmState(join(root, `state-${device}`))
  const backups = new Backups({
    provider: await SimulatedHsm.open(join(root, device), systemClock),
    environment: 'development',
    place: await openBlobStore(join(root, 'place'), {}),
    state,
    clock: systemClock,
    random: systemRandom,
  })
  if (what === 'restore') await backups.restore()
  else await backups.make()
  await state.close()
}
