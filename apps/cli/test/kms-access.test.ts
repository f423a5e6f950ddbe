/** Who may what, by the commands: machines, roles, groups, and access that others have to approve. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { cliIn, document, errorOf, type Ran, scratch } from './support/cli.js'

const home = scratch()
const kms = (...args: readonly string[]): Promise<Ran> => cliIn(home)('kms', ...args)
const json = async <T>(...args: readonly string[]): Promise<T> =>
  document<T>(await kms(...args, '--json'))

type Named = { readonly id: string; readonly name: string }
let address: string

before(async () => {
  address = (await json<{ address: string }>('dev', '--port', '0')).address
})
after(() => kms('dev', '--stop'))

/** A home signed in as an identity that has just been made. */
async function signedIn(name: string, ...options: readonly string[]) {
  const { id } = await json<Named>('identities', 'create', name, ...options)
  if (!options.includes('--person'))
    assert.equal((await kms('identities', 'login-method', id, 'universal')).code, 0)
  const secret = join(home, `${name}.secret`)
  const made = await kms(
    'identities',
    'secret',
    id,
    '--for',
    '10m',
    '--uses',
    '1',
    '--output',
    secret,
  )
  assert.equal(made.code, 0, made.err)
  assert.equal(statSync(secret).mode & 0o777, 0o600)
  const directory = scratch()
  const own = (...args: readonly string[]): Promise<Ran> =>
    cliIn(directory, { KMS_PROJECT: 'dev' })('kms', ...args)
  const login = await own('login', '--url', address, '--client-id', id, '--secret-file', secret)
  return { id, own, directory, login, secret }
}

test('a machine may what it is granted, until that is taken away', async () => {
  const { id, own, directory, secret } = await signedIn('ci')
  await kms('secrets', 'set', 'KEY=value')
  const grant = await json<{ id: string; endsAt: string }>(
    'identities',
    'grant',
    'ci',
    'viewer',
    '--for',
    '8h',
    '--reason',
    'build',
  )
  assert.ok(Date.parse(grant.endsAt) > Date.now())
  assert.equal((await own('secrets', 'get', 'KEY')).out, 'value')
  const denied = await own('secrets', 'set', 'KEY=other', '--json')
  assert.deepEqual([denied.code, errorOf(denied).code], [3, 'kms/not-permitted'])
  assert.match((await kms('identities', 'show', 'ci')).out, /universal[\s\S]*viewer/)
  assert.match(
    (await kms('why', 'secret.update', '--identity', 'ci', '--name', 'KEY')).out,
    /^No\./,
  )
  assert.match((await own('why', 'secret.read', '--name', 'KEY')).out, /^Yes\.[\s\S]*allow/)
  // The secret was good for one sign-in.
  const again = await own('login', '--url', address, '--client-id', id, '--secret-file', secret)
  assert.equal(again.code, 3)
  assert.ok(existsSync(join(directory, '.config', 'quorate', 'kms.json')))
  assert.equal((await kms('identities', 'revoke', 'ci', grant.id)).code, 0)
  assert.notEqual((await own('secrets', 'get', 'KEY')).code, 0)
  assert.equal((await kms('identities', 'delete', 'ci')).code, 0)
  assert.equal((await own('whoami')).code, 3)
  assert.equal(errorOf(await kms('identities', 'show', 'ci', '--json')).code, 'kms/not-found')
})

test('roles of rules and groups', async () => {
  const rules = join(home, 'rules.json')
  const write = (actions: readonly string[]): void =>
    writeFileSync(rules, JSON.stringify([{ effect: 'allow', actions }]))
  write(['secret.list'])
  const role = await json<Named>('roles', 'create', 'lister', '--rules', rules)
  assert.match((await kms('roles', 'list')).out, /mpc-backup[\s\S]*lister/)
  const { own } = await signedIn('bot')
  assert.equal((await kms('groups', 'create', 'bots')).code, 0)
  assert.equal((await kms('groups', 'add', 'bots', 'bot')).code, 0)
  const grant = await json<Named>('groups', 'grant', 'bots', 'lister')
  assert.equal((await own('secrets', 'list')).code, 0)
  assert.equal((await own('secrets', 'get', 'KEY')).code, 3)
  write(['secret.list', 'secret.read'])
  assert.equal((await kms('roles', 'update', 'lister', '--rules', rules)).code, 0)
  assert.match((await kms('roles', 'show', role.id)).out, /secret\.read/)
  assert.match((await kms('roles', 'show', 'viewer')).out, /built in/)
  assert.equal((await own('secrets', 'get', 'KEY')).code, 0)
  assert.equal((await kms('roles', 'delete', 'lister')).code, 4)
  assert.match((await kms('groups', 'show', 'bots')).out, new RegExp(grant.id))
  assert.equal((await kms('groups', 'revoke', 'bots', grant.id)).code, 0)
  assert.equal((await kms('roles', 'delete', 'lister')).code, 0)
  assert.equal((await kms('groups', 'remove', 'bots', 'bot')).code, 0)
  assert.equal((await kms('groups', 'delete', 'bots')).code, 0)
  assert.doesNotMatch((await kms('groups', 'list')).out, /bots/)
  assert.match((await kms('identities', 'list')).out, /bot/)
})

test('a role is asked for, and granted by the signatures of others', async () => {
  const names = ['ada', 'bob', 'dev'] as const
  const [ada, bob, dev] = await Promise.all(names.map((name) => signedIn(name, '--person')))
  assert.ok(ada !== undefined && bob !== undefined && dev !== undefined)
  for (const name of names)
    assert.equal((await kms('identities', 'grant', name, 'no-access')).code, 0)
  for (const [name, { own, directory }] of [
    ['ada', ada],
    ['bob', bob],
  ] as const) {
    const made = document<{ publicKey: string }>(
      await own('approver-key', 'create', 'own.key', '--json'),
    )
    const file = readFileSync(join(directory, 'own.key'), 'utf8')
    assert.ok(file.includes(made.publicKey))
    const enrolled = await kms('identities', 'approver-key', name, '--public', made.publicKey)
    assert.equal(enrolled.code, 0, enrolled.err)
  }
  const policy = await kms(
    'approval-policies',
    'create',
    'oncall',
    '--role',
    'viewer',
    '--required',
    '2',
    '--approver',
    'ada',
    '--approver',
    'bob',
  )
  assert.equal(policy.code, 0, policy.err)
  const { id: oncall } = (
    await json<{ items: readonly Named[] }>('approval-policies', 'list')
  ).items.find(({ name }) => name === 'oncall') as Named
  const ask = async (): Promise<string> => {
    const asked = await dev.own(
      'requests',
      'create',
      'viewer',
      '--policy',
      oncall,
      '--for',
      '1h',
      '--reason',
      'incident 7',
      '--json',
    )
    return document<Named>(asked).id
  }
  const request = await ask()
  assert.equal((await dev.own('secrets', 'get', 'KEY')).code, 3)
  const first = await ada.own('approve', request, '--key', 'own.key')
  assert.equal(first.code, 0, first.err)
  // What is signed is shown.
  assert.match(first.err, /incident 7/)
  assert.match(first.err, /secret\.read/)
  // Somebody else's key is none of his.
  const foreign = await bob.own(
    'approve',
    request,
    '--key',
    join(ada.directory, 'own.key'),
    '--json',
  )
  assert.deepEqual([foreign.code, errorOf(foreign).code], [3, 'kms/bad-approval'])
  assert.equal((await dev.own('secrets', 'get', 'KEY')).code, 3)
  const second = await bob.own('approve', request, '--key', 'own.key', '--json')
  assert.equal(document<{ state: string }>(second).state, 'granted')
  assert.equal((await dev.own('secrets', 'get', 'KEY')).code, 0)
  assert.match((await kms('requests', 'show', request)).out, /granted +grt_/)
  assert.equal((await kms('requests', 'revoke', request)).code, 0)
  assert.equal((await dev.own('secrets', 'get', 'KEY')).code, 3)

  const other = await ask()
  const rejected = await bob.own('reject', other, '--key', 'own.key', '--json')
  assert.equal(document<{ state: string }>(rejected).state, 'denied')
  assert.equal((await ada.own('approve', other, '--key', 'own.key')).code, 4)
  assert.match((await kms('requests', 'list')).out, /denied/)
  const changed = await json<{ required: number; version: number; approvers: string[] }>(
    'approval-policies',
    'update',
    'oncall',
    '--required',
    '1',
    '--for',
    '2h',
  )
  assert.deepEqual([changed.required, changed.version, changed.approvers.length], [1, 2, 2])
  assert.equal((await kms('approval-policies', 'delete', 'oncall')).code, 0)
})

test('a policy file is tried before anybody has its roles', async () => {
  const file = join(home, 'policy.json')
  const expecting = (expect: string): void =>
    writeFileSync(
      file,
      JSON.stringify({
        cases: [{ name: 'a viewer writes', roles: ['viewer'], action: 'secret.update', expect }],
      }),
    )
  expecting('deny')
  assert.match((await kms('access', 'test', file)).out, /1 passed, 0 failed/)
  expecting('allow')
  const failed = await kms('access', 'test', file)
  assert.equal(failed.code, 7)
  assert.match(failed.out, /FAIL +a viewer writes/)
})

test('recovery shares open it, keys are rotated, and a backup is written', async () => {
  const none = await kms('backup', '--json')
  assert.deepEqual([none.code, errorOf(none).code], [4, 'kms/no-recovery'])
  const share = join(home, 'share')
  const { recipient, files } = await json<{ recipient: string; files: readonly string[] }>(
    'recipients',
    'create',
    '--group',
    '2/3',
    '--output',
    share,
  )
  assert.deepEqual(
    files,
    [1, 2, 3].map((i) => `${share}-1-${i}.txt`),
  )
  const again = await kms('recipients', 'create', '--group', '2/3', '--output', share, '--json')
  assert.equal(errorOf(again).code, 'cli/file-exists')
  assert.match((await kms('recipients', 'list')).out, new RegExp(recipient))
  const { path } = await json<{ path: string }>('backup', 'first')
  assert.ok(existsSync(path))
  assert.equal(statSync(path).mode & 0o777, 0o600)
  await kms('secrets', 'set', 'ROTATED=value')
  assert.ok((await json<{ term: number }>('rotate')).term > 1)
  assert.ok((await json<{ version: number }>('rotate', '--project', 'dev')).version > 1)
  assert.equal((await kms('rotate', 'status')).code, 0)
  assert.equal((await kms('secrets', 'get', 'ROTATED')).out, 'value')
  assert.equal((await kms('seal')).code, 0)
  const shares = files.slice(1).flatMap((file) => ['--share-file', file])
  const [lone = '', lonely = ''] = shares
  assert.notEqual((await kms('unseal', lone, lonely)).code, 0)
  assert.equal((await kms('unseal', ...shares)).code, 0)
  assert.equal((await kms('recipients', 'delete', recipient)).code, 0)
  assert.equal((await kms('secrets', 'get', 'ROTATED')).out, 'value')
})
