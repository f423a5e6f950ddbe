/**
 * The head of a node's chain of backups: its newest backup, by number and digest, signed by the
 * identity key. It stands in the backup file, and the other nodes keep the newest one of each: a
 * backup that is older than what its node had told is then known for what it is.
 */
import type { VerifySignature } from '@quorate/api'
import {
  bytes,
  type Codec,
  encode,
  equalBytes,
  Fault,
  field,
  type Id,
  int,
  oneOf,
  record,
  type Signer,
  TAGS,
} from '@quorate/base'
import {
  checkSignature,
  decodeVersioned,
  idOf,
  nodeIndex,
  signDocument,
  splitDocument,
  time,
} from './document.ts'
import type { AcceptedRecord } from './record-chain.ts'

export type BackupHead = {
  readonly v: 1
  /** The cluster id, 32 bytes. */
  readonly cluster: Uint8Array
  readonly index: number
  readonly nodeId: Id<'nod'>
  /** 1, 2, 3, …; a machine that takes a node's place goes on counting. */
  readonly number: number
  /** Of the backup file, 32 bytes. */
  readonly digest: Uint8Array
  readonly createdAt: number
}

const backupHead: Codec<BackupHead> = record({
  v: field(0, oneOf(1)),
  cluster: field(1, bytes(32)),
  index: field(2, nodeIndex),
  nodeId: field(3, idOf('nod')),
  number: field(4, int(1)),
  digest: field(5, bytes(32)),
  createdAt: field(6, time),
})

/** The signed head as bytes; `signer` holds the identity key. @throws base/malformed */
export const makeBackupHead = (value: BackupHead, signer: Signer): Promise<Uint8Array> =>
  signDocument(TAGS.backupHead, encode(backupHead, value), signer)

/**
 * The head, signed by the node that it names: one of the cluster, or a former one that said so before
 * it was fenced.
 * @throws auth/other-cluster, auth/unknown-node, auth/bad-signature, and base/… for bytes that are none
 */
export function readBackupHead(
  signed: Uint8Array,
  { cluster, verify }: { readonly cluster: AcceptedRecord; readonly verify: VerifySignature },
): BackupHead {
  const parts = splitDocument(signed)
  const head = decodeVersioned(backupHead, parts.document, parts.document.length)
  if (!equalBytes(head.cluster, cluster.cluster)) throw new Fault('auth/other-cluster')
  const known = [
    ...cluster.record.nodes.map((node) => ({ ...node, until: Number.POSITIVE_INFINITY })),
    ...cluster.former,
  ]
  const node = known.find(({ index, id }) => index === head.index && id === head.nodeId)
  if (node === undefined || head.createdAt >= node.until) throw new Fault('auth/unknown-node')
  checkSignature(
    `under a backup of node ${head.index}`,
    TAGS.backupHead,
    parts,
    node.identityKey,
    verify,
  )
  return head
}
