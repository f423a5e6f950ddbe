import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type FaultCode, isFault } from '@quorate/base'
import {
  type AnyBody,
  alice,
  bob,
  type Given,
  type Harness,
  inProject,
  openHarness,
} from './harness.ts'

let h: Harness
let project: string
let count = 0
const where = () => ({ project, environment: 'development' })

const fails = (run: Promise<unknown>, code: FaultCode, detail?: string): Promise<void> =>
  assert.rejects(run, (error) => {
    assert.ok(isFault(error, code), `${code} expected, not ${String(error)}`)
    if (detail !== undefined) assert.equal(error.detail, detail)
    return true
  })
const create = (secretName: string, secretValue: string, more: object = {}): Promise<AnyBody> =>
  h.body('createSecret', { body: { project, secretName, secretValue, ...more } })
const byId = (id: string, more: Given = {}): Given => ({ ...more, params: { id } })
const readValue = async (id: string, more: Given = {}): Promise<string> =>
  (await h.body('readSecret', byId(id, more))).secretValue

before(async () => {
  h = await openHarness()
})
after(() => h.kms.close())
const fresh = async (): Promise<void> => {
  h.allows = () => true
  project = await h.project(`p${++count}`)
}

describe('a secret', async () => {
  before(fresh)

  test('is stored, read, changed and deleted', async () => {
    const made = await h.call('createSecret', {
      by: inProject(alice, project),
      body: {
        secretName: 'KEY',
        secretValue: 'one',
        type: 'shared',
        comment: 'c',
        tags: ['b', 'a', 'b'],
      },
    })
    assert.equal(made.status, 201)
    assert.equal(made.headers['etag'], '"1"')
    const { id } = made.body
    const read = await h.call('readSecret', byId(id))
    assert.equal(read.headers['etag'], '"1"')
    assert.deepEqual(read.body, {
      id,
      secretName: 'KEY',
      secretValue: 'one',
      encoding: 'utf8',
      type: 'shared',
      version: 1,
      comment: 'c',
      tags: ['a', 'b'],
      project,
      environment: 'development',
      path: '/',
      importedBy: [],
      references: [],
      updatedAt: '2026-01-01T00:00:00.000Z',
      updatedBy: alice.id,
    })
    const changed = await h.call('updateSecret', byId(id, { body: { secretValue: 'two' } }))
    assert.deepEqual([changed.body.version, changed.headers['etag']], [2, '"2"'])
    assert.equal(await readValue(id), 'two')
    assert.equal((await h.body('deleteSecret', byId(id))).version, 3)
    await fails(readValue(id), 'kms/no-secret')
    await fails(h.call('updateSecret', byId(id, { body: { secretValue: 'x' } })), 'kms/no-secret')
  })

  test('has a name that no other has in its folder, until it is deleted or renamed', async () => {
    const { id } = await create('TAKEN', 'a')
    await fails(create('TAKEN', 'b'), 'kms/name-taken')
    await h.call('updateSecret', byId(id, { body: { secretName: 'MOVED' } }))
    const second = await create('TAKEN', 'b')
    await fails(
      h.call('updateSecret', byId(id, { body: { secretName: 'TAKEN' } })),
      'kms/name-taken',
    )
    await h.call('deleteSecret', byId(second.id))
    await h.call('updateSecret', byId(id, { body: { secretName: 'TAKEN' } }))
    assert.equal(await readValue(id), 'a')
  })

  test('changes only from the version that If-Match names', async () => {
    const { id } = await create('CAS', 'a')
    const put = (match: string) =>
      h.call(
        'updateSecret',
        byId(id, { body: { secretValue: 'b' }, headers: { 'if-match': match } }),
      )
    await fails(put('"2"'), 'kms/version-mismatch', 'the newest version is 1')
    await fails(put('W/"1"'), 'kms/version-mismatch')
    assert.equal((await put('"1"')).body.version, 2)
    const both = await Promise.allSettled([put('"2"'), put('"2"')])
    assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  })

  test('takes unconditional changes that come at once, one after the other', async () => {
    const { id } = await create('RACE', 'a')
    const done = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        h.body('updateSecret', byId(id, { body: { secretValue: `${i}` } })),
      ),
    )
    assert.equal(new Set(done.map(({ version }) => version)).size, 40)
    assert.equal(Math.max(...done.map(({ version }) => version)), 41)
  })

  test('holds text as it is given, or bytes', async () => {
    const text = 'ä\r\n\u0000€ 𝄞 "\\'
    assert.equal(await readValue((await create('TEXT', text)).id), text)
    await fails(create('LONE', '\ud800'), 'kms/bad-secret')
    const { id } = await create('BYTES', 'AP8=', { encoding: 'base64' })
    const read = await h.body('readSecret', byId(id))
    assert.deepEqual([read.secretValue, read.encoding], ['AP8=', 'base64'])
    await fails(create('NOT64', 'x', { encoding: 'base64' }), 'kms/bad-secret')
    await fails(create('BIG', 'x'.repeat(256 * 1024 + 1)), 'kms/bad-secret')
    assert.equal(
      (await readValue((await create('FULL', 'x'.repeat(256 * 1024))).id)).length,
      262_144,
    )
  })

  test('is refused when nobody could ever read it, and literal where that is said', async () => {
    await fails(create('BAD', 'x${HOME:-y}'), 'kms/bad-reference')
    const { id } = await create('LITERAL', 'x${HOME:-y}$${z', { literal: true })
    assert.equal(await readValue(id), 'x${HOME:-y}$${z')
  })

  test('created twice under one idempotency key exists once', async () => {
    const send = (secretValue: string) =>
      h.call('createSecret', {
        body: { project, secretName: 'ONCE', secretValue },
        headers: { 'idempotency-key': 'a-key-of-mine' },
      })
    const answers = await Promise.all([send('v'), send('v')])
    assert.deepEqual(answers[0], answers[1])
    assert.deepEqual(await send('v'), answers[0])
    await fails(send('other'), 'kms/idempotency-conflict')
    h.clock.time += 25 * 60 * 60 * 1000
    await fails(send('v'), 'kms/name-taken')
  })
})

describe('personal secrets', () => {
  before(fresh)

  test('override the shared one for their owner, and are nobody else’s business', async () => {
    const shared = await create('TOKEN', 'shared')
    const mine = await create('TOKEN', 'mine', { type: 'personal' })
    const read = (by = alice, query = {}) =>
      h.body('readSecretAt', { params: { ...where(), name: 'TOKEN' }, query, by })
    assert.equal((await read()).secretValue, 'mine')
    assert.equal((await read(alice, { personal: 'false' })).secretValue, 'shared')
    assert.equal((await read(bob)).secretValue, 'shared')
    await fails(h.call('readSecret', byId(mine.id, { by: bob })), 'kms/not-found')
    await fails(h.call('deleteSecret', byId(mine.id, { by: bob })), 'kms/not-found')
    const list = async (by = alice) =>
      (await h.body('listSecretsAt', { params: where(), query: { values: 'true' }, by })).items.map(
        (each: AnyBody) => [each.secretName, each.secretValue, each.type],
      )
    assert.deepEqual(await list(), [['TOKEN', 'mine', 'personal']])
    assert.deepEqual(await list(bob), [['TOKEN', 'shared', 'shared']])
    await create('ONLY', 'x', { type: 'personal' })
    assert.equal((await list(bob)).length, 1)
    assert.notEqual(shared.id, mine.id)
  })
})

describe('by name in a folder', () => {
  before(fresh)

  test('put stores a new secret, then its next version', async () => {
    const put = (secretValue: string, query = {}) =>
      h.call('putSecretAt', { params: { ...where(), name: 'K' }, query, body: { secretValue } })
    const first = await put('a')
    assert.deepEqual([first.status, first.body.version], [201, 1])
    const second = await put('b')
    assert.deepEqual([second.status, second.body.version, second.body.id], [200, 2, first.body.id])
    assert.notEqual((await put('p', { type: 'personal' })).body.id, first.body.id)
    await h.call('deleteSecretAt', { params: { ...where(), name: 'K' } })
    await fails(h.call('deleteSecretAt', { params: { ...where(), name: 'K' } }), 'kms/no-secret')
  })

  test('what does not exist is named', async () => {
    const at = (environment: string, query: object, name = 'X') =>
      h.call('readSecretAt', { params: { project, environment, name }, query: { ...query } })
    await fails(at('nowhere', {}), 'kms/no-such-environment', 'nowhere')
    await fails(at('development', { path: '/gone' }), 'kms/no-folder', 'development:/gone')
    await fails(at('development', {}), 'kms/no-secret', 'development:/X')
    await fails(at('development', { path: '/a b' }), 'kms/bad-path')
    await fails(h.call('listSecrets'), 'kms/not-found')
  })
})

describe('folders, imports and references over the store', () => {
  before(fresh)

  const folder = async (environment: string, path: string): Promise<AnyBody> =>
    h.body('createFolder', { params: { project, environment }, body: { path } })
  const importing = (id: string, ...places: readonly [string, string][]): Promise<AnyBody> =>
    h.body('setFolderImports', {
      params: { id },
      body: { imports: places.map(([environment, path]) => ({ environment, path })) },
    })

  test('a value is put together from folders and environments, and says from where', async () => {
    const app = await folder('development', '/app')
    await folder('development', '/db/main')
    await folder('staging', '/shared')
    await create('URL', 'pg://${USER}:${development.db.main.PW}@${staging.shared.HOST}', {
      path: '/app',
    })
    await create('PW', 'p$${w', { path: '/db/main' })
    const host = await create('HOST', 'h', { path: '/shared', environment: 'staging' })
    const user = await create('USER', 'u', { path: '/shared', environment: 'staging' })
    await importing(app.id, ['staging', '/shared'])
    const at = { params: { ...where(), name: 'URL' }, query: { path: '/app' } }
    const read = await h.body('readSecretAt', at)
    assert.equal(read.secretValue, 'pg://u:p${w@h')
    assert.deepEqual(
      read.references.map((each: AnyBody) => `${each.environment}:${each.path}/${each.secretName}`),
      ['staging:/shared/USER', 'development:/db/main/PW', 'staging:/shared/HOST'],
    )
    assert.equal(await readValue(read.id), 'pg://u:p${w@h')
    assert.equal(
      await readValue(read.id, { query: { expand: 'false' } }),
      'pg://${USER}:${development.db.main.PW}@${staging.shared.HOST}',
    )
    const list = await h.body('listSecretsAt', {
      params: where(),
      query: { path: '/app', values: 'true' },
    })
    assert.deepEqual(
      list.items.map((each: AnyBody) => [each.secretName, each.secretValue, each.importedBy]),
      [
        ['HOST', 'h', ['staging:/shared']],
        ['URL', 'pg://u:p${w@h', []],
        ['USER', 'u', ['staging:/shared']],
      ],
    )
    assert.deepEqual([list.items[0].id, list.items[2].id], [host.id, user.id])
    h.allows = (action, { environment }) => action !== 'secret.read' || environment !== 'staging'
    await fails(
      readValue(read.id),
      'kms/reference-denied',
      'development:/app/URL → development:/app → staging:/shared/USER',
    )
    h.allows = () => true
  })

  test('imports that lead back are refused when they are made', async () => {
    const a = await folder('development', '/a')
    const b = await folder('development', '/b')
    await importing(a.id, ['development', '/b'])
    await fails(
      importing(b.id, ['development', '/a']),
      'kms/import-cycle',
      'development:/b → development:/a → development:/b',
    )
    await fails(importing(a.id, ['development', '/a']), 'kms/import-cycle')
    await fails(importing(a.id, ['development', '/none']), 'kms/no-folder')
    await fails(
      h.call('deleteFolder', { params: { id: b.id } }),
      'kms/still-used',
      'imported by development:/a',
    )
  })

  test('a folder is renamed with all that is in it', async () => {
    const made = await folder('development', '/old/deep')
    const secret = await create('S', 'x', { path: '/old/deep' })
    const { items } = await h.body('listFolders', { params: where(), query: { path: '/old' } })
    await h.call('renameFolder', { params: { id: items[0].id }, body: { name: 'new' } })
    const read = await h.body('readSecret', byId(secret.id))
    assert.equal(read.path, '/new/deep')
    await folder('development', '/old')
    await fails(
      h.call('renameFolder', { params: { id: items[0].id }, body: { name: 'old' } }),
      'kms/name-taken',
    )
    assert.equal(made.path, '/old/deep')
  })

  test('a long list comes in pages, and those without values open none', async () => {
    await folder('development', '/many')
    await h.call('changeSecrets', {
      params: where(),
      query: { path: '/many' },
      body: {
        operations: Array.from({ length: 25 }, (_, i) => ({
          op: 'create',
          secretName: `N${String(i).padStart(2, '0')}`,
          secretValue: `${i}`,
        })),
      },
    })
    const names: string[] = []
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const page: AnyBody = await h.body('listSecretsAt', {
        params: where(),
        query: { path: '/many', limit: 10, ...(cursor !== undefined && { cursor }) },
      })
      names.push(...page.items.map((each: AnyBody) => each.secretName))
      assert.ok(page.items.every((each: AnyBody) => each.secretValue === undefined))
      cursor = page.nextCursor
    }
    assert.equal(names.length, 25)
    assert.deepEqual(names, [...names].sort())
  })
})

describe('batches and files', () => {
  before(fresh)

  const run = (...operations: readonly object[]) =>
    h.body('changeSecrets', { params: where(), body: { operations } })

  test('all operations happen, or none', async () => {
    await run(
      { op: 'create', secretName: 'A', secretValue: '1' },
      { op: 'create', secretName: 'B', secretValue: '2' },
    )
    await fails(
      run(
        { op: 'update', secretName: 'A', secretValue: 'changed' },
        { op: 'delete', secretName: 'MISSING' },
      ),
      'kms/no-secret',
      'development:/MISSING',
    )
    const read = async (name: string) =>
      (await h.body('readSecretAt', { params: { ...where(), name } })).secretValue
    assert.equal(await read('A'), '1')
    await run(
      { op: 'put', secretName: 'A', secretValue: '3' },
      { op: 'put', secretName: 'C', secretValue: '4' },
      { op: 'delete', secretName: 'B' },
    )
    assert.deepEqual([await read('A'), await read('C')], ['3', '4'])
    await fails(read('B'), 'kms/no-secret')
    await fails(
      run({ op: 'delete', secretName: 'A' }, { op: 'put', secretName: 'A', secretValue: 'x' }),
      'kms/name-taken',
    )
  })

  test('what is exported is imported again, with nothing changed', async () => {
    await run({ op: 'put', secretName: 'ODD', secretValue: 'a "b"\n\\n #c $${x} \'' })
    for (const format of ['env', 'json', 'yaml']) {
      const { content, count: many } = await h.body('exportSecrets', {
        params: where(),
        query: { format, expand: 'false' },
      })
      assert.ok(many >= 3)
      const send = (environment: string, more: object) =>
        h.body('importSecrets', {
          params: { project, environment },
          body: { format, content, ...more },
        })
      assert.deepEqual((await send('development', { dryRun: true })).unchanged.length, many)
      const done = await send('staging', { onConflict: 'overwrite' })
      assert.equal(done.created.length + done.unchanged.length, many)
    }
    const odd = await h.body('readSecretAt', {
      params: { project, environment: 'staging', name: 'ODD' },
    })
    assert.equal(odd.secretValue, 'a "b"\n\\n #c ${x} \'')
  })

  test('a name that is there fails the import, is overwritten or kept, as is said', async () => {
    const send = (onConflict?: string) =>
      h.body('importSecrets', {
        params: where(),
        body: {
          format: 'env',
          content: 'A=from-file\nNEW=${A}\n',
          ...(onConflict && { onConflict }),
        },
      })
    await fails(send(), 'kms/name-taken', 'development:/A')
    await fails(h.call('readSecretAt', { params: { ...where(), name: 'NEW' } }), 'kms/no-secret')
    assert.deepEqual(await send('keep'), {
      created: ['NEW'],
      updated: [],
      unchanged: ['A'],
      dryRun: false,
    })
    assert.deepEqual((await send('overwrite')).updated, ['A'])
    const read = await h.body('readSecretAt', { params: { ...where(), name: 'NEW' } })
    assert.equal(read.secretValue, 'from-file')
  })

  test('who may list and not write learns nothing of a value from an import', async () => {
    h.allows = (action) => action === 'secret.list'
    await fails(
      h.call('importSecrets', {
        params: where(),
        body: { format: 'env', content: 'A=guess\n', dryRun: true },
      }),
      'kms/not-permitted',
    )
    h.allows = () => true
  })
})

describe('permissions of single secrets', () => {
  before(fresh)

  test('a rule on names or tags hides what it does not allow', async () => {
    await create('OPEN', 'o')
    const guarded = await create('GUARDED', 'g', { tags: ['admin'] })
    h.allows = (action, { tags }) => action === 'project.list' || !tags?.includes('admin')
    const list = await h.body('listSecretsAt', { params: where(), query: { values: 'true' } })
    assert.deepEqual(
      [list.items.map((each: AnyBody) => each.secretName), list.withheld],
      [['OPEN'], 1],
    )
    await fails(readValue(guarded.id), 'kms/not-permitted')
    // Nor can it be reached by taking the tag off.
    await fails(
      h.call('updateSecret', byId(guarded.id, { body: { tags: [] } })),
      'kms/not-permitted',
    )
    // Nor can the tag be put on by who may not have it.
    const open = await h.body('readSecretAt', { params: { ...where(), name: 'OPEN' } })
    await fails(
      h.call('updateSecret', byId(open.id, { body: { tags: ['admin'] } })),
      'kms/not-permitted',
    )
    h.allows = () => true
  })
})
