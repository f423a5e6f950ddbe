/** Somebody can write to the database, and to the whole data directory, but has no key. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { isFault } from '@quorate/base'
import type { SqlStatement } from '@quorate/platform'
import { systemClock, systemRandom } from '@quorate/platform'
import { verifyLog } from '#src/audit/log.js'
import type { KmsConfig } from '#src/config.js'
import type { Kms } from '#src/kms.js'
import { leafDigest } from '#src/storage/leaf.js'
import { openDatabase } from '#src/storage/open.js'
import { openTestKms } from '#src/testing/index.js'
import { scratch } from '../scratch.js'

const PUT =
  'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value'
/** With the modes of all directories, which `cpSync` keeps on some releases of Node only. */
const copyWhole = (from: string, to: string): void => void execFileSync('cp', ['-a', from, to])

const draft = (resource: string) => ({
  actor: 'system',
  action: 'test.write',
  resource,
  decision: 'none' as const,
  outcome: 'done' as const,
  fields: [],
})

async function put(kms: Kms, name: string, version: number): Promise<void> {
  const value = Uint8Array.of(version)
  await kms.context.journal.commit({
    statements: [{ sql: PUT, params: [name, value] }],
    audit: [draft(name)],
    leaves: [{ table: 'setting', row: name, digest: leafDigest(version, value) }],
  })
}

const get = (kms: Kms, name: string): Promise<number | undefined> =>
  kms.context.sql.fresh(
    async () => {
      const [row] = await kms.context.sql.read('SELECT value FROM setting WHERE name = ?', [name])
      return (row?.['value'] as Uint8Array | undefined)?.[0]
    },
    (version) => [
      {
        table: 'setting',
        row: name,
        digest: version === undefined ? null : leafDigest(version, Uint8Array.of(version)),
      },
    ],
  )

const rolledBack = (error: unknown): boolean => isFault(error, 'kms/rolled-back')
/** Behind the back of the journal. */
const forge = (kms: Kms, sql: string, params: SqlStatement['params'] = []): Promise<unknown> =>
  kms.sql.write([{ sql, params }])

test('a row that was put back, altered, added or taken away is refused at its next read, and named', async (t) => {
  const kms = await openTestKms({ directory: scratch(t) })
  await put(kms, 'a', 1)
  await put(kms, 'a', 2)
  assert.equal(await get(kms, 'a'), 2)
  assert.equal(await get(kms, 'absent'), undefined)
  const before = kms.journal.head.seq
  for (const [name, sql, params] of [
    ['a', PUT, ['a', Uint8Array.of(1)]],
    ['a', PUT, ['a', Uint8Array.of(7)]],
    ['a', 'DELETE FROM setting WHERE name = ?', ['a']],
    ['absent', PUT, ['absent', Uint8Array.of(1)]],
  ] as const) {
    await forge(kms, sql, params)
    await assert.rejects(get(kms, name), rolledBack)
    await forge(kms, PUT, ['a', Uint8Array.of(2)])
  }
  assert.equal(await get(kms, 'a'), 2)
  assert.equal(kms.staleRows, 4)
  assert.equal(kms.journal.head.seq, before + 4, 'each is in the log')
  await kms.close()
})

test('a row is not put back together with its bucket of the tree', async (t) => {
  const directory = scratch(t)
  const kms = await openTestKms({ directory })
  await put(kms, 'a', 1)
  const old = await kms.sql.read('SELECT bucket, leaves FROM tree')
  await put(kms, 'a', 2)
  await forge(kms, PUT, ['a', Uint8Array.of(1)])
  for (const row of old)
    await forge(kms, 'UPDATE tree SET leaves = ? WHERE bucket = ?', [
      row['leaves']!,
      row['bucket']!,
    ])
  await assert.rejects(get(kms, 'a'), rolledBack)
  await kms.close()
  await assert.rejects(openTestKms({ directory }), rolledBack)
})

/** A store with a few rows, closed; then changed by hand; then opened again. */
async function afterForgery(
  t: TestContext,
  statements: readonly SqlStatement[],
  config: Partial<KmsConfig> = {},
): Promise<Kms> {
  const directory = scratch(t)
  const kms = await openTestKms({ directory, config })
  for (const version of [1, 2, 3]) await put(kms, 'a', version)
  await put(kms, 'b', 1)
  await kms.close()
  const sql = await openDatabase({
    path: join(directory, 'kms.db'),
    uri: undefined,
    clock: systemClock,
    random: systemRandom,
  })
  await sql.write(statements)
  await sql.close()
  return openTestKms({ directory, config })
}

const NEWEST = '(SELECT max(seq) FROM audit)'
const FORGERIES: { readonly [name: string]: readonly string[] } = {
  'the newest records cut off': [`DELETE FROM audit WHERE seq = ${NEWEST}`],
  'the whole log cut off': ['DELETE FROM audit', 'DELETE FROM checkpoint'],
  'the head with another root': [`UPDATE audit SET root = h WHERE seq = ${NEWEST}`],
  'the head with another hash': [`UPDATE audit SET h = root WHERE seq = ${NEWEST}`],
  'the tree emptied': ['DELETE FROM tree'],
  'a bucket emptied': [
    "UPDATE tree SET leaves = x'' WHERE bucket = (SELECT min(bucket) FROM tree)",
  ],
}

for (const [name, forgery] of Object.entries(FORGERIES))
  test(`at the next start: ${name}`, async (t) => {
    await assert.rejects(
      afterForgery(
        t,
        forgery.map((sql) => ({ sql })),
      ),
      rolledBack,
    )
  })

test('the number beside a checkpoint means nothing: what is signed inside does', async (t) => {
  const kms = await afterForgery(t, [{ sql: 'UPDATE checkpoint SET seq = seq + 1' }])
  assert.equal(await get(kms, 'a'), 3)
  await kms.close()
})

test('records cut off together with every checkpoint behind them: an anchor tells', async (t) => {
  // Only the record of the sealing is lost, so no row changes: the store is as it once was.
  const cut = [`DELETE FROM audit WHERE seq = ${NEWEST}`, 'DELETE FROM checkpoint'].map((sql) => ({
    sql,
  }))
  const anchorFile = join(scratch(t), 'anchor')
  await assert.rejects(afterForgery(t, cut, { anchorFile }), rolledBack)
  await (await afterForgery(t, cut)).close()
})

test('the verifier finds an old record that was altered, moved or removed', async (t) => {
  for (const tamper of [
    (records: Uint8Array) => records.with(40, records[40]! ^ 1),
    (records: Uint8Array) => records.subarray(0, 0),
  ]) {
    const directory = scratch(t)
    const kms = await openTestKms({ directory })
    for (const version of [1, 2, 3, 4]) await put(kms, 'a', version)
    await kms.checkpoints.make()
    const { key } = kms.checkpoints
    assert.ok((await verifyLog(kms.sql, key)).isOk)
    const rows = await kms.sql.read('SELECT seq, records FROM audit ORDER BY seq')
    const target = rows[2]!
    const forged = tamper(target['records'] as Uint8Array)
    if (forged.length === 0) await forge(kms, 'DELETE FROM audit WHERE seq = ?', [target['seq']!])
    else await forge(kms, 'UPDATE audit SET records = ? WHERE seq = ?', [forged, target['seq']!])
    const report = await verifyLog(kms.sql, key)
    assert.ok(!report.isOk)
    assert.ok(report.problems.some(({ seq, to }) => seq <= 4 && to >= 2))
    await kms.close()
  }
})

test('a directory that was put back is refused where there is an anchor outside of it', async (t) => {
  const place = scratch(t)
  const directory = join(place, 'data')
  const copy = join(place, 'copy')
  const config = { anchorFile: join(place, 'anchor') }
  const first = await openTestKms({ directory, config })
  assert.ok(first.checkpoints.isRollbackDetectable)
  await put(first, 'a', 1)
  await first.close()
  copyWhole(directory, copy)
  const second = await openTestKms({ directory, config })
  await put(second, 'a', 2)
  await second.close()
  rmSync(directory, { recursive: true })
  copyWhole(copy, directory)
  await assert.rejects(openTestKms({ directory, config }), rolledBack)
  // Without the anchor nobody can tell, and the store says so.
  const blind = await openTestKms({ directory })
  assert.ok(!blind.checkpoints.isRollbackDetectable)
  assert.equal(await get(blind, 'a'), 1)
  await blind.close()
})

test('rows and logs of two stores cannot be mixed', async (t) => {
  const [one, other] = [scratch(t), scratch(t)]
  const kms = await openTestKms({ directory: one })
  await put(kms, 'a', 1)
  await kms.close()
  const second = await openTestKms({ directory: other })
  await put(second, 'a', 1)
  const heads = await second.sql.read('SELECT seq, first, records, h, root, mac FROM audit')
  await second.close()
  const sql = await openDatabase({
    path: join(one, 'kms.db'),
    uri: undefined,
    clock: systemClock,
    random: systemRandom,
  })
  await sql.write([
    { sql: 'DELETE FROM audit' },
    ...heads.map((row) => ({
      sql: 'INSERT INTO audit (seq, first, records, h, root, mac) VALUES (?, ?, ?, ?, ?, ?)',
      params: ['seq', 'first', 'records', 'h', 'root', 'mac'].map((column) => row[column]!),
    })),
  ])
  await sql.close()
  await assert.rejects(openTestKms({ directory: one }), rolledBack)
})
