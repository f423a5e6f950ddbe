/**
 * The storage port. SQL goes in with an array of typed values and comes back as plain rows; drivers
 * stay behind it, because some of them abort the whole process on a value they do not expect.
 */
import { Fault, type FaultCode, type FaultOptions, type Id } from '@quorate/base'

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

/** Why a write failed, where it was one statement of it. */
export class StatementFault extends Fault {
  /** Its place in the write, from 0. */
  readonly statement: number

  constructor(code: FaultCode, statement: number, options: FaultOptions = {}) {
    super(code, options)
    this.statement = statement
  }
}

/** The database as it stood at one moment, whatever is written meanwhile. */
export type Snapshot = {
  /** @throws platform/bad-sql */
  read(sql: string, params?: readonly SqlValue[]): Promise<readonly SqlRow[]>
  close(): Promise<void>
}

export type Sql = {
  /** The random id of this database, made with it. */
  readonly storeId: Id<'sto'>
  readonly driver: SqlDriverName | 'postgresql'
  /**
   * Does all statements or none, and resolves with the rows changed by each once they would survive
   * a loss of power. Writes take effect in the order they were made; those waiting together share
   * one flush to disk.
   * @throws platform/write-conflict, platform/constraint, platform/disk-full (nothing changed),
   *   platform/overloaded, platform/bad-sql; platform/database-broken, after which only a restart
   *   tells whether the write took effect. A fault of one statement is a `StatementFault`.
   */
  write(statements: readonly SqlStatement[]): Promise<readonly number[]>
  /** The rows of one SELECT over what is committed. @throws platform/bad-sql */
  read(sql: string, params?: readonly SqlValue[]): Promise<readonly SqlRow[]>
  /**
   * The first row of one SELECT over what is committed: a look-up by key. Not a promise where the engine reads in
   * this thread, for then it takes microseconds. @throws platform/bad-sql
   */
  first(sql: string, params?: readonly SqlValue[]): SqlRow | undefined | Promise<SqlRow | undefined>
  /** Holds the present state for reading; close it soon, for what it holds cannot be cleared away. */
  snapshot(): Promise<Snapshot>
  /**
   * SQLite: moves everything into the main file and empties the log; what was deleted is gone from both.
   * PostgreSQL clears away by itself, when it likes.
   */
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
