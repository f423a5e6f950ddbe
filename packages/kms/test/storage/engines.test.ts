import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { isFault, Secret, utf8 } from '@quorate/base'
import { combineMnemonics } from '@quorate/math'
import { systemClock, systemRandom } from '@quorate/platform'
import { verifyLog } from '#src/audit/log.js'
import { backUp } from '#src/barrier/backup.js'
import { recoveryParams, recoveryRecipient } from '#src/barrier/recipients.js'
import { addQuorum } from '#src/barrier/rotation.js'
import { leafDigest } from '#src/storage/leaf.js'
import { migrationsFor, TABLES } from '#src/storage/migrations.js'
import { acceptRollback, restoreBackup } from '#src/storage/restore.js'
import { openTestKms } from '#src/testing/index.js'
import { ENGINES, type Engine } from '../engine-list.js'
import { scratch } from '../scratch.js'

const PROJECT = 'prj_00000000000000000000000001'
const place = { project: PROJECT, table: 't', row: 'r', version: 1, column: 'value' }

test('both engines have the same tables, each with its key', () => {
  assert.ok(TABLES.length > 10)
  for (const { name, key } of TABLES) assert.ok(key.length > 0, name)
  const namesIn = (engine: 'sqlite' | 'postgresql'): readonly string[] =>
    migrationsFor(engine).flatMap(({ sql }) =>
      Array.from(sql.matchAll(/CREATE TABLE (\w+)/g), ([, name]) => name as string),
    )
  assert.deepEqual(namesIn('sqlite'), namesIn('postgresql'))
  assert.deepEqual(
    namesIn('sqlite'),
    TABLES.map(({ name }) => name),
  )
  const strict = migrationsFor('sqlite').flatMap(({ sql }) => sql.match(/\) STRICT;/g) ?? [])
  assert.equal(strict.length, TABLES.length)
})

async function life(t: TestContext, engine: Engine): Promise<void> {
  const directory = scratch(t)
  const databaseUri = await engine.uri()
  const open = () => openTestKms({ directory, databaseUri })
  let kms = await open()
  await kms.barrier.project(PROJECT)
  const blob = kms.barrier.seal(place, utf8('kept'))
  const put = (version: number, value: Uint8Array, expect?: number) =>
    kms.context.journal.commit({
      statements: [
        {
          sql: 'INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
          params: ['x', value],
          ...(expect !== undefined && { expect }),
        },
      ],
      audit: [
        {
          actor: 'system',
          action: 'test.write',
          resource: 'x',
          decision: 'none',
          outcome: 'done',
          fields: [],
        },
      ],
      leaves: [{ table: 'setting', row: 'x', digest: leafDigest(version, value) }],
    })
  assert.deepEqual(await put(1, blob), [1])
  assert.deepEqual(await put(2, blob), [1])
  await assert.rejects(put(3, blob, 2), (error) => isFault(error, 'platform/write-conflict'))
  const read = (version: number) =>
    kms.context.sql.fresh(
      () => kms.context.sql.read('SELECT value FROM setting WHERE name = ?', ['x']),
      ([row]) => [
        {
          table: 'setting',
          row: 'x',
          digest: leafDigest(version, row!['value'] as Uint8Array),
        },
      ],
    )
  await read(2)
  await assert.rejects(read(1), (error) => isFault(error, 'kms/rolled-back'))
  const { shares } = await addQuorum(
    kms,
    { groupThreshold: 1, groups: [{ threshold: 2, members: 2 }] },
    'system',
  )
  const backup = await backUp(kms, 'b', 'system')
  await kms.checkpoints.make()
  assert.ok((await verifyLog(kms.sql, kms.checkpoints.key)).isOk)
  await kms.close()
  kms = await open()
  await read(2)
  await kms.close()

  // Into the other engine, where there is one: the backup knows none.
  const secret = combineMnemonics(shares[0]!)
  const quorum = recoveryRecipient(recoveryParams(secret), systemRandom, secret)
  const other = ENGINES.find(({ name }) => name !== engine.name) ?? engine
  const uri = await other.uri()
  const target = scratch(t)
  const { seq } = await restoreBackup({
    backup: backup.path,
    directory: target,
    databaseUri: uri === undefined ? undefined : new Secret(utf8(uri)),
    recipients: [quorum],
    clock: systemClock,
    random: systemRandom,
  })
  kms = await openTestKms({ directory: target, databaseUri: uri })
  await acceptRollback(kms.sql, secret, seq)
  assert.ok(await kms.unsealWith([quorum]))
  await kms.barrier.project(PROJECT)
  const [row] = await read(2)
  assert.equal(Buffer.from(kms.barrier.open(place, row!['value'] as Uint8Array)).toString(), 'kept')
  await kms.checkpoints.make()
  assert.ok((await verifyLog(kms.sql, kms.checkpoints.key)).isOk)
  await kms.close()
}

for (const engine of ENGINES)
  test(`${engine.name}: a life with a restart, and a backup restored in the other engine`, (t) =>
    life(t, engine))
