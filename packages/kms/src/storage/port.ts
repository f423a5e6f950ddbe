/**
 * What the domains see of the store: reads, changes that carry their audit records with them, and the
 * tree of what every row holds now.
 */
import type { AuditEntry } from '@quorate/api'
import type { SqlRow, SqlStatement, SqlValue } from '@quorate/platform'
import type { Place } from '../barrier/port.ts'
import type { Soon } from '../soon.ts'

/** An audit record before the journal stamps it with time and boot id, and gives it a number. */
export type AuditDraft = Omit<AuditEntry, 'time' | 'bootId'>

/**
 * What a row holds now. The key is what reads find the row by, so that a row which is missing can be told
 * from one that was taken away.
 */
export type Leaf = {
  readonly table: string
  readonly row: string
  /** Of `leafDigest`; `null` where there is, or shall be, no such row. */
  readonly digest: Uint8Array | null
}

export type Change = {
  readonly statements: readonly SqlStatement[]
  /** At least one: there is no change without its record. */
  readonly audit: readonly AuditDraft[]
  /** Of every row with something sealed, or of weight for a decision, that the statements touch. */
  readonly leaves?: readonly Leaf[]
}

export type Journal = {
  /**
   * Resolves with the rows changed by each statement once statements, leaves and records are on disk, all
   * or none of them. Changes take effect in the order they were made; those that wait together share one
   * flush to disk, and one that fails does not fail the others.
   * @throws platform/write-conflict, platform/constraint, platform/disk-full, platform/overloaded,
   *   platform/database-broken, kms/sealed, kms/audit-backlog
   */
  commit(change: Change): Promise<readonly number[]>
  /** Resolves once the record is on disk: answer only then. @throws as `commit` */
  record(draft: AuditDraft): Promise<void>
}

export type Reads = {
  /** The rows of one SELECT over what is committed; portable SQL, values as `?`. */
  read(sql: string, params?: readonly SqlValue[]): Promise<readonly SqlRow[]>
  /** The first of them, at once where the engine is in this process. */
  first(sql: string, params?: readonly SqlValue[]): Soon<SqlRow | undefined>
  /**
   * What `of` makes of the first row, where every leaf of it is the newest: at once for a row that is looked
   * up by its key and found in order, which is nearly every time. @throws as `fresh`
   */
  freshRow<T>(look: {
    readonly sql: string
    readonly params: readonly SqlValue[]
    of(row: SqlRow | undefined): T
    leavesOf(result: T): readonly Leaf[]
  }): Soon<T>
  /**
   * What `read` gives, where every leaf of it is the newest. A row that was put back, altered, added or
   * taken away behind our back is named in an audit record and refused.
   * @throws kms/rolled-back, and what `read` throws
   */
  fresh<T>(read: () => Promise<T>, leavesOf: (result: T) => readonly Leaf[]): Promise<T>
}

/**
 * A table with sealed columns, as the jobs that rotate keys and look for rolled-back rows walk it. Its rows
 * are read in the order of `key`.
 */
export type SealedTable = {
  readonly table: string
  /** Columns that together name one row. */
  readonly key: readonly string[]
  /** Columns read beside the key and the sealed ones, for the functions below. */
  readonly columns: readonly string[]
  /** Columns that hold what `Barrier.seal` gave; NULL where a row has none. */
  readonly sealed: readonly string[]
  /** Where the value of a sealed column stands. */
  placeOf(row: SqlRow, column: string): Place
  /** The leaf of the row; its digest is `leafDigest` over what the row holds. */
  leafOf?(row: SqlRow): Leaf
}
