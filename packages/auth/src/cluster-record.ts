/**
 * The cluster record: who the nodes, admins and clients of a cluster are, and what holds for all
 * of them. It is the only list of keys that a node trusts; no configuration line adds to it.
 *
 * The hash of record number 1 is the cluster id. Later records carry that id and the hash of the
 * record before them, so all records of a cluster form one chain (see `record-chain.ts` for who
 * must sign which).
 */
import { MAX_PARTIES, ROLES, type Role } from '@quorate/api'
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
export const MAX_RECORD_BYTES: number = 320 * 1024
export const MAX_ADMINS = 50

export type ClusterNode = {
  /** 1 to n. */
  readonly index: number
  readonly id: Id<'nod'>
  /** Ed25519, 32 bytes. */
  readonly identityKey: Uint8Array
  /** The weakest custody in which this node may hold shares. */
  readonly minCustody: Custody
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
}

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
}

const clusterNode: Codec<ClusterNode> = record({
  index: field(1, nodeIndex),
  id: field(2, idOf('nod')),
  identityKey: field(3, ed25519Key),
  minCustody: field(4, custody),
})

const clusterAdmin: Codec<ClusterAdmin> = record({ id: field(1, name), key: field(2, ed25519Key) })

const clusterClient: Codec<ClusterClient> = record({
  id: field(1, idOf('cli')),
  key: field(2, ed25519Key),
  name: field(3, name),
  role: field(4, oneOf(...(Object.keys(ROLES) as Role[]))),
  project: field(5, idOf('prj')),
  expiresAt: field(6, time),
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
