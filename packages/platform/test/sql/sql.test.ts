import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { openSql, systemClock, systemRandom } from '@quorate/platform'
import { availableDrivers } from '#src/sql/driver.js'
import { scratch } from '../scratch.js'
import { faultIs, MIGRATIONS, sqlConformance } from './conformance.js'

const drivers = await availableDrivers()
const program = (name: string): string => fileURLToPath(new URL(`./${name}`, import.meta.url))
const base = { migrations: MIGRATIONS, clock: systemClock, random: systemRandom }

test('a driver is there', () => assert.ok(drivers.length > 0))

for (const driver of drivers) {
  sqlConformance(driver)

  test(`${driver}: no acknowledged write is lost when the process is killed`, async (t) => {
    const path = join(scratch(t), 'store.db')
    const acknowledged = new Set<number>()
    for (const target of [40, 300, 1000]) {
      const child: ChildProcess = spawn(
        process.execPath,
        [program('write-forever.js'), driver, path],
        {
          stdio: ['ignore', 'pipe', 'inherit'],
        },
      )
      const exited = once(child, 'exit')
      let seen = 0
      for await (const line of createInterface({ input: child.stdout! })) {
        acknowledged.add(Number(line))
        if (++seen === target) child.kill('SIGKILL')
      }
      assert.deepEqual(await exited, [null, 'SIGKILL'])
    }
    const sql = await openSql({ ...base, path, driver })
    const present = new Set((await sql.read('SELECT id FROM note')).map(({ id }) => id))
    assert.ok(acknowledged.size >= 1340)
    for (const id of acknowledged)
      assert.ok(present.has(id), `write ${id} was acknowledged and is lost`)
    await sql.close()
  })

  test(`${driver}: random calls never end the process`, () => {
    const run = spawnSync(process.execPath, [program('fuzz.js'), driver], {
      encoding: 'utf8',
      timeout: 120_000,
    })
    assert.equal(run.status, 0, run.stderr)
    assert.match(run.stdout, /^survived \d+ calls\n$/)
  })

  test(`${driver}: an I/O error stops all writing and loses nothing acknowledged`, async (t) => {
    if (spawnSync('sh', ['-c', 'ulimit -f 1']).status !== 0)
      return t.skip('file sizes cannot be limited here')
    const path = join(scratch(t), 'store.db')
    await (await openSql({ ...base, path, driver })).close()
    const run = spawnSync(
      'sh',
      [
        '-c',
        'ulimit -f 600; exec "$@"',
        'sh',
        process.execPath,
        program('write-until-error.js'),
        driver,
        path,
      ],
      {
        encoding: 'utf8',
      },
    )
    assert.equal(run.status, 0, run.stderr)
    const { acknowledged, codes } = JSON.parse(run.stdout) as {
      acknowledged: number[]
      codes: string[]
    }
    assert.equal(
      codes[0],
      codes.includes('platform/disk-full') ? 'platform/disk-full' : 'platform/database-broken',
    )
    assert.ok(acknowledged.length > 0)
    const sql = await openSql({ ...base, path, driver })
    const present = new Set((await sql.read('SELECT id FROM note')).map(({ id }) => id))
    for (const id of acknowledged) assert.ok(present.has(id))
    await sql.close()
  })

  test(`${driver}: a database that another connection holds is refused`, async (t) => {
    const path = join(scratch(t), 'store.db')
    const sql = await openSql({ ...base, path, driver })
    await assert.rejects(openSql({ ...base, path, driver }), faultIs('platform/database-busy'))
    await sql.close()
    await (await openSql({ ...base, path, driver })).close()
  })

  test(`${driver}: foreign and damaged files are refused`, async (t) => {
    const directory = scratch(t)
    const garbage = join(directory, 'garbage.db')
    writeFileSync(garbage, 'x'.repeat(8192))
    await assert.rejects(
      openSql({ ...base, path: garbage, driver }),
      faultIs('platform/database-corrupt'),
    )
    await assert.rejects(
      openSql({ ...base, path: join(directory, 'absent', 'x.db'), driver }),
      faultIs('platform/file-unreadable'),
    )
    mkdirSync(join(directory, 'folder.db'))
    await assert.rejects(
      openSql({ ...base, path: join(directory, 'folder.db'), driver }),
      faultIs('platform/database-broken'),
    )
    assert.ok(!existsSync(join(directory, 'absent')))
  })
}

if (drivers.length === 2)
  test('a store made by one driver opens with the other', async (t) => {
    const path = join(scratch(t), 'store.db')
    const ids: string[] = []
    for (const driver of ['libsql', 'node:sqlite', 'libsql'] as const) {
      const sql = await openSql({ ...base, path, driver })
      await sql.write([
        { sql: 'INSERT INTO note (body, version) VALUES (?, 1)', params: [Uint8Array.of(1)] },
      ])
      ids.push(sql.storeId)
      await sql.close()
    }
    assert.equal(new Set(ids).size, 1)
  })
