/**
 * Keeps the pools of this node full: for each wallet that has signed lately and each set of signers that
 * this node may lead, it has nonces or presignatures made, until there are as many as are wanted. What
 * is scarcest comes first. Nonces cost what they would cost in the signature; presignatures take
 * seconds of computing, in worker threads, and wait while signatures are under way.
 */
import { isFault } from '@quorate/base'
import type { Cancel } from '@quorate/platform'
import type { Manifest, PartyId } from '@quorate/threshold'
import { manifestOf } from '../coordinator.ts'
import type { Participation } from '../participation.ts'
import type { PlanContext } from '../plan-context.ts'
import type { StoredWallet } from '../wallets.ts'
import { kindOf, POOL_CAPACITY, type PoolKind, signersOf } from './pools.ts'
import { signerSets } from './signer-sets.ts'

/** How many are wanted for each wallet, signer set and coordinator; 0 turns a pool off. */
export type PoolSizes = { readonly [Kind in PoolKind]: number }
export const DEFAULT_POOL_SIZES: PoolSizes = { nonces: 256, presignatures: 64 }

const TICK_MS = 500
/** Signatures after which it looks before the next tick. */
const LOOK_EVERY = 4
/** A wallet that has not signed for so long gets nothing more. */
const WANTED_MS = 60 * 60_000
/** Refilling begins below this part of what is wanted, and ends there. */
const LOW_WATER = 0.5
/** Below this part of what is wanted signatures are about to wait for it, so it waits for none of them. */
const URGENT = 0.125
/** Signatures under way, now or on the average of the last few ticks, at which presignatures wait. */
const BUSY_SESSIONS = 2
/** What the last tick counts for in that average. */
const SMOOTHING = 0.2
/** Most that one session makes, and most sessions that this node leads at once. */
const BATCH: PoolSizes = { nonces: 32, presignatures: 4 }
const AT_ONCE: PoolSizes = { nonces: 2, presignatures: 1 }
const MAX_RETRY_MS = 60_000

export type RefillOptions = {
  readonly context: PlanContext
  readonly sizes: PoolSizes
  /** Takes part in a session that this node proposes. */
  begin(manifest: Manifest): Promise<Participation>
  /** How many signatures are under way. */
  signing(): number
}

/** One signer set of one wallet. */
type Shelf = {
  readonly kind: PoolKind
  readonly stored: StoredWallet
  readonly signers: readonly PartyId[]
  readonly name: string
  readonly free: number
}
type Retry = { readonly at: number; readonly afterMs: number }

export class Refill {
  readonly #o: RefillOptions
  readonly #cancel: Cancel
  /** When each wallet last signed. */
  readonly #wanted = new Map<string, number>()
  /** Shelves that are on their way from the low water to the high. */
  readonly #rising = new Set<string>()
  readonly #filling = new Set<string>()
  readonly #running: { [Kind in PoolKind]: number } = { nonces: 0, presignatures: 0 }
  #busy = 0
  /** Signatures since it last looked. */
  #unseen = 0
  /** Signer sets that failed lately. */
  readonly #retries = new Map<string, Retry>()

  constructor(options: RefillOptions) {
    this.#o = options
    this.#cancel = options.context.ports.timers.every(TICK_MS, () => this.#tick())
  }

  stop(): void {
    this.#cancel()
  }

  /** The wallet signs now: what it will sign with next is made ahead from now on. */
  want(wallet: string): void {
    const isNew = !this.#wanted.has(wallet)
    this.#wanted.set(wallet, this.#o.context.ports.clock.monotonic())
    if (isNew || ++this.#unseen >= LOOK_EVERY) this.#look()
  }

  #tick(): void {
    const { pools, wallets, peers } = this.#o.context
    for (const wallet of pools.wallets)
      pools.keepGeneration(wallet, wallets.newestGeneration(wallet))
    pools.expire(peers.self)
    this.#busy += SMOOTHING * (this.#o.signing() - this.#busy)
    this.#look()
  }

  #look(): void {
    this.#unseen = 0
    const shelves = this.#shelves().filter((shelf) => this.#isRising(shelf))
    for (const shelf of shelves.sort((a, b) => a.free - b.free))
      if (this.#running[shelf.kind] < AT_ONCE[shelf.kind] && this.#isTime(shelf))
        void this.#fill(shelf)
  }

  #shelves(): readonly Shelf[] {
    const { wallets, peers, pools, ports } = this.#o.context
    const now = ports.clock.monotonic()
    return [...this.#wanted].flatMap(([wallet, at]): Shelf[] => {
      const generation = wallets.newestGeneration(wallet)
      if (now - at > WANTED_MS || generation === undefined) {
        this.#wanted.delete(wallet)
        return []
      }
      const stored = wallets.active(wallet)
      const { key } = stored.record
      const kind = kindOf(key)
      return signerSets(peers.present, peers.self, key.threshold).map((parties) => {
        const signers = signersOf(parties, (party) => peers.epochOf(party))
        const owner = { wallet: key.wallet, generation, signers, coordinator: peers.self }
        const name = `${wallet}/${generation}/${parties.join()}`
        return { kind, stored, signers: parties, name, free: pools.free(kind, owner) }
      })
    })
  }

  /** What is wanted on each shelf: less where there are so many that all would not fit. */
  #high(kind: PoolKind): number {
    const { peers } = this.#o.context
    const own = POOL_CAPACITY[kind] / (2 * peers.nodes.length)
    return Math.min(this.#o.sizes[kind], Math.floor(own / Math.max(1, this.#wanted.size)))
  }

  #isRising({ kind, name, free }: Shelf): boolean {
    const high = this.#high(kind)
    if (free < LOW_WATER * high) this.#rising.add(name)
    if (free >= high) this.#rising.delete(name)
    return this.#rising.has(name)
  }

  #isTime({ kind, name, free }: Shelf): boolean {
    const retry = this.#retries.get(name)
    if (this.#filling.has(name)) return false
    if (retry !== undefined && this.#o.context.ports.clock.monotonic() < retry.at) return false
    return kind === 'nonces' || !this.#isBusy() || free < URGENT * this.#high(kind)
  }

  /** At once when signatures come, so that a burst does not meet sessions of a second's computing. */
  #isBusy(): boolean {
    return Math.max(this.#busy, this.#o.signing()) >= BUSY_SESSIONS
  }

  async #fill({ kind, stored, signers, name, free }: Shelf): Promise<void> {
    const { peers, ports, policies } = this.#o.context
    const { record } = stored
    const { key } = record
    this.#running[kind]++
    this.#filling.add(name)
    try {
      const manifest = manifestOf(
        {
          needsAll: false,
          request: ports.random.bytes(32),
          purpose: 'pool',
          wallet: key.wallet,
          generation: key.generation,
          protocol: key.protocol,
          suite: key.suite,
          threshold: key.threshold,
          policyHash: policies.of(record).hash,
        },
        peers,
        ports.clock,
        signers,
        0,
        { count: Math.min(BATCH[kind], this.#high(kind) - free) },
      )
      const session = await this.#o.begin(manifest)
      await session.outcome
      this.#retries.delete(name)
    } catch (error) {
      if (!isFault(error)) throw error
      const afterMs = Math.min(MAX_RETRY_MS, 2 * (this.#retries.get(name)?.afterMs ?? 500))
      this.#retries.set(name, { at: ports.clock.monotonic() + afterMs, afterMs })
    } finally {
      this.#running[kind]--
      this.#filling.delete(name)
      this.#look()
    }
  }
}
