/**
 * What a node must do that took the place of another machine, before it signs again. It lost what
 * that machine did after its last backup, so
 *
 *   it takes part in no session and no request from before it was restored;
 *   it asks t other nodes (all, if there are fewer) for the ledgers of each wallet whose share came from the
 *   backup, and counts every session of theirs that it may have signed;
 *   outside development it signs with such a wallet only after a refresh, which makes the old machine's
 *   shares, and those in its backups, worthless.
 *
 * Which shares came from the backup the receipts tell: they are signed by the former machine. So
 * nothing needs to be remembered, and no restart forgets it. Of the other signers of each lost session one must
 * be honest; where all n nodes sign (t = n), at most n − 2 of them may lie.
 */
import { ALLOWED_SKEW_MS } from '@quorate/api'
import type { Restored as RestoredEntry } from '@quorate/auth'
import { Fault, isFault, type Logger } from '@quorate/base'
import { decodeLedger, encodeLedger, type Ledger } from '@quorate/policy'
import type { Manifest, PartyId } from '@quorate/threshold'
import type { Budgets } from '../budgets.ts'
import type { ControlOf } from '../control.ts'
import type { Outbox } from '../outbox.ts'
import type { Peers } from '../peers.ts'
import { readReceipt } from '../receipts.ts'
import type { StoredWallet, Wallets } from '../wallets.ts'

export type RestoredOptions = {
  readonly peers: Peers
  readonly wallets: Wallets
  readonly budgets: Budgets
  readonly outbox: Outbox
  readonly logger: Logger
}

export class Restored {
  readonly #o: RestoredOptions
  readonly #entry: RestoredEntry | undefined
  /** What each wallet's peers have told so far. */
  readonly #told = new Map<string, Map<PartyId, Ledger>>()
  /** Wallets whose ledgers are complete, in this life of the process. */
  readonly #complete = new Set<string>()

  constructor(options: RestoredOptions) {
    this.#o = options
    const { peers } = options
    this.#entry = peers.nodes[peers.self - 1]?.restored
  }

  /** Refuses what was begun before this machine took over, whose end it cannot know. @throws enclave/before-restore */
  refuseEarlier(createdAt: number): void {
    if (this.#entry !== undefined && createdAt < this.#entry.at + ALLOWED_SKEW_MS)
      throw new Fault('enclave/before-restore')
  }

  /** Whether this node may take part in that session yet. @throws enclave/before-restore, enclave/restoring, enclave/refresh-first */
  check({ wallet, purpose, createdAt }: Manifest): void {
    if (this.#entry === undefined) return
    this.refuseEarlier(createdAt)
    const stored = this.#find(wallet)
    if (stored === undefined || !this.#isFromBackup(stored)) return
    if (!this.#complete.has(wallet)) throw new Fault('enclave/restoring')
    const usesShare = purpose === 'sign' || purpose === 'pool'
    if (usesShare && this.#o.peers.cluster.record.environment !== 'development')
      throw new Fault('enclave/refresh-first')
  }

  #find(wallet: string): StoredWallet | undefined {
    return this.#o.wallets.all.find(({ row }) => row.wallet === wallet && row.state === 'active')
  }

  /** Whether another machine gave the receipt for this node's share. */
  #isFromBackup({ row }: StoredWallet): boolean {
    const { peers } = this.#o
    const { id } = peers.nodes[peers.self - 1]!
    return !row.receipts.some((encoded) => {
      try {
        const { party, receipt } = readReceipt(encoded, peers.cluster)
        return party === peers.self && receipt.nodeId === id
      } catch (error) {
        // One that does not hold says nothing.
        if (isFault(error)) return false
        throw error
      }
    })
  }

  /** Wallets whose ledgers are not complete, and those that wait for a refresh. */
  get pending(): { readonly asking: readonly string[]; readonly unrefreshed: readonly string[] } {
    if (this.#entry === undefined) return { asking: [], unrefreshed: [] }
    const unrefreshed = this.#o.wallets.all
      .filter((stored) => stored.row.state === 'active' && this.#isFromBackup(stored))
      .map(({ row }) => row.wallet)
    return { asking: unrefreshed.filter((wallet) => !this.#complete.has(wallet)), unrefreshed }
  }

  /** Asks a node that has just connected. */
  ask(party: PartyId): void {
    for (const wallet of this.pending.asking)
      this.#o.outbox.tell(party, { kind: 'askLedger', value: { wallet } })
  }

  /** Another node was restored, and asks for the ledger of a wallet. */
  async asked(from: PartyId, { wallet }: ControlOf<'askLedger'>): Promise<void> {
    const { entries, highWater } = await this.#o.budgets.shown(wallet)
    const ledger = encodeLedger(entries)
    this.#o.outbox.tell(from, { kind: 'ledgerOf', value: { wallet, ledger, highWater } })
  }

  /** A node's ledger of a wallet: once enough are in, what they know counts here. @throws policy/bad-ledger, base/… */
  async told(from: PartyId, { wallet, ledger, highWater }: ControlOf<'ledgerOf'>): Promise<void> {
    const { peers, budgets, logger } = this.#o
    const stored = this.#find(wallet)
    if (this.#entry === undefined || stored === undefined || this.#complete.has(wallet)) return
    const entries = decodeLedger(ledger).filter((entry) => entry.wallet === wallet)
    const told = this.#told.get(wallet) ?? new Map<PartyId, Ledger>()
    this.#told.set(wallet, told.set(from, { signer: from, entries, highWater }))
    if (told.size < Math.min(stored.record.key.threshold, peers.others.length)) return
    await budgets.recover(wallet, [...told.values()])
    this.#complete.add(wallet)
    this.#told.delete(wallet)
    logger.log('info', 'restore.ledger-complete', { wallet, nodes: told.size })
  }
}
