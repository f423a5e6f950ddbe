/** What the signer may do to the outside: everything goes through the daemon. */
import type { Clock, Logger, Random } from '@quorate/base'
import type { Timers } from '@quorate/platform'
import type { Concluded } from '../channel/outcomes.ts'
import type { AuditDraft, Change } from '../channel/rows.ts'

export type SignerPorts = {
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  readonly logger: Logger
  /** Hands a parcel to the bus. It may be lost. */
  send(to: number, envelope: Uint8Array): void
  /**
   * Resolves once changes and audit records would survive a crash: all or none. With what a client's
   * request has come to, where they make it durable.
   */
  persist(
    changes: readonly Change[],
    audit: readonly AuditDraft[],
    concluded?: Concluded,
  ): Promise<void>
  /** Hands over an audit checkpoint that a peer sent. */
  anchored(from: number, checkpoint: Uint8Array): void
  /** Hands over the head of a chain of backups that a peer sent. */
  backupTold(from: number, head: Uint8Array): void
  /** Hands over what convicts a party, to keep. Resolves once it would survive a crash. */
  evidence(sid: Uint8Array, file: Uint8Array): Promise<void>
  /** A request that waited need not wait any more: submitting it again brings its end. */
  wake(request: Uint8Array): void
  /** Tells whoever waits for a request how far it is. */
  progress(requestId: string, phase: string, done: number, of: number): void
}
