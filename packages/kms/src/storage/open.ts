/** The database of a store, whichever engine it is. */
import type { Clock, Id, Random, Secret } from '@quorate/base'
import { openPostgres, openSql, type Sql } from '@quorate/platform'
import { migrationsFor } from './migrations.ts'

export type DatabaseOptions = {
  /** Of the SQLite file, where there is no URI. */
  readonly path: string
  readonly uri: Secret<Uint8Array> | undefined
  readonly clock: Clock
  readonly random: Random
  /** The id of a store that is made anew out of a backup. */
  readonly storeId?: Id<'sto'>
  /** For tests of a full disk. */
  readonly maxBytes?: number
}

/** The database, its schema brought up to date. @throws what `openSql` and `openPostgres` throw */
export function openDatabase(options: DatabaseOptions): Promise<Sql> {
  const { path, uri, clock, random, storeId, maxBytes } = options
  const common = { clock, random, ...(storeId !== undefined && { storeId }) }
  return uri === undefined
    ? openSql({
        ...common,
        path,
        migrations: migrationsFor('sqlite'),
        reads: 'here',
        ...(maxBytes !== undefined && { maxBytes }),
      })
    : openPostgres({ ...common, uri, migrations: migrationsFor('postgresql') })
}
