/**
 * Remembers the nonces of authenticated requests until their time alone refuses them.
 *
 * A request is taken within ALLOWED_SKEW_MS of its time, so it must be remembered for at most twice
 * that. Nonces are kept in two generations of that length; the older one is dropped whole.
 */
import { ALLOWED_SKEW_MS } from '@quorate/api'
import { Fault, toHex } from '@quorate/base'

const GENERATION_MS = 2 * ALLOWED_SKEW_MS

export type ReplayGuardOptions = {
  /** The most requests one client may make in a generation (a minute); 20 000 unless told. */
  readonly maxPerClient?: number
  /** The most requests of all clients together in a generation; 400 000 unless told. */
  readonly maxTotal?: number
  /**
   * `latest` of a guard that lived before a restart. Requests up to that time are refused, which
   * costs clients with a slow clock a moment and makes replays across restarts impossible.
   */
  readonly refuseUntil?: number
}

export type Sighting = {
  readonly client: string
  readonly nonce: Uint8Array
  /** The time that the request says, within ALLOWED_SKEW_MS of `now`. */
  readonly time: number
  readonly now: number
}

type Generation = Map<string, Set<string>>

export class ReplayGuard {
  readonly #maxPerClient: number
  readonly #maxTotal: number
  readonly #refuseUntil: number
  #young: Generation = new Map()
  #old: Generation = new Map()
  #youngTotal = 0
  #youngSince = Number.NEGATIVE_INFINITY
  /** The highest `now` seen: what was forgotten by then stays refused if the clock is set back. */
  #highWater = Number.NEGATIVE_INFINITY
  #latest: number

  constructor({
    maxPerClient = 20_000,
    maxTotal = 400_000,
    refuseUntil = -1,
  }: ReplayGuardOptions = {}) {
    this.#maxPerClient = maxPerClient
    this.#maxTotal = maxTotal
    this.#refuseUntil = refuseUntil
    this.#latest = refuseUntil
  }

  /** The highest time of any request admitted, in this life or the one before; −1 for none. */
  get latest(): number {
    return this.#latest
  }

  /** Takes note of a request. @throws auth/replayed, auth/too-many-requests */
  admit({ client, nonce, time, now }: Sighting): void {
    this.#turn(now)
    const key = toHex(nonce)
    const isForgotten = time + ALLOWED_SKEW_MS < this.#highWater || time <= this.#refuseUntil
    if (isForgotten || this.#young.get(client)?.has(key) || this.#old.get(client)?.has(key))
      throw new Fault('auth/replayed')
    let seen = this.#young.get(client)
    if (seen === undefined) {
      seen = new Set()
      this.#young.set(client, seen)
    }
    if (seen.size >= this.#maxPerClient || this.#youngTotal >= this.#maxTotal)
      throw new Fault('auth/too-many-requests')
    seen.add(key)
    this.#youngTotal += 1
    this.#latest = Math.max(this.#latest, time)
  }

  #turn(now: number): void {
    this.#highWater = Math.max(this.#highWater, now)
    const age = this.#highWater - this.#youngSince
    if (age <= GENERATION_MS) return
    this.#old = age <= 2 * GENERATION_MS ? this.#young : new Map()
    this.#young = new Map()
    this.#youngTotal = 0
    this.#youngSince = this.#highWater
  }
}
