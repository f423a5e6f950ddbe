/**
 * The state in a directory of its own: a small database (write-ahead log, flushed with every write),
 * one row for each name, held by one process. The database notices pages that do not fit together;
 * a digest in each row notices the rest.
 */
import { bug, equalBytes, Fault, isFault, TAGS, taggedHash, utf8 } from '@quorate/base'
import {
  type Migration,
  openDataDirectory,
  openSql,
  type Sql,
  type SqlRow,
  systemClock,
  systemRandom,
} from '@quorate/platform'
import { damaged, type HsmState, stateOver } from './store.ts'

const FILE = 'state.db'

const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    name: 'state',
    sql: `CREATE TABLE state (
      name TEXT PRIMARY KEY,
      content BLOB NOT NULL,
      digest BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;`,
  },
]

/** 32 bytes over name and content. */
const digestOf = (name: string, content: Uint8Array): Uint8Array =>
  taggedHash(TAGS.hsmState, utf8(`${name}\n`), content)

/**
 * The state in `directory`, which is made with mode 0700 where it is missing.
 * @throws platform/directory-in-use where another process holds it, platform/directory-mode,
 *   platform/directory-owner, platform/no-directory, platform/disk-full, hsm/state-damaged
 */
export async function openHsmState(directory: string): Promise<HsmState> {
  const place = openDataDirectory(directory)
  const path = place.file(FILE)
  let sql: Sql | undefined
  try {
    sql = await openDatabase(path)
    const contents = contentsOf(path, await sql.read('SELECT name, content, digest FROM state'))
    return stateOver(
      storageIn(path, sql, () => place.release()),
      contents,
    )
  } catch (error) {
    await sql?.close()
    place.release()
    throw error
  }
}

async function openDatabase(path: string): Promise<Sql> {
  try {
    return await openSql({ path, migrations: MIGRATIONS, clock: systemClock, random: systemRandom })
  } catch (error) {
    if (isFault(error, 'platform/database-corrupt'))
      throw new Fault('hsm/state-damaged', { detail: path, cause: error })
    throw error
  }
}

function contentsOf(path: string, rows: readonly SqlRow[]): ReadonlyMap<string, Uint8Array> {
  return new Map(
    rows.map(({ name, content, digest }) => {
      if (typeof name !== 'string') return bug('a state without name')
      const isWhole =
        content instanceof Uint8Array &&
        digest instanceof Uint8Array &&
        equalBytes(digest, digestOf(name, content))
      if (!isWhole) throw damaged(path, name)
      return [name, content] as const
    }),
  )
}

const storageIn = (
  path: string,
  sql: Sql,
  release: () => void,
): Parameters<typeof stateOver>[0] => ({
  place: path,
  async put(name, content) {
    await sql.write([
      {
        sql: `INSERT INTO state (name, content, digest) VALUES (?, ?, ?)
          ON CONFLICT (name) DO UPDATE SET content = excluded.content, digest = excluded.digest`,
        params: [name, content, digestOf(name, content)],
        expect: 1,
      },
    ])
  },
  async close() {
    try {
      await sql.close()
    } finally {
      release()
    }
  },
})
