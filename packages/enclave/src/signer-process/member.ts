/**
 * This node as a member of its cluster: takes envelopes from the bus and requests from clients,
 * decides about each for itself, and runs its part of the sessions.
 */
import { viewToJson } from '@quorate/api'
import type { ClusterClient } from '@quorate/auth'
import { equalBytes, Fault, isFault, isFaultCode, shortHex, toHex } from '@quorate/base'
import { describeView, proveAddress } from '@quorate/chains'
import { failpoint } from '@quorate/platform'
import {
  Abort,
  type Countersignature,
  countersign,
  decodeManifest,
  type Evidence,
  encodeManifest,
  type Manifest,
  type PartyId,
  sessionId,
  verifyCountersignature,
} from '@quorate/threshold'
import {
  type AuditDraft,
  type Change,
  MAX_EVIDENCE_FILE_BYTES,
  type Outcome,
  type WalletRef,
} from '../channel/calls.ts'

import { encodeEvidenceFile } from '../evidence-file.ts'
import { nodeAudit, requestAudit } from './audit.ts'
import type { AuxStore } from './aux-store.ts'
import { type Control, decodeControl, encodeControl } from './control.ts'
import { coordinate, type Proposal } from './coordinator.ts'
import { Generations } from './generations.ts'
import { checkManifest, judge } from './judge.ts'
import { Participation, type Plan } from './participation.ts'
import type { Peers } from './peers.ts'
import type { PlanContext } from './plan-context.ts'
import type { SignerPorts } from './ports.ts'
import type { PrimeStock } from './prime-stock.ts'
import { Recovery, refOf } from './recovery.ts'
import {
  type CheckedRequest,
  checkRequest,
  planWallet,
  proofOf,
  readTransaction,
} from './requests.ts'
import type { SessionRunner } from './session-runner.ts'
import type { Vault } from './vault.ts'
import type { StoredWallet, Wallets } from './wallets.ts'

const MAX_SESSIONS = 64
/** Countersignatures of one sender that overtook their manifests; each is a few hundred bytes. */
const MAX_EARLY_READY = 16
/** How long a burnt session id is kept: longer than any manifest or envelope of it can be valid. */
const BURN_MS = 24 * 60 * 60_000

/** What a session was asked for, and its signers' keys when it began. */
type Case = { readonly checked: CheckedRequest; readonly epochs: readonly Uint8Array[] }

type EarlyReady = {
  readonly sid: Uint8Array
  readonly from: PartyId
  readonly signature: Uint8Array
}

export class Member {
  readonly #vault: Vault
  readonly #peers: Peers
  readonly #wallets: Wallets
  readonly #ports: SignerPorts
  readonly #burnt: Set<string>
  readonly #bootId: Uint8Array
  readonly #run: SessionRunner
  readonly #sessions = new Map<string, Participation>()
  readonly #cases = new WeakMap<Participation, Case>()
  readonly #auxes: AuxStore
  readonly #recovery: Recovery
  readonly #plans: PlanContext
  /** Requests that this node coordinates now, by hash: asking twice joins the first. */
  readonly #running = new Map<string, Promise<Outcome>>()
  #early: EarlyReady[] = []
  /** What sessions have for themselves, and which session it is: see `#reserve`. */
  readonly #reserved = new Map<string, string>()

  constructor(o: {
    vault: Vault
    peers: Peers
    wallets: Wallets
    auxes: AuxStore
    primes: PrimeStock
    ports: SignerPorts
    burnt: Iterable<Uint8Array>
    bootId: Uint8Array
    /** Where sessions run. */
    run: SessionRunner
  }) {
    this.#vault = o.vault
    this.#peers = o.peers
    this.#wallets = o.wallets
    this.#ports = o.ports
    this.#burnt = new Set([...o.burnt].map(toHex))
    this.#bootId = o.bootId
    this.#run = o.run
    this.#auxes = o.auxes
    const generations = new Generations(o.wallets, o.auxes, (changes, audit) =>
      o.ports.persist(changes, audit),
    )
    this.#plans = {
      vault: o.vault,
      peers: o.peers,
      wallets: o.wallets,
      auxes: o.auxes,
      primes: o.primes,
      generations,
      ports: o.ports,
      tell: (message, sid, receivers) => this.#control(message, sid, 'all', receivers),
      auditOf: (session, ...fields) => {
        const { checked } = this.#cases.get(session)!
        const begun = requestAudit(checked, session.manifest, 'done')
        return { ...begun, fields: [...begun.fields, ...fields] }
      },
    }
    this.#recovery = new Recovery(o.wallets, o.peers, {
      logger: o.ports.logger,
      control: (message, sid, to) => this.#control(message, sid, to, [to]),
      activate: (ref, receipts) =>
        generations.activate(ref, receipts, [this.#audit('wallet.recovered', ref)]),
      drop: (ref) => generations.drop(ref, [this.#audit('wallet.dropped', ref)]),
      burn: (sid) => this.#burn(sid, []),
      giveUp: (sid) => this.#sessions.get(toHex(sid))?.end(new Abort('threshold/timeout')),
    })
  }

  get sessions(): number {
    return this.#sessions.size
  }

  peerArrived(party: PartyId): void {
    this.#recovery.ask(party)
    for (const stored of this.#wallets.all) this.#offerProof(stored, party)
  }

  peerLeft(party: PartyId): void {
    this.#peers.leave(party)
    for (const session of this.#sessions.values()) session.lost(party)
  }

  /** Tells all peers of this node's next epoch, under the keys of the present one. */
  announceEpoch(record: Uint8Array): void {
    this.#control(
      { kind: 'epoch', value: { record } },
      new Uint8Array(32),
      'all',
      this.#peers.present,
    )
  }

  /** Sends an audit checkpoint to `to`, or to everyone present. */
  anchor(to: PartyId | 'all', checkpoint: Uint8Array): void {
    const receivers = to === 'all' ? this.#peers.present : [to]
    this.#control({ kind: 'checkpoint', value: { checkpoint } }, new Uint8Array(32), to, receivers)
  }

  /** Gives up every session and what it holds. */
  stop(): void {
    for (const session of this.#sessions.values()) session.end(new Abort('threshold/timeout'))
  }

  /** Takes an envelope off the bus. Whatever is wrong with it is logged and forgotten. */
  async deliver(envelope: Uint8Array): Promise<void> {
    try {
      const { header, body, salt } = this.#peers.open(envelope)
      if (header.kind === 'control') {
        await this.#heard(header.from, header.sid, decodeControl(body))
        return
      }
      this.#sessions.get(toHex(header.sid))?.receive({
        from: header.from,
        round: header.round,
        kind: header.kind,
        body,
        original: envelope,
        salt,
      })
    } catch (error) {
      if (!isFault(error)) throw error
      this.#ports.logger.log('warn', 'envelope.refused', { code: error.code })
    }
  }

  async #heard(from: PartyId, sid: Uint8Array, message: Control): Promise<void> {
    const session = this.#sessions.get(toHex(sid))
    switch (message.kind) {
      case 'prepare':
        await this.#prepared(from, sid, message.value)
        return
      case 'ready':
        if (session === undefined)
          this.#keepEarly({ sid, from, signature: message.value.countersignature })
        else this.#countersigned(session, from, message.value.countersignature)
        return
      case 'refuse':
        // Only the coordinator acts on it, and only as a reason to try without that node.
        if (session !== undefined && session.manifest.coordinator === this.#peers.self)
          session.lost(from, refusal(from, message.value.code))
        return
      case 'receipt':
        if (session === undefined) await this.#recovery.receipt(sid, message.value.receipt)
        else session.receipt(from, message.value.receipt)
        return
      case 'ask':
        await this.#recovery.asked(from, message.value)
        return
      case 'tell':
        await this.#recovery.told(from, message.value)
        return
      case 'proof':
        await this.#proved(message.value.ref, message.value.proof)
        return
      case 'checkpoint':
        this.#ports.anchored(from, message.value.checkpoint)
        return
      case 'epoch':
        this.#peers.meet(message.value.record, from)
        return
    }
  }

  #keepEarly(ready: EarlyReady): void {
    const ofSender = this.#early.filter(({ from }) => from === ready.from)
    // A sender that floods pushes out its own only.
    if (ofSender.length >= MAX_EARLY_READY) this.#early.splice(this.#early.indexOf(ofSender[0]!), 1)
    this.#early.push(ready)
  }

  #countersigned(session: Participation, from: PartyId, signature: Uint8Array): void {
    const given: Countersignature = { party: from, sid: session.sid, signature }
    verifyCountersignature(
      session.manifest,
      given,
      this.#peers.epochOf(from).envelopeKey,
      this.#peers.keys.crypto,
    )
    session.countersigned(from)
  }

  async #prepared(
    from: PartyId,
    sid: Uint8Array,
    message: Extract<Control, { kind: 'prepare' }>['value'],
  ): Promise<void> {
    try {
      const manifest = decodeManifest(message.manifest)
      if (manifest.coordinator !== from) throw new Fault('enclave/bad-prepare')
      if (!equalBytes(sessionId(manifest), sid)) throw new Fault('threshold/ssid-mismatch')
      const session = await this.#join(manifest, message.request)
      this.#countersigned(session, from, message.countersignature)
    } catch (error) {
      if (!isFault(error)) throw error
      this.#ports.logger.log('warn', 'session.refused', { code: error.code, coordinator: from })
      this.#control({ kind: 'refuse', value: { code: error.code } }, sid, from, [from])
    }
  }

  /**
   * This node's own decision to take part: everything is checked, the session id is burnt on disk,
   * and only then does the countersignature leave.
   */
  async #join(manifest: Manifest, requestBytes: Uint8Array): Promise<Participation> {
    const now = this.#ports.clock.now()
    const sid = sessionId(manifest)
    if (this.#sessions.size >= MAX_SESSIONS) throw new Fault('enclave/busy')
    this.#refuseBurnt(sid)
    checkManifest(manifest, this.#peers, this.#bootId, now)
    const checked = checkRequest(requestBytes, this.#peers.cluster, now)
    if (!equalBytes(checked.hash, manifest.request)) throw new Fault('enclave/bad-prepare')
    await this.#untilMade(manifest)
    const plan = await this.#judged(manifest, checked, now)
    // Judging took a turn, in which the same proposal may have come once more.
    this.#refuseBurnt(sid)
    const release = this.#reserve(manifest, checked)
    failpoint('enclave/session/before-burn')
    // In memory first: a second prepare for the same session must not pass while the disk works.
    this.#burnt.add(toHex(sid))
    const begun = requestAudit(checked, manifest, 'begun')
    await this.#burn(sid, [begun], plan.atBurn?.()).catch((error: unknown) => {
      plan.release?.()
      release()
      throw error
    })
    failpoint('enclave/session/after-burn')

    const { requestId } = checked.request.body.value
    const session = new Participation({
      manifest,
      self: this.#peers.self,
      plan,
      ports: {
        timers: this.#ports.timers,
        run: this.#run,
        originals: this.#peers,
        control: (message, id, to, signers) => this.#control(message, id, to, signers),
        round: ({ round, kind, to, body }, id, signers) =>
          this.#send({ sid: id, protocol: manifest.protocol, round, kind, to, body }, signers),
        progress: (phase, done, of) => this.#ports.progress(requestId, phase, done, of),
      },
    })
    this.#sessions.set(toHex(sid), session)
    this.#cases.set(session, {
      checked,
      epochs: session.signers.map((party) => this.#peers.signedEpochOf(party)),
    })
    void session.outcome
      .catch((error: unknown) => this.#ended(session, error))
      .finally(() => {
        this.#sessions.delete(toHex(sid))
        release()
      })
    const { signature } = countersign(manifest, this.#peers.self, this.#peers.keys.crypto)
    if (manifest.coordinator === this.#peers.self)
      this.#control(
        {
          kind: 'prepare',
          value: {
            manifest: encodeManifest(manifest),
            request: requestBytes,
            countersignature: signature,
          },
        },
        sid,
        'all',
        session.signers,
      )
    else
      this.#control(
        { kind: 'ready', value: { countersignature: signature } },
        sid,
        'all',
        session.signers,
      )
    session.countersigned(this.#peers.self)
    for (const early of this.#early.filter((each) => equalBytes(each.sid, sid)))
      this.#countersigned(session, early.from, early.signature)
    this.#early = this.#early.filter((each) => !equalBytes(each.sid, sid))
    return session
  }

  /**
   * Holds what only one session at a time may have, until it has ended: the name of a wallet that is
   * being made, the making of auxiliary information for a request. A second session for the same wallet
   * takes the place of one that never came to run. @throws enclave/label-taken, enclave/busy
   */
  #reserve(manifest: Manifest, { request: { body } }: CheckedRequest): () => void {
    const { purpose } = manifest
    const sid = toHex(sessionId(manifest))
    const hold = (name: string): (() => void) => {
      this.#reserved.set(name, sid)
      return () => {
        if (this.#reserved.get(name) === sid) this.#reserved.delete(name)
      }
    }
    if (purpose === 'aux') {
      const name = `aux/${toHex(manifest.request)}`
      if (this.#reserved.has(name)) throw new Fault('enclave/busy')
      return hold(name)
    }
    if (purpose !== 'keygen' || body.kind !== 'createWallet') return () => undefined
    const name = `${body.value.project}/${body.value.label}`
    const holder = this.#reserved.get(name)
    if (holder !== undefined && !this.#giveWay(holder, manifest))
      throw new Fault('enclave/label-taken')
    return hold(name)
  }

  /** Whether that session has ended, or does now because nothing was begun in it and its coordinator tries again. */
  #giveWay(sid: string, { wallet, coordinator }: Manifest): boolean {
    const session = this.#sessions.get(sid)
    // Its id is being burnt.
    if (session === undefined) return false
    const { manifest, phase } = session
    if (phase === 'ended') return true
    if (manifest.wallet !== wallet || manifest.coordinator !== coordinator || phase !== 'preparing')
      return false
    session.end(new Abort('threshold/cancelled'))
    return true
  }

  /**
   * Waits for what this node is about to have on disk: the coordinator may be done earlier with the
   * shares of the wallet, or with auxiliary information for them.
   */
  async #untilMade({ wallet, purpose }: Manifest): Promise<void> {
    const making = [...this.#sessions.values()].find(({ manifest, phase }) => {
      if (manifest.wallet !== wallet || manifest.purpose === 'sign') return false
      if (manifest.purpose === 'aux') return purpose !== 'aux' && phase !== 'preparing'
      return purpose !== 'keygen' && phase === 'settling'
    })
    await making?.outcome.catch(() => undefined)
  }

  /** What `judge` says; a refusal by policy is on record before it is given. */
  async #judged(manifest: Manifest, checked: CheckedRequest, now: number): Promise<Plan> {
    try {
      return judge(this.#plans, manifest, checked, now)
    } catch (error) {
      if (isFault(error, 'policy/denied'))
        await this.#ports.persist(
          [],
          [requestAudit(checked, manifest, 'failed', { decision: 'deny', reason: error.code })],
        )
      throw error
    }
  }

  #refuseBurnt(sid: Uint8Array): void {
    if (this.#burnt.has(toHex(sid))) throw new Fault('enclave/burnt-session')
  }

  /** Coordinates a client's request to its end. The same request asked twice is run once. */
  submit(requestBytes: Uint8Array): Promise<Outcome> {
    const checked = checkRequest(requestBytes, this.#peers.cluster, this.#ports.clock.now())
    const name = toHex(checked.hash)
    const known = this.#running.get(name)
    if (known !== undefined) return known
    const running = this.#lead(checked, requestBytes).finally(() => this.#running.delete(name))
    this.#running.set(name, running)
    return running
  }

  async #lead(checked: CheckedRequest, requestBytes: Uint8Array): Promise<Outcome> {
    const { body } = checked.request
    const run = (proposal: Proposal) =>
      coordinate(proposal, this.#peers, this.#ports.clock, (manifest) =>
        this.#join(manifest, requestBytes),
      )
    if (body.kind === 'createWallet') {
      const { record } = this.#peers.cluster
      const { wallet, policyHash } = planWallet(body.value, checked.hash, record)
      const facts = {
        request: checked.hash,
        wallet,
        generation: 1,
        policyHash,
        ...pick(body.value),
      }
      await this.#makeKey({ ...facts, needsAll: true }, run)
      await run({ ...facts, purpose: 'sign', needsAll: false })
      return { kind: 'wallet', value: this.#wallets.active(wallet).row }
    }
    const { record } = this.#wallets.active(body.value.wallet, body.value.project)
    const facts = {
      request: checked.hash,
      wallet: record.key.wallet,
      policyHash: record.policyHash,
      ...pick(record.key),
    }
    const { generation } = record.key
    if (body.kind === 'refresh') {
      const next = { ...facts, generation: generation + 1, needsAll: true }
      const aux = facts.protocol === 'frost' ? {} : { aux: await this.#makeAux(next, run) }
      await run({ ...next, ...aux, purpose: 'refresh' })
      const { row } = this.#wallets.active(body.value.wallet)
      // The proof goes with the key; where a crash once kept it from being made, it is made now.
      if (row.proof === null)
        await run({ ...facts, purpose: 'sign', generation: row.generation, needsAll: false })
      return { kind: 'wallet', value: this.#wallets.active(body.value.wallet).row }
    }
    const { outcome, attempts } = await run({
      ...facts,
      purpose: 'sign',
      generation,
      needsAll: false,
    })
    if (outcome?.kind !== 'transaction') throw new Fault('enclave/internal')
    return { kind: 'transaction', value: { ...outcome.value, attempts } }
  }

  /** Key generation: for auxiliary information that is there if all nodes hold it, else for new one. */
  async #makeKey(facts: Omit<Proposal, 'purpose'>, run: RunSession): Promise<void> {
    if (facts.protocol === 'frost') {
      await run({ ...facts, purpose: 'keygen' })
      return
    }
    const known = this.#auxes.newest(facts.suite)
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
    const made = this.#auxes.ofRequest(facts.request)
    if (made === undefined) throw new Fault('enclave/unknown-aux')
    return made.digest
  }

  /** What a transaction does and what policy says of it. Signs nothing. @throws chains/…, enclave/… */
  explain(o: {
    wallet: string
    client: ClusterClient
    network: string
    unsigned: Uint8Array
    context: Uint8Array
    path: readonly number[]
  }): string {
    const { record } = this.#wallets.active(o.wallet, o.client.project)
    const { view, decision } = readTransaction(
      o,
      record,
      o.client,
      this.#peers.cluster.record,
      this.#ports.clock.now(),
    )
    return JSON.stringify({
      view: viewToJson(view),
      lines: describeView(view),
      decision: decision.decision,
      ...(decision.rule !== undefined && { rule: decision.rule }),
      reasons: decision.reasons.map(({ rule, matched, because }) => ({ rule, matched, because })),
    })
  }

  /** A wallet's proof of address that another node sends: taken only if it verifies. */
  async #proved(ref: WalletRef, proof: Uint8Array): Promise<void> {
    const stored = this.#wallets.find(ref)
    if (stored === undefined || stored.row.proof !== null) return
    const { address, item } = proofOf(stored.record)
    proveAddress(stored.record.network, address, item.message, proof)
    await this.#ports.persist(
      [{ kind: 'prove', value: { ref, proof } }],
      [this.#audit('wallet.prove', ref)],
    )
    this.#wallets.prove(ref, proof)
  }

  #audit(action: string, ref: WalletRef): AuditDraft {
    return nodeAudit(this.#vault.nodeId, action, ref, this.#wallets.anyOf(ref.wallet)?.row.project)
  }

  #offerProof({ row }: StoredWallet, to: PartyId): void {
    if (row.proof !== null)
      this.#control({ kind: 'proof', value: { ref: refOf(row), proof: row.proof } }, row.sid, to, [
        to,
      ])
  }

  #control(
    message: Control,
    sid: Uint8Array,
    to: PartyId | 'all',
    receivers: readonly PartyId[],
  ): void {
    this.#send(
      { sid, protocol: 'quorate', round: 0, kind: 'control', to, body: encodeControl(message) },
      receivers,
    )
  }

  #send(message: Parameters<Peers['seal']>[0], receivers: readonly PartyId[]): void {
    for (const { to, envelope } of this.#peers.seal(message, receivers))
      this.#ports.send(to, envelope)
  }

  async #burn(
    sid: Uint8Array,
    audit: readonly AuditDraft[],
    changes: readonly Change[] = [],
  ): Promise<void> {
    const until = this.#ports.clock.now() + BURN_MS
    this.#burnt.add(toHex(sid))
    await this.#ports.persist([{ kind: 'burn', value: { sid, until } }, ...changes], audit)
  }

  /** A session that did not end well, for the log and the audit chain. */
  async #ended(session: Participation, error: unknown): Promise<void> {
    const code = isFault(error) ? error.code : 'enclave/internal'
    const culprits = error instanceof Abort ? error.culprits : []
    this.#ports.logger.log('warn', 'session.failed', {
      sid: shortHex(session.sid),
      code,
      culprits: culprits.join(','),
    })
    const { checked } = this.#cases.get(session)!
    if (error instanceof Abort && error.evidence !== undefined)
      await this.#keepEvidence(session, error.evidence)
    await this.#ports
      .persist([], [requestAudit(checked, session.manifest, 'failed', { reason: code, culprits })])
      .catch(() => undefined)
  }

  async #keepEvidence(session: Participation, evidence: Evidence): Promise<void> {
    const { manifest, sid, plan } = session
    const { epochs } = this.#cases.get(session)!
    try {
      const file = encodeEvidenceFile({ manifest, epochs, evidence, facts: plan.facts ?? {} })
      if (file.length > MAX_EVIDENCE_FILE_BYTES) throw new Fault('base/too-large')
      await this.#ports.evidence(sid, file)
    } catch (error) {
      if (!isFault(error)) throw error
      this.#ports.logger.log('warn', 'evidence.lost', { sid: shortHex(sid), code: error.code })
    }
  }
}

type RunSession = (proposal: Proposal) => ReturnType<typeof coordinate>

const pick = ({
  protocol,
  suite,
  threshold,
}: Pick<Proposal, 'protocol' | 'suite' | 'threshold'>) => ({
  protocol,
  suite,
  threshold,
})

/** Codes are from our own table; anything else a peer says is not repeated. */
function refusal(from: PartyId, code: string): Abort {
  const known = isFaultCode(code) ? code : undefined
  return new Abort('threshold/refused', {
    laggards: [from],
    detail: `node ${from}: ${known ?? 'an unknown reason'}`,
    ...(known !== undefined && { cause: new Fault(known) }),
  })
}
