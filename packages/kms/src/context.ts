/** What the server gives to every domain. Domains get nothing else from outside. */
import type { Clock, Id, Logger, Random } from '@quorate/base'
import type { Barrier } from './barrier/port.ts'
import type { KmsRoute } from './domains/access/route.ts'
import type { Journal, Reads, SealedTable } from './storage/port.ts'

export type KmsEnvironment = 'development' | 'staging' | 'production'

/** Settings that reach into the domains. */
export type KmsOptions = {
  readonly environment: KmsEnvironment
  /** Absolute. For what is no row: the bootstrap secret, backups. */
  readonly directory: string
  /** How people and other programs reach the server; without a slash at the end. */
  readonly siteUrl: string | undefined
}

export type KmsContext = {
  readonly storeId: Id<'sto'>
  readonly options: KmsOptions
  readonly sql: Reads
  readonly journal: Journal
  readonly barrier: Barrier
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Work that comes back by itself. */
export type PeriodicJob = {
  readonly name: string
  /** Between the end of one run and the start of the next. */
  readonly everyMs: number
  /** Does a bounded piece of work. What it throws is logged and counted, and the job comes back. */
  run(signal: AbortSignal): Promise<void>
}

/** What one domain adds to the server. */
export type KmsModule = {
  readonly routes?: readonly KmsRoute[]
  readonly tables?: readonly SealedTable[]
  readonly jobs?: readonly PeriodicJob[]
  /** Loads what the domain holds in memory. Runs after every unsealing, before the first request. */
  unsealed?(): Promise<void>
  /**
   * Ends what must not come back with an old state: tokens, leases. Runs once, after a restored store was
   * accepted and before `unsealed`.
   */
  restored?(): Promise<void>
  /** Drops everything that came out of the barrier. Runs before the keys go. */
  sealed?(): void
}
