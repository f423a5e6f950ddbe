/** Files of a node in a KMS, such as the parts of its sealed backups, of 512 KiB at most each. */
import { Fault, fromBase64, isFault, toBase64 } from '@quorate/base'
import { askBackups, MAX_BACKUP_BYTES, type ShareBackupStore } from './backup-store.ts'
import type { KmsCall } from './transport.ts'

const FOLDER = '/mpc-backup'
const PAGE = 500

const ask = <T>(
  store: ShareBackupStore,
  node: string,
  file: string,
  call: Pick<KmsCall, 'method' | 'body'>,
): Promise<T> => askBackups<T>(store, '/node-backups/{node}/{file}', call, { node, file })

/** Keeps the file; resolves once it is on the KMS's disk. @throws sdk/bad-address, sdk/too-large, sdk/unreachable, kms/… */
export async function putNodeBackup(
  store: ShareBackupStore,
  node: string,
  file: string,
  bytes: Uint8Array,
): Promise<void> {
  if (bytes.length > MAX_BACKUP_BYTES) throw new Fault('sdk/too-large')
  await ask(store, node, file, { method: 'PUT', body: { backup: toBase64(bytes) } })
}

/** What the file holds. @throws kms/no-secret where there is none, and as `putNodeBackup` */
export async function getNodeBackup(
  store: ShareBackupStore,
  node: string,
  file: string,
): Promise<Uint8Array> {
  const { backup } = await ask<{ readonly backup: string }>(store, node, file, { method: 'GET' })
  return fromBase64(backup)
}

/** Removes every version of the file for ever. @throws kms/no-secret, and as `putNodeBackup` */
export const destroyNodeBackup = (
  store: ShareBackupStore,
  node: string,
  file: string,
): Promise<void> => ask(store, node, file, { method: 'DELETE' })

/** Names of the node's files whose names begin so, sorted. @throws as `putNodeBackup` */
export async function listNodeBackups(
  store: ShareBackupStore,
  node: string,
  prefix: string,
): Promise<readonly string[]> {
  const files: string[] = []
  try {
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: {
        readonly items: readonly { readonly secretName: string }[]
        readonly nextCursor: string | null
      } = await askBackups(
        store,
        '/secrets',
        { method: 'GET' },
        {},
        { path: FOLDER, limit: PAGE, cursor },
      )
      for (const { secretName } of page.items)
        if (secretName.startsWith(`${node}.${prefix}`))
          files.push(secretName.slice(node.length + 1))
      cursor = page.nextCursor
    }
  } catch (error) {
    // Nothing was ever kept there.
    if (!isFault(error, 'kms/no-folder')) throw error
  }
  return files.sort()
}
