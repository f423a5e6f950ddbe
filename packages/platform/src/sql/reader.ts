/**
 * Reading connections in the calling thread: a read then costs microseconds instead of a journey to the
 * worker and back, and blocks this thread for as long as SQLite needs.
 */
import { type Database, openDatabase, sqlFault } from './driver.ts'
import type { Snapshot, SqlDriverName, SqlRow, SqlValue } from './port.ts'
import { checkStatement } from './statement.ts'

const SETTINGS = `
PRAGMA query_only = ON;
PRAGMA trusted_schema = OFF;
PRAGMA cache_size = -16384;
`

/** Rows of one checked SELECT. @throws platform/* */
export type ReadNow = (sql: string, params: readonly SqlValue[]) => readonly SqlRow[]

export type Reader = {
  readonly read: ReadNow
  readonly first: (sql: string, params: readonly SqlValue[]) => SqlRow | undefined
  close(): void
}

/** A connection that only reads, to a database that a writer of this process has opened before. */
export async function openReader(driver: SqlDriverName, path: string): Promise<Reader> {
  const database = await open(driver, path)
  return {
    read: (sql, params) => all(database, sql, params),
    first: (sql, params) => checked(sql, params, (values) => database.first(sql, values)),
    close: () => database.close(),
  }
}

/** The state of now, held by a read transaction of its own. */
export async function openSnapshot(driver: SqlDriverName, path: string): Promise<Snapshot> {
  const database = await open(driver, path)
  database.exec('BEGIN')
  // A transaction takes its snapshot with the first row it reads.
  database.all('SELECT id FROM quorate_store', [])
  return {
    read: async (sql, params = []) => all(database, sql, params),
    close: async () => database.close(),
  }
}

async function open(driver: SqlDriverName, path: string): Promise<Database> {
  const database = await openDatabase(driver, path)
  try {
    database.all('PRAGMA busy_timeout = 1000', [])
    database.exec(SETTINGS)
    return database
  } catch (error) {
    database.close()
    throw sqlFault(error)
  }
}

const all = (database: Database, sql: string, params: readonly SqlValue[]): readonly SqlRow[] =>
  checked(sql, params, (values) => database.all(sql, values))

function checked<T>(
  sql: string,
  params: readonly SqlValue[],
  read: (values: readonly SqlValue[]) => T,
): T {
  const values = checkStatement('read', sql, params)
  try {
    return read(values)
  } catch (error) {
    throw sqlFault(error)
  }
}
