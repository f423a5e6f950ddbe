/** A backup of the running store: a checkpoint first, then one consistent state of all tables. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { bug } from '@quorate/base'
import type { Kms } from '../kms.ts'
import { writeBackup } from '../storage/backup.ts'
import { quorums, storedRecipients } from './instance.ts'

/** Of the data directory. */
const DIRECTORY = 'backups'

/** @throws kms/no-recovery, platform/disk-full, platform/file-unreadable for a name that is taken */
export async function backUp(
  kms: Kms,
  name: string,
  actor: string,
): Promise<{ readonly path: string; readonly rows: number; readonly checkpoint: number }> {
  const { random, clock } = kms.ports
  await kms.journal.record({
    actor,
    action: 'sys.backup',
    resource: kms.sql.storeId,
    decision: 'allow',
    outcome: 'begun',
    fields: [],
  })
  // The checkpoint of exactly the state that is copied: nothing is written between the two.
  const { snapshot, checkpoint } = await kms.checkpoints.withSnapshot(() => kms.sql.snapshot())
  const directory = join(kms.config.directory, DIRECTORY)
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, `${name}.qkb`)
  try {
    const { rows } = await writeBackup({
      snapshot,
      store: kms.sql.storeId,
      environment: kms.config.environment,
      checkpoint: checkpoint ?? bug('a store that was unsealed has records'),
      recipients: [
        ...kms.recipients.filter(({ kind }) => kind === 'hsm'),
        ...quorums(await storedRecipients(kms.sql), random),
      ],
      now: clock.now(),
      random,
      path,
    })
    return { path, rows, checkpoint: checkpoint?.seq ?? 0 }
  } finally {
    await snapshot.close()
  }
}
