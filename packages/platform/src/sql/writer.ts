/**
 * The one connection to a database, synchronous; it lives in a worker thread, which reads between
 * writes and so sees only what is committed.
 * Writes that wait together become one transaction with a savepoint each: one
 * flush to disk for all, while a write that fails is undone alone. One that is alone needs no savepoint.
 */
import { closeSync, openSync, rmSync } from 'node:fs'
import { Fault } from '@quorate/base'
import { type Database, openDatabase, sqlFault } from './driver.ts'
import {
  type SqlDriverName,
  type SqlRow,
  type SqlStatement,
  type SqlValue,
  StatementFault,
} from './port.ts'
import { migrate, type SchemaOptions } from './schema.ts'

export type WriterOptions = SchemaOptions & {
  readonly driver: SqlDriverName
  /** Size the main file may grow to; none unless told. */
  readonly maxBytes: number | undefined
  /** Whether another connection of this process reads the file. */
  readonly isShared: boolean
}

/** What one write led to: rows changed by each statement, or why nothing changed. */
export type Outcome = readonly number[] | Fault

/**
 * A lock of the kernel, held until the process ends, keeps a second process out even where the
 * lock file of the directory cannot, as between two containers with one volume. Where this process
 * reads by a second connection, the lock lies on a file beside.
 */
const ALONE = 'PRAGMA locking_mode = EXCLUSIVE;'
const GUARD = `${ALONE} PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE`
const GUARD_SUFFIX = '-lock'

const SETTINGS = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA secure_delete = ON;
PRAGMA foreign_keys = ON;
PRAGMA trusted_schema = OFF;
`

export class Writer {
  readonly storeId: string
  readonly #database: Database
  readonly #guard: Database | undefined
  readonly #path: string
  #isBroken = false

  private constructor(
    database: Database,
    guard: Database | undefined,
    path: string,
    storeId: string,
  ) {
    this.#database = database
    this.#guard = guard
    this.#path = path
    this.storeId = storeId
  }

  /** Opens, or makes, the database. @throws platform/* */
  static async open(options: WriterOptions): Promise<Writer> {
    const { path, driver, isShared } = options
    const guard = isShared ? await takeGuard(driver, path + GUARD_SUFFIX) : undefined
    const database = await openDatabase(driver, path)
    try {
      // First of all, so that opening waits for a process that is just closing.
      database.all('PRAGMA busy_timeout = 1000', [])
      database.exec(isShared ? SETTINGS : ALONE + SETTINGS)
      if (options.maxBytes !== undefined) {
        const pageSize = Number(database.all('PRAGMA page_size', [])[0]?.['page_size'])
        database.all(
          `PRAGMA max_page_count = ${Math.max(1, Math.floor(options.maxBytes / pageSize))}`,
          [],
        )
      }
      return new Writer(database, guard, path, migrate(database, options))
    } catch (error) {
      database.close()
      guard?.close()
      throw sqlFault(error)
    }
  }

  /** Commits the writes together; one outcome each, in order. Never throws. */
  writeAll(writes: readonly (readonly SqlStatement[])[]): readonly Outcome[] {
    if (this.#isBroken) return writes.map(() => new Fault('platform/database-broken'))
    const outcomes: Outcome[] = []
    try {
      this.#database.exec('BEGIN IMMEDIATE')
      const isAlone = writes.length === 1
      for (const statements of writes) outcomes.push(this.#writeOne(statements, isAlone))
      // One that was alone and failed is rolled back already.
      if (this.#database.isInTransaction) this.#database.exec('COMMIT')
      return outcomes
    } catch (error) {
      const fault = sqlFault(error)
      this.#rollBack()
      // After a failed flush the kernel may have dropped the pages, so no later success can be trusted.
      if (fault.code !== 'platform/disk-full' && fault.code !== 'platform/database-busy')
        this.#isBroken = true
      return writes.map((_, i) => (outcomes[i] instanceof Fault ? outcomes[i] : fault))
    }
  }

  /** @throws where the whole transaction is lost with this write */
  #writeOne(statements: readonly SqlStatement[], isAlone: boolean): Outcome {
    const database = this.#database
    let at = 0
    if (!isAlone) database.exec('SAVEPOINT one')
    try {
      const changes = statements.map(({ sql, params, expect }, i) => {
        at = i
        const changed = database.run(sql, params ?? [])
        if (expect !== undefined && changed !== expect)
          throw new Fault('platform/write-conflict', {
            detail: `${changed} rows changed, ${expect} expected`,
          })
        return changed
      })
      if (!isAlone) database.exec('RELEASE one')
      return changes
    } catch (error) {
      const fault = sqlFault(error)
      // SQLite itself rolls everything back after a full disk or an I/O error.
      if (!database.isInTransaction || fault.code === 'platform/database-broken') throw fault
      if (isAlone) database.exec('ROLLBACK')
      else {
        database.exec('ROLLBACK TO one')
        database.exec('RELEASE one')
      }
      const { code, detail, cause } = fault
      return new StatementFault(code, at, { ...(detail !== undefined && { detail }), cause })
    }
  }

  #rollBack(): void {
    try {
      if (this.#database.isInTransaction) this.#database.exec('ROLLBACK')
    } catch {
      this.#isBroken = true
    }
  }

  /** @throws platform/* */
  read(sql: string, params: readonly SqlValue[]): readonly SqlRow[] {
    try {
      // A WITH clause may stand before a statement that changes something.
      this.#database.exec('PRAGMA query_only = ON')
      return this.#database.all(sql, params)
    } catch (error) {
      throw sqlFault(error)
    } finally {
      this.#database.exec('PRAGMA query_only = OFF')
    }
  }

  /** @throws platform/* */
  checkpoint(): void {
    try {
      const [row] = this.#database.all('PRAGMA wal_checkpoint(TRUNCATE)', [])
      if (row?.['busy'] !== 0) throw new Fault('platform/database-busy')
    } catch (error) {
      throw sqlFault(error)
    }
  }

  close(): void {
    this.#database.close()
    if (this.#guard === undefined) return
    // Gone before it is free: who opens it afterwards makes a new one.
    rmSync(this.#path + GUARD_SUFFIX, { force: true })
    this.#guard.close()
  }
}

/** @throws platform/database-busy */
async function takeGuard(driver: SqlDriverName, path: string): Promise<Database> {
  closeSync(openSync(path, 'a', 0o600))
  const guard = await openDatabase(driver, path)
  try {
    guard.all('PRAGMA busy_timeout = 1000', [])
    guard.exec(GUARD)
    return guard
  } catch (error) {
    guard.close()
    throw sqlFault(error)
  }
}
