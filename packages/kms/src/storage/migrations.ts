/**
 * The schema, as numbered migrations; a released one is never changed. Each domain writes its tables in one
 * text for both engines (`domains/<name>/tables.ts`): types TEXT, BIGINT and BLOB, no engine's own words.
 */
import { bug } from '@quorate/base'
import type { Migration } from '@quorate/platform'
import { BARRIER_TABLES } from '../barrier/tables.ts'
import { ACCESS_TABLES } from '../domains/access/tables.ts'
import { FOLDER_TABLES } from '../domains/folders/tables.ts'
import { PROJECT_TABLES } from '../domains/projects/tables.ts'
import { SECRET_TABLES } from '../domains/secrets/tables.ts'
import { STORAGE_TABLES } from './tables.ts'

export type Engine = 'sqlite' | 'postgresql'

const RELEASES: readonly { readonly name: string; readonly tables: readonly string[] }[] = [
  {
    name: 'first tables',
    tables: [
      STORAGE_TABLES,
      BARRIER_TABLES,
      ACCESS_TABLES,
      PROJECT_TABLES,
      FOLDER_TABLES,
      SECRET_TABLES,
    ],
  },
]

/** The text as the engine wants it. */
const DIALECTS: { readonly [E in Engine]: (sql: string) => string } = {
  // STRICT refuses a value of another type, as PostgreSQL does.
  sqlite: (sql) => sql.replace(/\bBIGINT\b/g, 'INTEGER').replace(/\n\s*\);/g, '\n) STRICT;'),
  // Order and comparison by bytes, as in SQLite.
  postgresql: (sql) => sql.replace(/\bBLOB\b/g, 'BYTEA').replace(/\bTEXT\b/g, 'TEXT COLLATE "C"'),
}

export const migrationsFor = (engine: Engine): readonly Migration[] =>
  RELEASES.map(({ name, tables }, i) => ({
    number: i + 1,
    name,
    sql: tables.map(DIALECTS[engine]).join('\n'),
  }))

export type Table = { readonly name: string; readonly key: readonly string[] }

/** Every table of the schema with the columns of its primary key, as the texts above say. */
export const TABLES: readonly Table[] = RELEASES.flatMap(({ tables }) =>
  tables.flatMap((text) =>
    Array.from(text.matchAll(/CREATE TABLE (\w+) \(([\s\S]*?)\n\);/g), ([, name, body]) => ({
      name: name as string,
      key: keyOf(body as string),
    })),
  ),
)

function keyOf(body: string): readonly string[] {
  const [, several] = /^ {2}PRIMARY KEY \(([^)]+)\)/m.exec(body) ?? []
  const [, one] = /^ {2}(\w+) \w+ PRIMARY KEY/m.exec(body) ?? []
  return several?.split(', ') ?? [one ?? bug('a table has a primary key')]
}
