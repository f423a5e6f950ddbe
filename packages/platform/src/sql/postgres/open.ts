/**
 * The storage port over PostgreSQL. One connection writes, and holds an advisory lock, so that a second
 * process of ours cannot write beside it; a few others read what is committed.
 */
import {
  type Clock,
  Fault,
  fromUtf8,
  type Id,
  newId,
  parseId,
  type Random,
  type Secret,
} from '@quorate/base'
import { checkedWrite } from '../open.ts'
import {
  type Migration,
  type Snapshot,
  type Sql,
  type SqlRow,
  type SqlStatement,
  type SqlValue,
  StatementFault,
} from '../port.ts'
import { checkStatement } from '../statement.ts'
import { PostgresConnection } from './connection.ts'
import { migratePostgres } from './schema.ts'

export type PostgresOptions = {
  /** UTF-8: `postgresql://user:password@host:port/database` or `…?host=/directory/of/the/socket`. */
  readonly uri: Secret<Uint8Array>
  readonly migrations: readonly Migration[]
  readonly clock: Clock
  readonly random: Random
  /** As in `SqlOptions`. */
  readonly storeId?: Id<'sto'>
  /** Connections that read; 4 unless told. */
  readonly readers?: number
}

/** "QRAT" in ASCII. One store for each database, so one lock. */
const LOCK = 0x51524154
/** Writes that share one transaction at most, and those that may wait. */
const MAX_GROUP = 512
const MAX_WAITING = 16_384
const WRITER = 'SET synchronous_commit = on; SET lock_timeout = 5000'
const READER = 'SET default_transaction_read_only = on'

/**
 * The database, its schema brought up to date.
 * @throws platform/no-database-driver, platform/database-broken where it is not reached or does not flush
 *   to disk, platform/database-busy where another process writes to it, platform/database-newer,
 *   platform/migration-changed, platform/migration-failed, platform/database-corrupt
 */
export async function openPostgres(options: PostgresOptions): Promise<Sql> {
  const uri = fromUtf8(options.uri.expose()) ?? ''
  const opened: PostgresConnection[] = []
  const open = async (settings: string): Promise<PostgresConnection> => {
    const connection = await PostgresConnection.open(uri)
    opened.push(connection)
    await connection.exec(settings)
    return connection
  }
  try {
    const writer = await open(WRITER)
    const { rows } = await writer.run('SELECT pg_try_advisory_lock(?) AS locked', [LOCK])
    if (rows[0]?.['locked'] !== 1) throw new Fault('platform/database-busy')
    const [durable] = (await writer.run("SELECT current_setting('fsync') AS fsync", [])).rows
    if (durable?.['fsync'] !== 'on')
      throw new Fault('platform/database-broken', { detail: 'fsync is off in PostgreSQL' })
    const storeId = await migratePostgres(writer, {
      migrations: options.migrations,
      newStoreId: options.storeId ?? newId('sto', options.clock.now(), options.random),
      now: options.clock.now(),
    })
    const readers: PostgresConnection[] = []
    for (let i = 0; i < (options.readers ?? 4); i++) readers.push(await open(READER))
    return new PostgresStore(storeId, writer, readers, () => open(READER)).port
  } catch (error) {
    await Promise.all(opened.map((each) => each.close()))
    throw error
  }
}

type Waiting = {
  readonly statements: readonly SqlStatement[]
  resolve(changes: readonly number[]): void
  reject(fault: unknown): void
}

class PostgresStore {
  readonly port: Sql
  readonly #writer: PostgresConnection
  readonly #readers: PostgresConnection[]
  readonly #openReader: () => Promise<PostgresConnection>
  #next = 0
  #queue: Waiting[] = []
  #running: Promise<void> | undefined
  #isBroken = false
  #closing: Promise<void> | undefined

  constructor(
    storeId: string,
    writer: PostgresConnection,
    readers: PostgresConnection[],
    openReader: () => Promise<PostgresConnection>,
  ) {
    this.#writer = writer
    this.#readers = readers
    this.#openReader = openReader
    this.port = {
      storeId: parseId('sto', storeId),
      driver: 'postgresql',
      write: async (statements) => this.#write(statements.map(checkedWrite)),
      read: async (sql, params = []) => this.#read(sql, checkStatement('read', sql, params)),
      first: async (sql, params = []) =>
        (await this.#read(sql, checkStatement('read', sql, params)))[0],
      snapshot: () => this.#snapshot(),
      checkpoint: async () => this.#checkOpen(),
      close: () => this.#close(),
    }
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new Fault('platform/database-closed')
  }

  #write(statements: readonly SqlStatement[]): Promise<readonly number[]> {
    this.#checkOpen()
    if (this.#queue.length >= MAX_WAITING) throw new Fault('platform/overloaded')
    return new Promise((resolve, reject) => {
      this.#queue.push({ statements, resolve, reject })
      this.#running ??= this.#drain()
    })
  }

  async #drain(): Promise<void> {
    // What is asked for in the same turn joins the group.
    await Promise.resolve()
    while (this.#queue.length > 0) {
      let group = this.#queue.splice(0, MAX_GROUP)
      while (group.length > 0) group = await this.#commit(group)
    }
    // In the same step as the look at the queue: what comes later starts anew.
    this.#running = undefined
  }

  /** One transaction for all; gives those that are to be tried again, without the one that failed. */
  async #commit(group: readonly Waiting[]): Promise<Waiting[]> {
    if (this.#isBroken || this.#writer.isLost) {
      for (const each of group) each.reject(new Fault('platform/database-broken'))
      return []
    }
    try {
      const outcome = await this.#transaction(group)
      if ('changes' in outcome) {
        group.forEach((each, i) => {
          each.resolve(outcome.changes[i] ?? [])
        })
        return []
      }
      group[outcome.write]?.reject(outcome.fault)
      return group.filter((_, i) => i !== outcome.write)
    } catch (error) {
      // The flush or the connection failed: whether anything took effect only a restart can tell.
      this.#isBroken = true
      for (const each of group) each.reject(error)
      return []
    }
  }

  async #transaction(
    group: readonly Waiting[],
  ): Promise<
    | { readonly changes: readonly (readonly number[])[] }
    | { readonly write: number; readonly fault: Fault }
  > {
    const writer = this.#writer
    const begun = writer.exec('BEGIN')
    // Looked at further below; until then nobody else must miss it.
    begun.catch(() => undefined)
    // All are on their way before the first is answered; after one failed the others fail by themselves.
    const sent = group.map(({ statements }) =>
      statements.map(({ sql, params = [] }) => writer.run(sql, params)),
    )
    const settled = await Promise.all(sent.map((each) => Promise.allSettled(each)))
    await begun
    for (const [write, results] of settled.entries())
      for (const [i, result] of results.entries()) {
        const fault = faultOf(result, group[write]?.statements[i]?.expect, i)
        if (fault === undefined) continue
        await writer.exec('ROLLBACK')
        return { write, fault }
      }
    await writer.exec('COMMIT')
    return {
      changes: settled.map((results) =>
        results.map((result) => (result.status === 'fulfilled' ? result.value.changes : 0)),
      ),
    }
  }

  async #read(sql: string, params: readonly SqlValue[]): Promise<readonly SqlRow[]> {
    this.#checkOpen()
    const at = this.#next++ % this.#readers.length
    let reader = this.#readers[at] as PostgresConnection
    if (reader.isLost) {
      reader = await this.#openReader()
      this.#readers[at] = reader
    }
    return (await reader.run(sql, params)).rows
  }

  async #snapshot(): Promise<Snapshot> {
    this.#checkOpen()
    const connection = await this.#openReader()
    await connection.exec('BEGIN ISOLATION LEVEL REPEATABLE READ')
    // The state is that of the first statement.
    await connection.run('SELECT id FROM quorate_store', [])
    return {
      read: async (sql, params = []) =>
        (await connection.run(sql, checkStatement('read', sql, params))).rows,
      close: () => connection.close(),
    }
  }

  #close(): Promise<void> {
    this.#closing ??= (async () => {
      while (this.#running !== undefined) await this.#running
      await Promise.all([this.#writer, ...this.#readers].map((each) => each.close()))
    })()
    return this.#closing
  }
}

function faultOf(
  result: PromiseSettledResult<{ readonly changes: number }>,
  expect: number | undefined,
  at: number,
): Fault | undefined {
  if (result.status === 'rejected') {
    const { code, detail, cause } = result.reason as Fault
    if (code === 'platform/database-broken') throw result.reason
    return new StatementFault(code, at, { ...(detail !== undefined && { detail }), cause })
  }
  const { changes } = result.value
  if (expect === undefined || changes === expect) return undefined
  return new StatementFault('platform/write-conflict', at, {
    detail: `${changes} rows changed, ${expect} expected`,
  })
}
