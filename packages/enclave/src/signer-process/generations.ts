/**
 * Generations of wallets as they come into force or are given up: in the store and in memory, and
 * with them whatever auxiliary information nothing signs with any more.
 */
import type { AuditDraft, Change, WalletRef } from '../channel/rows.ts'
import type { AuxStore } from './aux-store.ts'
import type { SignerPorts } from './ports.ts'
import type { Wallets } from './wallets.ts'

export class Generations {
  readonly #wallets: Wallets
  readonly #auxes: AuxStore
  readonly #persist: SignerPorts['persist']

  constructor(wallets: Wallets, auxes: AuxStore, persist: SignerPorts['persist']) {
    this.#wallets = wallets
    this.#auxes = auxes
    this.#persist = persist
  }

  /** Puts a generation in force, and forgets the older ones. */
  async activate(
    ref: WalletRef,
    receipts: readonly Uint8Array[],
    audit: readonly AuditDraft[],
  ): Promise<void> {
    await this.#commit({ kind: 'activate', value: { ref, receipts } }, audit, (wallets) => {
      wallets.activate(ref, receipts)
    })
  }

  /** Forgets a generation that can never become whole. */
  async drop(ref: WalletRef, audit: readonly AuditDraft[]): Promise<void> {
    await this.#commit({ kind: 'drop', value: ref }, audit, (wallets) => wallets.drop(ref))
  }

  async #commit(
    change: Change,
    audit: readonly AuditDraft[],
    apply: (wallets: Wallets) => void,
  ): Promise<void> {
    const after = this.#wallets.copy()
    apply(after)
    const unneeded = this.#auxes.unneeded(after)
    const drops = unneeded.map(({ digest }): Change => ({ kind: 'dropAux', value: { digest } }))
    await this.#persist([change, ...drops], audit)
    apply(this.#wallets)
    for (const { digest } of unneeded) this.#auxes.drop(digest)
  }
}
