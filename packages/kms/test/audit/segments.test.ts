import assert from 'node:assert/strict'
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { toRfc3339 } from '@quorate/api'
import { fromHex, isFault } from '@quorate/base'
import { verifySegments } from '#src/audit/segment-files.js'
import { START, startAccess, type TestServer } from '../domains/access/harness.js'
import { ENGINES, type Engine } from '../engine-list.js'
import { scratch } from '../scratch.js'

const LATER = 2_400_000

async function open(t: TestContext, engine: Engine) {
  const server = await startAccess(t, { system: true, databaseUri: await engine.uri() })
  const { token } = await server.administrator()
  const ask = (method: string, path: string, body?: unknown) =>
    server.call(method, `/api/v1${path}`, { token, body })
  return { server, ask }
}
const rowsIn = async ({ kms }: TestServer, table: string): Promise<number> => {
  const [row] = await kms.sql.read(`SELECT COUNT(*) AS count FROM ${table}`)
  return Number(row?.['count'])
}

for (const engine of ENGINES)
  test(`${engine.name}: what is sealed can be pruned, verifies alone, and the rest still verifies`, async (t) => {
    const { server, ask } = await open(t, engine)
    for (let i = 0; i < 5; i++) await ask('GET', '/sys/status')
    const before = toRfc3339(START + LATER / 2)
    const first = await ask('POST', '/audit/segments')
    assert.deepEqual([first.status, first.body.first], [201, 1])
    server.time.advance(LATER)
    // The record of the sealing itself is older, and in no segment.
    const early = await ask('POST', '/audit/prune', { before })
    assert.deepEqual([early.status, early.body.code], [409, 'kms/not-sealed'])
    assert.equal(early.body.detail, `record ${first.body.last + 1}`)
    const second = (await ask('POST', '/audit/segments')).body
    assert.equal(second.first, first.body.last + 1)

    const away = join(scratch(t), 'segment')
    renameSync(first.body.path, away)
    assert.equal((await ask('POST', '/audit/prune', { before })).body.code, 'kms/not-sealed')
    renameSync(away, first.body.path)
    const rows = await rowsIn(server, 'audit')
    const { prunedTo } = (await ask('POST', '/audit/prune', { before })).body
    assert.equal(prunedTo, first.body.last)
    assert.ok((await rowsIn(server, 'audit')) < rows)
    const verdict = (await ask('POST', '/audit/verify')).body
    assert.deepEqual([verdict.isOk, verdict.from], [true, prunedTo + 1])
    assert.ok((await ask('GET', '/audit')).body.items.length > 3)
    const listed = (await ask('GET', '/audit/segments')).body
    assert.deepEqual([listed.prunedTo, listed.items.length], [prunedTo, 2])

    const key = fromHex(listed.key)
    const both = await verifySegments([second.path, first.body.path], key)
    assert.deepEqual([both.isOk, both.from, both.to], [true, 1, second.last])
    const alone = await verifySegments([second.path], key)
    assert.deepEqual([alone.isOk, alone.from], [true, second.first])
    assert.ok(!(await verifySegments([second.path], new Uint8Array(32))).isOk)
    const lines = readFileSync(first.body.path, 'utf8').trimEnd().split('\n')
    const forged = join(scratch(t), 'forged')
    const is = async (content: readonly string[]): Promise<boolean> => {
      writeFileSync(forged, `${content.join('\n')}\n`)
      return (await verifySegments([forged, second.path], key)).isOk
    }
    assert.ok(await is(lines))
    assert.ok(!(await is(lines.slice(0, -1))), 'cut short')
    assert.ok(!(await is([lines[0]!, ...lines.slice(2)])), 'a record taken out')
    assert.ok(!(await is([lines[0]!, lines[2]!, lines[1]!, ...lines.slice(3)])), 'exchanged')
    assert.ok(!(await is([...lines.slice(0, 2), 'nonsense', ...lines.slice(3)])), 'nonsense')
    await assert.rejects(verifySegments([away], key), (error) =>
      isFault(error, 'platform/file-unreadable'),
    )
    writeFileSync(away, 'nonsense')
    await assert.rejects(verifySegments([away], key), (error) =>
      isFault(error, 'kms/segment-unreadable'),
    )
  })

test('who can only write to the database shortens no log from its beginning', async (t) => {
  const { server, ask } = await open(t, ENGINES[0]!)
  const { kms } = server
  await ask('GET', '/sys/status')
  await kms.checkpoints.make()
  const cut = kms.checkpoints.newest!.seq
  await ask('GET', '/sys/status')
  // As if it had been pruned up to a checkpoint.
  await kms.sql.write([{ sql: 'DELETE FROM audit WHERE seq <= ?', params: [cut] }])
  const verdict = (await ask('POST', '/audit/verify')).body
  assert.equal(verdict.isOk, false)
  assert.equal(verdict.problems[0].code, 'record-removed')
})

test('nor says that more of it was pruned than was', async (t) => {
  const { server, ask } = await open(t, ENGINES[0]!)
  const { kms } = server
  await ask('POST', '/audit/segments')
  const name = 'audit-segments'
  const [old] = await kms.sql.read('SELECT value FROM setting WHERE name = ?', [name])
  server.time.advance(LATER)
  await ask('POST', '/audit/segments')
  const put = { sql: 'UPDATE setting SET value = ? WHERE name = ?' }
  await kms.sql.write([{ ...put, params: [old!['value'] as Uint8Array, name] }])
  assert.equal((await ask('POST', '/audit/verify')).body.code, 'kms/rolled-back')
  await kms.sql.write([{ sql: 'DELETE FROM setting WHERE name = ?', params: [name] }])
  assert.equal((await ask('GET', '/audit/segments')).body.code, 'kms/rolled-back')
})

test('a store whose log was pruned starts again', async (t) => {
  const directory = join(scratch(t), 'data')
  const undo: (() => unknown)[] = []
  const during = { after: (each: unknown) => void undo.push(each as () => unknown) }
  const first = await startAccess(during as TestContext, { system: true, directory })
  const { token } = await first.administrator()
  await first.call('POST', '/api/v1/audit/segments', { token })
  first.time.advance(LATER)
  await first.call('POST', '/api/v1/audit/segments', { token })
  const before = toRfc3339(START + LATER / 2)
  const pruned = await first.call('POST', '/api/v1/audit/prune', { token, body: { before } })
  assert.ok(pruned.body.prunedTo > 1)
  for (const each of undo.reverse()) await each()
  const again = await startAccess(t, { system: true, directory }, START + LATER)
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  assert.ok(!again.kms.isSealed)
  const verdict = await again.call('POST', '/api/v1/audit/verify', { token })
  assert.deepEqual([verdict.body.isOk, verdict.body.from], [true, pruned.body.prunedTo + 1])
})
