/**
 * The cluster record: who the nodes, admins and clients of a cluster are, and what holds for all
 * of them. It is the only list of keys that a node trusts; no configuration line adds to it.
 *
 * The hash of record number 1 is the cluster id. Later records carry that id and the hash of the
 * record before them, so all records of a cluster form one chain (see `record-chain.ts` for who
 * must sign which).
 */
import {
  type Approver,
  type ApproverEntry,
  isPermitted,
  MAX_PARTIES,
  ROLES,
  type Role,
} from '@quorate/api'
import {
  array,
  bool,
  bytes,
  type Codec,
  encode,
  Fault,
  field,
  type Id,
  int,
  oneOf,
  optional,
  record,
  TAGS,
  taggedHash,
  text,
  toHex,
} from '@quorate/base'
import {
  type Custody,
  custody,
  decodeVersioned,
  type Environment,
  environment,
  idOf,
  name,
  nodeIndex,
  time,
} from './document.ts'
import { ed25519Key } from './ed25519-key.ts'

/** A cluster record of 50 nodes and 1000 clients stays below this. */
export const MAX_RECORD_BYTES: number = 896 * 1024
export const MAX_ADMINS = 50

export type ClusterNode = {
  /** 1 to n. */
  readonly index: number
  readonly id: Id<'nod'>
  /** Ed25519, 32 bytes. */
  readonly identityKey: Uint8Array
  /** The weakest custody in which this node may hold shares. */
  readonly minCustody: Custody
  /** Present where this machine took the place of one before it. */
  readonly restored?: Restored | undefined
}

/** The backup that a node was restored from, as the admins who signed the record know it. */
export type Restored = {
  /** Number of the backup. */
  readonly number: number
  /** Digest of the backup file, 32 bytes. */
  readonly backup: Uint8Array
  /** When the new machine opened it. The node refuses requests from before. */
  readonly at: number
  /** Whether the admins take this backup although the other nodes know of a later one. */
  readonly isOlderAccepted: boolean
}

export const RECIPIENT_KINDS = ['words', 'hsm', 'file'] as const
export type RecipientKind = (typeof RECIPIENT_KINDS)[number]

/** Who can open backups: the holder of the secret to an X25519 key. */
export type Recipient = {
  readonly name: string
  /** Where the secret is: in SLIP-39 shares, sealed by an HSM, or in a file. */
  readonly kind: RecipientKind
  /** X25519, 32 bytes. */
  readonly key: Uint8Array
  /** The secret sealed by the HSM, where that keeps it. */
  readonly sealed?: Uint8Array | undefined
  /** Indices of the nodes whose backups are for it; all unless given. */
  readonly nodes?: readonly number[] | undefined
}

/** Who signs later records. The id is a label chosen for this cluster, e.g. `alice`. */
export type ClusterAdmin = {
  readonly id: string
  /** Ed25519, 32 bytes. */
  readonly key: Uint8Array
}

export type ClusterClient = {
  readonly id: Id<'cli'>
  /** Ed25519, 32 bytes. */
  readonly key: Uint8Array
  readonly name: string
  readonly role: Role
  readonly project: Id<'prj'>
  /** From this time on the entry is void. */
  readonly expiresAt: number
  /** Groups of approvers, as policies name them, that it is a member of. */
  readonly groups?: readonly string[] | undefined
}

/** The group of the administrators: every cluster has it, and no client is a member. */
export const ADMIN_GROUP = 'admins'

export type ClusterRecord = {
  readonly v: 1
  /** 1, 2, 3, … */
  readonly number: number
  /** The cluster id; absent in record number 1, whose hash it is. */
  readonly cluster?: Uint8Array | undefined
  /** Hash of the record before this one; absent in record number 1. */
  readonly previous?: Uint8Array | undefined
  readonly name: string
  readonly environment: Environment
  /** In the order of their indices. */
  readonly nodes: readonly ClusterNode[]
  readonly admins: readonly ClusterAdmin[]
  /** How many admins of this record must sign the next one. */
  readonly adminThreshold: number
  readonly clients: readonly ClusterClient[]
  /** Relying party and origins of passkeys; both or neither. */
  readonly rpId?: string | undefined
  readonly origins?: readonly string[] | undefined
  /** No lower protocol version is spoken, whatever peers offer. */
  readonly minProtocol: number
  /** Whether envelopes are sealed with X25519 and ML-KEM together. */
  readonly hybrid: boolean
  /** Name of the policy template of wallets that choose none. */
  readonly defaultPolicy: string
  readonly createdAt: number
  /** Whom the nodes seal their backups to; nobody unless given. */
  readonly recipients?: readonly Recipient[] | undefined
}

const clusterNode: Codec<ClusterNode> = record({
  index: field(1, nodeIndex),
  id: field(2, idOf('nod')),
  identityKey: field(3, ed25519Key),
  minCustody: field(4, custody),
  restored: optional(
    5,
    record({
      number: field(1, int(1)),
      backup: field(2, bytes(32)),
      at: field(3, time),
      isOlderAccepted: field(4, bool),
    }),
  ),
})

const recipient: Codec<Recipient> = record({
  name: field(1, name),
  kind: field(2, oneOf(...RECIPIENT_KINDS)),
  key: field(3, bytes(32)),
  sealed: optional(4, bytes({ max: 1024 })),
  nodes: optional(5, array(nodeIndex, { min: 1, max: MAX_PARTIES })),
})

const clusterAdmin: Codec<ClusterAdmin> = record({ id: field(1, name), key: field(2, ed25519Key) })

const clusterClient: Codec<ClusterClient> = record({
  id: field(1, idOf('cli')),
  key: field(2, ed25519Key),
  name: field(3, name),
  role: field(4, oneOf(...(Object.keys(ROLES) as Role[]))),
  project: field(5, idOf('prj')),
  expiresAt: field(6, time),
  groups: optional(7, array(name, { min: 1, max: 8 })),
})

const DOMAIN = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/
const ORIGIN = /^https?:\/\/[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?$/

const fields: Codec<ClusterRecord> = record({
  v: field(0, oneOf(1)),
  number: field(1, int(1)),
  cluster: optional(2, bytes(32)),
  previous: optional(3, bytes(32)),
  name: field(4, name),
  environment: field(5, environment),
  nodes: field(6, array(clusterNode, { min: 1, max: MAX_PARTIES })),
  admins: field(7, array(clusterAdmin, { min: 1, max: MAX_ADMINS })),
  adminThreshold: field(8, int(1, MAX_ADMINS)),
  clients: field(9, array(clusterClient, { max: 1000 })),
  rpId: optional(10, text(253, DOMAIN)),
  origins: optional(11, array(text(300, ORIGIN), { min: 1, max: 16 })),
  minProtocol: field(12, int(1, 0xffff)),
  hybrid: field(13, bool),
  defaultPolicy: field(14, name),
  createdAt: field(15, time),
  recipients: optional(16, array(recipient, { min: 1, max: 16 })),
})

function refuse(detail: string): never {
  throw new Fault('auth/bad-record', { detail })
}

function refuseTwice(what: string, values: readonly string[]): void {
  if (new Set(values).size !== values.length) refuse(`${what} appears twice`)
}

function checkRecord(value: ClusterRecord): ClusterRecord {
  const { nodes, admins, clients } = value
  const isFirst = value.number === 1
  if ((value.cluster === undefined) !== isFirst || (value.previous === undefined) !== isFirst)
    refuse('the first record has neither cluster nor previous, every later one has both')
  if (nodes.some(({ index }, i) => index !== i + 1)) refuse('node indices are not 1 to n in order')
  if (value.adminThreshold > admins.length)
    refuse('adminThreshold is higher than the number of admins')
  if (nodes.some(({ restored }) => restored !== undefined && restored.at > value.createdAt))
    refuse('a node was restored after the record was made')
  if ((value.rpId === undefined) !== (value.origins === undefined))
    refuse('rpId and origins come together')
  refuseTwice(
    'a node id',
    nodes.map(({ id }) => id),
  )
  refuseTwice(
    'an admin id',
    admins.map(({ id }) => id),
  )
  refuseTwice(
    'a client id',
    clients.map(({ id }) => id),
  )
  for (const { groups = [] } of clients) {
    refuseTwice('a group of a client', groups)
    if (groups.includes(ADMIN_GROUP)) refuse(`the group ${ADMIN_GROUP} is that of the admins`)
  }
  const { recipients = [] } = value
  refuseTwice(
    'a recipient',
    recipients.map((each) => each.name),
  )
  refuseTwice(
    'a key of a recipient',
    recipients.map(({ key }) => toHex(key)),
  )
  if (recipients.some(({ kind, sealed }) => (kind === 'hsm') !== (sealed !== undefined)))
    refuse('a recipient of kind hsm has a sealed secret, and no other has')
  // One key, one entry: a signature can then never count in two places.
  const keys = [
    ...nodes.map((node) => node.identityKey),
    ...[...admins, ...clients].map(({ key }) => key),
  ]
  refuseTwice('a key', keys.map(toHex))
  return value
}

const clusterRecord: Codec<ClusterRecord> = {
  toCbor: (value) => fields.toCbor(checkRecord(value)),
  fromCbor: (cbor, path) => checkRecord(fields.fromCbor(cbor, path)),
}

/** The canonical bytes: what is hashed and signed. @throws auth/bad-record, base/malformed */
export const encodeClusterRecord = (value: ClusterRecord): Uint8Array =>
  encode(clusterRecord, value)

/** A record that does not contradict itself. Nobody's signature has been checked. @throws auth/bad-record, base/malformed, base/not-canonical, base/too-large, base/unknown-version */
export const decodeClusterRecord = (encoded: Uint8Array): ClusterRecord =>
  decodeVersioned(clusterRecord, encoded, MAX_RECORD_BYTES)

/** 32 bytes over the canonical bytes of a record; of record number 1 this is the cluster id. */
export const clusterRecordHash = (encoded: Uint8Array): Uint8Array =>
  taggedHash(TAGS.clusterRecordHash, encoded)

/**
 * The entry of an approver that may approve for wallets of `project` at `now` (milliseconds since
 * the Unix epoch), or `undefined`. Groups of a client count while its role lets it approve.
 */
export function approverOf(
  { clients, admins }: ClusterRecord,
  { kind, value }: Approver,
  { project, now }: { readonly project: string; readonly now: number },
): ApproverEntry | undefined {
  if (kind === 'admin') {
    const admin = admins.find(({ id }) => id === value)
    return admin && { key: admin.key, groups: [ADMIN_GROUP] }
  }
  const client = clients.find(({ id }) => id === value)
  const mayApprove =
    client !== undefined &&
    client.project === project &&
    now < client.expiresAt &&
    isPermitted([client.role], 'approval.give')
  return mayApprove ? { key: client.key, groups: client.groups ?? [] } : undefined
}
