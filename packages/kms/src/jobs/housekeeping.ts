/** The server's own periodic work: checkpoints, counts of key use, rotation before a key is used too often. */
import { ROTATE_AFTER } from '../barrier/barrier.ts'
import { rotateProject } from '../barrier/rotation.ts'
import type { PeriodicJob } from '../context.ts'
import type { Kms } from '../kms.ts'

const CHECKPOINT_MS = 10_000
const COUNT_MS = 60_000

export const housekeeping = (kms: Kms): readonly PeriodicJob[] => [
  {
    name: 'checkpoint',
    everyMs: CHECKPOINT_MS,
    run: async () => {
      await kms.checkpoints.make()
    },
  },
  {
    name: 'key-use',
    everyMs: COUNT_MS,
    run: async () => {
      const uses = [...kms.barrier.keyring.projects].map(([project, { newest, seals }]) => ({
        project,
        newest,
        seals,
      }))
      await kms.sql.write(
        uses.map(({ project, newest, seals }) => ({
          sql: 'UPDATE project_key SET seals = ? WHERE project = ? AND version = ? AND seals < ?',
          params: [seals, project, newest, seals],
        })),
      )
      for (const { project, seals } of uses)
        if (seals >= ROTATE_AFTER) await rotateProject(kms, project, 'system')
    },
  },
]
