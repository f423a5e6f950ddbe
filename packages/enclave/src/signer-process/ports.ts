/** What the signer may do to the outside: everything goes through the daemon. */
import type { Clock, Logger, Random } from '@quorate/base'
import type { Timers } from '@quorate/platform'
import type { AuditDraft, Change } from '../channel/calls.ts'

export type SignerPorts = {
  readonly clock: Clock
  readonly random: Random
  readonly timers: Timers
  readonly logger: Logger
  /** Hands an envelope to the bus. It may be lost. */
  send(to: number, envelope: Uint8Array): void
  /** Resolves once changes and audit records would survive a crash: all or none. */
  persist(changes: readonly Change[], audit: readonly AuditDraft[]): Promise<void>
  /** Hands over an audit checkpoint that a peer sent. */
  anchored(from: number, checkpoint: Uint8Array): void
  /** Hands over what convicts a party, to keep. Resolves once it would survive a crash. */
  evidence(sid: Uint8Array, file: Uint8Array): Promise<void>
  /** Tells whoever waits for a request how far it is. */
  progress(requestId: string, phase: string, done: number, of: number): void
}
