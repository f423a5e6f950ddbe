/**
 * The epoch record: keys of one node for at most a day, delegated by its identity key. Envelopes,
 * TLS and key generation use these, so the identity key signs rarely and may sit in a slow HSM,
 * and a stolen epoch key is worthless tomorrow.
 */
import { ALLOWED_SKEW_MS, type VerifySignature } from '@quorate/api'
import {
  bytes,
  type Codec,
  encode,
  equalBytes,
  Fault,
  field,
  type Id,
  int,
  mapped,
  oneOf,
  optional,
  record,
  type Signer,
  TAGS,
} from '@quorate/base'
import type { ClusterNode } from './cluster-record.ts'
import {
  checkSignature,
  decodeVersioned,
  type Environment,
  environment,
  idOf,
  nodeIndex,
  signDocument,
  splitDocument,
  time,
} from './document.ts'
import { ed25519Key } from './ed25519-key.ts'
import type { AcceptedRecord } from './record-chain.ts'

/** The longest life of an epoch record, in milliseconds. */
export const MAX_EPOCH_MS: number = 24 * 60 * 60 * 1000

export type EpochRecord = {
  readonly v: 1
  /** The cluster id, 32 bytes. */
  readonly cluster: Uint8Array
  readonly nodeIndex: number
  readonly nodeId: Id<'nod'>
  /** 16 random bytes that name this epoch. */
  readonly epoch: Uint8Array
  /** 16 bytes drawn at every start of the node; one-use secrets never outlive them. */
  readonly bootId: Uint8Array
  /** Ed25519, 32 bytes: signs envelopes and greetings. */
  readonly envelopeKey: Uint8Array
  /** X25519, 32 bytes. Whoever seals to it must refuse an all-zero shared secret (RFC 7748 §6.1). */
  readonly sealingKey: Uint8Array
  /** Host keys of distributed key generation: a compressed SEC1 point (33 bytes), an Ed25519 point (32). */
  readonly dkgKeys: { readonly secp256k1: Uint8Array; readonly ed25519: Uint8Array }
  /** SHA-256 of the node's TLS leaf certificate; absent on transports without TLS. */
  readonly tlsFingerprint?: Uint8Array | undefined
  readonly environment: Environment
  /** Protocol versions that the node speaks. */
  readonly versions: { readonly min: number; readonly max: number }
  readonly notBefore: number
  /** Within MAX_EPOCH_MS of `notBefore`. */
  readonly notAfter: number
}

const fields: Codec<EpochRecord> = record({
  v: field(0, oneOf(1)),
  cluster: field(1, bytes(32)),
  nodeIndex: field(2, nodeIndex),
  nodeId: field(3, idOf('nod')),
  epoch: field(4, bytes(16)),
  bootId: field(5, bytes(16)),
  envelopeKey: field(6, ed25519Key),
  sealingKey: field(7, bytes(32)),
  dkgKeys: field(8, record({ secp256k1: field(1, bytes(33)), ed25519: field(2, ed25519Key) })),
  tlsFingerprint: optional(9, bytes(32)),
  environment: field(10, environment),
  versions: field(11, record({ min: field(1, int(1, 0xffff)), max: field(2, int(1, 0xffff)) })),
  notBefore: field(12, time),
  notAfter: field(13, time),
})

function checkEpoch(value: EpochRecord): EpochRecord {
  const refuse = (detail: string): never => {
    throw new Fault('base/malformed', { detail })
  }
  const life = value.notAfter - value.notBefore
  if (life <= 0 || life > MAX_EPOCH_MS) refuse('an epoch ends after it begins, within 24 hours')
  if (value.versions.min > value.versions.max) refuse('versions.min is above versions.max')
  const prefix = value.dkgKeys.secp256k1[0]
  if (prefix !== 2 && prefix !== 3) refuse('dkgKeys.secp256k1 is not a compressed point')
  return value
}

const epochRecord: Codec<EpochRecord> = mapped(fields, checkEpoch, checkEpoch)

/** The signed epoch record as bytes; `signer` holds the identity key. @throws base/malformed */
export const makeEpoch = (value: EpochRecord, signer: Signer): Promise<Uint8Array> =>
  signDocument(TAGS.epochRecord, encode(epochRecord, value), signer)

/** Whose epoch record it says it is. Nothing is verified. @throws base/… for bytes that are none */
export function epochNodeId(signed: Uint8Array): Id<'nod'> {
  const { document } = splitDocument(signed)
  return decodeVersioned(epochRecord, document, document.length).nodeId
}

export type TrustContext = {
  readonly cluster: AcceptedRecord
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly verify: VerifySignature
}

/**
 * The epoch record of a node of the cluster in force, valid now.
 * @throws auth/other-cluster, auth/other-environment, auth/unknown-node, auth/bad-signature,
 *   auth/expired, auth/version-mismatch, and base/… for bytes that are no epoch record
 */
export function verifyEpoch(signed: Uint8Array, context: TrustContext): EpochRecord {
  return verifyOf(signed, context, ({ record }, index) => record.nodes[index - 1])
}

/**
 * The same of an epoch in which something was signed at `now`, by a node of then: one whose place
 * another machine has taken counts for what it signed before it was fenced. Its own clock says when
 * that was, so its word must never be enough alone.
 * @throws what `verifyEpoch` throws
 */
export function verifyPastEpoch(signed: Uint8Array, context: TrustContext): EpochRecord {
  return verifyOf(signed, context, ({ record, former }, index, id) => {
    const node = record.nodes[index - 1]
    if (node?.id === id) return node
    return former.find((old) => old.index === index && old.id === id && context.now < old.until)
  })
}

type Named = Pick<ClusterNode, 'index' | 'id' | 'identityKey'>
type FindNode = (cluster: AcceptedRecord, index: number, id: string) => Named | undefined

function verifyOf(
  signed: Uint8Array,
  { cluster, now, verify }: TrustContext,
  find: FindNode,
): EpochRecord {
  const parts = splitDocument(signed)
  const value = decodeVersioned(epochRecord, parts.document, parts.document.length)
  if (!equalBytes(value.cluster, cluster.cluster)) throw new Fault('auth/other-cluster')
  if (value.environment !== cluster.record.environment) throw new Fault('auth/other-environment')
  const node = find(cluster, value.nodeIndex, value.nodeId)
  if (node === undefined || node.id !== value.nodeId) throw new Fault('auth/unknown-node')
  checkSignature(`of node ${node.index}`, TAGS.epochRecord, parts, node.identityKey, verify)
  if (equalBytes(value.envelopeKey, node.identityKey))
    throw new Fault('base/malformed', { detail: 'an envelope key that is the identity key' })
  if (now < value.notBefore - ALLOWED_SKEW_MS || now >= value.notAfter + ALLOWED_SKEW_MS)
    throw new Fault('auth/expired', { detail: `epoch record of node ${node.index}` })
  if (value.versions.max < cluster.record.minProtocol)
    throw new Fault('auth/version-mismatch', { detail: `node ${node.index}` })
  return value
}
