/**
 * Leads a client's request to its end. A coordinator decides nothing that the others must believe:
 * it proposes sessions and collects what comes back. Whichever node the client asks coordinates.
 */
import { type Clock, Fault, isFault, TAGS, taggedHash, toHex, utf8 } from '@quorate/base'
import { Abort, type Manifest, type PartyId, type PooledItem, partyId } from '@quorate/threshold'
import type { Outcome } from '../channel/outcomes.ts'
import { isElsewhere } from './claims.ts'
import type { Participation } from './participation.ts'
import type { Peers } from './peers.ts'
import { signersOf } from './pool/pools.ts'
import { signerSets } from './pool/signer-sets.ts'

const MAX_ATTEMPTS = 5
const MANIFEST_LIFE_MS = 60_000

/** What one session of a request is about. */
export type Proposal = Pick<
  Manifest,
  | 'request'
  | 'purpose'
  | 'wallet'
  | 'generation'
  | 'protocol'
  | 'suite'
  | 'threshold'
  | 'policyHash'
  | 'aux'
> & {
  /** All nodes must sign; otherwise any `threshold` of them. */
  readonly needsAll: boolean
}

/** What there is to sign from, made ahead. */
export type Ahead = {
  /** Claims one for each item of the request, of these signers; `undefined` where there are not so many. */
  claim(signers: readonly PartyId[]): readonly PooledItem[] | undefined
  /** Gives back what a session did not set aside. */
  release(pooled: readonly PooledItem[]): void
  /** A signer does not have its part of what the manifest names. */
  distrust(manifest: Manifest): void
}

/** Starts this node's own part of a session that it proposes, and tells the other signers. */
export type Propose = (manifest: Manifest) => Promise<Participation>

/** Deterministic in request and attempt, so that load spreads and every retry has another set where there is one. */
export function shuffled(
  parties: readonly PartyId[],
  request: Uint8Array,
  attempt: number,
): readonly PartyId[] {
  const rank = (party: PartyId): string =>
    toHex(taggedHash(TAGS.signerOrder, request, utf8(`${attempt}/${party}`)))
  return [...parties].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))
}

/**
 * The signers of an attempt: this node and as many others as it takes, those in `avoid` last.
 * @throws enclave/peers-missing
 */
export function chooseSigners(
  proposal: Proposal,
  peers: Pick<Peers, 'self' | 'present' | 'nodes'>,
  attempt: number,
  avoid: ReadonlySet<PartyId>,
): readonly PartyId[] {
  const need = proposal.needsAll ? peers.nodes.length : proposal.threshold
  const candidates = shuffled(
    peers.present.filter((party) => party !== peers.self),
    proposal.request,
    attempt,
  )
  const ordered = [
    ...candidates.filter((p) => !avoid.has(p)),
    ...candidates.filter((p) => avoid.has(p)),
  ]
  if (ordered.length + 1 < need) throw tooFewPeers(need, peers)
  return [peers.self, ...ordered.slice(0, need - 1)].sort((a, b) => a - b)
}

/** That `need` nodes are not there, with the names of those that are missing. */
export function tooFewPeers(
  need: number,
  { present, nodes }: Pick<Peers, 'present' | 'nodes'>,
): Fault {
  const missing = nodes.map(({ index }) => partyId(index)).filter((p) => !present.includes(p))
  return new Fault('enclave/peers-missing', {
    detail: `${need} needed, ${present.length} connected, missing ${missing.join(', ')}`,
  })
}

/** Faults of a session that another signer set may not have. Anything else is the request's own fault. */
export const isWorthAnother = (fault: Fault): boolean =>
  !isElsewhere(fault) &&
  (fault.class === 'Abort' ||
    fault.class === 'Unavailable' ||
    fault.class === 'DeviceFault' ||
    lacksPooled(fault))

/** Whether a signer, or this node, does not have what the manifest named. */
export const lacksPooled = ({ code, cause }: Fault): boolean =>
  code === 'threshold/nonce-unavailable' || isFault(cause, 'threshold/nonce-unavailable')

/**
 * The first of these sets that something is made ahead for, and what: `chosen`, or any other of as many
 * parties that are here. `chosen` alone where there is nothing.
 */
export function withPool(
  chosen: readonly PartyId[],
  peers: Pick<Peers, 'present' | 'self'>,
  ahead: Ahead,
): { readonly signers: readonly PartyId[]; readonly pooled?: readonly PooledItem[] } {
  for (const signers of [chosen, ...signerSets(peers.present, peers.self, chosen.length)]) {
    const pooled = ahead.claim(signers)
    if (pooled !== undefined) return { signers, pooled }
  }
  return { signers: chosen }
}

/** The manifest of one attempt by these signers. */
export function manifestOf(
  { needsAll: _needsAll, ...facts }: Proposal,
  peers: Peers,
  clock: Pick<Clock, 'now'>,
  signers: readonly PartyId[],
  attempt: number,
  more: Pick<Manifest, 'count' | 'pooled'> = {},
): Manifest {
  const now = clock.now()
  return {
    v: 1,
    cluster: peers.cluster.cluster,
    ...facts,
    ...more,
    signers: signersOf(signers, (party) => peers.epochOf(party)),
    attempt,
    coordinator: peers.self,
    createdAt: now,
    expiresAt: now + MANIFEST_LIFE_MS,
    minVersion: peers.versionOf(signers),
  }
}

/**
 * Runs sessions until one succeeds. Parties that broke the protocol are left out of later attempts;
 * slow and silent ones go to the end of the line, with those in `avoid`. Only the first attempt signs
 * from what was made ahead.
 * @returns the outcome, and how many attempts it took
 */
export async function coordinate(
  proposal: Proposal,
  peers: Peers,
  clock: Pick<Clock, 'now'>,
  propose: Propose,
  avoid: Set<PartyId> = new Set(),
  ahead?: Ahead,
): Promise<{ readonly outcome: Outcome | undefined; readonly attempts: number }> {
  const attempts = proposal.needsAll ? 1 : MAX_ATTEMPTS
  for (let attempt = 0; ; attempt++) {
    const chosen = chooseSigners(proposal, peers, attempt, avoid)
    const { signers, ...pooled } =
      ahead === undefined || attempt > 0 ? { signers: chosen } : withPool(chosen, peers, ahead)
    const manifest = manifestOf(proposal, peers, clock, signers, attempt, pooled)
    try {
      const session = await propose(manifest).finally(() => ahead?.release(manifest.pooled ?? []))
      return { outcome: await session.outcome, attempts: attempt + 1 }
    } catch (error) {
      if (!isFault(error) || !isWorthAnother(error) || attempt + 1 >= attempts) throw error
      if (lacksPooled(error)) ahead?.distrust(manifest)
      else if (error instanceof Abort)
        for (const party of [...error.culprits, ...error.laggards]) avoid.add(party)
    }
  }
}
