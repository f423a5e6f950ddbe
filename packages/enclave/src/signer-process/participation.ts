/**
 * This node's part in one session, from the countersigned manifest to the result.
 *
 *   preparing  all signers countersign the manifest; nothing secret has been touched
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
import type { Change, Outcome } from '../channel/calls.ts'
import type { EvidenceFacts } from '../evidence-file.ts'
import type { Control } from './control.ts'
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
  /** What a third party needs to judge what happened here, besides the manifest. */
  readonly facts?: EvidenceFacts
  /** Runs once, with the protocol's output; resolves with what the request yields here. */
  finish(output: Out, session: Participation): Promise<Outcome | undefined>
  /** A receipt of a signer, in any phase. */
  onReceipt?(from: PartyId, receipt: Uint8Array): void
  /** Always called last: drops what the plan holds. */
  release?(): void
}

export type ParticipationPorts = {
  readonly timers: Timers
  readonly run: SessionRunner
  readonly originals: Originals
  /** Sends to the other signers of the manifest. */
  control(message: Control, sid: Uint8Array, to: PartyId | 'all', signers: readonly PartyId[]): void
  round(message: RoundMessage, sid: Uint8Array, signers: readonly PartyId[]): void
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
  readonly #ports: ParticipationPorts
  readonly #ready = new Set<PartyId>()
  #early: Received[] = []
  #session: RunningSession | undefined
  #phase: Phase = 'preparing'
  #cancelTimer: Cancel
  #settle!: { resolve(outcome: Outcome | undefined): void; reject(fault: Error): void }

  constructor(o: { manifest: Manifest; self: PartyId; plan: Plan; ports: ParticipationPorts }) {
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

  /** A signer, possibly this node, countersigned the manifest. */
  countersigned(by: PartyId): void {
    if (this.#phase !== 'preparing') return
    this.#ready.add(by)
    this.#ports.progress('agreeing on the session', this.#ready.size, this.signers.length)
    if (this.signers.every((signer) => this.#ready.has(signer))) void this.#run()
  }

  async #run(): Promise<void> {
    this.#phase = 'running'
    this.#cancelTimer()
    try {
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
    this.#session.receive(message)
  }

  /** Sends what the driver wants sent, then looks where it stands. */
  #advanced(messages: readonly RoundMessage[], standing: Standing): void {
    for (const message of messages) this.#ports.round(message, this.sid, this.signers)
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
    if (this.#phase !== 'ended') this.plan.onReceipt?.(from, receipt)
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
