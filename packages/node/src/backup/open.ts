/** The backups of a daemon, by its configuration. */
import type { AcceptedRecord } from '@quorate/auth'
import type { Fault, Logger } from '@quorate/base'
import { type BlobStore, openBlobStore, systemClock } from '@quorate/platform'
import type { NodeConfig } from '../config.ts'
import type { LocalNode } from '../local.ts'
import { BackupStore } from './backup-store.ts'
import { Backups } from './backups.ts'
import { openKmsPlace } from './kms-place.ts'
import { allOf } from './places.ts'

/** @throws platform/bad-blob-store, sdk/bad-address, and what opening a directory throws */
export async function openBackups(
  { backup }: Pick<NodeConfig, 'backup'>,
  { store, sql, journal, signer, nodeId }: LocalNode,
  cluster: AcceptedRecord,
  index: number,
  logger: Logger,
  onNotNewest: (fault: Fault) => void,
): Promise<Backups> {
  return new Backups({
    store,
    backups: new BackupStore(sql),
    journal,
    signer: signer.calls,
    place: backup && (await placesOf(backup, nodeId)),
    clock: systemClock,
    logger,
    nodeId,
    index,
    cluster,
    onNotNewest,
  })
}

async function placesOf(
  { place, kms }: NonNullable<NodeConfig['backup']>,
  nodeId: string,
): Promise<BlobStore | undefined> {
  const places: BlobStore[] = []
  if (place !== undefined) places.push(await openBlobStore(place, process.env))
  if (kms !== undefined) places.push(openKmsPlace(kms, nodeId))
  return allOf(places)
}
