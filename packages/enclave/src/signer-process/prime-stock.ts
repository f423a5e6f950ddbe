/**
 * Safe primes for auxiliary information: made ahead where they are likely to be needed, kept sealed,
 * and used once. A set leaves the store in the transaction that burns the id of its session, before
 * anything is computed with it, and never comes back: what a crash then loses is only the primes.
 */
import { isFault, type Random, Secret, toHex } from '@quorate/base'
import { failpoint } from '@quorate/platform'
import { type Level, levelOf } from '@quorate/threshold'
import type { Change, PrimesRow } from '../channel/rows.ts'
import type { SignerPorts } from './ports.ts'
import type { MakePrimes, PrimeOrder } from './prime-maker.ts'
import type { SealedPlace, Vault } from './vault.ts'

/** Primes that one session has to itself. */
export type TakenPrimes = {
  /** For the transaction that burns the session. */
  readonly changes: readonly Change[]
  /** The four of them; called once. They are made now where none were in store. */
  primes(order: PrimeOrder): Promise<Secret<Uint8Array>>
}

const placeOf = ({ id, level }: Pick<PrimesRow, 'id' | 'level'>): SealedPlace => ({
  table: 'aux_primes',
  row: toHex(id),
  level,
})

export class PrimeStock {
  readonly #vault: Vault
  readonly #ports: Pick<SignerPorts, 'persist' | 'logger' | 'random'>
  readonly #make: MakePrimes
  readonly #ahead: number
  readonly #stopping = new AbortController()
  #rows: PrimesRow[]
  #isRefilling = false

  constructor(o: {
    vault: Vault
    ports: Pick<SignerPorts, 'persist' | 'logger'> & { readonly random: Random }
    make: MakePrimes
    /** How many sets there should be in store. */
    ahead: number
    rows: readonly PrimesRow[]
  }) {
    this.#vault = o.vault
    this.#ports = o.ports
    this.#make = o.make
    this.#ahead = o.ahead
    this.#rows = [...o.rows]
  }

  /** Gives away a set, which nobody else gets. */
  take(level: Level): TakenPrimes {
    const row = this.#rows.find((each) => each.level === level.id)
    if (row === undefined) return { changes: [], primes: (order) => this.#make(level, order) }
    this.#rows = this.#rows.filter((each) => each !== row)
    return {
      changes: [{ kind: 'takePrimes', value: { id: row.id } }],
      primes: async () => new Secret(this.#vault.open(row.sealed, placeOf(row))),
    }
  }

  /** Sees to it, in the background, that there are enough sets of each level. */
  refill(levels: Iterable<string>): void {
    const wanted = [...levels]
    if (this.#isRefilling) return
    this.#isRefilling = true
    void this.#fill(wanted)
      .catch((error: unknown) => {
        const code = isFault(error) ? error.code : 'enclave/internal'
        if (!this.#stopping.signal.aborted)
          this.#ports.logger.log('warn', 'primes.failed', { code })
      })
      .finally(() => {
        this.#isRefilling = false
      })
  }

  async #fill(levels: readonly string[]): Promise<void> {
    for (const level of levels)
      while (this.#rows.filter((each) => each.level === level).length < this.#ahead)
        await this.#add(levelOf(level))
  }

  async #add(level: Level): Promise<void> {
    const { signal } = this.#stopping
    using primes = await this.#make(level, { onProgress: () => undefined, signal })
    if (signal.aborted) return
    const id = this.#ports.random.bytes(16)
    const row = { id, level: level.id }
    const sealed = { ...row, sealed: this.#vault.seal(primes.expose(), placeOf(row)) }
    failpoint('enclave/primes/before-put')
    await this.#ports.persist([{ kind: 'putPrimes', value: sealed }], [])
    failpoint('enclave/primes/after-put')
    this.#rows.push(sealed)
    this.#ports.logger.log('info', 'primes.made', { suite: level.id })
  }

  /** Gives up what is being made. */
  stop(): void {
    this.#stopping.abort()
  }
}
