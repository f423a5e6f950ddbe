/**
 * What every database of ours holds besides its own tables: the store id and the list of migrations
 * that made it. Migrations run forward only, all pending ones in one transaction.
 */
import { createHash } from 'node:crypto'
import { closeSync, existsSync, openSync, readdirSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { Fault } from '@quorate/base'
import { type Database, sqlFault } from './driver.ts'
import type { Migration, SqlRow } from './port.ts'

/** Marks the file as ours: "QRAT" in SQLite's application id. */
const APPLICATION_ID = 0x51524154

const META = `
CREATE TABLE quorate_store (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, created_at INTEGER NOT NULL) STRICT;
CREATE TABLE quorate_migration (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, at INTEGER NOT NULL) STRICT;
PRAGMA application_id = ${APPLICATION_ID};
`

export type SchemaOptions = {
  readonly path: string
  readonly migrations: readonly Migration[]
  /** The id of the store, should it be new. */
  readonly newStoreId: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Of its name and its text. */
export const checksum = (migration: Migration): string =>
  createHash('sha256').update(`${migration.name}\0${migration.sql}`).digest('hex')

const single = (database: Database, pragma: string): unknown =>
  Object.values(database.all(`PRAGMA ${pragma}`, [])[0] ?? {})[0]

/**
 * Brings the schema up to date and gives the store's id. Before an existing database is converted,
 * a verified copy is put beside it; it is removed by the next start that finds nothing to convert.
 * @throws platform/database-newer, platform/migration-changed, platform/migration-failed,
 *   platform/database-corrupt
 */
export function migrate(database: Database, options: SchemaOptions): string {
  const { path, migrations } = options
  const isOurs = single(database, 'application_id') === APPLICATION_ID
  if (!isOurs && database.all('SELECT name FROM sqlite_schema', []).length > 0)
    throw new Fault('platform/database-corrupt', { detail: 'a database of another program' })
  const done = isOurs
    ? database.all('SELECT number, checksum FROM quorate_migration ORDER BY number', [])
    : []
  checkDone(migrations, done)
  const pending = migrations.slice(done.length)
  if (isOurs && pending.length === 0) removeCopies(path)
  if (isOurs && pending.length > 0) copy(database, path, done.length)
  if (!isOurs || pending.length > 0) apply(database, isOurs, pending, options)
  return String(database.all('SELECT id FROM quorate_store', [])[0]?.['id'])
}

/**
 * Whether the migrations that a database has run are the first of ours.
 * @throws platform/database-newer, platform/migration-changed
 */
export function checkDone(migrations: readonly Migration[], done: readonly SqlRow[]): void {
  if (done.length > migrations.length) throw new Fault('platform/database-newer')
  migrations.forEach((migration, i) => {
    if (migration.number !== i + 1)
      throw new Fault('platform/bad-sql', { detail: 'migrations are numbered 1, 2, 3 …' })
    const row = done[i]
    if (row !== undefined && (row['number'] !== i + 1 || row['checksum'] !== checksum(migration)))
      throw new Fault('platform/migration-changed', { detail: `number ${i + 1}` })
  })
}

function apply(
  database: Database,
  isOurs: boolean,
  pending: readonly Migration[],
  { newStoreId, now }: SchemaOptions,
): void {
  let at = 'a new store'
  database.exec('BEGIN IMMEDIATE')
  try {
    if (!isOurs) {
      database.exec(META)
      database.run('INSERT INTO quorate_store (one, id, created_at) VALUES (1, ?, ?)', [
        newStoreId,
        now,
      ])
    }
    for (const migration of pending) {
      at = `number ${migration.number}`
      database.exec(migration.sql)
      database.run(
        'INSERT INTO quorate_migration (number, name, checksum, at) VALUES (?, ?, ?, ?)',
        [migration.number, migration.name, checksum(migration), now],
      )
    }
    database.exec('COMMIT')
  } catch (error) {
    if (database.isInTransaction) database.exec('ROLLBACK')
    const fault = sqlFault(error)
    if (fault.code === 'platform/disk-full' || fault.code === 'platform/database-broken')
      throw fault
    throw new Fault('platform/migration-failed', { detail: at, cause: error })
  }
}

const COPY_SUFFIX = '.before-'

function copy(database: Database, path: string, version: number): void {
  const target = `${path}${COPY_SUFFIX}${version + 1}`
  const quoted = `'${target.replaceAll("'", "''")}'`
  if (single(database, 'integrity_check') !== 'ok') throw new Fault('platform/database-corrupt')
  if (existsSync(target)) rmSync(target)
  // SQLite fills an empty file, and would make one that others can read.
  closeSync(openSync(target, 'ax', 0o600))
  database.exec(`VACUUM INTO ${quoted}`)
  database.exec(`ATTACH DATABASE ${quoted} AS copied`)
  const verdict = single(database, 'copied.integrity_check')
  database.exec('DETACH DATABASE copied')
  if (verdict !== 'ok')
    throw new Fault('platform/database-corrupt', { detail: 'the copy before conversion' })
}

function removeCopies(path: string): void {
  for (const name of readdirSync(dirname(path)))
    if (name.startsWith(basename(path) + COPY_SUFFIX)) rmSync(join(dirname(path), name))
}
