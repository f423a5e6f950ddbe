/**
 * The requests that clients brought to this node, each led to its end. Leading gives no power: what
 * the others believe is signed by its maker.
 */
import { encodeSignedChange } from '@quorate/api'
import { Fault, isFault, toHex } from '@quorate/base'
import type { Manifest, PartyId } from '@quorate/threshold'
import type { Outcome } from '../channel/outcomes.ts'
import { Admission } from './admission.ts'
import type { AuxStore } from './aux-store.ts'
import type { ClockWatch } from './clock-watch.ts'
import { type Ahead, coordinate, type Proposal } from './coordinator.ts'
import type { Limits } from './limits.ts'
import type { Participation } from './participation.ts'
import type { Peers } from './peers.ts'
import type { Policies } from './policies.ts'
import { aheadOf } from './pool/ahead.ts'
import type { Pools } from './pool/pools.ts'
import type { SignerPorts } from './ports.ts'
import type { RequestBook } from './request-book.ts'
import { type CheckedRequest, checkRequest, countPooled, planWallet } from './requests.ts'
import { roast } from './roast.ts'
import type { SigningLead } from './signing-lead.ts'
import type { WaitingRequests } from './waiting.ts'
import type { Wallets } from './wallets.ts'

export type LeadingOptions = {
  readonly peers: Peers
  readonly wallets: Wallets
  readonly auxes: AuxStore
  readonly ports: SignerPorts
  readonly policies: Policies
  readonly waiting: WaitingRequests
  readonly book: RequestBook
  readonly signing: SigningLead
  readonly clock: ClockWatch
  readonly limits: Limits
  readonly pools: Pools
  /** Has more made ahead for a wallet that signs now. */
  want(wallet: string): void
  /** Joins a session that this node proposes, and tells the other signers. */
  join(
    manifest: Manifest,
    request: Uint8Array,
    approvals: readonly Uint8Array[],
  ): Promise<Participation>
}

type RunSession = (
  proposal: Proposal,
  avoid?: Set<PartyId>,
  ahead?: Ahead,
) => Promise<{ readonly outcome: Outcome | undefined; readonly attempts: number }>

export class Leading {
  readonly #o: LeadingOptions
  /** By request hash: asking twice joins the first. */
  readonly #running = new Map<string, Promise<Outcome>>()

  readonly #admission: Admission

  constructor(options: LeadingOptions) {
    this.#o = options
    this.#admission = new Admission(options.limits)
  }

  /** How many requests wait for their turn. */
  get queued(): number {
    return this.#admission.queued
  }

  /**
   * Leads a client's request to its end, or to where it waits. The same request asked twice is run once.
   * @throws node/clock-skew, node/idempotency-conflict, enclave/busy, and what `checkRequest` throws
   */
  submit(request: Uint8Array): Promise<Outcome> {
    const { peers, ports, book, clock } = this.#o
    clock.check()
    const checked = checkRequest(request, peers.cluster, ports.clock.now())
    const name = toHex(checked.hash)
    const known = this.#running.get(name)
    if (known !== undefined) return known
    book.refuseOther(checked)
    const lane = checked.request.body.kind === 'sign' ? 'sign' : 'keygen'
    const running = this.#admission
      .run(lane, checked.client.id, () => this.#lead(checked, request))
      .finally(() => this.#running.delete(name))
    this.#running.set(name, running)
    return running
  }

  #lead(checked: CheckedRequest, request: Uint8Array): Promise<Outcome> {
    const { waiting } = this.#o
    const run: RunSession = (proposal, avoid, ahead) =>
      this.#run(
        proposal,
        (manifest) => this.#o.join(manifest, request, waiting.approvalsFor(checked.hash)),
        avoid,
        ahead,
      )
    switch (checked.request.body.kind) {
      case 'createWallet':
        return this.#create(checked, run)
      case 'refresh':
        return this.#refresh(checked, run)
      case 'sign':
        return this.#sign(checked, request, run)
      case 'changePolicy':
        return this.#change(checked)
    }
  }

  /** Sessions one after the other, or beside each other where another signer set can stand in for a slow one. */
  #run(
    proposal: Proposal,
    propose: (manifest: Manifest) => Promise<Participation>,
    avoid: Set<PartyId> = new Set(),
    ahead?: Ahead,
  ): ReturnType<RunSession> {
    const { peers, ports, limits } = this.#o
    const hasSpare = !proposal.needsAll && peers.nodes.length > proposal.threshold
    if (proposal.protocol !== 'frost' || !hasSpare)
      return coordinate(proposal, peers, ports.clock, propose, avoid, ahead)
    const { clock, timers } = ports
    return roast(proposal, {
      peers,
      clock,
      timers,
      avoid,
      patienceMs: limits.signPatienceMs,
      propose,
      ahead,
    })
  }

  async #create({ request: { body }, hash }: CheckedRequest, run: RunSession): Promise<Outcome> {
    if (body.kind !== 'createWallet') throw new Fault('enclave/internal')
    const { peers, wallets } = this.#o
    const { wallet, policyHash } = planWallet(body.value, hash, peers.cluster.record)
    const facts = { request: hash, wallet, generation: 1, policyHash, ...keyFacts(body.value) }
    await this.#makeKey({ ...facts, needsAll: true }, run)
    await run({ ...facts, purpose: 'sign', needsAll: false })
    return { kind: 'wallet', value: wallets.active(wallet).row }
  }

  async #refresh({ request: { body }, hash }: CheckedRequest, run: RunSession): Promise<Outcome> {
    const { wallets } = this.#o
    const facts = this.#walletFacts(body.value as { wallet: string; project: string }, hash)
    const next = { ...facts, generation: facts.generation + 1, needsAll: true }
    const aux = facts.protocol === 'frost' ? {} : { aux: await this.#makeAux(next, run) }
    await run({ ...next, ...aux, purpose: 'refresh' })
    const { row } = wallets.active(facts.wallet)
    // The proof goes with the key; where a crash once kept it from being made, it is made now.
    if (row.proof === null)
      await run({ ...facts, purpose: 'sign', generation: row.generation, needsAll: false })
    return { kind: 'wallet', value: wallets.active(facts.wallet).row }
  }

  #sign(checked: CheckedRequest, request: Uint8Array, run: RunSession): Promise<Outcome> {
    const { body } = checked.request
    const { hash } = checked
    if (body.kind !== 'sign') throw new Fault('enclave/internal')
    const { pools, peers, wallets } = this.#o
    return this.#o.signing.run(checked, request, async (avoid) => {
      const facts = this.#walletFacts(body.value, hash)
      const proposal: Proposal = { ...facts, purpose: 'sign', needsAll: false }
      const items = countPooled(body.value, wallets.active(facts.wallet).record)
      const ahead = items === 0 ? undefined : aheadOf(pools, peers, facts, items)
      const running = run(proposal, avoid, ahead)
      this.#o.want(facts.wallet)
      const { outcome, attempts } = await running
      if (outcome?.kind !== 'transaction') throw new Fault('enclave/internal')
      return { kind: 'transaction', value: { ...outcome.value, attempts } }
    })
  }

  async #change({ request: { body } }: CheckedRequest): Promise<Outcome> {
    if (body.kind !== 'changePolicy') throw new Fault('enclave/internal')
    const signed = encodeSignedChange(body.value.signed)
    const { wallet, version, hash } = await this.#o.policies.change(body.value, signed)
    return { kind: 'policy', value: { wallet, version, policyHash: hash } }
  }

  /** What sessions of a wallet's request are about. */
  #walletFacts({ wallet, project }: { wallet: string; project: string }, request: Uint8Array) {
    const { wallets, policies } = this.#o
    const { record } = wallets.active(wallet, project)
    return {
      request,
      wallet: record.key.wallet,
      generation: record.key.generation,
      policyHash: policies.of(record).hash,
      ...keyFacts(record.key),
    }
  }

  /** Key generation: for auxiliary information that is there if all nodes hold it, else for new one. */
  async #makeKey(facts: Omit<Proposal, 'purpose'>, run: RunSession): Promise<void> {
    if (facts.protocol === 'frost') {
      await run({ ...facts, purpose: 'keygen' })
      return
    }
    const known = this.#o.auxes.newest(facts.suite)
    if (known !== undefined) {
      try {
        await run({ ...facts, purpose: 'keygen', aux: known.digest })
        return
      } catch (error) {
        if (!isFault(error, 'threshold/refused') || !isFault(error.cause, 'enclave/unknown-aux'))
          throw error
      }
    }
    await run({ ...facts, purpose: 'keygen', aux: await this.#makeAux(facts, run) })
  }

  /** New auxiliary information, made by all nodes; its digest. */
  async #makeAux(facts: Omit<Proposal, 'purpose'>, run: RunSession): Promise<Uint8Array> {
    await run({ ...facts, purpose: 'aux' })
    const made = this.#o.auxes.ofRequest(facts.request)
    if (made === undefined) throw new Fault('enclave/unknown-aux')
    return made.digest
  }
}

const keyFacts = ({
  protocol,
  suite,
  threshold,
}: Pick<Proposal, 'protocol' | 'suite' | 'threshold'>) => ({ protocol, suite, threshold })
