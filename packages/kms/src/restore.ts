/**
 * Restoring a store on a machine that has none: out of a backup, to where it would serve again. The new machine's
 * HSM opens it from then on; nobody can sign in before the first administrator has been made anew.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, type Logger, wipe } from '@quorate/base'
import type { OpenHsm } from '@quorate/hsm'
import { combineMnemonics } from '@quorate/math'
import { systemClock, systemRandom } from '@quorate/platform'
import { openRecipients } from './barrier/devices.ts'
import { storedRecipients } from './barrier/instance.ts'
import { type Recipient, recoveryParams, recoveryRecipient } from './barrier/recipients.ts'
import { admitDevices } from './barrier/rotation.ts'
import type { KmsConfig } from './config.ts'
import { BOOTSTRAP_FILE } from './domains/bootstrap/service.ts'
import { makeDomains } from './domains.ts'
import { Kms } from './kms.ts'
import {
  acceptByDevice,
  acceptRollback,
  type BackupSummary,
  inspectBackup,
  restoreBackup,
} from './storage/restore.ts'

export type RestoreSource = {
  /** Path of the file. */
  readonly backup: string
  /** Of a quorum; none where a configured HSM opens the backup. */
  readonly shares: readonly string[]
}

export type RestoredStore = BackupSummary & {
  /** Recipients of the store that this machine does not have, such as the HSM of the lost one. */
  readonly strangers: readonly string[]
  /** Where the secret lies with which the first administrator is made. */
  readonly bootstrapFile: string | undefined
}

const ports = (logger: Logger) => ({ clock: systemClock, random: systemRandom, logger })

/**
 * What a backup is, read to its end; nothing is written anywhere.
 * @throws kms/backup-unreadable, kms/no-recipient, kms/environment-changed, math/bad-share, math/bad-shares, hsm/…
 */
export function inspectKmsBackup(
  config: KmsConfig,
  source: RestoreSource,
  logger: Logger,
): Promise<BackupSummary> {
  return withOpeners(config, source, logger, ({ recipients }) =>
    inspected(config, source.backup, recipients),
  )
}

/**
 * Restores and takes up the store, which thereby goes back to `checkpoint`: the one that `inspectKmsBackup` names.
 * @throws kms/restore-pending for another checkpoint, kms/not-empty, and as `inspectKmsBackup`
 */
export function restoreKms(
  config: KmsConfig,
  source: RestoreSource & { readonly checkpoint: number },
  logger: Logger,
): Promise<RestoredStore> {
  const { backup, checkpoint } = source
  return withOpeners(config, source, logger, async ({ recipients, secret, close }) => {
    const summary = await inspected(config, backup, recipients)
    if (summary.checkpoint !== checkpoint)
      throw new Fault('kms/restore-pending', { detail: `checkpoint ${summary.checkpoint}` })
    const [opener] = recipients.filter(({ id }) => id === summary.openedBy)
    if (opener === undefined) throw new Fault('kms/no-recipient')
    await restoreBackup({
      backup,
      directory: config.directory,
      databaseUri: config.databaseUri,
      recipients,
      clock: systemClock,
      random: systemRandom,
      accept: (sql) =>
        secret === undefined
          ? acceptByDevice(sql, opener, checkpoint)
          : acceptRollback(sql, secret, checkpoint),
    })
    // The store opens the devices itself.
    await close()
    return { ...summary, ...(await takenUp(config, recipients, logger)) }
  })
}

async function takenUp(
  config: KmsConfig,
  openers: readonly Recipient[],
  logger: Logger,
): Promise<Pick<RestoredStore, 'strangers' | 'bootstrapFile'>> {
  const kms = await Kms.open({ config, modules: makeDomains(config).modules, ...ports(logger) })
  try {
    if (kms.isSealed && !(await kms.unsealWith(openers))) throw new Fault('kms/no-recipient')
    await admitDevices(kms)
    const here = new Set(kms.recipients.map(({ id }) => id))
    const stored = await storedRecipients(kms.sql)
    const bootstrapFile = join(config.directory, BOOTSTRAP_FILE)
    return {
      strangers: stored.flatMap(({ kind, recipient }) =>
        kind === 'recovery' || here.has(recipient) ? [] : [recipient],
      ),
      bootstrapFile: existsSync(bootstrapFile) ? bootstrapFile : undefined,
    }
  } finally {
    await kms.close()
  }
}

async function inspected(
  { environment }: KmsConfig,
  backup: string,
  recipients: readonly Recipient[],
): Promise<BackupSummary> {
  const summary = await inspectBackup(backup, recipients)
  if (summary.environment !== environment) throw new Fault('kms/environment-changed')
  return summary
}

type Openers = {
  readonly recipients: readonly Recipient[]
  /** Of the quorum, where one opens. */
  readonly secret: Uint8Array | undefined
  /** Closes the devices. */
  close(): Promise<void>
}

async function withOpeners<T>(
  config: KmsConfig,
  { shares }: RestoreSource,
  logger: Logger,
  use: (openers: Openers) => Promise<T>,
): Promise<T> {
  const devices: OpenHsm[] = []
  const close = async (): Promise<void> => {
    for (const device of devices.splice(0)) await device.close()
  }
  let secret: Uint8Array | undefined
  try {
    if (shares.length > 0) {
      secret = combineMnemonics(shares)
      const quorum = recoveryRecipient(recoveryParams(secret), systemRandom, secret)
      return await use({ recipients: [quorum], secret, close })
    }
    // A device without the key of the store opens nothing, so none is made in it.
    const recipients = await openRecipients(config, ports(logger), devices, false)
    return await use({ recipients, secret, close })
  } finally {
    wipe(secret)
    await close()
  }
}
