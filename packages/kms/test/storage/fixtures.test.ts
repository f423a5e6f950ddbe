/** Stores of every schema that was ever released open, and hold what they held. */
import assert from 'node:assert/strict'
import { chmodSync, cpSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { isFault } from '@quorate/base'
import { openSql, systemClock, systemRandom } from '@quorate/platform'
import { migrationsFor } from '#src/storage/migrations.js'
import { type Expected, openFixture } from '../fixtures/life.js'
import { fixtureOf } from '../fixtures/place.js'
import { scratch } from '../scratch.js'

const MIGRATIONS = migrationsFor('sqlite')

/** Modes are not what the tree keeps. */
function makePrivate(path: string): void {
  const isDirectory = statSync(path).isDirectory()
  chmodSync(path, isDirectory ? 0o700 : 0o600)
  if (isDirectory) for (const name of readdirSync(path)) makePrivate(join(path, name))
}

function copyOf(t: TestContext, schema: number): { directory: string; expected: Expected } {
  const fixture = fixtureOf(schema)
  const directory = join(scratch(t), 'data')
  cpSync(join(fixture, 'data'), directory, { recursive: true })
  makePrivate(directory)
  return {
    directory,
    expected: JSON.parse(readFileSync(join(fixture, 'expected.json'), 'utf8')),
  }
}

for (const { number } of MIGRATIONS)
  test(`a store of schema ${number} opens and holds what it held`, async (t) => {
    const { directory, expected } = copyOf(t, number)
    const server = await openFixture(t, directory, expected.madeAt + 3_600_000)
    assert.equal(server.kms.sql.storeId, expected.storeId)
    assert.ok(!server.kms.isSealed)
    const { clientId, clientSecret, secret, place, shares, records } = expected
    const login = await server.call('POST', '/api/v1/auth/universal/login', {
      body: { clientId, clientSecret },
    })
    const token = login.body.accessToken
    const ask = async (method: string, path: string, body?: unknown) =>
      (await server.call(method, `/api/v1${path}`, { token, body })).body
    assert.equal((await ask('GET', `/secrets/${secret}`)).secretValue, 'base and second')
    assert.equal((await ask('GET', `/secrets/${secret}/versions/1`)).secretValue, 'first')
    const query = new URLSearchParams(place).toString()
    const names = (await ask('GET', `/secrets?${query}`)).items.map(
      (each: { secretName: string }) => each.secretName,
    )
    assert.deepEqual(names, ['BASE', 'KEY'])
    const identities = (await ask('GET', `/identities?project=${place.project}`)).items
    assert.equal(identities[0].grants[0].role.slice(0, 4), 'rol_')
    const verdict = await ask('POST', '/audit/verify', {})
    assert.deepEqual([verdict.isOk, verdict.from], [true, 1])
    assert.ok(verdict.to > records)
    // It can be written to as well, and its quorum still opens it.
    assert.equal((await ask('PATCH', `/secrets/${secret}`, { secretValue: 'third' })).version, 3)
    await ask('POST', '/sys/seal', {})
    assert.deepEqual(await ask('POST', '/sys/unseal', { shares }), { sealed: false })
    assert.equal((await ask('GET', `/secrets/${secret}`)).secretValue, 'third')
  })

test('migrations go forward only, and a released one is never changed', async (t) => {
  const { directory } = copyOf(t, 1)
  const open = (migrations: typeof MIGRATIONS) =>
    openSql({
      path: join(directory, 'kms.db'),
      migrations,
      reads: 'here',
      clock: systemClock,
      random: systemRandom,
    })
  const [first] = MIGRATIONS
  assert.ok(first !== undefined)
  await assert.rejects(open([{ ...first, sql: `${first.sql}\n-- changed` }]), (error) =>
    isFault(error, 'platform/migration-changed'),
  )
  const next = { number: MIGRATIONS.length + 1, name: 'next', sql: 'CREATE TABLE later (x TEXT);' }
  await (await open([...MIGRATIONS, next])).close()
  await assert.rejects(open(MIGRATIONS), (error) => isFault(error, 'platform/database-newer'))
})
