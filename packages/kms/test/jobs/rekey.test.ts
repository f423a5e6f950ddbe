import assert from 'node:assert/strict'
import test from 'node:test'
import { isFault, utf8 } from '@quorate/base'
import { keyVersionOf } from '#src/barrier/blob.js'
import { rotateProject } from '#src/barrier/rotation.js'
import { Rekey } from '#src/jobs/rekey.js'
import type { Kms } from '#src/kms.js'
import { leafDigest } from '#src/storage/leaf.js'
import type { SealedTable } from '#src/storage/port.js'
import { openTestKms } from '#src/testing/index.js'
import { scratch } from '../scratch.js'

const PROJECT = 'prj_00000000000000000000000001'
const ROWS = 450

/** Checkpoints that nobody reads, as if they were secrets: a table of the store with nothing else in it here. */
const TABLE: SealedTable = {
  table: 'checkpoint',
  key: ['seq'],
  columns: [],
  sealed: ['checkpoint'],
  placeOf: (row) => ({
    project: PROJECT,
    table: 'checkpoint',
    row: String(row['seq']),
    version: 1,
    column: 'checkpoint',
  }),
  leafOf: (row) => ({
    table: 'checkpoint',
    row: String(row['seq']),
    digest: leafDigest(1, row['checkpoint'] as Uint8Array),
  }),
}
/** Beyond those that a store of this size makes. */
const FIRST = 1_000_000

async function fill(kms: Kms): Promise<void> {
  await kms.barrier.project(PROJECT)
  await Promise.all(
    Array.from({ length: ROWS }, (_, i) => {
      const row = { seq: FIRST + i }
      const checkpoint = kms.barrier.seal(TABLE.placeOf(row, 'checkpoint'), utf8(`value ${i}`))
      return kms.context.journal.commit({
        statements: [
          {
            sql: 'INSERT INTO checkpoint (seq, checkpoint) VALUES (?, ?)',
            params: [row.seq, checkpoint],
          },
        ],
        audit: [
          {
            actor: 'system',
            action: 'test.write',
            resource: String(row.seq),
            decision: 'none',
            outcome: 'done',
            fields: [],
          },
        ],
        leaves: [TABLE.leafOf!({ ...row, checkpoint })],
      })
    }),
  )
}

const versionsOf = async (kms: Kms): Promise<ReadonlySet<number>> =>
  new Set(
    (await kms.sql.read('SELECT checkpoint FROM checkpoint WHERE seq >= ?', [FIRST])).map((row) =>
      keyVersionOf(row['checkpoint'] as Uint8Array),
    ),
  )

test('after a rotation no value of the old key remains, and the key goes; a restart does not matter', async (t) => {
  const kms = await openTestKms({ directory: scratch(t) })
  await fill(kms)
  await rotateProject(kms, PROJECT, 'system')
  assert.deepEqual([...(await versionsOf(kms))], [1])
  const stop = new AbortController()
  // Its first page only; then another instance goes on.
  const first = new Rekey(kms, [TABLE])
  const running = first.run(stop.signal)
  stop.abort()
  await running
  assert.deepEqual(
    [...(await versionsOf(kms))].sort((a, b) => a - b),
    [1, 2],
  )
  const { isRunning, moved } = await first.state()
  assert.deepEqual({ isRunning, moved }, { isRunning: true, moved: 200 })
  const second = new Rekey(kms, [TABLE])
  for (let runs = 0; runs < 4 && (await second.state()).isRunning; runs++) await second.run()
  assert.ok(!(await second.state()).isRunning)
  assert.deepEqual([...(await versionsOf(kms))], [2])
  assert.deepEqual(
    await kms.sql.read('SELECT version FROM project_key WHERE project = ? ORDER BY version', [
      PROJECT,
    ]),
    [{ version: 0 }, { version: 2 }],
  )
  for (const i of [0, 222, ROWS - 1]) {
    const row = { seq: FIRST + i }
    const [found] = await kms.context.sql.fresh(
      () => kms.sql.read('SELECT seq, checkpoint FROM checkpoint WHERE seq = ?', [row.seq]),
      (rows) => rows.map((each) => TABLE.leafOf!(each)),
    )
    const blob = found!['checkpoint'] as Uint8Array
    const plain = kms.barrier.open(TABLE.placeOf(row, 'checkpoint'), blob)
    assert.equal(Buffer.from(plain).toString(), `value ${i}`)
  }
  // Nothing to do: it does not even begin.
  await second.run()
  assert.ok(!(await second.state()).isRunning)
  await kms.sql.write([{ sql: 'DELETE FROM checkpoint WHERE seq >= ?', params: [FIRST] }])
  await kms.close()
})

test('a row that was rolled back is refused, not sealed anew', async (t) => {
  const kms = await openTestKms({ directory: scratch(t) })
  await fill(kms)
  const [first] = await kms.sql.read('SELECT checkpoint FROM checkpoint WHERE seq = ?', [FIRST])
  await kms.sql.write([
    {
      sql: 'UPDATE checkpoint SET checkpoint = ? WHERE seq = ?',
      params: [first!['checkpoint']!, FIRST + 1],
    },
  ])
  await rotateProject(kms, PROJECT, 'system')
  await assert.rejects(new Rekey(kms, [TABLE]).run(), (error: unknown) =>
    isFault(error, 'kms/rolled-back'),
  )
  await kms.sql.write([{ sql: 'DELETE FROM checkpoint WHERE seq >= ?', params: [FIRST] }])
  await kms.close()
})
