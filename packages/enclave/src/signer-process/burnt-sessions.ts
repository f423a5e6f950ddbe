/** Sessions that may never run here again: known for as long as anything of them could be valid. */
import { ALLOWED_SKEW_MS } from '@quorate/api'
import { Fault, toHex } from '@quorate/base'
import type { AuditDraft, Change } from '../channel/rows.ts'
import type { SignerPorts } from './ports.ts'

/** Of a session whose manifest is not known here: longer than any can be valid. */
const BURN_MS = 24 * 60 * 60_000
const SWEEP_EVERY = 4096

type Along = { readonly audit?: readonly AuditDraft[]; readonly changes?: readonly Change[] }

export class BurntSessions {
  readonly #ports: Pick<SignerPorts, 'clock' | 'persist'>
  /** When each may be forgotten. */
  readonly #until = new Map<string, number>()
  /** The latest time at which anything was forgotten: a clock that is set back revives no session. */
  #highWater: number
  #sinceSweep = 0

  constructor(
    ports: Pick<SignerPorts, 'clock' | 'persist'>,
    burnt: Iterable<Uint8Array>,
    highWater: number,
  ) {
    this.#ports = ports
    this.#highWater = highWater
    const until = ports.clock.now() + BURN_MS
    for (const sid of burnt) this.#until.set(toHex(sid), until)
  }

  /** @throws enclave/burnt-session */
  refuse(sid: Uint8Array): void {
    if (this.#until.has(toHex(sid))) throw new Fault('enclave/burnt-session')
  }

  /**
   * The change that burns a session whose manifest ends at `expiresAt`, for the caller to write before
   * anything of the session leaves. From the call on no second proposal of it passes.
   * @throws threshold/expired where it could have been forgotten already
   */
  burning(sid: Uint8Array, expiresAt: number): Change {
    const until = expiresAt + 2 * ALLOWED_SKEW_MS
    if (until < this.#highWater) throw new Fault('threshold/expired')
    this.#sweep()
    this.#until.set(toHex(sid), until)
    return { kind: 'burn', value: { sid, until } }
  }

  /**
   * Burns a session whose manifest ends at `expiresAt`, with these changes and records in the same
   * transaction. From the call on no second proposal of it passes, whatever becomes of the disk.
   * @throws threshold/expired where it could have been forgotten already
   */
  async burn(
    sid: Uint8Array,
    expiresAt: number = this.#ports.clock.now() + BURN_MS,
    { audit = [], changes = [] }: Along = {},
  ): Promise<void> {
    await this.#ports.persist([this.burning(sid, expiresAt), ...changes], audit)
  }

  #sweep(): void {
    if (++this.#sinceSweep < SWEEP_EVERY) return
    this.#sinceSweep = 0
    const now = this.#ports.clock.now()
    this.#highWater = Math.max(this.#highWater, now)
    for (const [name, until] of this.#until) if (until < now) this.#until.delete(name)
  }
}
