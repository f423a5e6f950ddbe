/**
 * Leads a client's request to its end. A coordinator decides nothing that the others must believe:
 * it proposes sessions and collects what comes back. Whichever node the client asks coordinates.
 */
import { Fault, isFault, TAGS, taggedHash, toHex, utf8 } from '@quorate/base'
import { Abort, type Manifest, type PartyId, partyId } from '@quorate/threshold'
import type { Outcome } from '../channel/calls.ts'
import type { Participation } from './participation.ts'
import type { Peers } from './peers.ts'

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

/** Starts this node's own part of a session that it proposes, and tells the other signers. */
export type Propose = (manifest: Manifest) => Promise<Participation>

/** Deterministic in request and attempt, so that load spreads and every retry has another set where there is one. */
function shuffled(
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
  if (ordered.length + 1 < need) {
    const missing = peers.nodes
      .map(({ index }) => partyId(index))
      .filter((p) => !peers.present.includes(p))
    throw new Fault('enclave/peers-missing', {
      detail: `${need} needed, ${ordered.length + 1} connected, missing ${missing.join(', ')}`,
    })
  }
  return [peers.self, ...ordered.slice(0, need - 1)].sort((a, b) => a - b)
}

/** Faults of a session that another signer set may not have. Anything else is the request's own fault. */
const isWorthAnother = (fault: Fault): boolean =>
  fault.class === 'Abort' || fault.class === 'Unavailable' || fault.class === 'DeviceFault'

/**
 * Runs sessions until one succeeds. Parties that broke the protocol are left out of later attempts;
 * slow and silent ones go to the end of the line.
 * @returns the outcome, and how many attempts it took
 */
export async function coordinate(
  proposal: Proposal,
  peers: Peers,
  clock: { now(): number },
  propose: Propose,
): Promise<{ readonly outcome: Outcome | undefined; readonly attempts: number }> {
  const avoid = new Set<PartyId>()
  const { needsAll, ...facts } = proposal
  const attempts = needsAll ? 1 : MAX_ATTEMPTS
  for (let attempt = 0; ; attempt++) {
    const signers = chooseSigners(proposal, peers, attempt, avoid)
    const manifest: Manifest = {
      v: 1,
      cluster: peers.cluster.cluster,
      ...facts,
      signers: signers.map((party) => {
        const { bootId, epoch } = peers.epochOf(party)
        return { party, bootId, epoch }
      }),
      attempt,
      coordinator: peers.self,
      createdAt: clock.now(),
      expiresAt: clock.now() + MANIFEST_LIFE_MS,
      minVersion: peers.versionOf(signers),
    }
    const session = await propose(manifest)
    try {
      return { outcome: await session.outcome, attempts: attempt + 1 }
    } catch (error) {
      if (!isFault(error) || !isWorthAnother(error) || attempt + 1 >= attempts) throw error
      if (error instanceof Abort)
        for (const party of [...error.culprits, ...error.laggards]) avoid.add(party)
    }
  }
}
