/** How the backups of a node stand, as its API says it. */
import { type BackupStatusJson, type MadeBackupJson, toRfc3339 } from '@quorate/api'
import { bug, toHex } from '@quorate/base'
import type { Client, SignerCalls } from '@quorate/enclave'
import type { Backups } from '../backup/backups.ts'
import { within } from './within.ts'

/** A status is asked for when something is wrong, so it does not wait for a signer that halted. */
const SIGNER_MS = 1_000

export async function backupStatus(
  backups: Backups,
  signer: Pick<Client<SignerCalls>, 'restoreStatus'>,
): Promise<BackupStatusJson> {
  const { isEnabled, place, newest, failure, drilledAt } = await backups.report()
  const restored = await within(
    SIGNER_MS,
    signer.restoreStatus({}).catch(() => undefined),
  )
  return {
    isEnabled,
    ...(place !== undefined && { place }),
    ...(newest !== undefined && {
      newest: {
        number: newest.number,
        digest: toHex(newest.digest),
        at: toRfc3339(newest.at),
      },
    }),
    ...(failure !== undefined && { failure }),
    ...(drilledAt !== undefined && { drilledAt: toRfc3339(drilledAt) }),
    ...(restored !== undefined && { unrefreshed: restored.unrefreshed.length }),
  }
}

/** @throws node/no-backup-place and what making one throws */
export async function madeBackup(backups: Backups): Promise<MadeBackupJson> {
  const { number, digest, createdAt } = await backups.make()
  const { place } = await backups.report()
  if (place === undefined) bug('a backup was made nowhere')
  return { number, digest: toHex(digest), at: toRfc3339(createdAt), place }
}
