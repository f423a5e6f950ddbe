/** A cluster of processes that makes backups, and a machine of it that is lost and restored. */
import { mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { Recipient } from '@quorate/auth'
import {
  acceptChain,
  type ClusterNode,
  type ClusterRecord,
  decodeSignedRecord,
  readNodeCard,
} from '@quorate/auth'
import type { Secret } from '@quorate/base'
import { newRecipientKey, verifyEd25519 } from '@quorate/enclave'
import { joinCluster, makeCard, openLocal, restoreNode } from '@quorate/node'
import { type BlobStore, openBlobStore } from '@quorate/platform'
import { nodeConfigOf, type ProcessKms } from './node-config.ts'
import { ProcessCluster, silent } from './process-cluster.ts'
import type { ProcessNode } from './process-node.ts'
import { nextRecord } from './records.ts'

export type BackupCluster = {
  readonly cluster: ProcessCluster
  readonly secret: Secret<Uint8Array>
  /** Where that node's backups are. */
  place(node: ProcessNode): string
  store(node: ProcessNode): Promise<BlobStore>
  /** Puts the record with these changes in force at all nodes whose directories are there; all are stopped before. */
  agree(change: Partial<ClusterRecord>): Promise<void>
}

export async function backupCluster(periodMs = 200, kms?: ProcessKms): Promise<BackupCluster> {
  const cluster = await ProcessCluster.start(3, { leaveOut: [1, 2, 3] })
  const { key, secret } = newRecipientKey()
  const recipient: Recipient = { name: 'vault', kind: 'file', key }
  const place = (node: ProcessNode): string => join(cluster.root, `b${node.index}`)
  const agree = async (change: Partial<ClusterRecord>): Promise<void> => {
    const made = { createdAt: Date.now(), ...change }
    const record = await nextRecord(cluster.chain, made, cluster.admin)
    for (const node of cluster.nodes) {
      await cluster.stop(node)
      const local = await openLocal({ ...nodeConfigOf(node.config), logger: silent })
      await joinCluster(local, record)
      await local.close()
    }
    cluster.chain = [...cluster.chain, record]
  }
  await agree({ recipients: [recipient] })
  for (const node of cluster.nodes) {
    node.config = { ...node.config, backup: { place: place(node), periodMs, ...(kms && { kms }) } }
    await cluster.launch(node)
  }
  await cluster.untilConnected()
  return {
    cluster,
    secret,
    place,
    store: (node) => openBlobStore(place(node), {}),
    agree,
  }
}

/** Takes a node's whole directory away, HSM included, and gives the node an empty one. Where it went to. */
export async function loseMachine(cluster: ProcessCluster, node: ProcessNode): Promise<string> {
  await cluster.kill(node)
  const lost = `${node.directory}-lost-${Date.now()}`
  renameSync(node.directory, lost)
  mkdirSync(node.directory, { mode: 0o700 })
  return lost
}

/** Opens a backup on the node's new machine; its entry for the next cluster record. */
export async function restoreOnto(
  { cluster, secret }: BackupCluster,
  node: ProcessNode,
  file: Uint8Array,
  o: { readonly isOlderAccepted?: boolean } = {},
): Promise<ClusterNode> {
  const local = await openLocal({ ...nodeConfigOf(node.config), logger: silent })
  try {
    await restoreNode(local, { file, secret: secret.expose().slice(), chain: cluster.chain })
    const card = readNodeCard(await makeCard(local, 'new-machine'), verifyEd25519)
    const { index, number, backup, at } = card.restores!
    const { id, identityKey } = card
    const isOlderAccepted = o.isOlderAccepted ?? false
    const restored = { number, backup, at, isOlderAccepted }
    return { index, id, identityKey, minCustody: 'software', restored }
  } finally {
    await local.close()
  }
}

/** The nodes of the record in force, with that one in place of its predecessor. */
export function nodesWith(cluster: ProcessCluster, entry: ClusterNode): readonly ClusterNode[] {
  const { record } = acceptChain(cluster.chain.map(decodeSignedRecord), { verify: verifyEd25519 })
  return record.nodes.map((node) => (node.index === entry.index ? entry : node))
}
