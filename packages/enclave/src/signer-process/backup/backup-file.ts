/**
 * A backup file: what a machine needs to take a node's place, for the recovery recipients alone.
 *
 *   file   = CBOR {head, header, body}
 *   header = cluster, node, number, digest of the backup before, wallets' generations, and the data key once
 *            for each recipient
 *   body   = AES-256-GCM(data key, snapshot), with the header as associated data
 *   digest = H(tag ‖ header ‖ body); the head signs it with the number, by the node's identity key
 *
 * Each file has a data key of its own, which exists in no other place: a machine cannot open its own
 * backups, and where the files of a generation are gone, so is all that could open them.
 */
import {
  type AcceptedRecord,
  type BackupHead,
  makeBackupHead,
  type Recipient,
  readBackupHead,
} from '@quorate/auth'
import {
  array,
  bytes,
  type Codec,
  concatBytes,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  type Id,
  int,
  nullable,
  oneOf,
  type Random,
  record,
  type Signer,
  TAGS,
  tagged,
  taggedHash,
  text,
  wipe,
} from '@quorate/base'
import { verifyEd25519 } from '../node-crypto.ts'
import { decryptOnce, encryptOnce, openWith, recipientKeyOf, sealTo } from './recipient-key.ts'

/** What one call between daemon and signer carries. */
export const MAX_BACKUP_BYTES: number = 24 << 20

export type BackupHeader = {
  readonly v: 1
  /** The cluster id. */
  readonly cluster: Uint8Array
  readonly index: number
  readonly nodeId: string
  readonly number: number
  /** Digest of the backup before; null for the first of a node. */
  readonly previous: Uint8Array | null
  /** Names the generations of all wallets in it, 32 bytes. */
  readonly generation: Uint8Array
  readonly createdAt: number
  /** H(tag ‖ what only the body holds): who shows the latter has opened the file. */
  readonly drill: Uint8Array
  /** The data key, sealed to each recipient. */
  readonly keys: readonly {
    readonly recipient: string
    readonly key: Uint8Array
    readonly sealed: Uint8Array
  }[]
}

const headerCodec: Codec<BackupHeader> = record({
  v: field(0, oneOf(1)),
  cluster: field(1, bytes(32)),
  index: field(2, int(1, 50)),
  nodeId: field(3, text(64)),
  number: field(4, int(1)),
  previous: field(5, nullable(bytes(32))),
  generation: field(6, bytes(32)),
  createdAt: field(7, int()),
  drill: field(8, bytes(32)),
  keys: field(
    9,
    array(
      record({
        recipient: field(0, text(64)),
        key: field(1, bytes(32)),
        sealed: field(2, bytes(80)),
      }),
      { min: 1, max: 16 },
    ),
  ),
})

const fileCodec = record({
  head: field(0, bytes({ max: 4096 })),
  header: field(1, bytes({ max: 1 << 16 })),
  body: field(2, bytes({ max: MAX_BACKUP_BYTES })),
})

type Place = Omit<BackupHeader, 'v' | 'drill' | 'keys' | 'nodeId'> & { readonly nodeId: Id<'nod'> }

export type MadeBackup = {
  readonly file: Uint8Array
  /** As the other nodes keep it. */
  readonly head: Uint8Array
  readonly digest: Uint8Array
  readonly drill: Uint8Array
}

/** What the data key is bound to: it opens no other backup. */
const contextOf = ({ cluster, index, number }: Pick<Place, 'cluster' | 'index' | 'number'>) =>
  encode(
    record({ cluster: field(0, bytes(32)), index: field(1, int()), number: field(2, int()) }),
    {
      cluster,
      index,
      number,
    },
  )

const drillOf = (token: Uint8Array): Uint8Array => taggedHash(TAGS.backupDrill, token)

const DRILL_BYTES = 32

/** Seals a snapshot. Treats `snapshot` as secret; the caller wipes it. @throws base/too-large for one above `MAX_BACKUP_BYTES` */
export async function sealBackup(o: {
  readonly place: Place
  readonly snapshot: Uint8Array
  readonly recipients: readonly Recipient[]
  readonly identity: Signer
  readonly random: Random
}): Promise<MadeBackup> {
  const { place, snapshot, recipients, identity, random } = o
  const dataKey = random.bytes(32)
  const token = random.bytes(DRILL_BYTES)
  const plain = concatBytes(token, snapshot)
  const drill = drillOf(token)
  const context = contextOf(place)
  try {
    const keys = recipients.map(({ name, key }) => ({
      recipient: name,
      key,
      sealed: sealTo(key, dataKey, context),
    }))
    const header = encode(headerCodec, { v: 1, ...place, drill, keys })
    const body = encryptOnce(dataKey, plain, tagged(TAGS.backupBody, header))
    if (body.length > MAX_BACKUP_BYTES - (1 << 17)) throw new Fault('enclave/backup-too-large')
    const digest = taggedHash(TAGS.backupFile, header, body)
    const { cluster, index, nodeId, number, createdAt } = place
    const head = await makeBackupHead(
      { v: 1, cluster, index, nodeId, number, digest, createdAt },
      identity,
    )
    return { file: encode(fileCodec, { head, header, body }), head, digest, drill }
  } finally {
    wipe(dataKey, plain)
  }
}

type ReadBackup = {
  readonly head: BackupHead
  readonly header: BackupHeader
  readonly digest: Uint8Array
}

/** The parts of a backup file, its signature and digest checked. @throws enclave/bad-backup, and what `readBackupHead` throws */
function parse(file: Uint8Array, cluster: AcceptedRecord) {
  const parts = damaged(() => decode(fileCodec, file, { maxBytes: MAX_BACKUP_BYTES }))
  const head = readBackupHead(parts.head, { cluster, verify: verifyEd25519 })
  const digest = taggedHash(TAGS.backupFile, parts.header, parts.body)
  if (!equalBytes(digest, head.digest)) throw new Fault('enclave/bad-backup')
  const header = damaged(() => decode(headerCodec, parts.header, { maxBytes: 1 << 16 }))
  const isOfHead =
    equalBytes(header.cluster, head.cluster) &&
    header.index === head.index &&
    header.nodeId === head.nodeId &&
    header.number === head.number
  if (!isOfHead) throw new Fault('enclave/bad-backup')
  return { parts, read: { head, header, digest } }
}

function damaged<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    throw new Fault('enclave/bad-backup', { cause })
  }
}

export type OpenedBackup = ReadBackup & {
  /** The caller wipes it. */
  readonly snapshot: Uint8Array
  /** Shows that the file was opened: its hash stands in the header. */
  readonly token: Uint8Array
}

/**
 * The snapshot in a backup file, by the secret of one of its recipients.
 * @throws enclave/backup-not-for-key, enclave/backup-unreadable, enclave/bad-backup, and what `readBackupHead` throws
 */
export function openBackup(
  file: Uint8Array,
  secret: Uint8Array,
  cluster: AcceptedRecord,
): OpenedBackup {
  const { parts, read } = parse(file, cluster)
  const key = recipientKeyOf(secret)
  const own = read.header.keys.find((each) => equalBytes(each.key, key))
  if (own === undefined)
    throw new Fault('enclave/backup-not-for-key', {
      detail: `it is for ${read.header.keys.map(({ recipient }) => recipient).join(', ')}`,
    })
  const dataKey = openWith(secret, own.sealed, contextOf(read.header))
  try {
    const plain = decryptOnce(dataKey, parts.body, tagged(TAGS.backupBody, parts.header))
    const token = plain.slice(0, DRILL_BYTES)
    if (!equalBytes(drillOf(token), read.header.drill)) throw new Fault('enclave/bad-backup')
    const snapshot = plain.slice(DRILL_BYTES)
    wipe(plain)
    return { ...read, snapshot, token }
  } finally {
    wipe(dataKey)
  }
}
