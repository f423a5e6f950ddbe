/**
 * This node as a member of its cluster: takes envelopes from the bus and requests from clients, and
 * gives each to what decides about it.
 */
import { viewToJson } from '@quorate/api'
import type { ClusterClient } from '@quorate/auth'
import { Fault, isFault, isFaultCode } from '@quorate/base'
import { describeView } from '@quorate/chains'
import { Abort, type PartyId } from '@quorate/threshold'
import type { Outcome, PoolReport, WaitingItem } from '../channel/outcomes.ts'
import type { Restored } from './backup/restored.ts'
import { type Control, decodeControl } from './control.ts'
import { readAside, readParcel } from './parcel.ts'
import { assemble, type MemberOptions, type Parts } from './parts.ts'
import type { Peers } from './peers.ts'
import type { SignerPorts } from './ports.ts'
import { checkRequest, readTransaction } from './requests.ts'
import type { Wallets } from './wallets.ts'

export class Member {
  readonly #peers: Peers
  readonly #wallets: Wallets
  readonly #ports: SignerPorts
  readonly #parts: Parts

  constructor(options: MemberOptions) {
    this.#peers = options.peers
    this.#wallets = options.wallets
    this.#ports = options.ports
    this.#parts = assemble(options)
    // Without them the ledger holds more than it must, and no limit is exceeded.
    this.#parts.budgets.buryLeftovers().catch(() => undefined)
  }

  get sessions(): number {
    return this.#parts.sessions.count
  }

  get pools(): PoolReport {
    return this.#parts.pools.report()
  }

  /** A node's epoch record, this node's own included, has come into force. */
  epochBegan(party: PartyId): void {
    this.#parts.pools.partyLives(party, this.#peers.epochOf(party))
  }

  peerArrived(party: PartyId): void {
    this.epochBegan(party)
    this.#parts.recovery.ask(party)
    this.#parts.restored.ask(party)
    this.#parts.proofs.offer(party)
    this.#parts.outbox.tell(party, { kind: 'heartbeat', value: { time: this.#ports.clock.now() } })
    this.#parts.policies.offer(party)
    this.#parts.waiting.offer(party)
  }

  peerLeft(party: PartyId): void {
    this.#peers.leave(party)
    this.#parts.clock.left(party)
    this.#parts.sessions.lost(party)
  }

  /** Tells all peers of this node's next epoch, under the keys of the present one. */
  announceEpoch(record: Uint8Array): void {
    this.#parts.outbox.tellAll(this.#peers.present, { kind: 'epoch', value: { record } })
  }

  /** Sends an audit checkpoint to `to`, or to everyone present. */
  anchor(to: PartyId | 'all', checkpoint: Uint8Array): void {
    const message = { kind: 'checkpoint', value: { checkpoint } } as const
    if (to === 'all') this.#parts.outbox.tellAll(this.#peers.present, message)
    else this.#parts.outbox.tell(to, message)
  }

  /** Sends the head of a chain of backups to `to`, or to everyone present. */
  tellBackup(to: PartyId | 'all', head: Uint8Array): void {
    const message = { kind: 'backupHead', value: { head } } as const
    if (to === 'all') this.#parts.outbox.tellAll(this.#peers.present, message)
    else this.#parts.outbox.tell(to, message)
  }

  /** What a restored node still has to do before it signs. */
  get restoring(): Restored['pending'] {
    return this.#parts.restored.pending
  }

  /** Gives up every session and what it holds. */
  stop(): void {
    this.#parts.clock.stop()
    this.#parts.waiting.stop()
    this.#parts.recovery.stop()
    this.#parts.refill.stop()
    this.#parts.sessions.endAll()
    this.#parts.pools.dropAll()
  }

  /** Takes a parcel off the bus. Whatever is wrong with it is logged and forgotten. */
  async deliver(frame: Uint8Array): Promise<void> {
    try {
      const { envelope, said } = readParcel(frame)
      const { header, body, salt } = this.#peers.open(envelope)
      const { from, sid, round, kind } = header
      if (kind === 'control') {
        await this.#heard(from, sid, decodeControl(body))
        return
      }
      this.#parts.sessions.receive(sid, { from, round, kind, body, original: envelope, salt })
      for (const each of said) {
        const message = readAside(each)
        if (message !== undefined) await this.#heard(from, sid, message)
      }
    } catch (error) {
      if (!isFault(error)) throw error
      this.#ports.logger.log('warn', 'envelope.refused', { code: error.code })
    }
  }

  async #heard(from: PartyId, sid: Uint8Array, message: Control): Promise<void> {
    const session = this.#parts.sessions.find(sid)
    switch (message.kind) {
      case 'prepare':
        await this.#parts.sessions.proposed(from, sid, message.value)
        return
      case 'ready':
        this.#parts.sessions.ready(from, sid, message.value.countersignature)
        return
      case 'refuse':
        // Only the coordinator acts on it, and only as a reason to try without that node.
        if (session !== undefined && session.manifest.coordinator === this.#peers.self)
          session.lost(from, refusal(from, message.value.code))
        return
      case 'receipt':
        if (session === undefined) await this.#parts.recovery.receipt(sid, message.value.receipt)
        else session.receipt(from, message.value.receipt)
        return
      case 'ask':
        await this.#parts.recovery.asked(from, message.value)
        return
      case 'tell':
        await this.#parts.recovery.told(from, message.value)
        return
      case 'proof':
        await this.#parts.proofs.heard(message.value.ref, message.value.proof)
        return
      case 'checkpoint':
        this.#ports.anchored(from, message.value.checkpoint)
        return
      case 'epoch':
        this.epochBegan(this.#peers.meet(message.value.record, from))
        return
      case 'ledger':
        this.#parts.budgets.heard(from, session, message.value.ledger)
        return
      case 'tombstone':
        await this.#parts.budgets.buriedBy(from, sid, message.value)
        return
      case 'heartbeat':
        this.#parts.clock.heard(from, message.value.time)
        return
      case 'waiting':
        if (!(await this.#parts.answers.tellDone(from, message.value.request)))
          await this.#parts.waiting.heard(message.value.request, message.value.approvals)
        return
      case 'approval':
        await this.#parts.waiting.approvalHeard(message.value.approval)
        return
      case 'askAnswer':
        await this.#parts.answers.asked(from, message.value)
        return
      case 'answer':
        await this.#parts.answers.told(message.value)
        return
      case 'confirm':
        await this.#parts.answers.confirm(from, message.value)
        return
      case 'proposeChange':
        await this.#parts.policies.proposed(from, message.value)
        return
      case 'vote':
        this.#parts.policies.voted(from, message.value)
        return
      case 'noVote':
        this.#parts.policies.refused(from, message.value)
        return
      case 'policyLink':
        await this.#parts.policies.linkHeard(from, message.value)
        return
      case 'askLedger':
        await this.#parts.restored.asked(from, message.value)
        return
      case 'ledgerOf':
        await this.#parts.restored.told(from, message.value)
        return
      case 'backupHead':
        this.#ports.backupTold(from, message.value.head)
        return
      case 'policyAt':
        this.#parts.policies.versionHeard(from, message.value)
        return
    }
  }

  /** Coordinates a client's request to its end. The same request asked twice is run once. */
  submit(request: Uint8Array): Promise<Outcome> {
    return this.#parts.leading.submit(request)
  }

  /** Takes in a client's approval or rejection; the hash of the request that it is about. */
  approve(approval: Uint8Array): Promise<Uint8Array> {
    return this.#parts.waiting.approve(approval)
  }

  /** The requests of a project that wait here, oldest first; those that wait in vain or cannot be read any more are left out. */
  listWaiting(project: string): readonly WaitingItem[] {
    const { waiting, reader } = this.#parts
    return waiting.ofProject(project).flatMap(({ request, hash, since }) => {
      try {
        const checked = checkRequest(request, this.#peers.cluster, this.#ports.clock.now())
        const { view, decision, policyHash } = reader.read(checked)
        const { state } = waiting.standing(checked, decision, policyHash)
        if (state === 'denied' || state === 'rejected') return []
        const waits = waiting.describe(checked, decision, policyHash)
        return [{ hash, request, lines: describeView(view), waiting: waits, since }]
      } catch (error) {
        if (isFault(error)) return []
        throw error
      }
    })
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
      this.#parts.policies.of(record).policy,
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
}

/** Codes are from our own table; anything else a peer says is not repeated. */
function refusal(from: PartyId, code: string): Abort {
  const known = isFaultCode(code) ? code : undefined
  return new Abort('threshold/refused', {
    laggards: [from],
    detail: `node ${from}: ${known ?? 'an unknown reason'}`,
    ...(known !== undefined && { cause: new Fault(known) }),
  })
}
