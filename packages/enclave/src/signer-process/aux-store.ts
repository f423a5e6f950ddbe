/**
 * The auxiliary information of CGGMP24 that this node holds. It belongs to the set of nodes, not to
 * a wallet: any number of wallets sign with the same, and each generation of one names its own.
 */
import { type Clock, equalBytes, Fault, Secret, toHex } from '@quorate/base'
import type { AuxRow } from '../channel/rows.ts'
import type { SealedPlace, Vault } from './vault.ts'
import type { Wallets } from './wallets.ts'

/** How long new auxiliary information waits for the wallet that it was made for: as long as a request may live. */
const AWAITED_MS = 5 * 60_000

const placeOf = ({ digest, level }: Pick<AuxRow, 'digest' | 'level'>): SealedPlace => ({
  table: 'aux',
  row: toHex(digest),
  level,
})

/** The secrets of a row, sealed. Treats `plain` as secret; the caller wipes it. */
export const sealAux = (
  vault: Vault,
  plain: Uint8Array,
  of: Pick<AuxRow, 'digest' | 'level'>,
): Uint8Array => vault.seal(plain, placeOf(of))

/** An encoded `AuxInfo`. @throws enclave/store-mismatch where the row was altered or moved */
export const openAux = (vault: Vault, row: AuxRow): Secret<Uint8Array> =>
  new Secret(vault.open(row.sealed, placeOf(row)))

export class AuxStore {
  readonly #clock: Pick<Clock, 'now'>
  readonly #rows = new Map<string, AuxRow>()
  /** Until when rows are kept that no wallet names yet. */
  readonly #awaited = new Map<string, number>()
  /** How many sessions make shares for each. */
  readonly #held = new Map<string, number>()

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  get all(): readonly AuxRow[] {
    return [...this.#rows.values()]
  }

  get levels(): ReadonlySet<string> {
    return new Set([...this.#rows.values()].map(({ level }) => level))
  }

  /** Puts in a row of the store. */
  put(row: AuxRow): void {
    this.#rows.set(toHex(row.digest), row)
  }

  /** Puts in a row that has just been made, for a wallet that is going to name it. */
  putAwaited(row: AuxRow): void {
    this.put(row)
    this.#awaited.set(toHex(row.digest), this.#clock.now() + AWAITED_MS)
  }

  /** Keeps a row while a session makes shares that will name it; returns what ends that. */
  hold(digest: Uint8Array): () => void {
    const name = toHex(digest)
    const add = (count: number): void => {
      this.#held.set(name, (this.#held.get(name) ?? 0) + count)
    }
    add(1)
    return () => add(-1)
  }

  drop(digest: Uint8Array): void {
    const name = toHex(digest)
    this.#rows.delete(name)
    this.#awaited.delete(name)
    this.#held.delete(name)
  }

  /** @throws enclave/unknown-aux */
  find(digest: Uint8Array | undefined): AuxRow {
    const row = digest && this.#rows.get(toHex(digest))
    if (row === undefined) throw new Fault('enclave/unknown-aux')
    return row
  }

  /** What was made for that request. */
  ofRequest(request: Uint8Array): AuxRow | undefined {
    return [...this.#rows.values()].find((row) => equalBytes(row.request, request))
  }

  /** Of rows of one time that put in last. */
  newest(level: string): AuxRow | undefined {
    const ofLevel = [...this.#rows.values()].filter((row) => row.level === level)
    return ofLevel.reduce<AuxRow | undefined>(
      (best, row) => (best === undefined || row.createdAt >= best.createdAt ? row : best),
      undefined,
    )
  }

  /** The rows that nothing needs once `wallets` are as they will be: no wallet names them, and a newer one is there. */
  unneeded(wallets: Pick<Wallets, 'all'>): readonly AuxRow[] {
    const named = new Set(
      wallets.all.flatMap(({ record: { key } }) => (key.aux ? toHex(key.aux) : [])),
    )
    for (const digest of named) this.#awaited.delete(digest)
    const now = this.#clock.now()
    return [...this.#rows].flatMap(([name, row]) =>
      named.has(name) ||
      (this.#held.get(name) ?? 0) > 0 ||
      (this.#awaited.get(name) ?? 0) > now ||
      this.newest(row.level) === row
        ? []
        : [row],
    )
  }
}
