import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type FaultCode, isFault, toBase64 } from '@quorate/base'
import { type AnyBody, alice, type Harness, openHarness } from './harness.ts'

let h: Harness
let project: string
let count = 0
const where = () => ({ project, environment: 'development' })

const fails = (run: Promise<unknown>, code: FaultCode): Promise<void> =>
  assert.rejects(run, (error) => {
    assert.ok(isFault(error, code), `${code} expected, not ${String(error)}`)
    return true
  })
const put = (name: string, secretValue: string, path = '/'): Promise<AnyBody> =>
  h.body('putSecretAt', { params: { ...where(), name }, query: { path }, body: { secretValue } })
const remove = (name: string, path = '/'): Promise<AnyBody> =>
  h.body('deleteSecretAt', { params: { ...where(), name }, query: { path } })
const call = (operation: string, id: string, body?: object, query?: object): Promise<AnyBody> =>
  h.body(operation, { params: { id }, body, ...(query && { query: { ...query } }) })
/** A moment later, as text. */
const later = (): string => {
  h.clock.time += 1000
  return new Date(h.clock.time - 1).toISOString()
}
/** All values of the environment, by path and name. */
async function state(): Promise<{ [name: string]: string }> {
  const folders = await h.body('listFolders', { params: where() })
  const all: { [name: string]: string } = {}
  for (const { path } of folders.items) {
    const { items } = await h.body('listSecretsAt', {
      params: where(),
      query: { path, values: 'true', personal: 'false', imports: 'false' },
    })
    if (items.length === 0) all[path] = ''
    for (const each of items)
      all[`${path === '/' ? '' : path}/${each.secretName}`] = each.secretValue
  }
  return all
}
const root = async (): Promise<string> =>
  (await h.body('listFolders', { params: where() })).items[0].id

before(async () => {
  h = await openHarness()
})
after(() => h.kms.close())
const fresh = async (): Promise<void> => {
  h.clock.time += 1000
  project = await h.project(`p${++count}`)
}

describe('versions of a secret', () => {
  before(fresh)

  test('say who changed what when, differ, and come back', async () => {
    const { id } = await put('K', 'one')
    h.clock.time += 1000
    await call('updateSecret', id, { secretValue: 'two', comment: 'new' })
    await call('updateSecret', id, { secretName: 'L' })
    const { items } = await call('listSecretVersions', id)
    assert.deepEqual(
      items.map((each: AnyBody) => [each.version, each.change, each.secretName, each.actor]),
      [
        [3, 'update', 'L', alice.id],
        [2, 'update', 'K', alice.id],
        [1, 'create', 'K', alice.id],
      ],
    )
    assert.ok(items[1].at > items[2].at)
    assert.deepEqual((await call('diffSecretVersions', id)).differences, [
      { field: 'name', before: 'K', after: 'L' },
    ])
    assert.deepEqual(
      (await call('diffSecretVersions', id, undefined, { from: 1, to: 2 })).differences,
      [
        { field: 'comment', before: '', after: 'new' },
        { field: 'value', before: 'one', after: 'two' },
      ],
    )
    const back = await call('rollbackSecret', id, { version: 1 })
    assert.deepEqual([back.version, back.secretName], [4, 'K'])
    assert.equal((await call('readSecret', id)).secretValue, 'one')
    assert.equal((await call('undoSecretChange', id)).version, 5)
    assert.equal((await call('readSecret', id)).secretName, 'L')
    const old = await h.body('readSecretVersion', { params: { id, version: '1' } })
    assert.deepEqual([old.secretValue, old.change], ['one', 'create'])
    await fails(call('rollbackSecret', id, { version: 9 }), 'kms/no-version')
  })

  test('a deleted secret comes back, unless its name is taken', async () => {
    const { id } = await put('GONE', 'x')
    await remove('GONE')
    assert.equal((await call('undoSecretChange', id)).version, 3)
    assert.equal((await call('readSecret', id)).secretValue, 'x')
    await remove('GONE')
    await put('GONE', 'y')
    await fails(call('undoSecretChange', id), 'kms/name-taken')
    await fails(call('undoSecretChange', (await put('FIRST', 'x')).id), 'kms/cannot-restore')
  })

  test('destroyed versions stay destroyed', async () => {
    const { id } = await put('D', 'leaked')
    await put('D', 'good')
    await fails(call('destroySecretVersions', id, { versions: [2] }), 'kms/newest-version')
    await call('destroySecretVersions', id, { versions: [1] })
    await fails(call('rollbackSecret', id, { version: 1 }), 'kms/destroyed')
    await fails(call('undoSecretChange', id), 'kms/destroyed')
    await fails(h.body('readSecretVersion', { params: { id, version: '1' } }), 'kms/destroyed')
    await fails(call('destroySecretVersions', id, { versions: [1] }), 'kms/destroyed')
    const { items } = await call('listSecretVersions', id)
    assert.deepEqual(
      items.map((each: AnyBody) => each.destroyed),
      [false, true],
    )
  })
})

describe('a folder at a time', () => {
  before(fresh)

  test('comes back as it was, all at once, as the dry run said', async () => {
    await h.call('createFolder', { params: where(), body: { path: '/a/b' } })
    await put('KEEP', 'k')
    await put('CHANGE', 'before')
    await put('DELETE', 'd')
    await put('DEEP', 'deep', '/a/b')
    await put('X', 'x')
    await put('Y', 'y')
    const was = await state()
    const at = later()

    await put('CHANGE', 'after')
    await remove('DELETE')
    const replaced = await put('DELETE', 'another of that name')
    await put('NEW', 'n')
    // Two secrets change their names with each other.
    const [x, y] = await Promise.all(
      ['X', 'Y'].map((name) => h.body('readSecretAt', { params: { ...where(), name } })),
    )
    await call('updateSecret', x.id, { secretName: 'T' })
    await call('updateSecret', y.id, { secretName: 'X' })
    await call('updateSecret', x.id, { secretName: 'Y' })
    const { items: folders } = await h.body('listFolders', { params: where() })
    const a = folders.find((each: AnyBody) => each.path === '/a')
    await fails(h.call('deleteFolder', { params: { id: a.id } }), 'kms/still-used')
    await h.call('deleteFolder', { params: { id: a.id }, query: { recursive: 'true' } })
    await h.call('createFolder', { params: where(), body: { path: '/later' } })
    assert.notDeepEqual(await state(), was)
    h.clock.time += 1000
    const now = await state()

    const id = await root()
    const dry = await call('restoreFolder', id, { at, dryRun: true })
    assert.deepEqual(
      dry.changes
        .map((each: AnyBody) => `${each.change} ${each.type} ${each.path} ${each.name}`)
        .sort(),
      [
        'delete folder /later later',
        'delete secret / DELETE',
        'delete secret / NEW',
        'revert secret / CHANGE',
        'revert secret / X',
        'revert secret / Y',
        'revive folder /a a',
        'revive folder /a/b b',
        'revive secret / DELETE',
        'revive secret /a/b DEEP',
      ],
    )
    assert.deepEqual(await state(), now)
    const done = await call('restoreFolder', id, { at })
    assert.deepEqual(done.changes, dry.changes)
    assert.deepEqual(await state(), was)
    assert.deepEqual((await call('restoreFolder', id, { at })).changes, [])
    await fails(call('readSecret', replaced.id), 'kms/no-secret')

    // A restore is a change like any other, and can be taken back.
    const after = new Date(h.clock.time - 1).toISOString()
    await call('restoreFolder', id, { at: after })
    assert.deepEqual(await state(), now)
  })

  test('never brings a destroyed value back, and says so', async () => {
    const { id } = await put('LEAK', 'old')
    const at = later()
    await put('LEAK', 'new')
    await call('destroySecretVersions', id, { versions: [1] })
    const { changes } = await call('restoreFolder', await root(), { at })
    const lost = changes.filter((each: AnyBody) => each.change === 'lost')
    assert.deepEqual(
      lost.map((each: AnyBody) => each.name),
      ['LEAK'],
    )
    assert.equal((await state())['/LEAK'], 'new')
  })

  test('leaves personal secrets alone', async () => {
    const at = later()
    await h.call('createSecret', {
      body: { project, secretName: 'MINE', secretValue: 'm', type: 'personal' },
    })
    const { changes } = await call('restoreFolder', await root(), { at })
    assert.deepEqual(changes, [])
  })

  test('is refused below a folder that may not be restored, and for times that make no sense', async () => {
    await h.call('createFolder', { params: where(), body: { path: '/locked' } })
    const at = later()
    await put('S', 's', '/locked')
    h.allows = (action, { path }) => action !== 'folder.restore' || path !== '/locked'
    await fails(call('restoreFolder', await root(), { at }), 'kms/not-permitted')
    h.allows = () => true
    await fails(
      call('restoreFolder', await root(), { at: '2031-01-01T00:00:00.000Z' }),
      'kms/cannot-restore',
    )
    await fails(
      call('restoreFolder', await root(), { at: '2001-01-01T00:00:00.000Z' }),
      'kms/cannot-restore',
    )
  })

  test('shows what it held, without values', async () => {
    const at = later()
    await put('KEEP', 'newer')
    const { items } = await call('readFolderSnapshot', await root(), undefined, { at })
    const keep = items.find((each: AnyBody) => each.secretName === 'KEEP')
    assert.deepEqual(
      [keep.version, keep.environment, keep.path, keep.secretValue],
      [1, 'development', '/', undefined],
    )
  })
})

describe('search', () => {
  before(fresh)

  const search = async (query: object): Promise<readonly string[]> =>
    (await h.body('searchSecrets', { params: { project }, query: { ...query } })).items
      .map((each: AnyBody) => `${each.environment}:${each.path} ${each.secretName} ${each.matched}`)
      .sort()

  test('finds names, tags and comments, in what the one who asks may list', async () => {
    await h.call('createFolder', { params: where(), body: { path: '/db' } })
    await put('DB_URL', 'needle', '/db')
    await put('OLD_DB', 'x')
    const tagged = await put('TOKEN', 'x')
    await call('updateSecret', tagged.id, { tags: ['db-admin'], comment: 'Rotates on Mondays' })
    assert.deepEqual(await search({ text: 'db' }), [
      'development:/ OLD_DB name',
      'development:/ TOKEN tag',
      'development:/db DB_URL name',
    ])
    assert.deepEqual(await search({ text: 'db', match: 'prefix', in: 'name' }), [
      'development:/db DB_URL name',
    ])
    assert.deepEqual(await search({ text: 'mondays' }), ['development:/ TOKEN comment'])
    assert.deepEqual(await search({ text: 'needle' }), [])
    assert.deepEqual(await search({ text: 'db', environment: 'development', path: '/db' }), [
      'development:/db DB_URL name',
    ])
    h.allows = (action, { path }) => action !== 'secret.list' || path !== '/db'
    assert.equal((await search({ text: 'DB_URL' })).length, 0)
    h.allows = () => true
  })

  test('comes in pages that miss nothing', async () => {
    await h.call('changeSecrets', {
      params: where(),
      body: {
        operations: Array.from({ length: 30 }, (_, i) => ({
          op: 'create',
          secretName: `PAGE_${i}`,
          secretValue: '',
        })),
      },
    })
    const found: string[] = []
    for (let cursor: string | undefined | null; cursor !== null; ) {
      const page: AnyBody = await h.body('searchSecrets', {
        params: { project },
        query: { text: 'page_', limit: 7, ...(cursor !== undefined && { cursor }) },
      })
      found.push(...page.items.map((each: AnyBody) => each.secretName))
      cursor = page.nextCursor
    }
    assert.equal(new Set(found).size, 30)
    assert.equal(found.length, 30)
  })
})

describe('share backups', () => {
  before(fresh)

  test('are kept by wallet, node and generation, and destroyed whole', async () => {
    const wallet = 'wal_01arz3ndektsv4rrffq69g5fav'
    const params = { ...where(), wallet, node: 'nod_01arz3ndektsv4rrffq69g5fav', generation: '3' }
    const backup = (seed: number): string => toBase64(new Uint8Array(100_000).fill(seed))
    await fails(h.call('getShareBackup', { params }), 'kms/no-secret')
    const first = await h.call('putShareBackup', { params, body: { backup: backup(1) } })
    assert.equal(first.status, 201)
    const second = await h.call('putShareBackup', { params, body: { backup: backup(2) } })
    assert.deepEqual([second.status, second.body.version], [200, 2])
    const read = await h.body('getShareBackup', { params })
    assert.deepEqual([read.version, read.generation, read.backup], [2, 3, backup(2)])
    await h.call('destroyShareBackup', { params })
    await fails(h.call('getShareBackup', { params }), 'kms/no-secret')
    const { items } = await call('listSecretVersions', first.body.id)
    assert.deepEqual(
      items.map((each: AnyBody) => each.destroyed),
      [false, true, true],
    )
    await h.call('putShareBackup', { params, body: { backup: backup(3) } })
    assert.equal((await h.body('getShareBackup', { params })).version, 1)
  })
})

describe('projects and environments', () => {
  test('have names of their own, and go only when they are empty', async () => {
    await fresh()
    await fails(h.project(`p${count}`), 'kms/name-taken')
    const renamed = await h.body('renameProject', {
      params: { project },
      body: { name: 'renamed' },
    })
    assert.equal(renamed.version, 2)
    const environment = await h.body('createEnvironment', {
      params: { project },
      body: { slug: 'qa' },
    })
    assert.equal(environment.name, 'qa')
    await fails(
      h.call('createEnvironment', { params: { project }, body: { slug: 'qa' } }),
      'kms/name-taken',
    )
    await h.call('putSecretAt', {
      params: { project, environment: 'qa', name: 'S' },
      body: { secretValue: 's' },
    })
    const drop = (slug: string) =>
      h.call('deleteEnvironment', { params: { project, environment: slug } })
    await fails(drop('qa'), 'kms/still-used')
    await h.call('changeEnvironment', {
      params: { project, environment: 'qa' },
      body: { slug: 'test' },
    })
    await h.call('deleteSecretAt', { params: { project, environment: 'test', name: 'S' } })
    assert.equal((await drop('test')).status, 204)
    const { items } = await h.body('listEnvironments', { params: { project } })
    assert.deepEqual(
      items.map((each: AnyBody) => each.slug),
      ['development', 'staging', 'production'],
    )
  })
})

describe('the tables as the jobs walk them', () => {
  test('every row gives the leaf that the tree holds', async () => {
    await fresh()
    await put('ROW', 'one')
    await put('ROW', 'two')
    await remove('ROW')
    await put('OTHER', 'x')
    let rows = 0
    for (const { table, key, columns, sealed, leafOf, placeOf } of h.module.tables ?? []) {
      const names = [...key, ...columns, ...sealed].join(', ')
      const read = () => h.kms.context.sql.read(`SELECT ${names} FROM ${table}`)
      const all = await h.kms.context.sql.fresh(read, (each) =>
        leafOf === undefined ? [] : each.map(leafOf),
      )
      rows += all.length
      for (const row of all)
        for (const column of sealed) {
          const blob = row[column]
          if (blob instanceof Uint8Array) h.kms.context.barrier.open(placeOf(row, column), blob)
        }
    }
    assert.ok(rows > 50)
  })
})

describe('what others write into the database', () => {
  test('is found out when it is read', async () => {
    await fresh()
    const one = await put('ONE', '1')
    const two = await put('TWO', '2')
    const sql = h.kms.sql
    const [row] = await sql.read('SELECT content FROM secret_version WHERE secret = ?', [two.id])
    await sql.write([
      {
        sql: 'UPDATE secret_version SET content = ? WHERE secret = ?',
        params: [row?.['content'] as Uint8Array, one.id],
      },
    ])
    await fails(call('readSecret', one.id), 'kms/rolled-back')
    await sql.write([{ sql: 'DELETE FROM secret_name WHERE secret = ?', params: [two.id] }])
    await fails(h.call('readSecretAt', { params: { ...where(), name: 'TWO' } }), 'kms/rolled-back')
    await sql.write([
      {
        sql: "UPDATE environment SET slug = 'prod' WHERE project = ? AND slug = 'staging'",
        params: [project],
      },
    ])
    h.module.folders.forgetAll()
    await fails(state(), 'kms/rolled-back')
  })
})
