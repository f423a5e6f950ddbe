import assert from 'node:assert/strict'
import test, { after, type TestContext } from 'node:test'
import { Secret, utf8 } from '@quorate/base'
import { openPostgres, systemClock, systemRandom } from '@quorate/platform'
import { prepared } from '#src/sql/postgres/text.js'
import { engineConformance, faultIs, MIGRATIONS } from './conformance.js'
import { startPostgres } from './postgres-server.js'

const server = await startPostgres()

if (server === undefined)
  test('postgresql', { skip: 'PostgreSQL is not installed' }, () => undefined)
else {
  after(() => server.stop())
  let databases = 0
  const scratch = (_t: TestContext): string => `d${++databases}`
  const uriOf = (database: string): Secret<Uint8Array> => new Secret(utf8(server.uri(database)))

  engineConformance(
    'postgresql',
    async (database, migrations = MIGRATIONS) => {
      await server.makeDatabase(database)
      return openPostgres({
        uri: uriOf(database),
        migrations: migrations.map((each) => ({
          ...each,
          sql: each.sql
            .replaceAll('BLOB', 'BYTEA')
            .replaceAll('INTEGER', 'BIGINT')
            .replaceAll(' STRICT', ''),
        })),
        clock: systemClock,
        random: systemRandom,
        readers: 2,
      })
    },
    scratch,
  )

  test('postgresql: a database of another program is left alone', async () => {
    await server.makeDatabase('foreign_tables')
    await server.run('foreign_tables', 'CREATE TABLE theirs (x int)')
    const base = { migrations: MIGRATIONS, clock: systemClock, random: systemRandom }
    await assert.rejects(
      openPostgres({ ...base, uri: uriOf('foreign_tables') }),
      faultIs('platform/database-corrupt'),
    )
    await assert.rejects(
      openPostgres({ ...base, uri: uriOf('absent') }),
      (error: unknown) => !String((error as Error).message).includes('absent'),
    )
    await assert.rejects(
      openPostgres({ ...base, uri: new Secret(utf8('postgresql://x@127.0.0.1:1/x')) }),
      faultIs('platform/database-broken'),
    )
  })

  test('postgresql: a lost connection stops all writing, and a restart finds what was acknowledged', async () => {
    await server.makeDatabase('lost')
    const open = () =>
      openPostgres({
        uri: uriOf('lost'),
        migrations: [{ number: 1, name: 'n', sql: 'CREATE TABLE n (id BIGINT PRIMARY KEY)' }],
        clock: systemClock,
        random: systemRandom,
        readers: 1,
      })
    const sql = await open()
    await sql.write([{ sql: 'INSERT INTO n (id) VALUES (?)', params: [1] }])
    await server.run(
      'postgres',
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lost'",
    )
    const write = () => sql.write([{ sql: 'INSERT INTO n (id) VALUES (?)', params: [2] }])
    await assert.rejects(write(), faultIs('platform/database-broken'))
    await assert.rejects(write(), faultIs('platform/database-broken'))
    await sql.close()
    const again = await open()
    assert.deepEqual(await again.read('SELECT id FROM n'), [{ id: 1 }])
    await again.close()
  })
}

test('question marks outside of quotes and comments become numbered parameters', () => {
  assert.equal(
    prepared('SELECT \'?\' , "?", ? /* ? */ FROM a WHERE b = ? -- ?').text,
    'SELECT \'?\' , "?", $1 /* ? */ FROM a WHERE b = $2 -- ?',
  )
  assert.equal(prepared('SELECT 1').name, prepared('SELECT 1').name)
  assert.notEqual(prepared('SELECT 1').name, prepared('SELECT 2').name)
})
