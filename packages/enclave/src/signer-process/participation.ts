/**
 * This node's part in one session, from the countersigned manifest to the result.
 *
 *   preparing  all signers countersign the manifest, and agree on what the plan has them agree on;
 *              nothing secret has been touched
 *   running    the protocol's rounds go through the session driver
 *   settling   the plan turns the protocol's output into a durable result
 *   ended
 *
 * Messages of a later phase than ours are kept, because links between different pairs of nodes
 * overtake each other.
 */
import { Fault, isFault, toHex } from '@quorate/base'
import type { Cancel, Timers } from '@quorate/platform'
import {
  Abort,
  type Manifest,
  type PartyId,
  partiesOf,
  type Received,
  type Outgoing as RoundMessage,
  sessionId,
} from '@quorate/threshold'
import type { Concluded, Outcome } from '../channel/outcomes.ts'
import type { AuditDraft, Change } from '../channel/rows.ts'
import type { EvidenceFacts } from '../evidence-file.ts'
import type {
  Originals,
  RunningSession,
  SessionRunner,
  SessionStart,
  Standing,
} from './session-runner.ts'

/** What a session is for: how it starts and what becomes of its output. */
export type Plan<Out = unknown> = SessionStart<Out> & {
  /** How long all of it may take, in milliseconds. */
  readonly budgetMs: number
  /** Names the phases to people. */
  readonly title: string
  /** Changes for the transaction that burns the session id; called right before it, once. */
  atBurn?(): readonly Change[]
  /**
   * What the signers still agree on once all have countersigned. Until it resolves nothing secret is
   * touched; a rejection ends the session.
   */
  agree?(session: Participation): Promise<void>
  /** Whether that signer has done its part of it. */
  hasAgreed?(party: PartyId): boolean
  /**
   * What this node sends first needs no word of the other signers that they take part. Otherwise they
   * have all countersigned the manifest before anything of the protocol leaves. Never with `agree`.
   */
  readonly startsAlone?: boolean
  /** What a third party needs to judge what happened here, besides the manifest. */
  readonly facts?: EvidenceFacts
  /** Runs once, with the protocol's output; resolves with what the request yields here. */
  finish(output: Out, session: Participation): Promise<Outcome | undefined>
  /** A receipt of a signer, in any phase. */
  onReceipt?(from: PartyId, receipt: Uint8Array): void
  /** Whether that signer's receipt is in, and good. */
  hasConfirmed?(party: PartyId): boolean
  /** Always called last: drops what the plan holds. */
  release?(): void
}

export type ParticipationPorts = {
  readonly timers: Timers
  readonly run: SessionRunner
  readonly originals: Originals
  /** Sends to the other signers of the manifest. */
  round(message: RoundMessage, sid: Uint8Array, signers: readonly PartyId[]): void
  /** What `work` sends leaves together. */
  together(work: () => void): void
  persist(
    changes: readonly Change[],
    audit: readonly AuditDraft[],
    concluded?: Concluded,
  ): Promise<void>
  progress(phase: string, done: number, of: number): void
}

/** Round messages of one signer kept before the session starts: a broadcast, an echo, a direct one, a dispute. */
const MAX_EARLY = 4
/** How long signers have to countersign. */
const PREPARE_MS = 10_000
/** How long a session that is computing has to name its laggards, once its time is over. */
const EXPIRE_MS = 2_000

type Phase = 'preparing' | 'running' | 'settling' | 'ended'

export class Participation {
  readonly manifest: Manifest
  readonly sid: Uint8Array
  readonly self: PartyId
  readonly plan: Plan
  readonly signers: readonly PartyId[]
  /** Settles exactly once. Rejected with a Fault; an `Abort` names culprits and laggards. */
  readonly outcome: Promise<Outcome | undefined>
  /** Called whenever a signer has done its next part. */
  onMove: () => void = () => undefined
  readonly #ports: ParticipationPorts
  readonly #ready = new Set<PartyId>()
  /** What each signer has said in the rounds, this one included, and who sent a receipt. */
  readonly #said = new Map<PartyId, Set<string>>()
  readonly #receipted = new Set<PartyId>()
  #isAgreeing = false
  #early: Received[] = []
  /** What must be on disk before anything leaves, and what is to leave then. */
  #unwritten: readonly Change[]
  #heldBack: (() => void)[] | undefined
  #session: RunningSession | undefined
  #phase: Phase = 'preparing'
  #cancelTimer: Cancel
  #settle!: { resolve(outcome: Outcome | undefined): void; reject(fault: Error): void }

  /** Where `unwritten` is given, nothing of the session leaves until `write` has it on disk. */
  constructor(o: {
    manifest: Manifest
    self: PartyId
    plan: Plan
    ports: ParticipationPorts
    unwritten?: readonly Change[]
  }) {
    this.#unwritten = o.unwritten ?? []
    this.#heldBack = o.unwritten === undefined ? undefined : []
    this.manifest = o.manifest
    this.sid = sessionId(o.manifest)
    this.self = o.self
    this.plan = o.plan
    this.signers = partiesOf(o.manifest)
    this.#ports = o.ports
    this.outcome = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
    // A coordinator awaits the outcome; elsewhere a failure is only logged by whoever listens.
    this.outcome.catch(() => undefined)
    this.#cancelTimer = o.ports.timers.after(PREPARE_MS, () => this.#late())
  }

  get phase(): Phase {
    return this.#phase
  }

  /** Sends something, once it may leave. */
  post(send: () => void): void {
    if (this.#heldBack === undefined) send()
    else this.#heldBack.push(send)
  }

  /**
   * Writes these together with what must be on disk before anything leaves, then lets it leave, and with
   * it what `tell` sends. `concluded` is what the request has come to by it.
   */
  async write(
    changes: readonly Change[],
    audit: readonly AuditDraft[],
    { tell, concluded }: { readonly tell?: () => void; readonly concluded?: Concluded } = {},
  ): Promise<void> {
    const unwritten = this.#unwritten
    this.#unwritten = []
    await this.#ports.persist([...unwritten, ...changes], audit, concluded)
    const heldBack = this.#heldBack ?? []
    this.#heldBack = undefined
    this.#ports.together(() => {
      if (!this.#hasEnded()) for (const send of heldBack) send()
      tell?.()
    })
  }

  /** Begins at once, and takes in what has come already. Resolves when it has gone as far as it can. */
  async begin(early: readonly Received[]): Promise<void> {
    await this.#run()
    for (const message of early) this.receive(message)
  }

  /** A signer, possibly this node, countersigned the manifest. */
  countersigned(by: PartyId): void {
    if (this.#phase !== 'preparing' || this.#ready.has(by)) return
    this.#ready.add(by)
    this.onMove()
    this.#ports.progress('agreeing on the session', this.#ready.size, this.signers.length)
    if (this.signers.every((signer) => this.#ready.has(signer))) void this.#run()
  }

  /** The signers that this session waits for, as far as that shows from here. */
  get awaited(): readonly PartyId[] {
    const others = this.signers.filter((signer) => signer !== this.self)
    if (this.#isAgreeing && this.#phase === 'preparing')
      return others.filter((signer) => this.plan.hasAgreed?.(signer) === false)
    if (this.#phase === 'preparing') return others.filter((signer) => !this.#ready.has(signer))
    if (this.#phase === 'settling')
      return others.filter((signer) => this.plan.hasConfirmed?.(signer) === false)
    if (this.#phase === 'ended') return []
    const said = (party: PartyId): number => this.#said.get(party)?.size ?? 0
    const most = Math.max(...this.signers.map(said))
    return others.filter((signer) => said(signer) < most)
  }

  #heard(from: PartyId, { round, kind }: Pick<RoundMessage, 'round' | 'kind'>): void {
    if (kind === 'dispute' || !this.signers.includes(from)) return
    const said = this.#said.get(from) ?? new Set()
    if (said.has(`${round}/${kind}`)) return
    this.#said.set(from, said.add(`${round}/${kind}`))
    this.onMove()
  }

  async #run(): Promise<void> {
    if (this.#isAgreeing) return
    try {
      if (this.plan.agree !== undefined) {
        this.#isAgreeing = true
        // The plan has its own idea of how long that takes, and of whom it waits for.
        this.#cancelTimer()
        await this.plan.agree(this)
        if (this.#hasEnded()) return
      }
      this.#phase = 'running'
      this.#cancelTimer()
      const session = await this.#ports.run({
        facts: {
          sid: this.sid,
          protocol: this.manifest.protocol,
          self: this.self,
          parties: this.signers,
        },
        start: this.plan,
        originals: this.#ports.originals,
        listener: {
          advanced: (messages, standing) => this.#advanced(messages, standing),
          progress: (phase, done, of) => this.#ports.progress(phase, done, of),
          failed: (error) => this.end(error),
        },
      })
      // It may have been given up while the plan unsealed the share.
      if (this.#hasEnded()) {
        session[Symbol.dispose]()
        return
      }
      this.#session = session
      this.#cancelTimer = this.#ports.timers.after(this.plan.budgetMs, () => this.#late())
      session.begin()
      for (const message of this.#early.splice(0)) this.receive(message)
    } catch (error) {
      this.end(error)
    }
  }

  receive(message: Received): void {
    if (this.#phase === 'preparing' || (this.#phase === 'running' && this.#session === undefined)) {
      // Each signer fills its own share of the buffer only.
      const ofSender = this.#early.filter(({ from }) => from === message.from)
      if (this.signers.includes(message.from) && ofSender.length < MAX_EARLY)
        this.#early.push(message)
      return
    }
    if (this.#session === undefined || this.#phase === 'ended') return
    this.#heard(message.from, message)
    this.#session.receive(message)
  }

  /** Sends what the driver wants sent, then looks where it stands. */
  #advanced(messages: readonly RoundMessage[], standing: Standing): void {
    for (const message of messages) {
      this.#heard(this.self, message)
      this.post(() => this.#ports.round(message, this.sid, this.signers))
    }
    const last = messages.at(-1)
    if (last !== undefined) this.#ports.progress(this.plan.title, last.round, 0)
    if (standing.kind === 'aborted') this.end(standing.abort)
    if (standing.kind === 'done' && this.#phase === 'running') void this.#finish(standing.output)
  }

  async #finish(output: unknown): Promise<void> {
    this.#phase = 'settling'
    try {
      this.#succeed(await this.plan.finish(output, this))
    } catch (error) {
      this.end(error)
    }
  }

  #succeed(outcome: Outcome | undefined): void {
    if (this.#hasEnded()) return
    this.#close()
    this.#settle.resolve(outcome)
  }

  receipt(from: PartyId, receipt: Uint8Array): void {
    if (this.#phase === 'ended') return
    this.plan.onReceipt?.(from, receipt)
    if (this.#receipted.has(from)) return
    this.#receipted.add(from)
    this.onMove()
  }

  /** A signer is gone, or says that it does not take part: the session can only fail. */
  lost(party: PartyId, fault?: Fault): void {
    if (!this.signers.includes(party) || this.#phase === 'settling') return
    this.end(fault ?? new Abort('threshold/timeout', { laggards: [party] }))
  }

  #late(): void {
    if (this.#phase === 'preparing') {
      const laggards = this.signers.filter((signer) => !this.#ready.has(signer))
      this.end(new Abort('threshold/timeout', { laggards }))
      return
    }
    if (this.#phase === 'running') {
      // A worker answers when its computation lets it, and that it takes too long is nobody's fault.
      this.#cancelTimer = this.#ports.timers.after(EXPIRE_MS, () => {
        if (this.#phase === 'running') this.end(new Abort('threshold/timeout'))
      })
      this.#session?.expire()
    }
    // A settling plan has its own idea of time: what is on disk is not given up.
  }

  end(error: unknown): void {
    if (this.#hasEnded()) return
    this.#close()
    this.#settle.reject(
      isFault(error)
        ? error
        : new Fault('enclave/internal', {
            cause: error,
            detail: `session ${toHex(this.sid.subarray(0, 4))}`,
          }),
    )
  }

  #hasEnded(): boolean {
    return this.#phase === 'ended'
  }

  #close(): void {
    this.#phase = 'ended'
    this.#cancelTimer()
    this.#early = []
    this.#session?.[Symbol.dispose]()
    this.plan.release?.()
  }
}
