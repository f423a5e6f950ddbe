/**
 * Requests that wait: for approvals, or for a delay to pass. Every node keeps each of them for itself, on
 * disk, from when it first heard of it: the delay is counted from there by its own clock. Approvals and
 * rejections go to all nodes, are checked when they come, and again by each signer at signing time.
 */
import { type Approval, decodeApproval } from '@quorate/api'
import { equalBytes, Fault, isFault, toHex } from '@quorate/base'
import { failpoint } from '@quorate/platform'
import { type Decision, type Standing, type StandingFacts, standingOf } from '@quorate/policy'
import type { PartyId } from '@quorate/threshold'
import type { WaitingFor } from '../channel/outcomes.ts'
import type { WaitingRow } from '../channel/rows.ts'
import {
  type ApprovalContext,
  checkApprovalOf,
  countingApprovals,
  subjectOf,
} from './approval-check.ts'
import { nodeAudit } from './audit.ts'
import type { Limits } from './limits.ts'
import type { Outbox } from './outbox.ts'
import type { Peers } from './peers.ts'
import type { SignerPorts } from './ports.ts'
import { type CheckedRequest, checkRequest } from './requests.ts'

const TICK_MS = 1_000
const MAX_APPROVALS = 200
/** When a request is tried again that other nodes still held back. */
const PUT_OFF_MS = 10_000
/** How long an expired request is kept, for its client to hear of it. */
const FORGET_MS = 60_000

export type WaitingOptions = {
  readonly peers: Peers
  readonly ports: SignerPorts
  readonly outbox: Outbox
  readonly limits: Limits
  readonly nodeId: string
  readonly rows: Iterable<WaitingRow>
  /** What policy says to a request now, and the hash of the policy in force. @throws what judging throws */
  read(checked: CheckedRequest): { readonly decision: Decision; readonly policyHash: Uint8Array }
}

type Entry = {
  row: WaitingRow
  readonly subject: Uint8Array
  /** When it may come to its end by time alone. */
  dueAt: number
  isAwake: boolean
}

export class WaitingRequests {
  readonly #o: WaitingOptions
  readonly #entries = new Map<string, Entry>()
  /** The last change of a request that is being written, by the request. */
  readonly #changes = new Map<string, Promise<void>>()
  readonly #cancel: () => void
  /** The latest time seen: a clock that is set back does not make a delay begin earlier. */
  #highWater = 0

  constructor(options: WaitingOptions) {
    this.#o = options
    for (const row of options.rows) {
      const checked = this.#checkedOf(row)
      if (checked !== undefined) this.#put(row, subjectOf(checked))
      this.#highWater = Math.max(this.#highWater, row.since)
    }
    this.#cancel = options.ports.timers.every(TICK_MS, () => this.#tick())
  }

  #put(row: WaitingRow, subject: Uint8Array): void {
    this.#entries.set(toHex(row.hash), { row, subject, dueAt: 0, isAwake: false })
  }

  /** A kept request, checked anew; `undefined` where its client is no longer enrolled or it is over. */
  #checkedOf({ request }: WaitingRow): CheckedRequest | undefined {
    try {
      const { peers, ports } = this.#o
      return checkRequest(request, peers.cluster, ports.clock.now())
    } catch (error) {
      if (isFault(error)) return undefined
      throw error
    }
  }

  stop(): void {
    this.#cancel()
  }

  #context(policyHash: Uint8Array): ApprovalContext {
    const { peers, ports } = this.#o
    return { cluster: peers.cluster, policyHash, now: ports.clock.now() }
  }

  #now(): number {
    this.#highWater = Math.max(this.#highWater, this.#o.ports.clock.now())
    return this.#highWater
  }

  /** The approvals and rejections that are kept for a request, as they came. */
  approvalsFor(hash: Uint8Array): readonly Uint8Array[] {
    return this.#entries.get(toHex(hash))?.row.approvals ?? []
  }

  /** Where a request stands here, by the decision that policy takes now. */
  standing(checked: CheckedRequest, decision: Decision, policyHash: Uint8Array): Standing {
    return standingOf(decision, this.standingFacts(checked, policyHash))
  }

  /** What this node knows of a request, with `more` approvals than those kept: those of all that count now. */
  standingFacts(
    checked: CheckedRequest,
    policyHash: Uint8Array,
    more: readonly Uint8Array[] = [],
  ): StandingFacts {
    const now = this.#now()
    const kept = this.#entries.get(toHex(checked.hash))?.row
    return {
      approvals: countingApprovals(
        checked,
        [...(kept?.approvals ?? []), ...more],
        this.#context(policyHash),
      ),
      initiator: checked.client.id,
      since: kept?.since ?? now,
      now,
    }
  }

  /** One change of a request after the other: each is written over what the one before has left. */
  #inTurn<T>(name: string, change: () => Promise<T>): Promise<T> {
    const changed = (this.#changes.get(name) ?? Promise.resolve()).then(change)
    const settled: Promise<void> = changed
      .then(
        () => undefined,
        () => undefined,
      )
      .finally(() => {
        if (this.#changes.get(name) === settled) this.#changes.delete(name)
      })
    this.#changes.set(name, settled)
    return changed
  }

  /** Keeps a request from now on, and has all others keep it. @throws enclave/busy */
  keep(checked: CheckedRequest, request: Uint8Array, isLed: boolean): Promise<void> {
    const name = toHex(checked.hash)
    return this.#inTurn(name, () => this.#keep(name, checked, request, isLed))
  }

  async #keep(
    name: string,
    checked: CheckedRequest,
    request: Uint8Array,
    isLed: boolean,
  ): Promise<void> {
    const known = this.#entries.get(name)
    if (known !== undefined && (known.row.isLed || !isLed)) return
    if (known === undefined && this.#entries.size >= this.#o.limits.maxWaiting)
      throw new Fault('enclave/busy', { detail: 'too many requests wait for approvals' })
    const row: WaitingRow = {
      hash: checked.hash,
      request,
      since: known?.row.since ?? this.#now(),
      until: checked.request.body.value.expiresAt,
      approvals: known?.row.approvals ?? [],
      isLed,
    }
    failpoint('enclave/waiting/before-keep')
    await this.#o.ports.persist(
      [{ kind: 'putWaiting', value: row }],
      [this.#audit('kept', checked)],
    )
    failpoint('enclave/waiting/after-keep')
    this.#put(row, subjectOf(checked))
    if (isLed) this.#tellAll(row)
  }

  #tellAll(row: WaitingRow): void {
    const { outbox, peers } = this.#o
    outbox.tellAll(peers.present, { kind: 'waiting', value: messageOf(row) })
  }

  /** Tells a node that has just connected what waits here. */
  offer(to: PartyId): void {
    for (const { row } of this.#entries.values())
      this.#o.outbox.tell(to, { kind: 'waiting', value: messageOf(row) })
  }

  /** A request that another node keeps: this one does too, if policy makes it wait here as well. */
  async heard(request: Uint8Array, approvals: readonly Uint8Array[]): Promise<void> {
    const { peers, ports } = this.#o
    const checked = checkRequest(request, peers.cluster, ports.clock.now())
    if (!this.#entries.has(toHex(checked.hash))) {
      const { decision } = this.#o.read(checked).decision
      if (decision === 'allow' || decision === 'deny') return
      await this.keep(checked, request, false)
    }
    for (const approval of approvals)
      try {
        await this.#take(approval)
      } catch (error) {
        if (!isFault(error)) throw error
      }
  }

  /**
   * An approval or a rejection from a client, which all nodes are told of.
   * @returns the hash of the request @throws enclave/not-waiting, api/… of what does not count
   */
  async approve(encoded: Uint8Array): Promise<Uint8Array> {
    const { outbox, peers } = this.#o
    const hash = await this.#take(encoded)
    outbox.tellAll(peers.present, { kind: 'approval', value: { approval: encoded } })
    return hash
  }

  /** One that another node passes on. */
  async approvalHeard(encoded: Uint8Array): Promise<void> {
    await this.#take(encoded)
  }

  async #take(encoded: Uint8Array): Promise<Uint8Array> {
    const approval = decodeApproval(encoded)
    const [name] =
      [...this.#entries].find(([, { subject }]) => equalBytes(subject, approval.subject)) ?? []
    if (name === undefined) throw new Fault('enclave/not-waiting')
    return this.#inTurn(name, () => this.#add(name, approval, encoded))
  }

  async #add(name: string, approval: Approval, encoded: Uint8Array): Promise<Uint8Array> {
    const { peers, ports } = this.#o
    const entry = this.#entries.get(name)
    if (entry === undefined) throw new Fault('enclave/not-waiting')
    const { row } = entry
    const checked = checkRequest(row.request, peers.cluster, ports.clock.now())
    const { policyHash } = this.#o.read(checked)
    const { approver, decision } = checkApprovalOf(checked, approval, this.#context(policyHash))
    if (row.approvals.some((each) => equalBytes(each, encoded))) return row.hash
    if (row.approvals.length >= MAX_APPROVALS) throw new Fault('enclave/busy')
    const next: WaitingRow = { ...row, approvals: [...row.approvals, encoded] }
    failpoint('enclave/approval/before-put')
    await ports.persist(
      [{ kind: 'putWaiting', value: next }],
      [
        this.#audit(decision, checked, [
          { name: 'approver', value: `${approver.kind} ${approver.value}` },
        ]),
      ],
    )
    failpoint('enclave/approval/after-put')
    entry.row = next
    this.#look(entry)
    return row.hash
  }

  /** Wakes whoever leads a request that need not wait any more. */
  #look(entry: Entry): void {
    if (!entry.row.isLed || entry.isAwake) return
    const dueAt = this.#dueAt(entry.row)
    entry.dueAt = dueAt ?? Number.POSITIVE_INFINITY
    if (dueAt === undefined) this.#wake(entry)
  }

  #wake(entry: Entry): void {
    if (entry.isAwake) return
    entry.isAwake = true
    this.#o.ports.wake(entry.row.hash)
  }

  /** Until when it surely waits, unless somebody says something; `undefined` where it waits no more. */
  #dueAt(row: WaitingRow): number | undefined {
    try {
      const { peers, ports } = this.#o
      const checked = checkRequest(row.request, peers.cluster, ports.clock.now())
      const { decision, policyHash } = this.#o.read(checked)
      const standing = this.standing(checked, decision, policyHash)
      if (standing.state !== 'waiting') return undefined
      return Math.min(standing.notBefore ?? row.until, row.until)
    } catch (error) {
      // Whatever it fails by, its client is to hear of it.
      if (isFault(error)) return undefined
      throw error
    }
  }

  #tick(): void {
    const now = this.#now()
    for (const entry of this.#entries.values()) {
      if (now >= entry.dueAt) this.#look(entry)
      if (now > entry.row.until + FORGET_MS) void this.forget(entry.row.hash)
    }
  }

  /** It turned out that other nodes still wait: looks again in a while. */
  putOff(hash: Uint8Array): void {
    const entry = this.#entries.get(toHex(hash))
    if (entry === undefined) return
    entry.isAwake = false
    entry.dueAt = Math.min(this.#now() + PUT_OFF_MS, entry.row.until)
  }

  /** The request of that hash, where it is kept and its client may still ask for it. */
  kept(hash: Uint8Array): CheckedRequest | undefined {
    const row = this.#entries.get(toHex(hash))?.row
    return row && this.#checkedOf(row)
  }

  /** This node knows what came of it: there is nothing to wait for, and whoever leads it may tell its client. */
  async ended(hash: Uint8Array): Promise<void> {
    const entry = this.#entries.get(toHex(hash))
    if (entry === undefined) return
    if (entry.row.isLed) this.#wake(entry)
    else await this.forget(hash)
  }

  /** Nobody waits for it any more. */
  async forget(hash: Uint8Array): Promise<void> {
    const name = toHex(hash)
    if (!this.#entries.delete(name)) return
    await this.#inTurn(name, () =>
      this.#o.ports.persist([{ kind: 'dropWaiting', value: { hash } }], []),
    )
  }

  /** What a request waits for, for people. */
  describe(checked: CheckedRequest, decision: Decision, policyHash: Uint8Array): WaitingFor {
    const standing = this.standing(checked, decision, policyHash)
    const missing = standing.state === 'waiting' ? standing.missing : []
    return {
      subject: subjectOf(checked),
      policyHash,
      approvals: decision.approvals.map(({ group, need }) => ({
        group,
        need,
        given: missing.find((each) => each.group === group)?.given ?? need,
      })),
      notBefore: (standing.state === 'waiting' ? standing.notBefore : undefined) ?? null,
      expiresAt: checked.request.body.value.expiresAt,
    }
  }

  /** What waits in a project, oldest first. */
  ofProject(project: string): readonly WaitingRow[] {
    return [...this.#entries.values()]
      .map(({ row }) => row)
      .filter((row) => this.#checkedOf(row)?.request.body.value.project === project)
      .sort((a, b) => a.since - b.since)
  }

  #audit(
    action: string,
    { request, hash }: CheckedRequest,
    fields: readonly { readonly name: string; readonly value: string }[] = [],
  ): ReturnType<typeof nodeAudit> {
    const { body } = request
    const wallet = body.kind === 'sign' ? body.value.wallet : body.value.requestId
    const ref = { wallet, generation: 1, sid: hash }
    const draft = nodeAudit(this.#o.nodeId, `request.${action}`, ref, body.value.project)
    return { ...draft, requestId: body.value.requestId, fields: [...fields] }
  }
}

const messageOf = ({
  request,
  approvals,
}: WaitingRow): {
  readonly request: Uint8Array
  readonly approvals: readonly Uint8Array[]
} => ({ request, approvals })
