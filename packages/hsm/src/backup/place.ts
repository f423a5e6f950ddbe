/**
 * Where backups of keys are, and under which names: `hsm-keys-<chain>-<number>.backup`, so that names sort as
 * numbers do. The place is trusted with nothing but to keep them.
 */
import { equalBytes, Fault, fromHex, isFault, toHex } from '@quorate/base'
import type { BlobStore } from '@quorate/platform'
import { MAX_BACKUP_BYTES } from './archive.ts'

const PREFIX = 'hsm-keys-'
const NAME = /^hsm-keys-([0-9a-f]{16})-(\d{10})\.backup$/

export type KeptBackup = {
  readonly name: string
  readonly chain: Uint8Array
  readonly number: number
  /** Bytes. */
  readonly size: number
}

export const backupName = (chain: Uint8Array, number: number): string =>
  `${PREFIX}${toHex(chain)}-${String(number).padStart(10, '0')}.backup`

/** All that are there, chain by chain, oldest first. @throws platform/blob-store-failed */
export async function keptBackups(place: BlobStore): Promise<readonly KeptBackup[]> {
  return (await place.list(PREFIX)).flatMap(({ key, size }) => {
    const [, chain, digits] = NAME.exec(key) ?? []
    return chain === undefined
      ? []
      : [{ name: key, chain: fromHex(chain), number: Number(digits), size }]
  })
}

/** Puts a backup there and reads it back: it counts once the same bytes come. @throws platform/… */
export async function keepBackup(
  place: BlobStore,
  chain: Uint8Array,
  number: number,
  file: Uint8Array,
): Promise<string> {
  const name = backupName(chain, number)
  await place.put(name, file)
  if (!equalBytes(await place.get(name, { maxBytes: MAX_BACKUP_BYTES }), file))
    throw new Fault('hsm/backup-damaged', { detail: `${name} in ${place.place}, read back` })
  return name
}

/** @throws hsm/no-backup, platform/… */
export async function readBackup(place: BlobStore, name: string): Promise<Uint8Array> {
  // Names come from people, too.
  if (!NAME.test(name)) throw new Fault('hsm/no-backup', { detail: 'that is no name of a backup' })
  try {
    return await place.get(name, { maxBytes: MAX_BACKUP_BYTES })
  } catch (error) {
    throw isFault(error, 'platform/no-blob') ? new Fault('hsm/no-backup', { detail: name }) : error
  }
}
