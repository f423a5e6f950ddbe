/**
 * A cluster that keeps one limit, as a machine of single steps that an adversary orders: it picks the
 * sessions, their signers and times, who comes next, which node crashes or is put back to an older
 * state, and which never goes on. Ledgers, unions and checks are the product's own.
 */
import { isFault } from '@quorate/base'
import {
  type Charge,
  decodeLedger,
  encodeLedger,
  type Ledger,
  type LedgerEntry,
  openEntry,
  recoverLedger,
  releaseEntry,
  retained,
  withTombstones,
} from '@quorate/policy'

export const HOUR = 3_600_000
const START = 1_767_225_600_000

/** What a run may break, one at a time, to show that each guard is needed. */
export type Breach =
  /** What counts is each ledger as it was at its signer's countersignature, before all t were in. */
  | 'early-ledger'
  /** One tombstone is believed, whoever may lie. */
  | 'one-tombstone'
  /** One more node lies than the threshold allows for. */
  | 'one-more-liar'
  /** A manifest from before the high-water time is taken. */
  | 'no-high-water'
  /** A node that was put back signs on without asking. */
  | 'no-recovery'

export type World = {
  readonly n: number
  readonly t: number
  readonly cap: number
  readonly random: () => number
  readonly breach?: Breach | undefined
}

type Node = {
  readonly index: number
  readonly isLiar: boolean
  entries: LedgerEntry[]
  highWater: number
  boot: number
  isRecovering: boolean
  saved: { readonly entries: LedgerEntry[]; readonly highWater: number }
}

type Session = {
  readonly id: Uint8Array
  readonly time: number
  readonly amount: bigint
  readonly signers: readonly number[]
  /** Boot of each signer when it countersigned. */
  readonly boots: Map<number, number>
  readonly ledgers: Map<number, Ledger>
  /** Honest signers whose share has left. */
  readonly shares: Set<number>
  /** Signers that refuse to go on. */
  readonly refusing: Set<number>
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 15), z | 1)
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61)
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Runs a world to its end: by how much the worst window of signed amounts exceeds the cap. */
export function worstExcess(world: World): number {
  const run = new Run(world)
  run.play()
  return run.worst() - world.cap
}

class Run {
  readonly #world: World
  readonly #nodes: readonly Node[]
  readonly #sessions: readonly Session[]
  readonly #priorities = new Map<string, number>()
  readonly #liars: number
  /** How often something goes wrong, for each step. */
  readonly #unrest: number

  constructor(world: World) {
    this.#world = world
    const { n, t, random, breach } = world
    this.#liars = Math.max(0, 2 * t - n - 1)
    const lying = this.#liars + (breach === 'one-more-liar' ? 1 : 0)
    this.#nodes = Array.from({ length: n }, (_, i) => ({
      index: i + 1,
      isLiar: i < lying,
      entries: [],
      highWater: 0,
      boot: 0,
      isRecovering: false,
      saved: { entries: [], highWater: 0 },
    }))
    const count = world.cap + 1 + Math.floor(random() * 6)
    this.#unrest = [0, 0.06, 0.2][Math.floor(random() * 3)]!
    const isSpread = random() < 0.5
    this.#sessions = Array.from({ length: count }, (_, i) => ({
      id: new Uint8Array(32).fill(i + 1),
      time: START + (isSpread ? this.#pickTime() : 0),
      amount: random() < 0.8 ? 1n : 2n,
      signers: this.#pickSigners(),
      boots: new Map(),
      ledgers: new Map(),
      shares: new Set(),
      refusing: new Set(),
    }))
  }

  #pickTime(): number {
    const { random } = this.#world
    return Math.floor(random() * 3) * (HOUR / 2) + (random() < 0.3 ? 30 * HOUR : 0)
  }

  #pickSigners(): readonly number[] {
    const { n, t, random } = this.#world
    const all = Array.from({ length: n }, (_, i) => i + 1)
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1))
      ;[all[i], all[j]] = [all[j]!, all[i]!]
    }
    return all.slice(0, t).sort((a, b) => a - b)
  }

  /** Takes the step of the highest priority; priorities change now and then, so orders are extreme. */
  play(): void {
    const { random } = this.#world
    for (let left = 400; left > 0; left--) {
      let best: (() => void) | undefined
      let highest = -1
      for (const [name, step] of this.#steps()) {
        if (!this.#priorities.has(name) || random() < 0.03) this.#priorities.set(name, random())
        const priority = this.#priorities.get(name)!
        if (priority > highest) [best, highest] = [step, priority]
      }
      if (best === undefined) return
      best()
      if (random() < this.#unrest) this.#disturb()
    }
  }

  *#steps(): Generator<readonly [name: string, step: () => void]> {
    for (const [i, session] of this.#sessions.entries())
      for (const index of session.signers) {
        const node = this.#nodes[index - 1]!
        const name = `${i} ${index}`
        if (session.refusing.has(index) || session.shares.has(index)) continue
        if (node.isRecovering) yield [`recover ${index}`, () => this.#recover(node)]
        else if (!session.boots.has(index))
          yield [`${name} sign`, () => this.#countersign(node, session)]
        else if (session.boots.get(index) === node.boot) {
          const isFull = session.boots.size === this.#world.t
          if (isFull && !session.ledgers.has(index))
            yield [`${name} show`, () => session.ledgers.set(index, this.#shown(node))]
          else if (session.ledgers.size === this.#world.t && !node.isLiar)
            yield [`${name} check`, () => this.#check(node, session)]
        }
      }
  }

  #countersign(node: Node, session: Session): void {
    const { breach } = this.#world
    const entry: LedgerEntry = {
      session: session.id,
      request: session.id,
      wallet: 'wal_a',
      time: session.time,
      signers: session.signers,
      charges: [{ limit: 'daily', asset: 'BTC', amount: session.amount }],
      state: 'open',
      tombstones: [],
    }
    const own = { signer: node.index, entries: node.entries, highWater: node.highWater }
    try {
      const opened = openEntry(breach === 'no-high-water' ? { ...own, highWater: 0 } : own, entry)
      node.highWater = Math.max(node.highWater, opened.highWater)
      node.entries = [...opened.entries]
    } catch (error) {
      if (!isFault(error)) throw error
      session.refusing.add(node.index)
      return
    }
    if (this.#world.random() < 0.3) node.entries = [...retained(node.entries, node.highWater, HOUR)]
    session.boots.set(node.index, node.boot)
    if (breach === 'early-ledger') session.ledgers.set(node.index, this.#shown(node))
  }

  /** What a node sends of its ledger, as it comes out of the bytes at the other end. */
  #shown(node: Node): Ledger {
    const entries = node.isLiar ? this.#lie(node) : node.entries
    return { signer: node.index, entries: decodeLedger(encodeLedger(entries)) }
  }

  #lie(node: Node): readonly LedgerEntry[] {
    const lie = this.#world.random()
    if (lie < 0.4) return []
    if (lie < 0.7) return node.entries.map((entry) => buried(entry, node.index))
    return node.entries.map((entry) => ({
      ...entry,
      time: 0,
      charges: entry.charges.map((charge) => ({ ...charge, amount: 0n })),
    }))
  }

  #check(node: Node, session: Session): void {
    const { breach, cap } = this.#world
    const others = [...session.ledgers.values()].filter(({ signer }) => signer !== node.index)
    const own = {
      signer: node.index,
      entries: breach === 'early-ledger' ? session.ledgers.get(node.index)!.entries : node.entries,
      highWater: breach === 'no-high-water' ? 0 : node.highWater,
    }
    const charge: Charge = {
      limit: 'daily',
      asset: 'BTC',
      amount: session.amount,
      windowMs: HOUR,
      cap: BigInt(cap),
    }
    const replace = (made: (entry: LedgerEntry) => LedgerEntry): void => {
      node.entries = node.entries.map((each) =>
        each.session[0] === session.id[0] ? made(each) : each,
      )
    }
    try {
      const entry = releaseEntry(own, others, session.id, {
        charges: [charge],
        liars: breach === 'one-tombstone' ? 0 : this.#liars,
        verify: (_, { signer, signature }) => signature[0] === signer,
      })
      replace(() => entry)
      session.shares.add(node.index)
    } catch (error) {
      if (!isFault(error)) throw error
      session.refusing.add(node.index)
      replace((each) => buried(each, node.index))
    }
  }

  #disturb(): void {
    const { random, breach } = this.#world
    const node = this.#nodes[Math.floor(random() * this.#nodes.length)]!
    if (node.isLiar) return
    const kind = random()
    if (kind < 0.3) node.saved = { entries: node.entries, highWater: node.highWater }
    else if (kind < 0.6) {
      // After a restart the node takes part in no earlier session, so it can bury what is still open.
      node.boot++
      node.entries = node.entries.map((each) =>
        each.state === 'open' ? buried(each, node.index) : each,
      )
    } else if (this.#mayRestore()) {
      node.boot++
      node.entries = node.saved.entries
      node.highWater = node.saved.highWater
      node.isRecovering = breach !== 'no-recovery'
    }
  }

  /**
   * One node at a time, and only where some other signer of each of its sessions is honest: where all
   * n must sign, n − 1 liars could deny together what it forgot.
   */
  #mayRestore(): boolean {
    const { n, t } = this.#world
    return t < n && !this.#nodes.some(({ isRecovering }) => isRecovering)
  }

  #recover(node: Node): void {
    const { n, t, random } = this.#world
    const others = this.#nodes.filter((each) => each !== node)
    const asked = others
      .map((each) => [random(), each] as const)
      .sort(([a], [b]) => a - b)
      .slice(0, Math.min(t, n - 1))
      .map(([, each]) => ({ ...this.#shown(each), highWater: each.highWater }))
    const own = { signer: node.index, entries: node.entries, highWater: node.highWater }
    const found = recoverLedger(own, asked, START + 40 * HOUR)
    node.entries = [...found.entries]
    node.highWater = found.highWater
    node.isRecovering = false
  }

  /** The most that any window of an hour holds of sessions that ended. */
  worst(): number {
    const ended = this.#sessions.filter(({ signers, shares, boots }) =>
      signers.every((index) =>
        this.#nodes[index - 1]!.isLiar ? boots.has(index) : shares.has(index),
      ),
    )
    return Math.max(
      0,
      ...ended.map(({ time: from }) =>
        ended
          .filter(({ time }) => time >= from && time < from + HOUR)
          .reduce((sum, { amount }) => sum + Number(amount), 0),
      ),
    )
  }
}

const buried = (entry: LedgerEntry, index: number): LedgerEntry => ({
  ...withTombstones(entry, [{ signer: index, signature: new Uint8Array(64).fill(index) }]),
  state: 'burnt',
})
