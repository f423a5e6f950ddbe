import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { isFault } from '@quorate/base'
import { systemClock, systemRandom } from '@quorate/platform'
import { StoreJournal } from '#src/audit/journal.js'
import { verifyLog } from '#src/audit/log.js'
import { leafDigest } from '#src/storage/leaf.js'
import { openDatabase } from '#src/storage/open.js'
import { StateTree } from '#src/storage/tree.js'
import { openTestKms } from '#src/testing/index.js'
import { scratch } from '../scratch.js'

const PLACES = ['kms/journal/before-commit', 'kms/journal/after-commit']
const PROGRAM = fileURLToPath(new URL('../write-forever.js', import.meta.url))

test('killed in a loop under load: nothing acknowledged is lost, no half write, the chain whole', async (t) => {
  const directory = scratch(t)
  const acknowledged = new Set<string>()
  for (const [life, end] of [60, 200, ...PLACES, 500].entries()) {
    const target = typeof end === 'number' ? end : undefined
    const armed = target === undefined ? { QUORATE_FAILPOINTS: `${end}=crash` } : {}
    const child = spawn(process.execPath, [PROGRAM, directory, String(life * 1_000_000)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...armed },
    })
    const exited = once(child, 'exit')
    let seen = 0
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged.add(line)
      if (++seen === target) child.kill('SIGKILL')
    }
    assert.deepEqual(await exited, [null, 'SIGKILL'])
  }
  const kms = await openTestKms({ directory })
  const rows = await kms.sql.read("SELECT name, value FROM setting WHERE name LIKE 'row-%'")
  const present = new Set(rows.map(({ name }) => name))
  for (const name of acknowledged) assert.ok(present.has(name), `${name} was acknowledged`)
  // A row without its leaf would be a half write.
  await kms.context.sql.fresh(
    async () => rows,
    (all) =>
      all.map(({ name, value }) => ({
        table: 'setting',
        row: name as string,
        digest: leafDigest(1, value as Uint8Array),
      })),
  )
  await kms.checkpoints.make()
  const report = await verifyLog(kms.sql, kms.checkpoints.key)
  assert.ok(report.isOk, JSON.stringify(report.problems))
  assert.ok(report.to >= acknowledged.size)
  await kms.close()
})

test('a full disk refuses clearly, loses nothing, and works again with room', async (t) => {
  const path = join(scratch(t), 'kms.db')
  const open = async (maxBytes?: number) => {
    const sql = await openDatabase({
      path,
      uri: undefined,
      clock: systemClock,
      random: systemRandom,
      ...(maxBytes !== undefined && { maxBytes }),
    })
    const journal = await StoreJournal.open({
      sql,
      tree: await StateTree.load(sql),
      mac: (body) => new Uint8Array(32).fill(body.length),
      stamp: () => ({ time: 1, bootId: new Uint8Array(16) }),
      onWritten: () => undefined,
      checkSinks: () => undefined,
    })
    return { sql, journal }
  }
  const put = (journal: StoreJournal, i: number) => {
    const value = new Uint8Array(20_000).fill(i)
    return journal.commit({
      statements: [
        { sql: 'INSERT INTO setting (name, value) VALUES (?, ?)', params: [`n${i}`, value] },
      ],
      audit: [
        {
          actor: 'system',
          action: 'test.write',
          resource: `n${i}`,
          decision: 'none',
          outcome: 'done',
          fields: [],
        },
      ],
      leaves: [{ table: 'setting', row: `n${i}`, digest: leafDigest(1, value) }],
    })
  }
  const small = await open(400 * 1024)
  const results: PromiseSettledResult<unknown>[] = []
  // One after the other, so that each meets the limit alone.
  for (let i = 0; i < 30; i++) results.push(...(await Promise.allSettled([put(small.journal, i)])))
  const failed = results.filter((each) => each.status === 'rejected')
  assert.ok(failed.length > 0 && failed.length < 30)
  assert.ok(failed.every(({ reason }) => isFault(reason, 'platform/disk-full')))
  const { head } = small.journal
  assert.equal(head.seq, 30 - failed.length)
  await small.sql.close()
  const roomy = await open()
  assert.deepEqual(roomy.journal.head, head)
  await put(roomy.journal, 100)
  assert.deepEqual(await roomy.sql.read('SELECT count(*) AS n FROM setting'), [
    { n: 31 - failed.length },
  ])
  await roomy.sql.close()
})

test('of changes that share a transaction a failing one fails alone', async (t) => {
  const kms = await openTestKms({ directory: scratch(t) })
  const one = (name: string, resource = name) =>
    kms.context.journal.commit({
      statements: [
        {
          sql: 'INSERT INTO setting (name, value) VALUES (?, ?)',
          params: [name, new Uint8Array(1)],
        },
      ],
      audit: [
        {
          actor: 'system',
          action: 'test.write',
          resource,
          decision: 'none',
          outcome: 'done',
          fields: [],
        },
      ],
    })
  const before = kms.journal.head.seq
  const results = await Promise.allSettled([
    one('a'),
    one('b'),
    one('a'),
    one('c'),
    // What cannot be recorded must not happen.
    one('d', 'not a word'),
    one('e'),
  ])
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
  )
  assert.equal(kms.journal.head.seq, before + 4)
  const names = await kms.sql.read('SELECT name FROM setting WHERE length(name) = 1 ORDER BY name')
  assert.deepEqual(
    names.map(({ name }) => name),
    ['a', 'b', 'c', 'e'],
  )
  await kms.close()
})
