/** What every driver behind the `sql` port must do. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { type FaultCode, isFault } from '@quorate/base'
import {
  type Migration,
  openSql,
  type Sql,
  type SqlDriverName,
  type SqlValue,
  StatementFault,
  systemClock,
  systemRandom,
} from '@quorate/platform'
import fc from 'fast-check'
import { scratch } from '../scratch.js'

export const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    name: 'notes',
    sql: `CREATE TABLE note (id INTEGER PRIMARY KEY, body BLOB NOT NULL, version INTEGER NOT NULL) STRICT;
          CREATE TABLE tag (note INTEGER NOT NULL REFERENCES note(id), label TEXT NOT NULL) STRICT;`,
  },
]

export const faultIs =
  (code: FaultCode) =>
  (error: unknown): boolean =>
    isFault(error, code)

const INSERT = 'INSERT INTO note (id, body, version) VALUES (?, ?, ?)'

/** What must hold for every engine. `open` gives the same database for the same directory. */
export function engineConformance(
  driver: string,
  open: (directory: string, migrations?: readonly Migration[]) => Promise<Sql>,
  scratch: (t: TestContext) => string,
): void {
  test(`${driver}: every kind of value comes back out of a table`, async (t) => {
    const sql = await open(scratch(t))
    await sql.write([{ sql: INSERT, params: [1, Uint8Array.of(), 1] }])
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array(),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
        async (bytes, big, text) => {
          await sql.write([
            {
              sql: 'UPDATE note SET body = ?, version = ? WHERE id = 1',
              params: [bytes, big],
              expect: 1,
            },
            { sql: 'DELETE FROM tag' },
            { sql: 'INSERT INTO tag (note, label) VALUES (?, ?)', params: [1, text] },
          ])
          const [row] = await sql.read(
            "SELECT body, version, label, NULL AS missing, '?' AS mark FROM note JOIN tag ON note = id WHERE label = ? -- ?",
            [text],
          )
          assert.deepEqual(
            { ...row, version: BigInt(row!['version'] as number | bigint) },
            {
              body: bytes,
              version: big,
              label: text,
              missing: null,
              mark: '?',
            },
          )
        },
      ),
      { numRuns: 30 },
    )
    assert.deepEqual(
      await sql.read('SELECT count(*) AS n, sum(version) IS NULL AS none FROM note'),
      [{ n: 1, none: 0 }],
    )
    await sql.close()
  })

  test(`${driver}: the first row is that of a read, and of what is committed now`, async (t) => {
    const sql = await open(scratch(t))
    const bodies = [Uint8Array.of(1), Uint8Array.of(2, 3), Uint8Array.of()]
    await sql.write(bodies.map((body, id) => ({ sql: INSERT, params: [id, body, id] })))
    const one = 'SELECT * FROM note WHERE id = ?'
    for (const [id] of bodies.entries())
      assert.deepEqual(await sql.first(one, [id]), (await sql.read(one, [id]))[0])
    const last = 'SELECT id FROM note ORDER BY id DESC'
    assert.deepEqual(await sql.first(last), { id: 2 })
    assert.equal(await sql.first(one, [9]), undefined)
    await sql.write([{ sql: INSERT, params: [9, Uint8Array.of(), 1] }])
    assert.deepEqual(await sql.first(last), { id: 9 })
    const wrong = async (): Promise<unknown> => sql.first('DELETE FROM note')
    await assert.rejects(wrong, faultIs('platform/bad-sql'))
    // A row that is left unread must not hold the log.
    await sql.checkpoint()
    await sql.close()
  })

  test(`${driver}: a write is done whole or not at all, and says which statement failed`, async (t) => {
    const sql = await open(scratch(t))
    const row = (id: number) => ({ sql: INSERT, params: [id, Uint8Array.of(id), 1] })
    assert.deepEqual(await sql.write([row(1), row(2)]), [1, 1])
    const failedAt = (code: FaultCode, statement: number) => (error: unknown) =>
      isFault(error, code) && error instanceof StatementFault && error.statement === statement
    await assert.rejects(sql.write([row(3), row(1)]), failedAt('platform/constraint', 1))
    await assert.rejects(
      sql.write([{ sql: 'DELETE FROM note WHERE id = 99', expect: 1 }, row(4)]),
      failedAt('platform/write-conflict', 0),
    )
    await assert.rejects(
      sql.write([row(4), { sql: 'DELETE FROM absent' }, row(5)]),
      failedAt('platform/bad-sql', 1),
    )
    await assert.rejects(
      sql.write([{ sql: 'INSERT INTO tag (note, label) VALUES (99, ?)', params: ['x'] }]),
      failedAt('platform/constraint', 0),
    )
    await assert.rejects(
      sql.read('WITH a AS (SELECT 1) DELETE FROM note'),
      faultIs('platform/bad-sql'),
    )
    await assert.rejects(sql.read('SELECT nonsense FROM note'), faultIs('platform/bad-sql'))
    assert.deepEqual(await sql.write([]), [])
    assert.deepEqual(
      (await sql.read('SELECT id FROM note ORDER BY id')).map(({ id }) => id),
      [1, 2],
    )
    await sql.close()
  })

  test(`${driver}: of many waiting writes only the failing ones are undone`, async (t) => {
    const sql = await open(scratch(t))
    const ids = Array.from({ length: 100 }, (_, i) => (i % 10 === 9 ? 0 : i))
    const results = await Promise.allSettled(
      ids.map((id) => sql.write([{ sql: INSERT, params: [id, Uint8Array.of(1), 1] }])),
    )
    const written = ids.filter((_, i) => results[i]?.status === 'fulfilled')
    assert.equal(written.length, 90)
    assert.deepEqual(
      (await sql.read('SELECT id FROM note ORDER BY id')).map(({ id }) => id),
      written.toSorted((a, b) => a - b),
    )
    await sql.close()
  })

  test(`${driver}: compare and set lets exactly one of many win`, async (t) => {
    const sql = await open(scratch(t))
    await sql.write([{ sql: INSERT, params: [1, Uint8Array.of(0), 1] }])
    const tries = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) =>
        sql.write([
          { sql: 'INSERT INTO tag VALUES (1, ?)', params: [`try ${i}`] },
          {
            sql: 'UPDATE note SET version = 2, body = ? WHERE id = 1 AND version = 1',
            params: [Uint8Array.of(i)],
            expect: 1,
          },
        ]),
      ),
    )
    const lost = tries.filter((each) => each.status === 'rejected')
    assert.equal(lost.length, 19)
    assert.ok(lost.every(({ reason }) => isFault(reason, 'platform/write-conflict')))
    assert.deepEqual(await sql.read('SELECT label FROM tag'), [{ label: 'try 0' }])
    await sql.close()
  })

  test(`${driver}: a snapshot stays as it was while others write`, async (t) => {
    const sql = await open(scratch(t))
    await sql.write([{ sql: INSERT, params: [1, Uint8Array.of(1), 1] }])
    const snapshot = await sql.snapshot()
    await sql.write([{ sql: INSERT, params: [2, Uint8Array.of(2), 1] }])
    assert.deepEqual(await snapshot.read('SELECT count(*) AS n FROM note'), [{ n: 1 }])
    await assert.rejects(snapshot.read('DELETE FROM note'), faultIs('platform/bad-sql'))
    assert.deepEqual(await sql.read('SELECT count(*) AS n FROM note'), [{ n: 2 }])
    await snapshot.close()
    await sql.close()
  })

  test(`${driver}: a second process cannot write beside the first`, async (t) => {
    const directory = scratch(t)
    const sql = await open(directory)
    await assert.rejects(open(directory), faultIs('platform/database-busy'))
    await sql.close()
    await (await open(directory)).close()
  })

  test(`${driver}: the store keeps its id, and runs migrations forward only`, async (t) => {
    const directory = scratch(t)
    const sql = await open(directory)
    await sql.write([{ sql: INSERT, params: [1, Uint8Array.of(5), 1] }])
    await sql.close()
    const second: Migration = {
      number: 2,
      name: 'colour',
      sql: "ALTER TABLE note ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'",
    }
    const broken: Migration = { ...second, sql: 'CREATE TABLE extra (x BIGINT); SELEKT 1' }
    await assert.rejects(
      open(directory, [...MIGRATIONS, broken]),
      faultIs('platform/migration-failed'),
    )
    const newer = await open(directory, [...MIGRATIONS, second])
    assert.equal(newer.storeId, sql.storeId)
    assert.deepEqual(await newer.read('SELECT id, colour FROM note'), [{ id: 1, colour: 'red' }])
    await newer.close()
    await assert.rejects(open(directory), faultIs('platform/database-newer'))
    const changed = { ...MIGRATIONS[0]!, sql: `${MIGRATIONS[0]!.sql} -- edited` }
    await assert.rejects(open(directory, [changed, second]), faultIs('platform/migration-changed'))
  })

  test(`${driver}: closing finishes what was asked before and refuses what comes after`, async (t) => {
    const directory = scratch(t)
    const sql = await open(directory)
    const writes = Array.from({ length: 50 }, (_, i) =>
      sql.write([{ sql: INSERT, params: [i, Uint8Array.of(1), 1] }]),
    )
    await Promise.all([sql.close(), sql.close()])
    await Promise.all(writes)
    await assert.rejects(sql.read('SELECT 1'), faultIs('platform/database-closed'))
    await assert.rejects(sql.snapshot(), faultIs('platform/database-closed'))
    const again = await open(directory)
    assert.deepEqual(await again.read('SELECT count(*) AS n FROM note'), [{ n: 50 }])
    await again.close()
  })
}

export function sqlConformance(driver: SqlDriverName): void {
  const open = (directory: string, migrations = MIGRATIONS, maxBytes?: number): Promise<Sql> =>
    openSql({
      path: join(directory, 'store.db'),
      migrations,
      clock: systemClock,
      random: systemRandom,
      driver,
      ...(maxBytes === undefined ? {} : { maxBytes }),
    })
  engineConformance(
    `${driver}, read here`,
    (directory, migrations = MIGRATIONS) =>
      openSql({
        path: join(directory, 'store.db'),
        migrations,
        clock: systemClock,
        random: systemRandom,
        driver,
        reads: 'here',
      }),
    scratch,
  )

  test(`${driver}: settings that durability and secrecy rest on`, async (t) => {
    const directory = scratch(t)
    const sql = await open(directory)
    const pragma = async (name: string): Promise<unknown> =>
      (await sql.read(`SELECT * FROM pragma_${name}`)).map((row) => Object.values(row)[0])[0]
    assert.equal(await pragma('journal_mode'), 'wal')
    assert.equal(sql.driver, driver)
    await sql.write([{ sql: INSERT, params: [1, Uint8Array.of(1), 1] }])
    for (const name of readdirSync(directory))
      assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name)
    await sql.close()
    assert.deepEqual(readdirSync(directory), ['store.db'])
  })

  test(`${driver}: every kind of value comes back as it went in`, async (t) => {
    const sql = await open(scratch(t))
    const echo = async (value: SqlValue): Promise<SqlValue | undefined> =>
      (await sql.read('SELECT ? AS value', [value]))[0]?.['value']
    for (const value of [
      null,
      '',
      'é🙂',
      0,
      -1,
      2 ** 53 - 1,
      -(2 ** 53) + 1,
      2n ** 53n,
      2n ** 63n - 1n,
      -(2n ** 63n),
    ])
      assert.deepEqual(await echo(value), value)
    assert.equal(await echo(7n), 7)
    assert.deepEqual(await echo(new Uint8Array()), new Uint8Array())
    const pooled = Buffer.from('abc')
    const back = await echo(pooled)
    assert.ok(back instanceof Uint8Array && !Buffer.isBuffer(back) && back.buffer.byteLength === 3)
    assert.equal((await sql.read('SELECT typeof(?) AS kind', [5]))[0]?.['kind'], 'integer')
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array(),
        fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
        async (bytes, big) => {
          assert.deepEqual(await echo(bytes), bytes)
          assert.equal(BigInt((await echo(big)) as number | bigint), big)
        },
      ),
      { numRuns: 50 },
    )
    await sql.close()
  })

  test(`${driver}: wrong calls are faults and change nothing`, async (t) => {
    const sql = await open(scratch(t))
    const write = (text: string, params: readonly unknown[] = []): Promise<unknown> =>
      sql.write([{ sql: text, params: params as SqlValue[] }])
    const wrong: [string, unknown[]?][] = [
      [INSERT, [1, Uint8Array.of(1)]],
      [INSERT, [1, Uint8Array.of(1), 1, 1]],
      [INSERT, [1, {}, 1]],
      [INSERT, [1, undefined, 1]],
      [INSERT, [1.5, Uint8Array.of(1), 1]],
      [INSERT, [Number.NaN, Uint8Array.of(1), 1]],
      [INSERT, [2n ** 63n, Uint8Array.of(1), 1]],
      [INSERT, [true, Uint8Array.of(1), 1]],
      [INSERT, [1, new Date(0), 1]],
      [INSERT, [1, new Float64Array(1), 1]],
      ['INSERT INTO tag (note, label) VALUES (1, ?)', ['a\0b']],
      ['INSERT INTO tag (note, label) VALUES (1, ?)', ['\ud800']],
      ['INSERT INTO note (id) VALUES (?1)', [1]],
      ['INSERT INTO note (id) VALUES (:id)', [1]],
      ['DELETE FROM note; DELETE FROM tag'],
      ['DELETE FROM note RETURNING id'],
      ['WITH a AS (SELECT 1) SELECT * FROM a'],
      ['SELECT 1'],
      ['COMMIT'],
      ['PRAGMA synchronous = OFF'],
      ["ATTACH DATABASE '/tmp/x' AS x"],
      ['DELETE FROM absent'],
      ['DELETE FROM note WHERE'],
      ["DELETE FROM note WHERE body = 'open"],
      ['DELETE FROM note\0'],
      [''],
    ]
    for (const [text, params] of wrong)
      await assert.rejects(write(text, params), faultIs('platform/bad-sql'), text)
    await assert.rejects(sql.read('DELETE FROM note'), faultIs('platform/bad-sql'))
    await write("INSERT INTO note VALUES (8, x'00', 1)")
    await assert.rejects(
      sql.read('WITH a AS (SELECT 1) DELETE FROM note'),
      faultIs('platform/bad-sql'),
    )
    assert.deepEqual(await sql.write([{ sql: 'DELETE FROM note' }]), [1])
    await assert.rejects(
      sql.write([{ sql: 'DELETE FROM note', expect: -1 }]),
      faultIs('platform/bad-sql'),
    )
    await write("INSERT INTO note VALUES (9, x'00', 1) -- a ? in a comment; /* and '")
    assert.deepEqual(await sql.read('SELECT id, \'?;\' AS "a?" FROM note /* ? */;'), [
      { id: 9, 'a?': '?;' },
    ])
    await sql.close()
  })

  test(`${driver}: a write is done whole or not at all`, async (t) => {
    const sql = await open(scratch(t))
    const row = (id: number) => ({ sql: INSERT, params: [id, Uint8Array.of(id), 1] })
    assert.deepEqual(await sql.write([row(1), row(2)]), [1, 1])
    await assert.rejects(sql.write([row(3), row(1)]), faultIs('platform/constraint'))
    await assert.rejects(
      sql.write([row(4), { sql: 'INSERT INTO tag VALUES (?, ?)', params: [99, 'x'] }]),
      faultIs('platform/constraint'),
    )
    assert.deepEqual(await sql.write([]), [])
    assert.deepEqual(
      (await sql.read('SELECT id FROM note ORDER BY id')).map(({ id }) => id),
      [1, 2],
    )
    await sql.close()
  })

  test(`${driver}: a full store refuses, keeps what it has, and works again with room`, async (t) => {
    const directory = scratch(t)
    const sql = await open(directory, MIGRATIONS, 128 * 1024)
    const big = (id: number) => ({ sql: INSERT, params: [id, new Uint8Array(20_000), 1] })
    await sql.write([big(1)])
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => sql.write([big(i + 2)])),
    )
    const failed = results.filter((each) => each.status === 'rejected')
    assert.ok(
      failed.length > 0 && failed.every(({ reason }) => isFault(reason, 'platform/disk-full')),
    )
    const kept = 1 + results.length - failed.length
    assert.deepEqual(await sql.read('SELECT count(*) AS n FROM note'), [{ n: kept }])
    await sql.close()
    const roomy = await open(directory)
    await roomy.write([big(100)])
    assert.deepEqual(await roomy.read('SELECT count(*) AS n FROM note'), [{ n: kept + 1 }])
    await roomy.close()
  })

  test(`${driver}: the store keeps its id; another has another`, async (t) => {
    const [one, other] = [scratch(t), scratch(t)]
    const first = await open(one)
    await first.close()
    const again = await open(one)
    const second = await open(other)
    assert.equal(again.storeId, first.storeId)
    assert.notEqual(second.storeId, first.storeId)
    await Promise.all([again.close(), second.close()])
  })

  test(`${driver}: migrations go forward only, and are the ones that were run`, async (t) => {
    const directory = scratch(t)
    const sql = await open(directory)
    await sql.write([{ sql: INSERT, params: [1, Uint8Array.of(5), 1] }])
    await sql.close()
    const second: Migration = {
      number: 2,
      name: 'colour',
      sql: "ALTER TABLE note ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'",
    }
    const broken: Migration = { ...second, sql: 'CREATE TABLE extra (x) STRICT; SELEKT 1' }
    await assert.rejects(
      open(directory, [...MIGRATIONS, broken]),
      faultIs('platform/migration-failed'),
    )
    await assert.rejects(
      open(directory, [...MIGRATIONS, { ...second, number: 3 }]),
      faultIs('platform/bad-sql'),
    )
    const newer = await open(directory, [...MIGRATIONS, second])
    assert.deepEqual(await newer.read('SELECT id, colour FROM note'), [{ id: 1, colour: 'red' }])
    await newer.close()
    const copy = join(directory, 'store.db.before-2')
    assert.ok(readFileSync(copy).subarray(0, 15).equals(Buffer.from('SQLite format 3')))
    assert.equal(statSync(copy).mode & 0o777, 0o600)
    await assert.rejects(open(directory), faultIs('platform/database-newer'))
    const changed = { ...MIGRATIONS[0]!, sql: `${MIGRATIONS[0]!.sql} -- edited` }
    await assert.rejects(open(directory, [changed, second]), faultIs('platform/migration-changed'))
    await (await open(directory, [...MIGRATIONS, second])).close()
    assert.ok(!existsSync(copy), 'the copy is gone once a start found nothing to convert')
  })

  test(`${driver}: what was deleted is in no file after a checkpoint`, async (t) => {
    const directory = scratch(t)
    const sql = await open(directory)
    const canary = Buffer.from('canary-7f3a91-canary-7f3a91')
    const isOnDisk = (): boolean =>
      readdirSync(directory).some((name) => readFileSync(join(directory, name)).includes(canary))
    await sql.write([{ sql: INSERT, params: [1, canary, 1] }])
    assert.ok(isOnDisk())
    await sql.write([{ sql: 'DELETE FROM note' }])
    await sql.checkpoint()
    assert.ok(!isOnDisk())
    await sql.close()
  })

  test(`${driver}: closing finishes what was asked before and refuses what comes after`, async (t) => {
    const directory = scratch(t)
    const sql = await open(directory)
    const writes = Array.from({ length: 50 }, (_, i) =>
      sql.write([{ sql: INSERT, params: [i, Uint8Array.of(1), 1] }]),
    )
    await Promise.all([sql.close(), sql.close()])
    await Promise.all(writes)
    await assert.rejects(sql.read('SELECT 1'), faultIs('platform/database-closed'))
    const again = await open(directory)
    assert.deepEqual(await again.read('SELECT count(*) AS n FROM note'), [{ n: 50 }])
    await again.close()
  })
}
