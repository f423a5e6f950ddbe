/**
 * What becomes of wallets whose making was cut short.
 *
 * A share is written as pending before its node gives its receipt, and a wallet is active once the
 * receipts of all nodes are in. So after any crash one of two things is true, and asking everyone
 * tells which: all nodes hold a pending or active share, then their receipts make the wallet active
 * everywhere; or some node holds none, then no node can ever have all receipts. That node first
 * burns the session, so that it can never give a receipt for it, and its word lets the others drop
 * their pending rows. No half-made wallet remains either way.
 */
import { equalBytes, type Logger, toHex } from '@quorate/base'
import type { Timers } from '@quorate/platform'
import type { PartyId } from '@quorate/threshold'
import type { WalletRef } from '../channel/rows.ts'
import type { Control, ControlOf } from './control.ts'
import type { Peers } from './peers.ts'
import { ReceiptBook, type ReceiptFacts, readReceipt } from './receipts.ts'
import type { StoredWallet, Wallets } from './wallets.ts'

/** Questions and answers get lost, and a session can end badly here alone, with nobody coming or going. */
const ASK_AGAIN_MS = 5_000

type Case = {
  readonly book: ReceiptBook
  readonly without: Set<PartyId>
  readonly told: Set<PartyId>
}

export type RecoveryPorts = {
  readonly logger: Logger
  readonly timers: Timers
  control(message: Control, sid: Uint8Array, to: PartyId): void
  /** All nodes hold their share. */
  activate(ref: WalletRef, receipts: readonly Uint8Array[]): Promise<void>
  /** Some node holds none, and never will. */
  drop(ref: WalletRef): Promise<void>
  /** Marks the session as never to be run here. */
  burn(sid: Uint8Array): Promise<void>
  isRunning(sid: Uint8Array): boolean
  /** Ends the session if it is being run here. */
  giveUp(sid: Uint8Array): void
}

export class Recovery {
  readonly #wallets: Wallets
  readonly #peers: Peers
  readonly #ports: RecoveryPorts
  readonly #cases = new Map<string, Case>()
  readonly #cancel: () => void

  constructor(wallets: Wallets, peers: Peers, ports: RecoveryPorts) {
    this.#wallets = wallets
    this.#peers = peers
    this.#ports = ports
    this.#cancel = ports.timers.every(ASK_AGAIN_MS, () => this.#askAgain())
  }

  stop(): void {
    this.#cancel()
  }

  /** Asks a node that has just connected about every wallet that is not whole here. */
  ask(party: PartyId): void {
    for (const { row } of this.#wallets.pending) this.#ask(party, row)
  }

  #askAgain(): void {
    const { present, self } = this.#peers
    for (const { row } of this.#wallets.pending)
      if (!this.#ports.isRunning(row.sid))
        for (const party of present) if (party !== self) this.#ask(party, row)
  }

  #ask(party: PartyId, row: WalletRef): void {
    this.#ports.control({ kind: 'ask', value: refOf(row) }, row.sid, party)
  }

  async asked(from: PartyId, ref: WalletRef): Promise<void> {
    const answer = (
      state: 'unknown' | 'pending' | 'active',
      receipts: readonly Uint8Array[],
    ): void => this.#ports.control({ kind: 'tell', value: { ref, state, receipts } }, ref.sid, from)
    const known = this.#wallets.find(ref)
    if (known !== undefined) {
      answer(known.row.state, known.row.receipts)
      return
    }
    this.#ports.giveUp(ref.sid)
    await this.#ports.burn(ref.sid)
    // The row may have been written while the burn was: then it is pending after all.
    const late = this.#wallets.find(ref)
    answer(late?.row.state ?? 'unknown', late?.row.receipts ?? [])
  }

  async told(from: PartyId, { ref, state, receipts }: ControlOf<'tell'>): Promise<void> {
    const stored = this.#wallets.find(ref)
    if (stored === undefined || stored.row.state !== 'pending') return
    const one = this.#caseOf(stored)
    one.told.add(from)
    if (state === 'unknown') {
      one.without.add(from)
      // Those that were connected all along have not been asked.
      for (const party of this.#peers.present)
        if (party !== this.#peers.self && !one.told.has(party)) this.#ask(party, ref)
    }
    for (const receipt of receipts) this.#take(one, receipt)
    await this.#settle(stored, one)
  }

  /** A receipt that came after this node's own part had ended. */
  async receipt(sid: Uint8Array, receipt: Uint8Array): Promise<void> {
    const stored = this.#wallets.pending.find(({ row }) => equalBytes(row.sid, sid))
    if (stored === undefined) return
    const one = this.#caseOf(stored)
    this.#take(one, receipt)
    await this.#settle(stored, one)
  }

  #take(one: Case, receipt: Uint8Array): void {
    try {
      one.book.add(receipt)
    } catch {
      this.#ports.logger.log('warn', 'recovery.bad-receipt')
    }
  }

  #caseOf(stored: StoredWallet): Case {
    const name = toHex(stored.row.sid)
    let one = this.#cases.get(name)
    if (one === undefined) {
      const own = readReceipt(stored.row.receipts[0]!, this.#peers.cluster).receipt
      const facts: ReceiptFacts = own
      one = {
        book: new ReceiptBook(facts, this.#peers.cluster),
        without: new Set(),
        told: new Set(),
      }
      for (const receipt of stored.row.receipts) this.#take(one, receipt)
      this.#cases.set(name, one)
    }
    return one
  }

  async #settle(stored: StoredWallet, one: Case): Promise<void> {
    const ref = refOf(stored.row)
    const parties = [this.#peers.self, ...this.#peers.others]
    if (one.book.hasAll(parties)) {
      this.#cases.delete(toHex(ref.sid))
      await this.#ports.activate(ref, one.book.receipts)
      return
    }
    // One "unknown" is final for the session, but a node that lies must not make others drop a
    // wallet that the rest can prove whole: everyone is heard first.
    if (one.without.size > 0 && this.#peers.others.every((party) => one.told.has(party))) {
      this.#cases.delete(toHex(ref.sid))
      await this.#ports.drop(ref)
    }
  }
}

export const refOf = ({ wallet, generation, sid }: WalletRef): WalletRef => ({
  wallet,
  generation,
  sid,
})
