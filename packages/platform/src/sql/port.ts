/**
 * The storage port. SQL goes in with an array of typed values and comes back as plain rows; drivers
 * stay behind it, because some of them abort the whole process on a value they do not expect.
 */
import type { Id } from '@quorate/base'

/** What a column holds. Integers come back as `number` where that is exact, else as `bigint`. */
export type SqlValue = string | number | bigint | Uint8Array | null
export type SqlRow = { readonly [column: string]: SqlValue }

export type SqlStatement = {
  /** One INSERT, UPDATE, DELETE, REPLACE, or WITH before one of these; values only as `?`. */
  readonly sql: string
  /** As many as there are `?`. Numbers must be safe integers; bytes are copied. */
  readonly params?: readonly SqlValue[]
  /** How many rows must change; another number undoes the whole write (compare and set). */
  readonly expect?: number
}

export type SqlDriverName = 'node:sqlite' | 'libsql'

export type Sql = {
  /** The random id of this database, made with it. */
  readonly storeId: Id<'sto'>
  readonly driver: SqlDriverName
  /**
   * Does all statements or none, and resolves with the rows changed by each once they would survive
   * a loss of power. Writes take effect in the order they were made; those waiting together share
   * one flush to disk.
   * @throws platform/write-conflict, platform/constraint, platform/disk-full (nothing changed),
   *   platform/overloaded, platform/bad-sql; platform/database-broken, after which only a restart
   *   tells whether the write took effect
   */
  write(statements: readonly SqlStatement[]): Promise<readonly number[]>
  /** The rows of one SELECT over what is committed. @throws platform/bad-sql */
  read(sql: string, params?: readonly SqlValue[]): Promise<readonly SqlRow[]>
  /** Moves everything into the main file and empties the log: what was deleted is gone from both. */
  checkpoint(): Promise<void>
  /** Finishes the writes made before, then closes. */
  close(): Promise<void>
}

/** One step of the schema. Never changed once released: its text is checksummed. */
export type Migration = {
  /** 1, 2, 3 … without gaps. */
  readonly number: number
  readonly name: string
  /** Any number of statements. */
  readonly sql: string
}
