/**
 * The nonces that a verifier has drawn and not yet seen again: each is good once, and for a few minutes.
 */
import { type Clock, Fault, type Random, toHex } from '@quorate/base'

const NONCE_BYTES = 32
const MAX_OPEN = 1000

export class AttestationChallenges {
  readonly #clock: Clock
  readonly #random: Random
  readonly #lifeMs: number
  /** By nonce in hex: until when it is good, by the monotonic clock. Oldest first. */
  readonly #open = new Map<string, number>()

  constructor(clock: Clock, random: Random, lifeMs = 300_000) {
    this.#clock = clock
    this.#random = random
    this.#lifeMs = lifeMs
  }

  /** 32 bytes for one attestation. */
  draw(): Uint8Array {
    const nonce = this.#random.bytes(NONCE_BYTES)
    if (this.#open.size >= MAX_OPEN) {
      const [oldest] = this.#open.keys()
      if (oldest !== undefined) this.#open.delete(oldest)
    }
    this.#open.set(toHex(nonce), this.#clock.monotonic() + this.#lifeMs)
    return nonce
  }

  /** Uses the nonce up. @throws hsm/attestation-stale for one that was not drawn here, was used, or has expired */
  take(nonce: Uint8Array): void {
    const until = this.#open.get(toHex(nonce))
    this.#open.delete(toHex(nonce))
    if (until === undefined || this.#clock.monotonic() > until)
      throw new Fault('hsm/attestation-stale', { detail: 'a nonce that is not open' })
  }
}
