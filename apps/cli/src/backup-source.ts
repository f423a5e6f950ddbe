/** A backup as people name it: a file, or of a directory, s3://… or a node's place in a KMS the newest. */

import { statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { Fault, fromUtf8, Secret } from '@quorate/base'
import { kmsPlaceAt, latestBackup } from '@quorate/node'
import { type BlobStore, openBlobStore, readFile } from '@quorate/platform'

const MAX_BYTES = 24 << 20

export type BackupSource = {
  readonly file: Uint8Array
  /** Where it came from: word that it was opened is left there. */
  readonly place: BlobStore
}

/** @throws cli/file-not-found, platform/no-blob, platform/bad-blob-store, platform/… */
export async function readBackupFrom(named: string): Promise<BackupSource> {
  const inKms = kmsPlaceAt(named, tokenOfEnvironment())
  if (inKms !== undefined) return { file: await latestBackup(inKms), place: inKms }
  if (/^[a-z0-9]+:\/\//i.test(named)) return newest(named)
  const path = resolve(named)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) throw new Fault('cli/file-not-found', { detail: named })
  if (found.isDirectory()) return newest(path)
  const place = await openBlobStore(dirname(path), process.env)
  const file = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(basename(path))
    ? await place.get(basename(path), { maxBytes: MAX_BYTES })
    : readFile(path, { maxBytes: MAX_BYTES })
  return { file, place }
}

/** Of `BACKUP_AUTH_TOKEN`, or the file that `BACKUP_AUTH_TOKEN_FILE` names. */
function tokenOfEnvironment(): Secret<string> | undefined {
  const { BACKUP_AUTH_TOKEN: plain, BACKUP_AUTH_TOKEN_FILE: path } = process.env
  const text =
    plain ??
    (path === undefined ? undefined : fromUtf8(readFile(path, { maxBytes: 4096, isSecret: true })))
  return text === undefined ? undefined : new Secret(text.trim())
}

async function newest(address: string): Promise<BackupSource> {
  const place = await openBlobStore(address, process.env)
  return { file: await latestBackup(place), place }
}
