/**
 * Signs with t of n whoever else stalls: the strategy of ROAST (Ruffing et al., eprint 2022/550) over
 * sessions of FROST. Whenever a session stands still, another one begins beside it with parties that
 * no session waits for. A session that stands still waits for at least one party that no other
 * session waits for, so n − t of them can stand still and the next one ends: at most n − t + 1 run
 * at once. Who breaks the protocol is left out for good; who is slow or silent is only asked last.
 */
import { type Clock, type Fault, isFault } from '@quorate/base'
import type { Timers } from '@quorate/platform'
import { Abort, type Manifest, type PartyId } from '@quorate/threshold'
import type { Outcome } from '../channel/outcomes.ts'
import {
  type Ahead,
  isWorthAnother,
  lacksPooled,
  manifestOf,
  type Proposal,
  type Propose,
  shuffled,
  tooFewPeers,
  withPool,
} from './coordinator.ts'
import type { Participation } from './participation.ts'
import type { Peers } from './peers.ts'

/** How often it looks whether a session stands still. */
const TICK_MS = 250
/** Sessions above n − t + 1 that a request may cost in all. */
const SPARE_ATTEMPTS = 5

export type RoastPorts = {
  readonly peers: Peers
  readonly clock: Clock
  readonly timers: Timers
  /** Whom to ask last. */
  readonly avoid: ReadonlySet<PartyId>
  /** How long a session may stand still, in milliseconds. */
  readonly patienceMs: number
  /** What the first session may sign from. */
  readonly ahead?: Ahead | undefined
  propose: Propose
}

type Ended = { readonly outcome: Outcome | undefined; readonly attempts: number }
type Settle = { resolve(ended: Ended): void; reject(error: unknown): void }

/** Runs sessions until one succeeds. @throws enclave/peers-missing, and what the last session failed by */
export function roast(proposal: Proposal, ports: RoastPorts): Promise<Ended> {
  return new Promise((resolve, reject) => {
    new Roast(proposal, ports, { resolve, reject }).begin()
  })
}

class Roast {
  readonly #proposal: Proposal
  readonly #ports: RoastPorts
  readonly #settle: Settle
  /** Sessions under way, and when each last moved. */
  readonly #live = new Map<Participation, number>()
  readonly #cheaters = new Set<PartyId>()
  /** How often a party was waited for in vain. */
  readonly #stalls = new Map<PartyId, number>()
  readonly #cancel: () => void
  #attempts = 0
  #isProposing = false
  #isOver = false

  constructor(proposal: Proposal, ports: RoastPorts, settle: Settle) {
    this.#proposal = proposal
    this.#ports = ports
    this.#settle = settle
    for (const party of ports.avoid) this.#stalled(party)
    this.#cancel = ports.timers.every(TICK_MS, () => this.#tick())
  }

  begin(): void {
    void this.#another()
  }

  /** A session that has stood still for so long stays, but is not waited for. */
  #tick(): void {
    const now = this.#ports.clock.monotonic()
    const isStill = [...this.#live.values()].every((since) => now - since >= this.#ports.patienceMs)
    if (isStill && this.#live.size > 0) void this.#another()
  }

  /** Begins one more session, if there are parties for it that no session waits for. */
  async #another(cause?: Error): Promise<void> {
    if (this.#isProposing || this.#isOver) return
    let manifest: Manifest | undefined
    try {
      manifest = this.#next()
      if (manifest === undefined) {
        if (this.#live.size === 0) this.#end(() => this.#settle.reject(cause ?? this.#tooFew()))
        return
      }
      this.#isProposing = true
      const session = await this.#ports.propose(manifest)
      this.#isProposing = false
      this.#watch(session)
    } catch (error) {
      this.#isProposing = false
      if (manifest !== undefined && isFault(error) && lacksPooled(error)) {
        this.#ports.ahead?.distrust(manifest)
        void this.#another(error)
        return
      }
      // It was lost while it was being begun, as when a signer leaves.
      if (error instanceof Abort && isWorthAnother(error)) {
        this.#blame(error)
        void this.#another(error)
        return
      }
      // This node itself refuses: no other signer set changes that.
      this.#end(() => this.#settle.reject(error))
    } finally {
      this.#ports.ahead?.release(manifest?.pooled ?? [])
    }
  }

  #watch(session: Participation): void {
    if (this.#isOver) {
      session.end(new Abort('threshold/cancelled'))
      return
    }
    this.#live.set(session, this.#ports.clock.monotonic())
    session.onMove = () => {
      if (this.#live.has(session)) this.#live.set(session, this.#ports.clock.monotonic())
    }
    session.outcome.then(
      (outcome) =>
        this.#end(() => this.#settle.resolve({ outcome, attempts: session.manifest.attempt + 1 })),
      (error: unknown) => this.#lost(session, error as Error),
    )
  }

  #lost(session: Participation, error: Error): void {
    this.#live.delete(session)
    if (this.#isOver) return
    if (!isFault(error) || !isWorthAnother(error)) {
      this.#end(() => this.#settle.reject(error))
      return
    }
    if (lacksPooled(error)) this.#ports.ahead?.distrust(session.manifest)
    else if (error instanceof Abort) this.#blame(error)
    void this.#another(error)
  }

  #blame({ culprits, laggards }: Abort): void {
    for (const party of culprits) this.#cheaters.add(party)
    for (const party of laggards) this.#stalled(party)
  }

  #stalled(party: PartyId): void {
    this.#stalls.set(party, (this.#stalls.get(party) ?? 0) + 1)
  }

  /** What to propose next; `undefined` where sessions enough stand still, or nobody is free. */
  #next(): Manifest | undefined {
    const { peers, clock } = this.#ports
    const { threshold, request } = this.#proposal
    const slots = peers.nodes.length - threshold + 1
    if (this.#live.size >= slots || this.#attempts >= slots + SPARE_ATTEMPTS) return undefined
    const awaited = new Set([...this.#live.keys()].flatMap((session) => session.awaited))
    const stalls = (party: PartyId): number =>
      (this.#stalls.get(party) ?? 0) + (awaited.has(party) ? 1 : 0)
    const free = shuffled(
      peers.present.filter((party) => party !== peers.self),
      request,
      this.#attempts,
    )
      .filter((party) => !awaited.has(party) && !this.#cheaters.has(party))
      .sort((a, b) => stalls(a) - stalls(b))
    if (free.length < threshold - 1) return undefined
    for (const party of awaited) this.#stalled(party)
    const chosen = [peers.self, ...free.slice(0, threshold - 1)].sort((a, b) => a - b)
    const attempt = this.#attempts++
    const { ahead, avoid } = this.#ports
    const isFirst = attempt === 0 && avoid.size === 0
    const { signers, ...pooled } =
      ahead !== undefined && isFirst ? withPool(chosen, peers, ahead) : { signers: chosen }
    return manifestOf(this.#proposal, peers, clock, signers, attempt, pooled)
  }

  #tooFew(): Fault {
    return tooFewPeers(this.#proposal.threshold, this.#ports.peers)
  }

  #end(settle: () => void): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#cancel()
    settle()
    for (const session of this.#live.keys()) session.end(new Abort('threshold/cancelled'))
  }
}
