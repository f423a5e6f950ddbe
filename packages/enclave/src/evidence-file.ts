/**
 * Evidence file v1: all that somebody who knows nothing but the cluster record needs in order to see
 * that a node broke the protocol. Canonical CBOR:
 *
 *   manifest   what the session was about; its hash is the session id in every signed message
 *   epochs     of each signer, its keys of that time, delegated by its identity key
 *   evidence   the signed messages, and what the protocol's judge needs besides
 *   facts      public data that the session was about
 *
 * The accuser chooses what is in the file, so nothing in it is believed for being there: epochs are
 * signed by nodes that the cluster record lists, a wallet's record counts against those alone who gave
 * a receipt for it, auxiliary information by its digest, and messages by their signatures.
 */
import { type AcceptedRecord, type EpochRecord, verifyEpoch } from '@quorate/auth'
import {
  array,
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  int,
  isFault,
  oneOf,
  optional,
  record,
} from '@quorate/base'
import {
  decodeEvidence,
  decodeManifest,
  type Evidence,
  encodeEvidence,
  encodeManifest,
  MAX_PARTIES,
  MAX_POOLED_ITEMS,
  type Manifest,
  type PartyId,
  sessionId,
  type Tweak,
  tweakCodec,
  verifyEvidence,
} from '@quorate/threshold'
import { MAX_EVIDENCE_FILE_BYTES } from './channel/calls.ts'
import { confirmersOf, judgeOf } from './evidence-judge.ts'
import { verifyEd25519 } from './signer-process/node-crypto.ts'

/** Public data that a judge of the session needs, as far as the session is about it. */
export type EvidenceFacts = {
  /** The generation that signs or is refreshed, and the receipts of the nodes for it. */
  readonly wallet?: { readonly record: Uint8Array; readonly receipts: readonly Uint8Array[] }
  /** Public auxiliary keys of all nodes, encoded. */
  readonly aux?: Uint8Array
  readonly items?: readonly {
    /** What FROST signs, or the digest that CGGMP24 signs. */
    readonly message: Uint8Array
    readonly tweaks: readonly Tweak[]
    readonly path: readonly number[]
  }[]
  /** Public parts of the presignatures that the items were signed from. */
  readonly presignatures?: readonly Uint8Array[]
}

export type EvidenceCase = {
  readonly manifest: Manifest
  /** Signed epoch records of the signers. */
  readonly epochs: readonly Uint8Array[]
  readonly evidence: Evidence
  readonly facts: EvidenceFacts
}

const MAX_PART_BYTES = 1 << 20
const factsCodec = record({
  wallet: optional(
    1,
    record({
      record: field(1, bytes({ max: MAX_PART_BYTES })),
      receipts: field(2, array(bytes({ max: 1 << 16 }), { max: MAX_PARTIES })),
    }),
  ),
  aux: optional(2, bytes({ max: MAX_PART_BYTES })),
  items: optional(
    3,
    array(
      record({
        message: field(1, bytes({ max: MAX_PART_BYTES })),
        tweaks: field(2, array(tweakCodec, { max: 8 })),
        path: field(3, array(int(0, 0x7fffffff), { max: 10 })),
      }),
      { max: 1000 },
    ),
  ),
  presignatures: optional(4, array(bytes({ max: 1 << 14 }), { max: MAX_POOLED_ITEMS })),
})
type File = {
  readonly v: 1
  readonly cluster: Uint8Array
  readonly manifest: Uint8Array
  readonly epochs: readonly Uint8Array[]
  readonly evidence: Uint8Array
  readonly facts: EvidenceFacts
}
const fileCodec: Codec<File> = record({
  v: field(1, oneOf(1)),
  cluster: field(2, bytes(32)),
  manifest: field(3, bytes({ max: 1 << 14 })),
  epochs: field(4, array(bytes({ max: 4096 }), { min: 1, max: MAX_PARTIES })),
  evidence: field(5, bytes({ max: 1 << 24 })),
  facts: field(6, factsCodec as Codec<EvidenceFacts>),
})

/** @throws base/malformed for a case that is too large for a file */
export const encodeEvidenceFile = ({
  manifest,
  epochs,
  evidence,
  facts,
}: EvidenceCase): Uint8Array =>
  encode(fileCodec, {
    v: 1,
    cluster: manifest.cluster,
    manifest: encodeManifest(manifest),
    epochs,
    evidence: encodeEvidence(evidence),
    facts,
  })

/**
 * What a file says, before any of it is checked. @throws threshold/bad-manifest; base/… for bytes that
 * are no evidence file
 */
export function decodeEvidenceFile(encoded: Uint8Array): EvidenceCase {
  // What is read from a disk may be a Buffer, parts of which behave otherwise than byte arrays.
  const file = decode(fileCodec, new Uint8Array(encoded), { maxBytes: MAX_EVIDENCE_FILE_BYTES })
  const { epochs, facts } = file
  const manifest = decodeManifest(file.manifest)
  if (!equalBytes(file.cluster, manifest.cluster)) reject('the manifest is of another cluster')
  return { manifest, epochs, evidence: decodeEvidence(file.evidence), facts }
}

export type EvidenceVerdict = {
  readonly purpose: Manifest['purpose']
  readonly protocol: string
  readonly wallet: string
  /** Code of what the culprits did. */
  readonly claim: string
  readonly culprits: readonly { readonly party: number; readonly nodeId: string }[]
}

/**
 * Whom the file convicts, and of what, to somebody who trusts this cluster record and nothing else.
 * @throws threshold/evidence-rejected where it does not convict all that it names; base/… for bytes
 *   that are no evidence file
 */
export function verifyEvidenceFile(encoded: Uint8Array, cluster: AcceptedRecord): EvidenceVerdict {
  const { manifest, epochs: signed, evidence, facts } = decodeEvidenceFile(encoded)
  if (!equalBytes(manifest.cluster, cluster.cluster)) reject('it is of another cluster')
  if (!equalBytes(sessionId(manifest), evidence.sid) || evidence.protocol !== manifest.protocol)
    reject('it is of another session than the manifest')
  const epochs = epochsOf(manifest, signed, cluster)
  const culprits = rejecting('it cannot be judged', () => {
    const isEquivocation = evidence.claim === 'threshold/equivocation'
    const judge = isEquivocation ? undefined : judgeOf({ manifest, epochs, facts })
    const convicted = verifyEvidence(evidence, {
      cluster: cluster.cluster,
      verify: verifyEd25519,
      epochKey(from, epoch) {
        const known = epochs.get(from)
        return known && equalBytes(known.epoch, epoch) ? known.envelopeKey : undefined
      },
      ...(judge && { judge }),
    })
    if (!isEquivocation) {
      const bound = confirmersOf(facts, cluster)
      if (bound !== undefined && convicted.some((culprit) => !bound.has(culprit)))
        reject('a culprit never confirmed the wallet that this is about')
    }
    return convicted
  })
  const { purpose, protocol, wallet } = manifest
  return {
    purpose,
    protocol,
    wallet,
    claim: evidence.claim,
    culprits: culprits.map((party) => ({ party, nodeId: epochs.get(party)!.nodeId })),
  }
}

/** The epochs that the manifest names, by party. */
function epochsOf(
  manifest: Manifest,
  signed: readonly Uint8Array[],
  cluster: AcceptedRecord,
): ReadonlyMap<PartyId, EpochRecord> {
  const context = { cluster, now: manifest.createdAt, verify: verifyEd25519 }
  const known = signed.map((each) =>
    rejecting('an epoch record does not verify', () => verifyEpoch(each, context)),
  )
  return new Map(
    manifest.signers.map(({ party, epoch, bootId }): [PartyId, EpochRecord] => {
      const own = known.find(
        (each) =>
          each.nodeIndex === party &&
          equalBytes(each.epoch, epoch) &&
          equalBytes(each.bootId, bootId),
      )
      return [party, own ?? reject('it lacks the epoch of a signer')]
    }),
  )
}

function reject(detail: string): never {
  throw new Fault('threshold/evidence-rejected', { detail })
}

/** Any fault of what the file holds means that it proves nothing. */
function rejecting<T>(detail: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isFault(cause)) throw cause
    if (cause.code === 'threshold/evidence-rejected') throw cause
    throw new Fault('threshold/evidence-rejected', { detail, cause })
  }
}
