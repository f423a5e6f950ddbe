/** Nobody takes a thing out of a rule that denies, or into one that allows, by what he calls it. */
import assert from 'node:assert/strict'
import { after, beforeEach, describe, test } from 'node:test'
import { type FaultCode, isFault } from '@quorate/base'
import { EVERYWHERE, type Rule } from '#src/domains/access/model.js'
import { CompiledPolicy } from '#src/domains/access/policy.js'
import { type AnyBody, type Harness, openHarness } from './harness.js'

const h: Harness = await openHarness()
after(() => h.kms.close())

let project: string
let serial = 0
beforeEach(async () => {
  h.allows = () => true
  serial++
  project = await h.project(`demo-${serial}`)
})

const where = (environment = 'development') => ({ project, environment })
const call = (operation: string, id: string, body?: unknown, query?: AnyBody): Promise<AnyBody> =>
  h.body(operation, { params: { id }, body, ...(query && { query }) })
const put = (secretName: string, path = '/', more: object = {}): Promise<AnyBody> =>
  h.body('createSecret', { body: { project, path, secretName, secretValue: 'x', ...more } })
const folder = (path: string): Promise<AnyBody> =>
  h.body('createFolder', { params: where(), body: { path } })
const idAt = async (path: string): Promise<string> =>
  (await h.body('listFolders', { params: where() })).items.find((f: AnyBody) => f.path === path).id
const refused = (asked: Promise<unknown>, code: FaultCode = 'kms/not-permitted'): Promise<void> =>
  assert.rejects(asked, (error) => isFault(error, code))
const later = (): string => {
  h.clock.time += 2000
  return new Date(h.clock.time - 1000).toISOString()
}

const EVERYTHING: Rule = { effect: 'allow', actions: ['*'] }
const deny = (actions: readonly string[], when: Rule['when']): Rule => ({
  effect: 'deny',
  actions,
  when,
})
/** Everybody holds these rules from now on. */
function hold(...rules: readonly Rule[]): void {
  const policy = new CompiledPolicy(
    rules.map((rule, i) => ({
      rule,
      label: `test/${i}`,
      scope: EVERYWHERE,
      startsAt: Number.NEGATIVE_INFINITY,
      endsAt: Number.POSITIVE_INFINITY,
    })),
  )
  h.allows = (action, resource) =>
    policy.decide({ action, resource, now: h.clock.time, address: 'local' }).allowed
}

describe('a secret', () => {
  test('does not lose the name or the tag by which it is denied', async () => {
    const { id } = await put('DB_ROOT', '/', { tags: ['locked'] })
    const other = await put('OTHER')
    for (const when of [{ names: ['*_ROOT'] }, { tags: ['locked'] }]) {
      // Reading is denied, changing is not: but the change would make it readable.
      hold(EVERYTHING, deny(['secret.read'], when))
      await refused(call('updateSecret', id, { secretName: 'DB', tags: [] }))
      await call('updateSecret', id, { comment: 'as it was' })
      await call('updateSecret', other.id, { secretName: `OTHER_${Object.keys(when).join('_')}` })
    }
    hold(EVERYTHING, deny(['secret.update'], { tags: ['locked'] }))
    await refused(call('updateSecret', other.id, { tags: ['locked'] }))
    const batch = (operation: object): Promise<AnyBody> =>
      h.body('changeSecrets', { params: where(), body: { operations: [operation] } })
    await refused(batch({ op: 'update', secretName: 'DB_ROOT', tags: [] }))
    hold(EVERYTHING, deny(['secret.history'], { tags: ['locked'] }))
    await refused(batch({ op: 'put', secretName: 'DB_ROOT', secretValue: 'y', tags: ['free'] }))
    await refused(
      h.body('putSecretAt', {
        params: { ...where(), name: 'DB_ROOT' },
        body: { secretValue: 'y', tags: ['free'] },
      }),
    )
    h.allows = () => true
    assert.deepEqual((await call('readSecret', id)).tags, ['locked'])
  })

  test('does not take the tag by which it is allowed', async () => {
    const { id } = await put('PRIVATE')
    const change: Rule = { effect: 'allow', actions: ['secret.update'] }
    hold(change, { effect: 'allow', actions: ['secret.read'], when: { tags: ['public'] } })
    await refused(call('updateSecret', id, { tags: ['public'] }))
    await call('updateSecret', id, { tags: ['internal'] })
  })

  test('does not get an earlier name or tag back that is denied, or that frees it', async () => {
    const { id } = await put('FREE')
    await call('updateSecret', id, { tags: ['locked'] })
    hold(EVERYTHING, deny(['secret.read'], { tags: ['locked'] }))
    await refused(call('rollbackSecret', id, { version: 1 }))
    await refused(call('undoSecretChange', id, {}))
    hold(EVERYTHING, deny(['secret.rollback'], { names: ['OLD'] }))
    const renamed = await put('OLD')
    h.allows = () => true
    await call('updateSecret', renamed.id, { secretName: 'NEW' })
    hold(EVERYTHING, deny(['secret.rollback'], { names: ['OLD'] }))
    await refused(call('rollbackSecret', renamed.id, { version: 1 }))
    await call('rollbackSecret', id, { version: 1 })
  })

  test('is judged as it is when it is changed, not as it was when it was asked for', async () => {
    const { id } = await put('RACE')
    hold(EVERYTHING, deny(['secret.delete'], { names: ['KEPT'] }))
    // Both pass the gate before either is carried out.
    const [renamed, removed] = await Promise.allSettled([
      call('updateSecret', id, { secretName: 'KEPT' }),
      call('deleteSecret', id),
    ])
    assert.equal(renamed.status, 'fulfilled')
    assert.ok(removed.status === 'rejected' && isFault(removed.reason, 'kms/not-permitted'))
    assert.equal((await call('readSecret', id)).secretName, 'KEPT')
  })
})

describe('a folder', () => {
  test('does not leave the path by which what is in it is denied', async () => {
    await folder('/prod/db')
    await put('KEY', '/prod/db')
    const id = await idAt('/prod')
    hold(EVERYTHING, deny(['secret.read'], { paths: ['/prod/**'] }))
    await refused(call('renameFolder', id, { name: 'open' }))
    hold(EVERYTHING, deny(['folder.update'], { paths: ['/prod/db'] }))
    await refused(call('renameFolder', id, { name: 'open' }))
    hold(EVERYTHING, deny(['folder.update'], { paths: ['/taken'] }))
    await refused(call('renameFolder', id, { name: 'taken' }))
    await call('renameFolder', id, { name: 'open' })
  })

  test('does not come under a path where what is in it is allowed', async () => {
    await folder('/mine')
    await folder('/theirs')
    await put('KEY', '/theirs')
    const gone = await put('GONE', '/theirs')
    await call('deleteSecret', gone.id)
    await call('renameFolder', await idAt('/mine'), { name: 'was-mine' })
    const id = await idAt('/theirs')
    const rename: Rule = { effect: 'allow', actions: ['folder.*'] }
    const read = (names: readonly string[], action = 'secret.read'): Rule => ({
      effect: 'allow',
      actions: [action],
      when: { paths: ['/mine'], names },
    })
    hold(rename, read(['KEY']))
    await refused(call('renameFolder', id, { name: 'mine' }))
    // Of a deleted secret the history can still be read.
    hold(rename, read(['GONE'], 'secret.history'))
    await refused(call('renameFolder', id, { name: 'mine' }))
    hold(rename, read(['ANOTHER']))
    await call('renameFolder', id, { name: 'mine' })
  })

  test('is not restored to a name, nor its secrets to labels, that free what is denied', async () => {
    await folder('/open')
    const { id: secret } = await put('KEY', '/open')
    const tagged = await put('TAGGED')
    const at = later()
    await call('renameFolder', await idAt('/open'), { name: 'prod' })
    const root = await idAt('/')
    hold(EVERYTHING, deny(['secret.read'], { paths: ['/prod'] }))
    for (const dryRun of [true, false]) await refused(call('restoreFolder', root, { at, dryRun }))
    h.allows = () => true
    await call('restoreFolder', root, { at })
    assert.equal((await call('readSecret', secret)).path, '/open')
    const then = later()
    await call('updateSecret', tagged.id, { tags: ['locked'] })
    hold(EVERYTHING, deny(['secret.read'], { tags: ['locked'] }))
    await refused(call('restoreFolder', root, { at: then }))
    hold(EVERYTHING, deny(['secret.rollback'], { names: ['TAGGED'] }))
    await refused(call('restoreFolder', root, { at: then }))
    hold(EVERYTHING, deny(['secret.rollback'], { names: ['ELSE'] }))
    assert.equal((await call('restoreFolder', root, { at: then })).changes.length, 1)
  })

  test('is not deleted over what may not be deleted in it', async () => {
    await folder('/app/db')
    await put('KEEP', '/app/db')
    const id = await idAt('/app')
    const remove = (): Promise<AnyBody> =>
      call('deleteFolder', id, undefined, { recursive: 'true' })
    for (const rule of [
      deny(['secret.delete'], { names: ['KEEP'] }),
      deny(['folder.delete'], { paths: ['/app/db'] }),
    ]) {
      hold(EVERYTHING, rule)
      await refused(remove())
    }
    hold(EVERYTHING, deny(['secret.delete'], { names: ['OTHER'] }))
    await remove()
  })

  test('restored deeper down, it is planned where it lies now', async () => {
    await folder('/a/b')
    await put('KEY', '/a/b')
    const at = later()
    await call('renameFolder', await idAt('/a'), { name: 'z' })
    const b = await idAt('/z/b')
    await put('NEW', '/z/b')
    const { changes } = await call('restoreFolder', b, { at, dryRun: true })
    assert.deepEqual(
      changes.map((each: AnyBody) => [each.name, each.path]),
      [['NEW', '/z/b']],
    )
  })
})

describe('an environment', () => {
  const rename = (environment: string, slug: string): Promise<AnyBody> =>
    h.body('changeEnvironment', { params: where(environment), body: { slug } })

  test('does not leave the slug by which it, or what is in it, is denied', async () => {
    await put('KEY', '/', { environment: 'production' })
    hold(EVERYTHING, deny(['environment.delete'], { environments: ['prod*'] }))
    await refused(rename('production', 'open'))
    hold(EVERYTHING, deny(['secret.read'], { environments: ['prod*'], names: ['KEY'] }))
    await refused(rename('production', 'open'))
    await rename('production', 'prod-eu')
    hold(EVERYTHING, deny(['environment.update'], { environments: ['taken'] }))
    await refused(rename('prod-eu', 'taken'))
    h.allows = () => true
    await rename('prod-eu', 'open')
  })

  test('does not come under a slug where what is in it is allowed', async () => {
    await put('KEY', '/', { environment: 'production' })
    hold(
      { effect: 'allow', actions: ['environment.*'] },
      { effect: 'allow', actions: ['secret.read'], when: { environments: ['mine'] } },
    )
    await refused(rename('production', 'mine'))
    await rename('production', 'theirs')
  })
})
