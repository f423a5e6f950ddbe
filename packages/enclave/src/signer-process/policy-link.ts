/**
 * A link of a wallet's chain of policies as nodes keep it and show it to each other: the change with its
 * approvals, and the votes of the nodes that took it. Each node votes for one change of a version, so
 * with the votes of a majority there is no other; and the votes tell when it took force, by which
 * a node that missed it judges the approvals.
 */
import { decodeSignedChange, type PolicyChange, type SignedPolicyChange } from '@quorate/api'
import { type AcceptedRecord, verifyPastEpoch } from '@quorate/auth'
import {
  array,
  bytes,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  int,
  record,
  type Signer,
  TAGS,
  tagged,
  taggedHash,
} from '@quorate/base'
import { MAX_PARTIES, type PartyId, partyId } from '@quorate/threshold'
import { verifyEd25519 } from './node-crypto.ts'

const MAX_CHANGE_BYTES = 3 << 19
const MAX_VOTE_BYTES = 8192
const MAX_LINK_BYTES: number = MAX_CHANGE_BYTES + MAX_PARTIES * MAX_VOTE_BYTES

const statement = record({
  cluster: field(0, bytes(32)),
  /** Hash of the change with its approvals. */
  change: field(1, bytes(32)),
  node: field(2, int(1, MAX_PARTIES)),
  at: field(3, int()),
})
const voteCodec = record({
  statement: field(0, statement),
  signature: field(1, bytes(64)),
  /** The voter's epoch record, signed by its identity key. */
  epoch: field(2, bytes({ max: 4096 })),
})
const linkCodec = record({
  signed: field(0, bytes({ max: MAX_CHANGE_BYTES })),
  votes: field(1, array(bytes({ max: MAX_VOTE_BYTES }), { max: MAX_PARTIES })),
})

export type Link = { readonly signed: Uint8Array; readonly votes: readonly Uint8Array[] }

export const encodeLink = (link: Link): Uint8Array => encode(linkCodec, link)
/** Nothing is verified yet. @throws base/… */
export const decodeLink = (encoded: Uint8Array): Link =>
  decode(linkCodec, encoded, { maxBytes: MAX_LINK_BYTES })

/** The change in a link. Nothing is verified. @throws base/… */
export const changeIn = (encoded: Uint8Array): PolicyChange =>
  decodeSignedChange(decodeLink(encoded).signed).change

/** What a vote names a change by. */
export const changeDigest = (signed: Uint8Array): Uint8Array => taggedHash(TAGS.policyVote, signed)

/** This node's vote for a change, which it has checked at time `at`. */
export async function makeVote(
  signed: Uint8Array,
  by: {
    readonly cluster: Uint8Array
    readonly node: PartyId
    readonly at: number
    readonly signer: Signer
    readonly epoch: Uint8Array
  },
): Promise<Uint8Array> {
  const { cluster, node, at, signer, epoch } = by
  const said = { cluster, change: changeDigest(signed), node, at }
  const signature = await signer.sign(tagged(TAGS.policyVote, encode(statement, said)))
  return encode(voteCodec, { statement: said, signature, epoch })
}

export type Vote = { readonly party: PartyId; readonly at: number }

/** Who votes for this change, and when it did. @throws policy/bad-vote, auth/…, base/… */
export function readVote(encoded: Uint8Array, signed: Uint8Array, cluster: AcceptedRecord): Vote {
  const {
    statement: said,
    signature,
    epoch: delegation,
  } = decode(voteCodec, encoded, {
    maxBytes: MAX_VOTE_BYTES,
  })
  const epoch = verifyPastEpoch(delegation, { cluster, now: said.at, verify: verifyEd25519 })
  const isSound =
    epoch.nodeIndex === said.node &&
    equalBytes(said.cluster, cluster.cluster) &&
    equalBytes(said.change, changeDigest(signed)) &&
    verifyEd25519(epoch.envelopeKey, tagged(TAGS.policyVote, encode(statement, said)), signature)
  if (!isSound) throw new Fault('enclave/bad-vote')
  return { party: partyId(said.node), at: said.at }
}

/** So many nodes must vote: a majority, so that two changes of one version cannot both have them. */
export const votesNeeded = (nodes: number): number => Math.floor(nodes / 2) + 1

/**
 * A change that took force, and when: the middle of its voters' times, at which an honest node's clock
 * stands too. @throws enclave/bad-vote where the votes are no majority
 */
export function readLink(
  encoded: Uint8Array,
  cluster: AcceptedRecord,
): { readonly change: SignedPolicyChange; readonly at: number } {
  const { signed, votes } = decodeLink(encoded)
  const times = new Map(
    votes.map((vote) => {
      const { party, at } = readVote(vote, signed, cluster)
      return [party, at] as const
    }),
  )
  if (times.size < votesNeeded(cluster.record.nodes.length)) throw new Fault('enclave/bad-vote')
  const sorted = [...times.values()].sort((a, b) => a - b)
  return { change: decodeSignedChange(signed), at: sorted[sorted.length >> 1]! }
}
