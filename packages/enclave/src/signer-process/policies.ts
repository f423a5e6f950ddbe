/**
 * The policy in force for each wallet: the one it was made with, and each change after it, all verified
 * here. A change takes force with the votes of a majority of nodes, each of which checked for itself that
 * the quorum of the policy before it approved, and votes for no other change in its place.
 */
import { decodeSignedChange, type PolicyChangeRequest, type SignedPolicyChange } from '@quorate/api'
import { approverOf } from '@quorate/auth'
import { equalBytes, Fault, isFault, isFaultCode, toHex } from '@quorate/base'
import { failpoint } from '@quorate/platform'
import {
  acceptChange,
  decodePolicy,
  firstPolicy,
  type PolicyInForce,
  policyHash,
} from '@quorate/policy'
import type { PartyId } from '@quorate/threshold'
import type { AuditDraft, PolicyRow } from '../channel/rows.ts'
import type { WalletRecord } from '../wallet-record.ts'
import { nodeAudit } from './audit.ts'
import type { ControlOf } from './control.ts'
import { verifyEd25519 } from './node-crypto.ts'
import type { Outbox } from './outbox.ts'
import type { Peers } from './peers.ts'
import {
  changeDigest,
  decodeLink,
  encodeLink,
  makeVote,
  readLink,
  readVote,
  votesNeeded,
} from './policy-link.ts'
import type { SignerPorts } from './ports.ts'
import type { Wallets } from './wallets.ts'

/** How long nodes have to vote. */
const VOTES_MS = 10_000
/** What a change fails by whose approvers are not those of the record in force any more. */
const MOVED_ON: readonly string[] = [
  'api/unknown-approver',
  'api/bad-signature',
  'policy/not-approved',
]
/** How many links a node that is behind is given at once. */
const MAX_LINKS = 16

export type PoliciesOptions = {
  readonly peers: Peers
  readonly wallets: Wallets
  readonly ports: SignerPorts
  readonly outbox: Outbox
  readonly nodeId: string
  /** Refuses what this machine cannot judge, because another stood in its place then. */
  refuseEarlier(createdAt: number): void
  readonly rows: Iterable<PolicyRow>
  /** Refuses an address that is not spelt as the wallet's network does. @throws enclave/policy-address */
  checkSpelling(policy: PolicyInForce['policy'], network: string, suite: string): void
}

/** An election that this node called. */
type Election = {
  readonly signed: Uint8Array
  readonly votes: Map<PartyId, Uint8Array>
  readonly refusals: Map<PartyId, Fault>
  heard(): void
}

export class Policies {
  readonly #o: PoliciesOptions
  readonly #inForce = new Map<string, PolicyInForce>()
  readonly #links = new Map<string, Map<number, Uint8Array>>()
  /** The change this node voted for, by wallet and version. */
  readonly #votes = new Map<string, Uint8Array>()
  readonly #elections = new Map<string, Election>()

  /** @throws enclave/store-mismatch for a chain that does not verify */
  constructor(options: PoliciesOptions) {
    this.#o = options
    const rows = [...options.rows].sort((a, b) => a.version - b.version)
    for (const { wallet, version, state, link } of rows) {
      if (state === 'voted') {
        this.#votes.set(`${wallet}/${version}`, decodeLink(link).signed)
        continue
      }
      try {
        this.#apply(link, this.#verify(link))
      } catch (error) {
        if (!isFault(error)) throw error
        throw new Fault('enclave/store-mismatch', { cause: error, detail: 'a change of a policy' })
      }
    }
  }

  /** The policy in force for a wallet. */
  of({ key, policy }: Pick<WalletRecord, 'key' | 'policy'>): PolicyInForce {
    const known = this.#inForce.get(key.wallet)
    if (known !== undefined) return known
    const first = firstPolicy(key.wallet, decodePolicy(policy))
    this.#inForce.set(key.wallet, first)
    return first
  }

  /** The policy that a change would put in force. @throws policy/…, api/…, enclave/unknown-wallet */
  #accept(signed: Uint8Array, now: number): PolicyInForce {
    const { cluster } = this.#o.peers
    const change = decodeSignedChange(signed)
    const { record } = this.#o.wallets.active(change.change.wallet)
    const next = acceptChange(this.of(record), change, {
      cluster: cluster.cluster,
      now,
      resolve: (approver) => approverOf(cluster.record, approver, { project: record.project, now }),
      verify: verifyEd25519,
      adminThreshold: cluster.record.adminThreshold,
    })
    this.#o.checkSpelling(next.policy, record.network, record.key.suite)
    return next
  }

  /** The policy of a change that took force. @throws enclave/bad-vote, policy/… */
  #verify(link: Uint8Array): PolicyInForce {
    const { at, change } = readLink(link, this.#o.peers.cluster)
    try {
      return this.#accept(decodeLink(link).signed, at)
    } catch (error) {
      // The cluster record has moved on since: the nodes that voted saw who might approve then.
      if (!isFault(error) || !MOVED_ON.includes(error.code)) throw error
      return this.#follow(change)
    }
  }

  #follow({ change }: SignedPolicyChange): PolicyInForce {
    const { record } = this.#o.wallets.active(change.wallet)
    const { version, hash } = this.of(record)
    if (change.version !== version + 1 || !equalBytes(change.from, hash))
      throw new Fault('policy/not-next')
    const policy = decodePolicy(change.policy)
    return {
      wallet: change.wallet,
      version: change.version,
      hash: policyHash(policy),
      policy,
    }
  }

  #apply(link: Uint8Array, next: PolicyInForce): void {
    const links = this.#links.get(next.wallet) ?? new Map<number, Uint8Array>()
    this.#links.set(next.wallet, links.set(next.version, link))
    this.#inForce.set(next.wallet, next)
  }

  /**
   * Puts a change in force that a client asks for; asked again it says what is in force.
   * @throws policy/…, enclave/votes-missing
   */
  async change(request: PolicyChangeRequest, signed: Uint8Array): Promise<PolicyInForce> {
    const { record } = this.#o.wallets.active(request.wallet, request.project)
    const current = this.of(record)
    const known = this.#links.get(request.wallet)?.get(current.version)
    if (known !== undefined && equalBytes(decodeLink(known).signed, signed)) return current
    const own = await this.#vote(signed)
    const votes = await this.#elect(signed, own)
    const link = encodeLink({ signed, votes })
    const next = await this.#commit(link)
    const { outbox, peers } = this.#o
    outbox.tellAll(peers.present, { kind: 'policyLink', value: { link } })
    return next
  }

  /** This node's vote, on disk before it leaves. @throws enclave/other-vote, policy/…, api/… */
  async #vote(signed: Uint8Array): Promise<Uint8Array> {
    const { peers, ports } = this.#o
    const now = ports.clock.now()
    this.#o.refuseEarlier(decodeSignedChange(signed).change.createdAt)
    const { wallet, version } = this.#accept(signed, now)
    const name = `${wallet}/${version}`
    const earlier = this.#votes.get(name)
    if (earlier !== undefined && !equalBytes(earlier, signed)) this.#refuseOther(earlier, now)
    this.#votes.set(name, signed)
    const link = encodeLink({ signed, votes: [] })
    failpoint('enclave/policy/before-vote')
    await ports.persist(
      [{ kind: 'putPolicy', value: { wallet, version, state: 'voted', link } }],
      [this.#audit('policy.vote', wallet, version)],
    )
    failpoint('enclave/policy/after-vote')
    return makeVote(signed, {
      cluster: peers.cluster.cluster,
      node: peers.self,
      at: now,
      signer: peers.keys.signer,
      epoch: peers.signedEpochOf(peers.self),
    })
  }

  /** One vote for each version, unless the change that has it can no longer take force. */
  #refuseOther(earlier: Uint8Array, now: number): void {
    const { change } = decodeSignedChange(earlier)
    if (now < change.expiresAt + 2 * VOTES_MS) throw new Fault('enclave/other-vote')
  }

  #elect(signed: Uint8Array, own: Uint8Array): Promise<readonly Uint8Array[]> {
    const { peers, ports, outbox } = this.#o
    const name = toHex(changeDigest(signed))
    const votes = new Map<PartyId, Uint8Array>([[peers.self, own]])
    const refusals = new Map<PartyId, Fault>()
    const need = votesNeeded(peers.nodes.length)
    return new Promise<readonly Uint8Array[]>((resolve, reject) => {
      const cancel = ports.timers.after(VOTES_MS, () =>
        reject(new Fault('enclave/votes-missing', { detail: `${votes.size} of ${need}` })),
      )
      const heard = (): void => {
        if (votes.size >= need) {
          cancel()
          resolve([...votes.values()])
        } else if (refusals.size > peers.nodes.length - need) {
          cancel()
          reject([...refusals.values()][0]!)
        }
      }
      this.#elections.set(name, { signed, votes, refusals, heard })
      outbox.tellAll(peers.present, { kind: 'proposeChange', value: { signed } })
      heard()
    }).finally(() => this.#elections.delete(name))
  }

  /** Another node asks for this one's vote. */
  async proposed(from: PartyId, { signed }: ControlOf<'proposeChange'>): Promise<void> {
    const change = changeDigest(signed)
    const { outbox } = this.#o
    try {
      outbox.tell(from, { kind: 'vote', value: { change, vote: await this.#vote(signed) } })
    } catch (error) {
      if (!isFault(error)) throw error
      outbox.tell(from, { kind: 'noVote', value: { change, code: error.code } })
      // Whoever proposes what is in force already, or does not follow it, learns what is.
      if (error.code === 'policy/not-next') {
        const { wallet } = decodeSignedChange(signed).change
        this.#giveFrom(from, wallet, 1)
      }
    }
  }

  voted(from: PartyId, { change, vote }: ControlOf<'vote'>): void {
    const election = this.#elections.get(toHex(change))
    if (election === undefined) return
    const { party } = readVote(vote, election.signed, this.#o.peers.cluster)
    if (party !== from) throw new Fault('enclave/bad-vote')
    election.votes.set(party, vote)
    election.heard()
  }

  refused(from: PartyId, { change, code }: ControlOf<'noVote'>): void {
    const election = this.#elections.get(toHex(change))
    if (election === undefined) return
    election.refusals.set(from, new Fault(isFaultCode(code) ? code : 'enclave/votes-missing'))
    election.heard()
  }

  async #commit(link: Uint8Array): Promise<PolicyInForce> {
    const next = this.#verify(link)
    const { wallet, version } = next
    failpoint('enclave/policy/before-force')
    await this.#o.ports.persist(
      [{ kind: 'putPolicy', value: { wallet, version, state: 'inForce', link } }],
      [this.#audit('policy.change', wallet, version, next.hash)],
    )
    failpoint('enclave/policy/after-force')
    // The same link may have come twice while the disk worked.
    const { record } = this.#o.wallets.active(wallet)
    if (this.of(record).version < version) this.#apply(link, next)
    return this.of(record)
  }

  /** A change that took force elsewhere: it does here too if it is the next one and verifies. */
  async linkHeard(from: PartyId, { link }: ControlOf<'policyLink'>): Promise<void> {
    const { wallet, version } = decodeSignedChange(decodeLink(link).signed).change
    const { record } = this.#o.wallets.active(wallet)
    const { version: current } = this.of(record)
    if (version <= current) return
    if (version > current + 1) this.#tellVersion(from, wallet, current)
    else await this.#commit(link)
  }

  /** Tells a node that has just connected which versions are in force here. */
  offer(to: PartyId): void {
    for (const { wallet, version } of this.#inForce.values())
      if (version > 1) this.#tellVersion(to, wallet, version)
  }

  /** Tells that node which version of a wallet's policy is in force here, and so what is missing. */
  askFor(to: PartyId, record: WalletRecord): void {
    this.#tellVersion(to, record.key.wallet, this.of(record).version)
  }

  #tellVersion(to: PartyId, wallet: string, version: number): void {
    this.#o.outbox.tell(to, { kind: 'policyAt', value: { wallet, version } })
  }

  /** Gives a node that is behind what it lacks, or asks one that is ahead. */
  versionHeard(from: PartyId, { wallet, version }: ControlOf<'policyAt'>): void {
    const stored = this.#o.wallets.anyOf(wallet)
    if (stored === undefined) return
    const own = this.of(stored.record).version
    if (version < own) this.#giveFrom(from, wallet, version)
    else if (version > own) this.#tellVersion(from, wallet, own)
  }

  #giveFrom(to: PartyId, wallet: string, version: number): void {
    for (let next = version + 1; next <= version + MAX_LINKS; next++) {
      const link = this.#links.get(wallet)?.get(next)
      if (link === undefined) return
      this.#o.outbox.tell(to, { kind: 'policyLink', value: { link } })
    }
  }

  #audit(action: string, wallet: string, version: number, hash?: Uint8Array): AuditDraft {
    const project = this.#o.wallets.anyOf(wallet)?.row.project
    const ref = { wallet, generation: 1, sid: hash ?? new Uint8Array(32) }
    const { sid: _, ...draft } = nodeAudit(this.#o.nodeId, action, ref, project)
    return {
      ...draft,
      fields: [
        { name: 'version', value: String(version) },
        ...(hash === undefined ? [] : [{ name: 'policyHash', value: toHex(hash) }]),
      ],
    }
  }
}
