/** What the plans of all kinds of session work with. */
import type { PartyId } from '@quorate/threshold'
import type { AuditDraft } from '../channel/calls.ts'
import type { AuxStore } from './aux-store.ts'
import type { Control } from './control.ts'
import type { Generations } from './generations.ts'
import type { Participation } from './participation.ts'
import type { Peers } from './peers.ts'
import type { SignerPorts } from './ports.ts'
import type { PrimeStock } from './prime-stock.ts'
import type { Vault } from './vault.ts'
import type { Wallets } from './wallets.ts'

export type PlanContext = {
  readonly vault: Vault
  readonly peers: Peers
  readonly wallets: Wallets
  readonly auxes: AuxStore
  readonly generations: Generations
  readonly primes: PrimeStock
  readonly ports: SignerPorts
  /** Sends a control message to each of `receivers` but this node. */
  tell(message: Control, sid: Uint8Array, receivers: readonly PartyId[]): void
  /** The audit record of a session of a client's request that has come to its result. */
  auditOf(session: Participation, ...fields: AuditDraft['fields']): AuditDraft
}
