/** What a pool of sessions may use, and what it needs and tells. */
import type { Clock, Fault } from '@quorate/base'
import type { Timers } from '@quorate/platform'
import type { TimesOverride } from './operations.ts'
import type { Statistics } from './statistics.ts'

export type PoolLimits = {
  /** Sessions that are kept open. */
  readonly size: number
  /** Sessions beyond those, opened while requests have to wait and ended when idle. */
  readonly maxOverflow: number
  /** How long a request may wait for a session. */
  readonly acquireTimeoutMs: number
  /** How long a session beyond `size` may be idle. */
  readonly idleTimeoutMs: number
  /** Requests that may wait. */
  readonly maxQueue: number
  /** How long a host may take to start and to open a session. */
  readonly openTimeoutMs: number
}

export const POOL_LIMITS: PoolLimits = {
  size: 5,
  maxOverflow: 10,
  acquireTimeoutMs: 30_000,
  idleTimeoutMs: 60_000,
  maxQueue: 1_024,
  openTimeoutMs: 30_000,
}

/** What the pool needs of a host process. */
export type PoolHost = {
  start(place: number): void
  send(place: number, frame: Uint8Array): void
}

/** What the pool tells of the host that it was given. */
export type PoolListener = {
  /** Its first session is open. */
  opened(): void
  /** Its first session cannot be opened. */
  refused(fault: Fault): void
  /** A session takes longer than it may. */
  hung(): void
  /** The device refuses the PIN: nobody may try again. */
  pinRefused(fault: Fault): void
  /** The device or its library fails in a way that a new process may heal. */
  failing(fault: Fault): void
  /** It answers, for the first time since it was attached or failing. */
  working(): void
}

export type PoolOptions = {
  readonly limits: PoolLimits
  readonly times: TimesOverride
  readonly clock: Clock
  readonly timers: Timers
  readonly statistics: Statistics
}

export type PoolFigures = {
  readonly open: number
  readonly busy: number
  /** How many may be open. */
  readonly limit: number
  readonly queued: number
}
