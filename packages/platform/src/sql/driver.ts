/**
 * The two SQLite drivers behind one small synchronous interface. Both are loaded on first use:
 * `node:sqlite` exists from Node 22.13 on, `libsql` is an optional dependency.
 */
import { Fault } from '@quorate/base'
import type { SqlDriverName, SqlRow, SqlValue } from './port.ts'

export type Database = {
  /** Any number of statements without values. */
  exec(sql: string): void
  /** Rows changed by one checked statement that returns none. */
  run(sql: string, params: readonly SqlValue[]): number
  all(sql: string, params: readonly SqlValue[]): SqlRow[]
  /** The first row of them. */
  first(sql: string, params: readonly SqlValue[]): SqlRow | undefined
  readonly isInTransaction: boolean
  close(): void
}

type NodeStatement = {
  run(...params: DriverValue[]): { readonly changes: number | bigint }
  all(...params: DriverValue[]): DriverRow[]
  get(...params: DriverValue[]): DriverRow | undefined
  setReadBigInts(on: boolean): void
}
type NodeDatabase = {
  exec(sql: string): void
  prepare(sql: string): NodeStatement
  close(): void
  readonly isTransaction?: boolean
}
type LibsqlStatement = {
  readonly reader: boolean
  run(params: readonly DriverValue[]): { readonly changes: number }
  all(params: readonly DriverValue[]): DriverValues[]
  get(params: readonly DriverValue[]): DriverValues | undefined
  safeIntegers(on: boolean): LibsqlStatement
  raw(on: boolean): LibsqlStatement
  columns(): readonly { readonly name: string }[]
}
type LibsqlDatabase = {
  exec(sql: string): void
  prepare(sql: string): LibsqlStatement
  close(): void
  readonly inTransaction: boolean
}
/** Integers as `bigint`, so that they are bound and read as 64-bit integers and never as floats. */
type DriverValue = string | bigint | Uint8Array | null
type DriverValues = readonly (DriverValue | number | ArrayBuffer)[]
type DriverRow = { readonly [column: string]: DriverValue | number | ArrayBuffer }

const MAX_PREPARED = 256

/** Prepared statements by their text; the oldest is dropped when there are too many. */
class Prepared<S> {
  readonly #prepare: (sql: string) => S
  readonly #statements = new Map<string, S>()

  constructor(prepare: (sql: string) => S) {
    this.#prepare = prepare
  }

  of(sql: string): S {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#prepare(sql)
    if (this.#statements.size >= MAX_PREPARED)
      this.forget(this.#statements.keys().next().value as string)
    this.#statements.set(sql, statement)
    return statement
  }

  forget(sql: string): void {
    this.#statements.delete(sql)
  }
}

const bound = (params: readonly SqlValue[]): DriverValue[] =>
  params.map((value) => (typeof value === 'number' ? BigInt(value) : value))

function plain(value: DriverValue | number | ArrayBuffer): SqlValue {
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isSafeInteger(number) ? number : value
  }
  if (value instanceof ArrayBuffer) return new Uint8Array(value)
  return value instanceof Uint8Array ? ownBytes(value) : value
}

/** The bytes as a plain array that shares its memory with nothing: copied only where the driver's does. */
const ownBytes = ({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array =>
  byteLength === buffer.byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(buffer, byteOffset, byteLength).slice()

function plainRow(row: DriverRow): SqlRow {
  const out: { [column: string]: SqlValue } = {}
  for (const column of Object.keys(row)) out[column] = plain(row[column]!)
  return out
}

/** A row out of values by position, which the driver makes faster than objects. */
function namedRow(columns: readonly string[], values: DriverValues): SqlRow {
  const out: { [column: string]: SqlValue } = {}
  for (let i = 0; i < columns.length; i++) out[columns[i]!] = plain(values[i]!)
  return out
}

/** The specifier is not a literal because Node 20 has no such module to resolve. */
const NODE_SQLITE: string = 'node:sqlite'

async function openNode(path: string): Promise<Database> {
  const { DatabaseSync } = (await import(NODE_SQLITE)) as {
    DatabaseSync: new (path: string) => NodeDatabase
  }
  const database = new DatabaseSync(path)
  const statements = new Prepared((sql) => {
    const made = database.prepare(sql)
    made.setReadBigInts(true)
    return made
  })
  // `isTransaction` came after the module did, so the state is also kept here.
  let isOpen = false
  return {
    exec(sql) {
      database.exec(sql)
      if (sql.startsWith('BEGIN')) isOpen = true
      if (sql === 'COMMIT' || sql === 'ROLLBACK') isOpen = false
    },
    run: (sql, params) => Number(statements.of(sql).run(...bound(params)).changes),
    all: (sql, params) =>
      statements
        .of(sql)
        .all(...bound(params))
        .map(plainRow),
    first(sql, params) {
      const row = statements.of(sql).get(...bound(params))
      return row && plainRow(row)
    },
    get isInTransaction() {
      return database.isTransaction ?? isOpen
    },
    close: () => database.close(),
  }
}

/** What stands around every write: prepared once. */
const FRAMES: ReadonlySet<string> = new Set([
  'BEGIN IMMEDIATE',
  'COMMIT',
  'SAVEPOINT one',
  'RELEASE one',
])

async function openLibsql(path: string): Promise<Database> {
  const { default: Libsql } = (await import('libsql')) as unknown as {
    default: new (path: string) => LibsqlDatabase
  }
  const database = new Libsql(path)
  const prepare = (sql: string): { made: LibsqlStatement; columns: readonly string[] } => {
    const made = database.prepare(sql).safeIntegers(true)
    return made.reader
      ? { made: made.raw(true), columns: made.columns().map(({ name }) => name) }
      : { made, columns: [] }
  }
  const statements = new Prepared(prepare)
  // `get` resets a statement when it is done and not before it begins: one that another call, or a failure,
  // left behind would answer to the values of then. So it has statements of its own.
  const lookUps = new Prepared(prepare)
  return {
    exec(sql) {
      if (FRAMES.has(sql)) statements.of(sql).made.run([])
      else database.exec(sql)
    },
    run(sql, params) {
      const { made, columns } = statements.of(sql)
      // `run` leaves a statement with rows open, which would block every later checkpoint.
      if (columns.length > 0)
        throw new Fault('platform/bad-sql', { detail: 'a write that returns rows' })
      return Number(made.run(bound(params)).changes)
    },
    all(sql, params) {
      const { made, columns } = statements.of(sql)
      return made.all(bound(params)).map((values) => namedRow(columns, values))
    },
    first(sql, params) {
      const { made, columns } = lookUps.of(sql)
      try {
        const values = made.get(bound(params))
        return values && namedRow(columns, values)
      } catch (error) {
        lookUps.forget(sql)
        throw error
      }
    },
    get isInTransaction() {
      return database.inTransaction
    },
    close: () => database.close(),
  }
}

const OPENERS: { readonly [Name in SqlDriverName]: (path: string) => Promise<Database> } = {
  'node:sqlite': openNode,
  libsql: openLibsql,
}

/** The drivers this process can load, best first. */
export async function availableDrivers(): Promise<readonly SqlDriverName[]> {
  const isThere = async (specifier: string): Promise<boolean> => {
    try {
      await import(specifier)
      return true
    } catch {
      return false
    }
  }
  const names: readonly SqlDriverName[] = ['node:sqlite', 'libsql']
  const there = await Promise.all(names.map(isThere))
  return names.filter((_, i) => there[i])
}

/** Opens the file with the driver named. @throws platform/database-broken where it cannot be opened */
export async function openDatabase(driver: SqlDriverName, path: string): Promise<Database> {
  try {
    return await OPENERS[driver](path)
  } catch (cause) {
    throw new Fault('platform/database-broken', { detail: 'the file cannot be opened', cause })
  }
}

/** SQLite primary result codes (https://www.sqlite.org/rescode.html) that mean something to a caller. */
const FAULTS = {
  5: 'platform/database-busy',
  6: 'platform/database-busy',
  8: 'platform/bad-sql',
  10: 'platform/database-broken',
  11: 'platform/database-corrupt',
  13: 'platform/disk-full',
  14: 'platform/database-broken',
  19: 'platform/constraint',
  26: 'platform/database-corrupt',
} as const

/** The Fault that a driver's error stands for. SQLite's texts name tables and columns, never values. */
export function sqlFault(error: unknown): Fault {
  if (error instanceof Fault) return error
  const { rawCode, errcode, message } = error as {
    rawCode?: number
    errcode?: number
    message?: string
  }
  const primary = (rawCode ?? errcode ?? 0) & 0xff
  const code = Object.hasOwn(FAULTS, primary)
    ? FAULTS[primary as keyof typeof FAULTS]
    : 'platform/bad-sql'
  return new Fault(code, { detail: String(message ?? 'unknown driver error'), cause: error })
}
