/** The wallets of this node as the store has them: public records in the clear, shares sealed. */
import { equalBytes, Fault, toHex } from '@quorate/base'
import type { WalletRef, WalletRow } from '../channel/rows.ts'
import { decodeWallet, type WalletRecord } from '../wallet-record.ts'

export type StoredWallet = { readonly row: WalletRow; readonly record: WalletRecord }

const refKey = ({ wallet, generation, sid }: WalletRef): string =>
  `${wallet}/${generation}/${toHex(sid)}`

export class Wallets {
  readonly #rows = new Map<string, StoredWallet>()

  /** Puts a row in, in place of an older state of the same one. @throws base/… for a damaged record */
  put(row: WalletRow): StoredWallet {
    const stored = { row, record: decodeWallet(row.public) }
    this.#rows.set(refKey(row), stored)
    return stored
  }

  /** The same wallets, apart from these. */
  copy(): Wallets {
    const copy = new Wallets()
    for (const [name, stored] of this.#rows) copy.#rows.set(name, stored)
    return copy
  }

  find(ref: WalletRef): StoredWallet | undefined {
    return this.#rows.get(refKey(ref))
  }

  drop(ref: WalletRef): void {
    this.#rows.delete(refKey(ref))
  }

  get pending(): readonly StoredWallet[] {
    return this.all.filter(({ row }) => row.state === 'pending')
  }

  get all(): readonly StoredWallet[] {
    return [...this.#rows.values()]
  }

  hasLabel(project: string, label: string): boolean {
    return this.all.some(({ row }) => row.project === project && row.label === label)
  }

  /** Any row of that wallet, active or pending. */
  anyOf(wallet: string): StoredWallet | undefined {
    return this.all.find(({ row }) => row.wallet === wallet)
  }

  /** The generation in force; `undefined` for a wallet that is not here. */
  newestGeneration(wallet: string): number | undefined {
    const active = this.all.filter(({ row }) => row.wallet === wallet && row.state === 'active')
    return active.length === 0 ? undefined : Math.max(...active.map(({ row }) => row.generation))
  }

  /** The wallet in force, for `project`. @throws enclave/unknown-wallet, enclave/other-project */
  active(wallet: string, project?: string): StoredWallet {
    const rows = this.all.filter(({ row }) => row.wallet === wallet && row.state === 'active')
    const newest = rows.sort((a, b) => b.row.generation - a.row.generation)[0]
    if (newest === undefined) throw new Fault('enclave/unknown-wallet')
    // The same answer for a wallet that is not there and one of another tenant would hide less than
    // it confuses: ids are not secret, and the client is authenticated.
    if (project !== undefined && newest.row.project !== project)
      throw new Fault('enclave/other-project')
    return newest
  }

  /** Marks a generation active and forgets the older ones. */
  activate(ref: WalletRef, receipts: readonly Uint8Array[]): StoredWallet {
    const stored = this.find(ref)
    if (stored === undefined) throw new Fault('enclave/unknown-wallet')
    for (const { row } of this.all)
      if (row.wallet === ref.wallet && !equalBytes(row.sid, ref.sid)) this.drop(row)
    return this.put({ ...stored.row, state: 'active', receipts })
  }

  /** Notes that the wallet has signed with the key of its address. */
  prove(ref: WalletRef, proof: Uint8Array): StoredWallet {
    const stored = this.find(ref)
    if (stored === undefined) throw new Fault('enclave/unknown-wallet')
    return this.put({ ...stored.row, proof })
  }
}
