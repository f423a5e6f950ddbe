/** Store id and migrations of a PostgreSQL database, as `schema.ts` keeps them in a file. */
import { Fault } from '@quorate/base'
import type { Migration } from '../port.ts'
import { checkDone, checksum } from '../schema.ts'
import type { PostgresConnection } from './connection.ts'

const META = `
CREATE TABLE quorate_store (one BIGINT PRIMARY KEY CHECK (one = 1), id TEXT NOT NULL, created_at BIGINT NOT NULL);
CREATE TABLE quorate_migration (number BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, at BIGINT NOT NULL);
`
const EXISTING = 'SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = current_schema()'

export type PostgresSchema = {
  readonly migrations: readonly Migration[]
  readonly newStoreId: string
  readonly now: number
}

/**
 * Brings the schema up to date and gives the store's id; all pending migrations run in one transaction.
 * A copy beforehand is the administrator's business, for it is no file of ours.
 * @throws platform/database-newer, platform/migration-changed, platform/migration-failed,
 *   platform/database-corrupt for the tables of another program
 */
export async function migratePostgres(
  connection: PostgresConnection,
  { migrations, newStoreId, now }: PostgresSchema,
): Promise<string> {
  const tables = (await connection.run(EXISTING, [])).rows.map((row) => row['tablename'])
  const isOurs = tables.includes('quorate_store')
  if (!isOurs && tables.length > 0)
    throw new Fault('platform/database-corrupt', { detail: 'a database of another program' })
  const done = isOurs
    ? await connection.run('SELECT number, checksum FROM quorate_migration ORDER BY number', [])
    : { rows: [] }
  checkDone(migrations, done.rows)
  const pending = migrations.slice(done.rows.length)
  let at = 'a new store'
  await connection.exec('BEGIN')
  try {
    if (!isOurs) {
      await connection.exec(META)
      await connection.run('INSERT INTO quorate_store (one, id, created_at) VALUES (1, ?, ?)', [
        newStoreId,
        now,
      ])
    }
    for (const migration of pending) {
      at = `number ${migration.number}`
      await connection.exec(migration.sql)
      await connection.run(
        'INSERT INTO quorate_migration (number, name, checksum, at) VALUES (?, ?, ?, ?)',
        [migration.number, migration.name, checksum(migration), now],
      )
    }
    await connection.exec('COMMIT')
  } catch (error) {
    await connection.exec('ROLLBACK')
    throw new Fault('platform/migration-failed', { detail: at, cause: error })
  }
  return String((await connection.run('SELECT id FROM quorate_store', [])).rows[0]?.['id'])
}
