/** Opens a database: checks what goes in, and hands it to the worker thread that owns the file. */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type Clock, Fault, type Id, newId, parseId, type Random } from '@quorate/base'
import { availableDrivers } from './driver.ts'
import type { Answer, Request, WireFault } from './messages.ts'
import {
  type Migration,
  type Sql,
  type SqlDriverName,
  type SqlRow,
  type SqlStatement,
  type SqlValue,
  StatementFault,
} from './port.ts'
import { openReader, openSnapshot } from './reader.ts'
import { checkStatement } from './statement.ts'
import type { WriterOptions } from './writer.ts'

export type SqlOptions = {
  /** The main file; `-wal` and `-shm` appear beside it. Made with mode 0600 if missing. */
  readonly path: string
  readonly migrations: readonly Migration[]
  readonly clock: Clock
  readonly random: Random
  /** The best that this process can load, unless told. */
  readonly driver?: SqlDriverName
  /** Size the main file may grow to; then writes fail with platform/disk-full. */
  readonly maxBytes?: number
  /** The id of a new store; drawn at random unless it takes the place of one that is lost. */
  readonly storeId?: Id<'sto'>
  /**
   * Where reads run: in the worker between writes (unless told), or `here`, in the calling thread, which
   * waits for each and gets it in microseconds. Snapshots need `here`.
   */
  readonly reads?: 'worker' | 'here'
}

const WORKER_YOUNG_MB = 12

/** Requests that may wait for the worker; one more is refused. */
const MAX_WAITING = 16_384

const faultOf = ({ code, detail, statement }: WireFault): Fault => {
  const options = detail === undefined ? {} : { detail }
  return statement === undefined
    ? new Fault(code, options)
    : new StatementFault(code, statement, options)
}

/**
 * The database at `path`, its schema brought up to date.
 * @throws platform/no-database-driver, platform/database-newer, platform/migration-changed,
 *   platform/migration-failed, platform/database-corrupt, platform/database-busy,
 *   platform/file-unreadable, platform/disk-full
 */
export async function openSql(options: SqlOptions): Promise<Sql> {
  const [best] = await availableDrivers()
  const driver = options.driver ?? best
  if (driver === undefined) throw new Fault('platform/no-database-driver')
  makeFile(options.path)
  const data: WriterOptions = {
    driver,
    path: options.path,
    migrations: options.migrations,
    maxBytes: options.maxBytes,
    isShared: options.reads === 'here',
    newStoreId: options.storeId ?? newId('sto', options.clock.now(), options.random),
    now: options.clock.now(),
  }
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    workerData: data,
    // The worker needs no environment, so it gets no copy of one that may hold secrets.
    env: {},
    execArgv: ['--disable-warning=ExperimentalWarning'],
    // What passes through it lives for one group of writes: a larger nursery is only memory.
    resourceLimits: { maxYoungGenerationSizeMb: WORKER_YOUNG_MB },
  })
  const sql = await new Connection(worker, driver).opened
  return options.reads === 'here' ? readingHere(sql, driver, options.path) : sql
}

/** The same database, read by a connection of this thread. */
async function readingHere(sql: Sql, driver: SqlDriverName, path: string): Promise<Sql> {
  const reader = await openReader(driver, path).catch(async (error: unknown) => {
    await sql.close()
    throw error
  })
  let closing: Promise<void> | undefined
  return {
    storeId: sql.storeId,
    driver,
    write: sql.write,
    checkpoint: sql.checkpoint,
    read: async (text, params = []) => {
      if (closing !== undefined) throw new Fault('platform/database-closed')
      return reader.read(text, params)
    },
    first: (text, params = []) => {
      if (closing !== undefined) throw new Fault('platform/database-closed')
      return reader.first(text, params)
    },
    snapshot: async () => {
      if (closing !== undefined) throw new Fault('platform/database-closed')
      return openSnapshot(driver, path)
    },
    close: () => {
      if (closing === undefined) {
        // First, so that the last connection to close is the one that empties the log.
        reader.close()
        closing = sql.close()
      }
      return closing
    },
  }
}

/** Makes an empty file that only the owner can read: SQLite gives its log the same mode. */
function makeFile(path: string): void {
  try {
    closeSync(openSync(path, 'ax', 0o600))
    const directory = openSync(dirname(path), 'r')
    fsyncSync(directory)
    closeSync(directory)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return
    throw new Fault(code === 'ENOSPC' ? 'platform/disk-full' : 'platform/file-unreadable', {
      detail: `cannot make the database file (${code})`,
    })
  }
}

type Pending = { resolve(result: unknown): void; reject(fault: Fault): void }

class Connection {
  readonly opened: Promise<Sql>
  readonly #worker: Worker
  readonly #ended: Promise<void>
  readonly #pending = new Map<number, Pending>()
  #lastId = 0
  #end: Fault | undefined
  #closing: Promise<void> | undefined

  constructor(worker: Worker, driver: SqlDriverName) {
    this.#worker = worker
    this.#ended = new Promise((resolve) => worker.once('exit', () => resolve()))
    this.opened = new Promise((resolve, reject) => {
      worker.on('message', (answer: Answer) => {
        if (answer.kind === 'ready') resolve(this.#port(driver, answer.storeId))
        else if (answer.kind === 'failed') reject(faultOf(answer.fault))
        else if (answer.kind === 'done')
          this.#settle(answer.id, 'fault' in answer ? faultOf(answer.fault) : answer.result)
        else
          for (const outcome of answer.outcomes)
            this.#settle(outcome.id, 'fault' in outcome ? faultOf(outcome.fault) : outcome.changes)
      })
      const fail = (cause?: unknown): void => {
        this.#end ??= new Fault('platform/database-broken', { detail: 'its thread ended', cause })
        reject(this.#end)
        for (const id of this.#pending.keys()) this.#settle(id, this.#end)
      }
      worker.on('error', fail)
      worker.on('exit', () => fail())
    })
  }

  #settle(id: number, result: unknown): void {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    if (result instanceof Fault) pending?.reject(result)
    else pending?.resolve(result)
  }

  #ask(request: (id: number) => Request): Promise<unknown> {
    if (this.#end !== undefined) return Promise.reject(this.#end)
    if (this.#pending.size >= MAX_WAITING) return Promise.reject(new Fault('platform/overloaded'))
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject })
      this.#worker.postMessage(request(id))
    })
  }

  #close(): Promise<void> {
    // The file is free once the thread has ended: until then a driver may hold statements open.
    this.#closing ??= this.#ask((id) => ({ kind: 'close', id })).then(() => this.#ended)
    this.#end ??= new Fault('platform/database-closed')
    return this.#closing
  }

  #port(driver: SqlDriverName, storeId: string): Sql {
    const read: Sql['read'] = async (sql, params = []) => {
      const checked = checkStatement('read', sql, params)
      return (await this.#ask((id) => ({
        kind: 'read',
        id,
        sql,
        params: checked,
      }))) as readonly SqlRow[]
    }
    return {
      driver,
      storeId: parseId('sto', storeId),
      write: async (statements) => {
        const checked = statements.map(checkedWrite)
        return (await this.#ask((id) => ({
          kind: 'write',
          id,
          statements: checked,
        }))) as readonly number[]
      },
      read,
      first: async (sql, params) => (await read(sql, params))[0],
      snapshot: () =>
        Promise.reject(new Fault('platform/bad-sql', { detail: 'snapshots need reads: here' })),
      checkpoint: async () => {
        await this.#ask((id) => ({ kind: 'checkpoint', id }))
      },
      close: () => this.#close(),
    }
  }
}

/** One statement of a write with its values copied. @throws platform/bad-sql */
export function checkedWrite({ sql, params = [], expect }: SqlStatement): SqlStatement {
  if (expect !== undefined && (!Number.isSafeInteger(expect) || expect < 0))
    throw new Fault('platform/bad-sql', { detail: 'an expectation that is not a count' })
  const values: readonly SqlValue[] = checkStatement('write', sql, params)
  return expect === undefined ? { sql, params: values } : { sql, params: values, expect }
}
