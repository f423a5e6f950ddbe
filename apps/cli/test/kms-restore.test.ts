/** A KMS is lost with its directory and its HSM, and comes back out of its backup, by the commands alone. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { cliIn, document, errorOf, type Ran, scratch } from './support/cli.js'

const LAUNCHER = fileURLToPath(new URL('../../bin/quorate.mjs', import.meta.url))
const home = scratch()
const data = join(home, 'kms')
const socket = join(home, 'kms.sock')
const file = join(home, 'kms.yaml')
writeFileSync(
  file,
  `environment: development\ndata: ${data}\nhttp:\n  socket: ${socket}\n  port: 0\naccess:\n  addressRate: 500\n`,
)
const kms = (...args: readonly string[]): Promise<Ran> =>
  cliIn(home, { KMS_PROJECT: 'shop', KMS_ENVIRONMENT: 'development' })('kms', ...args)
const json = async <T>(...args: readonly string[]): Promise<T> =>
  document<T>(await kms(...args, '--json'))

const running: ChildProcess[] = []
after(() => {
  for (const child of running) child.kill('SIGKILL')
})

/** `kms start` in the foreground, once it serves; the function stops it. */
async function started(): Promise<() => Promise<unknown>> {
  const child = spawn(process.execPath, [LAUNCHER, 'kms', 'start', '--config', file, '--json'], {
    env: { PATH: process.env['PATH'], HOME: home, QUORATE_HOME: home },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  running.push(child)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await Promise.race([
    new Promise((resolve) => child.stdout.once('data', resolve)),
    ended.then(() => Promise.reject(new Error('it ended'))),
  ])
  return () => {
    child.kill('SIGTERM')
    return ended
  }
}

const begin = (name: string, keep: string): Promise<Ran> =>
  kms(
    'init',
    name,
    '--url',
    `unix:${socket}`,
    '--secret-file',
    join(data, 'bootstrap-secret'),
    '--output',
    join(home, keep),
  )

test('backup, loss of the machine, restore', async () => {
  let stop = await started()
  assert.equal((await begin('root', 'root.secret')).code, 0)
  assert.equal((await kms('projects', 'create', 'shop', '--env', 'development')).code, 0)
  assert.equal((await kms('secrets', 'set', 'KEY=kept')).code, 0)
  const { id } = await json<{ id: string }>('identities', 'create', 'ci')
  assert.equal((await kms('identities', 'grant', 'ci', 'viewer')).code, 0)
  const early = await kms('backup', 'early', '--json')
  assert.deepEqual([early.code, errorOf(early).code], [4, 'kms/no-recovery'])
  const share = join(home, 'share')
  assert.equal((await kms('recipients', 'create', '--group', '2/3', '--output', share)).code, 0)
  const made = await json<{ path: string; checkpoint: number }>('backup', 'first')
  const backup = join(home, 'first.qkb')
  copyFileSync(made.path, backup)
  assert.equal((await kms('secrets', 'set', 'KEY=later')).code, 0)
  await stop()
  rmSync(data, { recursive: true })

  const restore = (...more: readonly string[]): Promise<Ran> =>
    kms('restore', backup, '--config', file, ...more)
  const shares = ['--share-file', `${share}-1-1.txt`, '--share-file', `${share}-1-3.txt`]
  const dry = await restore(...shares, '--dry-run', '--json')
  const shown = document<{ checkpoint: number; environment: string; isDryRun: boolean }>(dry)
  assert.deepEqual(
    [shown.checkpoint, shown.environment, shown.isDryRun],
    [made.checkpoint, 'development', true],
  )
  assert.ok(!existsSync(data), 'a dry run writes nothing')
  const accept = ['--accept-checkpoint', String(made.checkpoint)]
  for (const [more, code] of [
    [shares, 'cli/not-confirmed'],
    [[...shares, '--accept-checkpoint', String(made.checkpoint + 1)], 'cli/not-confirmed'],
    [[...shares.slice(2), ...accept], 'math/bad-shares'],
    [[...shares, ...accept, '--environment', 'staging'], 'kms/environment-changed'],
  ] as const)
    assert.equal(errorOf(await restore(...more, '--json')).code, code)
  assert.ok(!existsSync(join(data, 'kms.db')))
  const done = await restore(...shares, ...accept)
  assert.equal(done.code, 0, done.err)
  const strange = /recipients delete (hsm-\S+)/.exec(done.out)?.[1]
  assert.ok(strange !== undefined, done.out)
  assert.equal(errorOf(await restore(...shares, ...accept, '--json')).code, 'kms/not-empty')

  stop = await started()
  // The token of before is in the file still, and is worth nothing.
  const old = await kms('secrets', 'get', 'KEY', '--json')
  assert.deepEqual([old.code, errorOf(old).code], [3, 'kms/unauthenticated'])
  assert.equal((await begin('root-2', 'root-2.secret')).code, 0)
  assert.equal((await kms('secrets', 'get', 'KEY')).out, 'kept')
  const list = await json<{ items: { name: string; isActive: boolean }[] }>('identities', 'list')
  assert.deepEqual(
    list.items.map(({ name, isActive }) => [name, isActive]),
    [['ci', false]],
  )
  assert.match((await kms('identities', 'activate', id)).out, /^ci may sign in/)
  assert.match((await kms('identities', 'list')).out, /ci +machine +yes/)
  assert.equal((await kms('identities', 'rename', 'ci', 'build')).code, 0)
  assert.equal((await kms('identities', 'deactivate', 'build')).code, 0)
  assert.match((await kms('identities', 'show', 'build')).out, /out of action/)
  assert.equal((await kms('recipients', 'delete', strange)).code, 0)
  assert.equal((await kms('audit', 'verify')).code, 0)
  await stop()
})

test('the configuration is shown with where each value comes from', async () => {
  const shown = await kms('config', 'show', '--config', file, '--origin')
  assert.match(shown.out, /access\.addressRate +500 +.*kms\.yaml:7/)
  assert.match(shown.out, /access\.identityRate +\d+ +default/)
  const flagged = await kms(
    'config',
    'show',
    '--config',
    file,
    '--origin',
    '--access-address-rate',
    '7',
  )
  assert.match(flagged.out, /access\.addressRate +7 +--/)
  assert.match((await kms('config', 'check', '--config', file)).out, /^The configuration is in/)
  const wrong = await kms('config', 'check', '--config', file, '--access-address-rate', '0')
  assert.equal(wrong.code, 2)
})

test('in the foreground a development server ends with its command', async () => {
  const there = scratch()
  const child = spawn(
    process.execPath,
    [LAUNCHER, 'kms', 'dev', '--foreground', '--port', '0', '--json'],
    {
      env: { PATH: process.env['PATH'], HOME: there, QUORATE_HOME: there },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  running.push(child)
  let log = ''
  child.stderr.on('data', (part: Buffer) => {
    log += part.toString()
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  const here = cliIn(there)
  assert.equal((await here('kms', 'secrets', 'set', 'A=b')).code, 0)
  assert.equal(errorOf(await here('kms', 'dev', '--foreground', '--json')).code, 'cli/kms-running')
  child.kill('SIGINT')
  assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0)
  assert.match(log, /kms\.started/)
  assert.match((await here('kms', 'dev', '--stop')).out, /No KMS was running/)
})
