/**
 * The cumulative limits of wallets, exact over all signer sets. A session stands in this node's ledger
 * before the node countersigns it. Once all signers have countersigned, each shows the others its
 * ledger; whoever finds the session over a limit in the union of all of them burns it before its share
 * leaves, and says so under its signature. The session that asks last sees all others, because signer
 * sets meet.
 */
import { ALLOWED_SKEW_MS } from '@quorate/api'
import { equalBytes, Fault, isFault, toHex } from '@quorate/base'
import { failpoint } from '@quorate/platform'
import {
  bury,
  type Charge,
  checkBudget,
  decodeEntry,
  decodeLedger,
  encodeEntry,
  encodeLedger,
  HIGH_WATER_SLACK_MS,
  type Ledger,
  type LedgerEntry,
  MAX_WINDOW_MS,
  raiseHighWater,
  recoverLedger,
  type Tombstone,
  tombstoneMessage,
  uniteLedgers,
  withTombstones,
} from '@quorate/policy'
import { Abort, type Manifest, type PartyId, partiesOf, sessionId } from '@quorate/threshold'
import type { Change, LedgerRow } from '../channel/rows.ts'
import { LedgerExchange } from './ledger-exchange.ts'
import { verifyEd25519 } from './node-crypto.ts'
import type { Outbox } from './outbox.ts'
import type { Participation, Plan } from './participation.ts'
import type { Peers } from './peers.ts'
import type { SignerPorts } from './ports.ts'

/** Of one wallet in its longest window: what fits into one message. */
const MAX_ENTRIES = 2_000
/** In one transaction. */
const MAX_CHANGES = 64

export type BudgetsOptions = {
  readonly peers: Peers
  readonly ports: SignerPorts
  readonly outbox: Outbox
  readonly rows: Iterable<LedgerRow>
  readonly highWaters: Iterable<{ readonly wallet: string; readonly time: number }>
}

export class Budgets {
  readonly #o: BudgetsOptions
  /** Own entries of each wallet, by session. */
  readonly #ledgers = new Map<string, Map<string, LedgerEntry>>()
  readonly #highWaters: Map<string, number>
  readonly #exchange: LedgerExchange
  /** Sessions that are over before they were released, and whose tombstones are being written. */
  readonly #burials = new Map<string, Promise<void>>()
  /** Epoch in which an own tombstone was signed, by session: nobody can check those of older ones. */
  readonly #signedIn = new Map<string, Uint8Array>()

  constructor(options: BudgetsOptions) {
    this.#o = options
    this.#exchange = new LedgerExchange(options.ports.timers)
    this.#highWaters = new Map([...options.highWaters].map(({ wallet, time }) => [wallet, time]))
    for (const { entry } of options.rows) this.#put(decodeEntry(entry))
  }

  #put(entry: LedgerEntry): void {
    const ledger = this.#ledgers.get(entry.wallet) ?? new Map<string, LedgerEntry>()
    this.#ledgers.set(entry.wallet, ledger.set(toHex(entry.session), entry))
  }

  #find(wallet: string, session: Uint8Array): LedgerEntry | undefined {
    return this.#ledgers.get(wallet)?.get(toHex(session))
  }

  /** Sessions that a crash cut off before they were released: nothing of them ever left. */
  async buryLeftovers(): Promise<void> {
    for (const ledger of this.#ledgers.values())
      for (const entry of ledger.values()) if (entry.state === 'open') await this.#bury(entry)
  }

  /** The plan, charged: entered with the burning of its session, and agreed on before it runs. */
  guard<Out>(plan: Plan<Out>, manifest: Manifest, charges: readonly Charge[]): Plan<Out> {
    const sid = sessionId(manifest)
    return {
      ...plan,
      atBurn: () => [...(plan.atBurn?.() ?? []), ...this.#enter(manifest, charges)],
      agree: async (session) => {
        await plan.agree?.(session)
        await this.#agree(session, charges)
      },
      hasAgreed: (party) => this.#exchange.has(sid, party),
      release: () => {
        plan.release?.()
        this.#leave(manifest.wallet, sid)
      },
    }
  }

  /**
   * Enters a session, from now on in memory; returns what makes it durable together with its burning.
   * @throws policy/over-limit by this node's own ledger, policy/clock-set-back, enclave/busy
   */
  #enter(manifest: Manifest, charges: readonly Charge[]): readonly Change[] {
    const { wallet, createdAt, request } = manifest
    if (createdAt < this.#o.ports.clock.now() - ALLOWED_SKEW_MS)
      throw new Fault('threshold/expired')
    const session = sessionId(manifest)
    const highWater = raiseHighWater(this.#highWaters.get(wallet) ?? 0, createdAt)
    this.#forget(wallet, highWater)
    const ledger = this.#ledgers.get(wallet)
    if ((ledger?.size ?? 0) >= MAX_ENTRIES)
      throw new Fault('enclave/busy', { detail: 'the ledger of the wallet is full' })
    checkBudget(this.#counted(manifest, []), charges, createdAt, session)
    const entry: LedgerEntry = {
      session,
      request,
      wallet,
      time: createdAt,
      signers: partiesOf(manifest),
      charges: charges.map(({ limit, asset, recipient, amount }) => ({
        limit,
        amount,
        ...(asset !== undefined && { asset }),
        ...(recipient !== undefined && { recipient }),
      })),
      state: 'open',
      tombstones: [],
    }
    this.#put(entry)
    this.#highWaters.set(wallet, highWater)
    return [putLedger(entry), { kind: 'raiseHighWater', value: { wallet, time: highWater } }]
  }

  /** What no window that is still open can hold. */
  #forget(wallet: string, highWater: number): void {
    const ledger = this.#ledgers.get(wallet)
    for (const [name, { time }] of ledger ?? [])
      if (time <= highWater - HIGH_WATER_SLACK_MS - MAX_WINDOW_MS) ledger?.delete(name)
  }

  /** The entries that count, of this node's present ledger and those of others. */
  #counted({ wallet, threshold }: Manifest, others: readonly Ledger[]): readonly LedgerEntry[] {
    const { peers } = this.#o
    const own = [...(this.#ledgers.get(wallet) ?? [])]
      .filter(([session]) => !this.#burials.has(session))
      .map(([, entry]) => entry)
    return uniteLedgers([{ signer: peers.self, entries: own }, ...others], {
      self: peers.self,
      liars: Math.max(0, 2 * threshold - peers.nodes.length - 1),
      verify: (entry, tombstone) => this.#isGood(entry, tombstone),
    })
  }

  #isGood({ wallet, session }: LedgerEntry, { signer, signature }: Tombstone): boolean {
    const { peers } = this.#o
    // Our own word needs no signature: what we know of the session is what counts.
    if (signer === peers.self) return this.#find(wallet, session)?.state === 'burnt'
    const node = peers.nodes[signer - 1]
    if (node === undefined) return false
    try {
      const { envelopeKey } = peers.epochOf(signer as PartyId)
      return verifyEd25519(envelopeKey, tombstoneMessage(peers.cluster.cluster, session), signature)
    } catch (error) {
      if (isFault(error)) return false
      throw error
    }
  }

  /**
   * Shows the other signers this node's ledger, takes theirs, and releases the session if it is within
   * every limit in the union of all: on disk before it returns.
   * @throws threshold/refused with policy/over-limit as its cause; threshold/timeout naming who showed none
   */
  async #agree(session: Participation, charges: readonly Charge[]): Promise<void> {
    const { manifest, sid, signers } = session
    const { outbox, peers, ports } = this.#o
    const others = signers.filter((party) => party !== peers.self)
    const all = this.#exchange.collect(sid, others)
    all.catch(() => undefined)
    outbox.tellAll(
      signers,
      { kind: 'ledger', value: { ledger: encodeLedger(await this.#shown(manifest.wallet)) } },
      sid,
    )
    const ledgers = await all
    // This node's ledger as it is now: what it entered meanwhile counts.
    try {
      checkBudget(this.#counted(manifest, ledgers), charges, manifest.createdAt, sid)
    } catch (cause) {
      // A signer may have made entries up, which another signer set would not have.
      throw new Abort('threshold/refused', { laggards: others, cause })
    }
    const entry = this.#find(manifest.wallet, sid)
    if (entry === undefined || entry.state !== 'open' || session.phase === 'ended')
      throw new Abort('threshold/cancelled')
    const released: LedgerEntry = { ...entry, state: 'released' }
    this.#put(released)
    failpoint('enclave/ledger/before-release')
    await ports.persist([putLedger(released)], [])
    failpoint('enclave/ledger/after-release')
  }

  /** A signer's ledger for a session that runs here. @throws policy/bad-ledger, base/… */
  heard(from: PartyId, session: Participation | undefined, encoded: Uint8Array): void {
    if (session === undefined || !session.signers.includes(from)) return
    const { wallet } = session.manifest
    const entries = decodeLedger(encoded).filter((entry) => entry.wallet === wallet)
    this.#exchange.take(session.sid, from, entries)
    session.onMove()
  }

  /** The session is over here: for good, with this node's word for it, unless it was released. */
  #leave(wallet: string, session: Uint8Array): void {
    const name = toHex(session)
    this.#exchange.forget(session)
    const entry = this.#find(wallet, session)
    if (entry?.state !== 'open') return
    const burial = this.#bury(entry)
      // It then counts for the others until its window has passed.
      .catch(() => undefined)
      .finally(() => this.#burials.delete(name))
    this.#burials.set(name, burial)
  }

  async #bury(entry: LedgerEntry): Promise<void> {
    const { ports, peers, outbox } = this.#o
    const buried = await this.#signed(entry)
    failpoint('enclave/ledger/before-bury')
    await ports.persist([putLedger(buried)], [])
    failpoint('enclave/ledger/after-bury')
    this.#put(buried)
    const own = buried.tombstones.find(({ signer }) => signer === peers.self)!
    const others = partiesIn(entry).filter((party) => peers.present.includes(party))
    outbox.tellAll(
      others,
      {
        kind: 'tombstone',
        value: { wallet: entry.wallet, signature: own.signature },
      },
      entry.session,
    )
  }

  async #signed(entry: LedgerEntry): Promise<LedgerEntry> {
    const { peers } = this.#o
    const { epoch } = peers.keys
    const buried = await bury(entry, peers.cluster.cluster, peers.self, peers.keys.signer)
    this.#signedIn.set(toHex(entry.session), epoch)
    return buried
  }

  /** Another signer's word that it burnt a session before its share left. */
  async buriedBy(
    from: PartyId,
    session: Uint8Array,
    { wallet, signature }: { readonly wallet: string; readonly signature: Uint8Array },
  ): Promise<void> {
    const entry = this.#find(wallet, session)
    const tombstone = { signer: from, signature }
    if (entry === undefined || !entry.signers.includes(from)) return
    if (entry.tombstones.some(({ signer }) => signer === from)) return
    if (!this.#isGood(entry, tombstone)) throw new Fault('policy/bad-ledger')
    const marked = withTombstones(entry, [tombstone])
    this.#put(marked)
    await this.#o.ports.persist([putLedger(marked)], [])
  }

  /** This node's ledger of a wallet, for a node that was restored. */
  async shown(
    wallet: string,
  ): Promise<{ readonly entries: readonly LedgerEntry[]; readonly highWater: number }> {
    return { entries: await this.#shown(wallet), highWater: this.#highWaters.get(wallet) ?? 0 }
  }

  /** Takes over what others know of the sessions of this node; on disk before it returns. */
  async recover(wallet: string, others: readonly Ledger[]): Promise<void> {
    const { peers, ports } = this.#o
    const now = ports.clock.now() + ALLOWED_SKEW_MS
    const own = {
      signer: peers.self,
      entries: [...(this.#ledgers.get(wallet)?.values() ?? [])],
      highWater: this.#highWaters.get(wallet) ?? 0,
    }
    const { entries, highWater } = recoverLedger(own, others, now)
    const changes: Change[] = entries.map(putLedger)
    changes.push({ kind: 'raiseHighWater', value: { wallet, time: highWater } })
    for (let from = 0; from < changes.length; from += MAX_CHANGES) {
      failpoint('enclave/restore/before-ledger')
      await ports.persist(changes.slice(from, from + MAX_CHANGES), [])
    }
    for (const entry of entries) this.#put(entry)
    this.#highWaters.set(wallet, highWater)
  }

  /** This node's ledger of a wallet as others are shown it: its own tombstones under its present key. */
  async #shown(wallet: string): Promise<readonly LedgerEntry[]> {
    await Promise.all(this.#burials.values())
    const { epoch } = this.#o.peers.keys
    const shown: LedgerEntry[] = []
    for (const entry of this.#ledgers.get(wallet)?.values() ?? []) {
      const signedIn = this.#signedIn.get(toHex(entry.session))
      const isStale =
        entry.state === 'burnt' && (signedIn === undefined || !equalBytes(signedIn, epoch))
      if (!isStale) {
        shown.push(entry)
        continue
      }
      const fresh = await this.#signed(entry)
      this.#put(fresh)
      shown.push(fresh)
    }
    return shown
  }
}

const putLedger = (entry: LedgerEntry): Change => ({
  kind: 'putLedger',
  value: {
    session: entry.session,
    wallet: entry.wallet,
    until: entry.time + MAX_WINDOW_MS + 2 * HIGH_WATER_SLACK_MS,
    entry: encodeEntry(entry),
  },
})

const partiesIn = ({ signers }: LedgerEntry): readonly PartyId[] => signers as readonly PartyId[]
