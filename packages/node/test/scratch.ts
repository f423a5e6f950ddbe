/** Directories and databases that go away with their test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Migration, openSql, type Sql, systemClock, systemRandom } from '@quorate/platform'

export function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'quorate-node-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** A node's database as those migrations make it. The caller closes it. */
export const databaseAt = (path: string, migrations: readonly Migration[]): Promise<Sql> =>
  openSql({ path: join(path, 'node.db'), migrations, clock: systemClock, random: systemRandom })
