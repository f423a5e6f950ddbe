/**
 * The sealed backups of single shares in a KMS. What is sent is sealed to the cluster's recovery recipients
 * already; the KMS keeps it and cannot open it.
 */
import { Fault, fromBase64, toBase64 } from '@quorate/base'
import { askBackups, MAX_BACKUP_BYTES, type ShareBackupStore } from './backup-store.ts'
import type { KmsCall } from './transport.ts'

/** Which share: of that wallet, of that node, of that generation. */
export type ShareBackupKey = {
  readonly wallet: string
  readonly node: string
  readonly generation: number
}

export type ShareBackup = ShareBackupKey & {
  readonly bytes: Uint8Array
  /** Grows with each backup of the same share. */
  readonly version: number
  /** RFC 3339. */
  readonly updatedAt: string
}

type BackupJson = {
  readonly backup: string
  readonly version: number
  readonly updatedAt: string
}

const ask = <T>(
  store: ShareBackupStore,
  { wallet, node, generation }: ShareBackupKey,
  call: Pick<KmsCall, 'method' | 'body'>,
): Promise<T> =>
  askBackups<T>(store, '/share-backups/{wallet}/{node}/{generation}', call, {
    wallet,
    node,
    generation: String(generation),
  })

/**
 * Keeps a sealed backup; resolves once it is on the KMS's disk. Sent again, it is one more version.
 * @throws sdk/bad-address, sdk/too-large, sdk/unreachable, kms/not-permitted, kms/sealed
 */
export async function putShareBackup(
  store: ShareBackupStore,
  key: ShareBackupKey,
  bytes: Uint8Array,
): Promise<{ readonly version: number }> {
  if (bytes.length > MAX_BACKUP_BYTES) throw new Fault('sdk/too-large')
  const { version } = await ask<{ readonly version: number }>(store, key, {
    method: 'PUT',
    body: { backup: toBase64(bytes) },
  })
  return { version }
}

/** The newest backup of that share. @throws kms/no-secret where there is none, and as `putShareBackup` */
export async function getShareBackup(
  store: ShareBackupStore,
  key: ShareBackupKey,
): Promise<ShareBackup> {
  const { backup, version, updatedAt } = await ask<BackupJson>(store, key, { method: 'GET' })
  return { ...key, bytes: fromBase64(backup), version, updatedAt }
}

/** Removes the backups of a share for ever, as after a refresh. @throws kms/no-secret, and as `putShareBackup` */
export function destroyShareBackup(store: ShareBackupStore, key: ShareBackupKey): Promise<void> {
  return ask(store, key, { method: 'DELETE' })
}
