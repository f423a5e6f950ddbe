/**
 * Which cluster record is in force.
 *
 *   number 1     takes force when every node in it has signed
 *   number k+1   takes force when adminThreshold admins of record k have signed; it names the
 *                cluster and the hash of record k
 *
 * So one admin quorum can never be bypassed by a record it did not sign, and a record that is older,
 * of another cluster, or beside the chain never takes force. A node keeps the whole chain and starts
 * by accepting it again from number 1, because only record k says who may sign record k+1.
 */
import { MAX_PARTIES, type VerifySignature } from '@quorate/api'
import {
  array,
  type Branded,
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  record,
  type Signer,
  TAGS,
  tagged,
  union,
} from '@quorate/base'
import {
  type ClusterNode,
  type ClusterRecord,
  clusterRecordHash,
  decodeClusterRecord,
  MAX_ADMINS,
  MAX_RECORD_BYTES,
} from './cluster-record.ts'
import { name, nodeIndex } from './document.ts'
import { ed25519Signature } from './ed25519-key.ts'

/** A node by its index, or an admin by its id. */
export type RecordSigner =
  | { readonly kind: 'node'; readonly value: number }
  | { readonly kind: 'admin'; readonly value: string }

export type RecordSignature = {
  readonly by: RecordSigner
  /** 64 bytes over tag ‖ record. */
  readonly signature: Uint8Array
}

export type SignedClusterRecord = {
  /** The canonical bytes of the record, exactly as signed. */
  readonly record: Uint8Array
  readonly signatures: readonly RecordSignature[]
}

const recordSigner: Codec<RecordSigner> = union({ node: [1, nodeIndex], admin: [2, name] })

const recordSignature: Codec<RecordSignature> = record({
  by: field(1, recordSigner),
  signature: field(2, ed25519Signature),
})

const MAX_SIGNATURES = Math.max(MAX_PARTIES, MAX_ADMINS)
const MAX_SIGNED_BYTES = MAX_RECORD_BYTES + MAX_SIGNATURES * 160 + 32

const signedClusterRecord: Codec<SignedClusterRecord> = record({
  record: field(1, bytes({ max: MAX_RECORD_BYTES })),
  signatures: field(2, array(recordSignature, { max: MAX_SIGNATURES })),
})

/** The canonical bytes. @throws base/malformed */
export const encodeSignedRecord = (value: SignedClusterRecord): Uint8Array =>
  encode(signedClusterRecord, value)

/** Nothing is verified yet. @throws base/malformed, base/not-canonical, base/too-large */
export const decodeSignedRecord = (encoded: Uint8Array): SignedClusterRecord =>
  decode(signedClusterRecord, encoded, { maxBytes: MAX_SIGNED_BYTES })

/**
 * The signature of `by` over the canonical bytes of a record.
 * @throws auth/bad-record, base/malformed for a record that could never take force
 */
export async function signClusterRecord(
  encoded: Uint8Array,
  by: RecordSigner,
  signer: Signer,
): Promise<RecordSignature> {
  decodeClusterRecord(encoded)
  return { by, signature: await signer.sign(tagged(TAGS.clusterRecord, encoded)) }
}

/** A record in force. Only `acceptRecord` makes one. */
export type AcceptedRecord = Branded<
  {
    /** The cluster id: the hash of record number 1. */
    readonly cluster: Uint8Array
    /** The hash of this very record. */
    readonly hash: Uint8Array
    readonly record: ClusterRecord
    /** Machines whose place others have taken, oldest first. */
    readonly former: readonly FormerNode[]
  },
  'AcceptedRecord'
>

/** A machine that was a node until another was restored in its place. */
export type FormerNode = Pick<ClusterNode, 'index' | 'id' | 'identityKey'> & {
  /** Time of the record that fenced it: what it says it did later counts for nothing. */
  readonly until: number
}

export type AcceptOptions = {
  readonly verify: VerifySignature
  /** The cluster id that operators compared out of band; without it any first record is taken. */
  readonly cluster?: Uint8Array
}

/**
 * `next` as the record in force after `current` (`undefined`: none yet).
 * @throws auth/record-not-newer, auth/record-gap, auth/record-forked, auth/other-cluster,
 *   auth/other-environment, auth/not-enough-signatures, auth/bad-signature, and what decoding throws
 */
export function acceptRecord(
  current: AcceptedRecord | undefined,
  next: SignedClusterRecord,
  { verify, cluster: pinned }: AcceptOptions,
): AcceptedRecord {
  const value = decodeClusterRecord(next.record)
  const hash = clusterRecordHash(next.record)
  const cluster = value.cluster ?? hash
  const expected = current?.cluster ?? pinned
  if (expected !== undefined && !equalBytes(cluster, expected))
    throw new Fault('auth/other-cluster')
  if (current === undefined) {
    if (value.number !== 1)
      throw new Fault('auth/record-gap', { detail: 'the first record is missing' })
  } else checkSuccession(current, value, hash)
  checkSignatures(current?.record, value, next, verify)
  const former: readonly FormerNode[] = [
    ...(current?.former ?? []),
    ...replacedIn(current?.record, value),
  ]
  refuseFormer(value, former)
  return { cluster, hash, record: value, former } as AcceptedRecord
}

/** The nodes of `current` that are no nodes of `next`. */
function replacedIn(current: ClusterRecord | undefined, next: ClusterRecord): FormerNode[] {
  return (current?.nodes ?? [])
    .filter(({ index, id, identityKey }) => {
      const now = next.nodes[index - 1]
      return now?.id !== id || !equalBytes(now.identityKey, identityKey)
    })
    .map(({ index, id, identityKey }) => ({ index, id, identityKey, until: next.createdAt }))
}

/** A machine that was fenced never comes back, whoever signs for it. */
function refuseFormer({ nodes }: ClusterRecord, former: readonly FormerNode[]): void {
  for (const { identityKey } of nodes)
    if (former.some((old) => equalBytes(old.identityKey, identityKey)))
      throw new Fault('auth/bad-record', { detail: 'a node that was replaced is listed again' })
}

function checkSuccession(current: AcceptedRecord, next: ClusterRecord, hash: Uint8Array): void {
  const { number } = current.record
  if (next.number < number || (next.number === number && equalBytes(hash, current.hash)))
    throw new Fault('auth/record-not-newer', {
      detail: `number ${next.number}, in force is ${number}`,
    })
  if (next.number === number)
    throw new Fault('auth/record-forked', { detail: `another number ${number}` })
  if (next.number > number + 1)
    throw new Fault('auth/record-gap', { detail: `number ${next.number}, in force is ${number}` })
  if (next.previous === undefined || !equalBytes(next.previous, current.hash))
    throw new Fault('auth/record-forked', {
      detail: `number ${next.number} follows another record`,
    })
  // Wallets and stores are marked with the environment for life, so the cluster is too.
  if (next.environment !== current.record.environment) throw new Fault('auth/other-environment')
}

function checkSignatures(
  current: ClusterRecord | undefined,
  next: ClusterRecord,
  { record: encoded, signatures }: SignedClusterRecord,
  verify: VerifySignature,
): void {
  const message = tagged(TAGS.clusterRecord, encoded)
  const signers = new Set<number | string>()
  for (const { by, signature } of signatures) {
    const key = current === undefined ? nodeKey(next, by) : adminKey(current, by)
    if (key === undefined || signers.has(by.value) || !verify(key, message, signature))
      throw new Fault('auth/bad-signature', {
        detail: `of ${by.kind} ${by.value} under the cluster record`,
      })
    signers.add(by.value)
  }
  const needed = current === undefined ? next.nodes.length : current.adminThreshold
  if (signers.size < needed)
    throw new Fault('auth/not-enough-signatures', { detail: `${signers.size} of ${needed}` })
}

const nodeKey = (value: ClusterRecord, by: RecordSigner): Uint8Array | undefined =>
  by.kind === 'node' ? value.nodes[by.value - 1]?.identityKey : undefined

const adminKey = (value: ClusterRecord, by: RecordSigner): Uint8Array | undefined =>
  by.kind === 'admin' ? value.admins.find(({ id }) => id === by.value)?.key : undefined

/** The last record of a whole chain from number 1 on. @throws what `acceptRecord` throws, auth/record-gap for an empty chain */
export function acceptChain(
  chain: readonly SignedClusterRecord[],
  options: AcceptOptions,
): AcceptedRecord {
  let current: AcceptedRecord | undefined
  for (const next of chain) current = acceptRecord(current, next, options)
  if (current === undefined) throw new Fault('auth/record-gap', { detail: 'no record at all' })
  return current
}
