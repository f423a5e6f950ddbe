/** What the plans of all kinds of session work with. */
import type { PartyId } from '@quorate/threshold'
import type { AuditDraft } from '../channel/rows.ts'
import type { AuxStore } from './aux-store.ts'
import type { Restored } from './backup/restored.ts'
import type { Budgets } from './budgets.ts'
import type { Control } from './control.ts'
import type { Generations } from './generations.ts'
import type { Participation } from './participation.ts'
import type { Peers } from './peers.ts'
import type { Policies } from './policies.ts'
import type { Pools } from './pool/pools.ts'
import type { SignerPorts } from './ports.ts'
import type { PrimeStock } from './prime-stock.ts'
import type { RequestBook } from './request-book.ts'
import type { Vault } from './vault.ts'
import type { WaitingRequests } from './waiting.ts'
import type { Wallets } from './wallets.ts'

export type PlanContext = {
  readonly vault: Vault
  readonly peers: Peers
  readonly wallets: Wallets
  readonly auxes: AuxStore
  readonly generations: Generations
  readonly primes: PrimeStock
  readonly pools: Pools
  readonly policies: Policies
  readonly waiting: WaitingRequests
  readonly budgets: Budgets
  readonly restored: Restored
  readonly book: RequestBook
  readonly ports: SignerPorts
  /** Sends a control message to each of `receivers` but this node. */
  tell(message: Control, sid: Uint8Array, receivers: readonly PartyId[]): void
  /** The audit record of a session of a client's request that has come to its result. */
  auditOf(session: Participation, ...fields: AuditDraft['fields']): AuditDraft
}
