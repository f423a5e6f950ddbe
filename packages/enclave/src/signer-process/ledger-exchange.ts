/** The ledgers that the signers of a session show each other, as they come in. */
import { toHex } from '@quorate/base'
import type { Timers } from '@quorate/platform'
import type { Ledger, LedgerEntry } from '@quorate/policy'
import { Abort, type PartyId } from '@quorate/threshold'

/** How long signers have to show their ledgers. */
const LEDGERS_MS = 10_000

type Exchange = {
  readonly ledgers: Map<PartyId, readonly LedgerEntry[]>
  heard(): void
}

export class LedgerExchange {
  readonly #timers: Timers
  readonly #bySession = new Map<string, Exchange>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  #of(session: Uint8Array): Exchange {
    return this.#bySession.get(toHex(session)) ?? { ledgers: new Map(), heard: () => undefined }
  }

  /** The ledgers of `others`, once all are in. @throws threshold/timeout naming who showed none */
  collect(session: Uint8Array, others: readonly PartyId[]): Promise<readonly Ledger[]> {
    const { ledgers } = this.#of(session)
    return new Promise((resolve, reject) => {
      const missing = (): readonly PartyId[] => others.filter((party) => !ledgers.has(party))
      const cancel = this.#timers.after(LEDGERS_MS, () =>
        reject(new Abort('threshold/timeout', { laggards: missing() })),
      )
      const heard = (): void => {
        if (missing().length > 0) return
        cancel()
        resolve(others.map((signer) => ({ signer, entries: ledgers.get(signer)! })))
      }
      this.#bySession.set(toHex(session), { ledgers, heard })
      heard()
    })
  }

  /** Takes in a signer's ledger. One of each: nobody takes back what it has shown. */
  take(session: Uint8Array, from: PartyId, entries: readonly LedgerEntry[]): void {
    if (this.has(session, from)) return
    const exchange = this.#of(session)
    exchange.ledgers.set(from, entries)
    this.#bySession.set(toHex(session), exchange)
    exchange.heard()
  }

  has(session: Uint8Array, party: PartyId): boolean {
    return this.#of(session).ledgers.has(party)
  }

  forget(session: Uint8Array): void {
    this.#bySession.delete(toHex(session))
  }
}
