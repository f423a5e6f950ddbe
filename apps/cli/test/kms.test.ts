/** The KMS as a new user meets it: the real command, a real server, a home of its own. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isFault, Secret } from '@quorate/base'
import { destroyShareBackup, getShareBackup, putShareBackup } from '@quorate/sdk/kms'
import { cliIn, document, errorOf, type Ran, scratch } from './support/cli.ts'

const BIN = fileURLToPath(new URL('../../bin/', import.meta.url))
const home = scratch()
const kms = (...args: readonly string[]): Promise<Ran> => cliIn(home)('kms', ...args)

type Dev = { readonly address: string; readonly project: string; readonly signIn: string }
let dev: Dev

before(async () => {
  dev = document<Dev>(await kms('dev', '--port', '0', '--json'))
})
after(() => kms('dev', '--stop'))

/** Runs a script with `quorate` and `kms` on its path. */
function shell(script: string, cwd = home): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const { PATH, NODE_V8_COVERAGE } = process.env
    const child = spawn('bash', ['-euo', 'pipefail', '-c', `${FUNCTIONS}\n${script}`], {
      cwd,
      env: { PATH, NODE_V8_COVERAGE, HOME: home, QUORATE_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let [out, err] = ['', '']
    child.stdout.on('data', (part: Buffer) => {
      out += part.toString()
    })
    child.stderr.on('data', (part: Buffer) => {
      err += part.toString()
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
  })
}
const FUNCTIONS = `quorate() { '${process.execPath}' '${BIN}quorate.mjs' "$@"; }
kms() { '${process.execPath}' '${BIN}kms.mjs' "$@"; }`

test('a second start finds the server running, and the token lies where only its owner reads', async () => {
  const again = document<Dev & { readonly wasRunning: boolean }>(await kms('dev', '--json'))
  assert.equal(again.wasRunning, true)
  assert.equal(again.project, dev.project)
  assert.equal(statSync(dev.signIn).mode & 0o777, 0o600)
  chmodSync(dev.signIn, 0o644)
  assert.equal(errorOf(await kms('whoami', '--json')).code, 'cli/open-file')
  chmodSync(dev.signIn, 0o600)
  assert.equal(
    document<{ identity: { name: string } }>(await kms('whoami', '--json')).identity.name,
    'developer',
  )
})

test('run gives the secrets to the program alone, and its exit code back', async () => {
  await kms('secrets', 'set', 'RUN_ME=a b\nc')
  const ran = await kms('run', '--', 'sh', '-c', 'printf "%s" "$RUN_ME$KMS_TOKEN"; exit 7')
  assert.deepEqual([ran.code, ran.out], [7, 'a b\nc'])
  // Options after -- are the program's.
  assert.match((await kms('run', '--', 'node', '--help')).out, /^Usage: node/)
  assert.equal((await kms('run', '--', 'no-such-program')).code, 127)
  assert.equal((await kms('run', '--', home)).code, 126)
  assert.equal((await kms('run', '--env', 'nowhere', '--', 'true')).code, 125)
  assert.equal((await kms('run', '--', 'sh', '-c', 'kill -KILL $$')).code, 128 + 9)
  await kms('secrets', 'set', 'LD_PRELOAD=/tmp/x.so')
  const careful = await kms('run', '--', 'sh', '-c', 'printf "%s" "${LD_PRELOAD-none}"')
  assert.equal(careful.out, 'none')
  assert.match(careful.err, /LD_PRELOAD is left out/)
  await kms('secrets', 'delete', 'LD_PRELOAD')
})

test('a signal reaches the program that runs', async () => {
  const child = spawn(
    process.execPath,
    [
      join(BIN, 'kms.mjs'),
      'run',
      '--',
      'sh',
      '-c',
      'trap "exit 3" TERM; echo ready; while :; do sleep 0.05; done',
    ],
    {
      env: { PATH: process.env['PATH'], HOME: home, QUORATE_HOME: home },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  )
  await new Promise((resolve) => child.stdout.once('data', resolve))
  child.kill('SIGTERM')
  assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 3)
})

test('values come from the line with a warning, from standard input and from files', async () => {
  const inline = await kms('secrets', 'set', 'INLINE=x=y')
  assert.match(inline.err, /history of your shell/)
  assert.equal((await kms('secrets', 'get', 'INLINE')).out, 'x=y')
  const bytes = join(home, 'bytes')
  writeFileSync(bytes, Buffer.from([0, 255, 10]))
  assert.equal((await kms('secrets', 'set', 'BYTES', '--file', bytes)).code, 2)
  assert.equal((await kms('secrets', 'set', 'BYTES', '--file', bytes, '--binary')).code, 0)
  assert.equal((await shell('kms secrets get BYTES > copied; cmp copied bytes')).code, 0)
  const conditional = await kms('secrets', 'set', 'INLINE=z', '--if-version', '9', '--json')
  assert.deepEqual([conditional.code, errorOf(conditional).code], [4, 'kms/version-mismatch'])
})

test('a deleted secret comes back by its id, a destroyed version does not', async () => {
  await kms('secrets', 'set', 'D=one')
  await kms('secrets', 'set', 'D=two')
  assert.equal((await kms('secrets', 'destroy', 'D', '1')).code, 2)
  assert.equal((await kms('secrets', 'destroy', 'D', '1', '--confirm', 'destroy')).code, 0)
  assert.equal(errorOf(await kms('secrets', 'rollback', 'D', '1', '--json')).code, 'kms/destroyed')
  const { id } = document<{ id: string }>(await kms('secrets', 'delete', 'D', '--json'))
  assert.equal(errorOf(await kms('secrets', 'get', 'D', '--json')).code, 'kms/no-secret')
  assert.equal((await kms('secrets', 'undo', id)).code, 0)
  assert.equal((await kms('secrets', 'get', 'D')).out, 'two')
  assert.match((await kms('secrets', 'history', id)).out, /destroyed/)
})

test('folders, imports, projects, environments and search', async () => {
  const steps = await shell(`
    kms projects create shop --env development --env live
    kms env create qa --name 'Quality assurance' --project shop
    kms folders create /base --project shop
    kms folders create /app/db --project shop
    kms folders import development:/base --path /app --project shop
    printf b | kms secrets set FROM_BASE --path /base --project shop --comment 'the base of all' --tag core
    kms secrets get FROM_BASE --path /app --project shop
    kms folders rename /base ground --project shop
    kms folders list --project shop
    kms secrets search CORE --project shop
    kms folders delete /app --recursive --project shop
    kms env delete qa --project shop
    kms env list --project shop
    kms secrets list --path /ground --project shop`)
  assert.equal(steps.code, 0, steps.err)
  assert.match(steps.out, /^b/m)
  assert.match(steps.out, /\/app +development:\/ground/)
  assert.match(steps.out, /FROM_BASE +development:\/ground +tag/)
  assert.doesNotMatch(steps.out.slice(steps.out.lastIndexOf('SLUG')), /^qa\b/m)
  const ambiguous = await cliIn(home, { KMS_PROJECT: 'nothing' })(
    'kms',
    'secrets',
    'list',
    '--json',
  )
  assert.equal(errorOf(ambiguous).code, 'kms/no-project')
})

test('another terminal signs in once somebody who is signed in approves it', async () => {
  const other = scratch()
  const child = spawn(process.execPath, [join(BIN, 'kms.mjs'), 'login', '--url', dev.address], {
    env: { PATH: process.env['PATH'], HOME: other, QUORATE_HOME: other },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const code = await new Promise<string>((resolve, reject) => {
    let seen = ''
    child.stderr.on('data', (part: Buffer) => {
      seen += part.toString()
      const found = /login approve ([A-Z]{8})/.exec(seen)?.[1]
      if (found !== undefined) resolve(found)
    })
    child.once('exit', () => reject(new Error(seen)))
  })
  const approved = await kms('login', 'approve', code)
  assert.equal(approved.code, 0, approved.err)
  assert.equal(await new Promise((resolve) => child.once('exit', resolve)), 0)
  const there = cliIn(other)
  assert.match((await there('kms', 'whoami')).out, /^developer/)
  assert.equal((await there('kms', 'logout')).code, 0)
  assert.equal(errorOf(await there('kms', 'whoami', '--json')).code, 'cli/not-signed-in')
  // The token of this home is another one, and still works.
  assert.equal((await kms('whoami')).code, 0)
})

test('a token comes from the environment or a file, and goes to no other server', async () => {
  const { token } = JSON.parse(readFileSync(dev.signIn, 'utf8')) as { token: string }
  const stranger = scratch()
  const file = join(stranger, 'token')
  writeFileSync(file, `${token}\n`, { mode: 0o600 })
  for (const env of [{ KMS_TOKEN: token }, { KMS_TOKEN_FILE: file }])
    assert.equal((await cliIn(stranger, { ...env, KMS_URL: dev.address })('kms', 'whoami')).code, 0)
  const elsewhere = await kms('whoami', '--url', 'http://127.0.0.1:1', '--json')
  assert.equal(errorOf(elsewhere).code, 'cli/not-signed-in')
  const wrong = await cliIn(stranger, { KMS_TOKEN: 'nonsense', KMS_URL: dev.address })(
    'kms',
    'whoami',
    '--json',
  )
  assert.deepEqual([wrong.code, errorOf(wrong).code], [3, 'kms/unauthenticated'])
})

test('nodes keep the sealed backups of their shares', async () => {
  const node = document<{ id: string }>(await kms('identities', 'create', 'node-1', '--json'))
  for (const words of [
    ['grant', node.id, 'mpc-backup'],
    ['login-method', node.id, 'universal'],
    ['secret', node.id, '--output', 'node.secret'],
  ])
    assert.equal((await kms('identities', ...words)).code, 0)
  const there = scratch()
  const login = ['--url', dev.address, '--client-id', node.id]
  const secretFile = ['--secret-file', join(home, 'node.secret')]
  const signedIn = await cliIn(there)('kms', 'login', ...login, ...secretFile, '--json')
  const { token } = JSON.parse(readFileSync(document<{ file: string }>(signedIn).file, 'utf8')) as {
    token: string
  }
  const { url } = JSON.parse(
    readFileSync(join(home, 'kms-dev', 'kms.log'), 'utf8')
      .trimEnd()
      .split('\n')
      .at(-1) ?? '',
  ) as { url: string }
  const store = {
    backupUrl: `${url}/api/v1/projects/${dev.project}/environments/production`,
    backupAuthToken: new Secret(token),
  }
  const key = {
    wallet: 'wal_01arz3ndektsv4rrffq69g5fav',
    node: 'nod_01arz3ndektsv4rrffq69g5fav',
    generation: 2,
  }
  const missing = (error: unknown): boolean => isFault(error, 'kms/no-secret')
  // The role reaches its own folder and nothing else.
  for (const path of ['/', '/mpc-backup/deeper'])
    assert.equal(
      (await cliIn(there)('kms', 'secrets', 'set', 'X=y', '--path', path, '--env', 'production'))
        .code,
      3,
    )
  await assert.rejects(getShareBackup(store, key), missing)
  const bytes = new Uint8Array(50_000).map((_, i) => i)
  assert.deepEqual(await putShareBackup(store, key, bytes), { version: 1 })
  assert.deepEqual(await putShareBackup(store, key, bytes.slice(1)), { version: 2 })
  assert.deepEqual((await getShareBackup(store, key)).bytes, bytes.slice(1))
  await destroyShareBackup(store, key)
  await assert.rejects(getShareBackup(store, key), missing)
  await assert.rejects(putShareBackup(store, key, new Uint8Array(524_289)), (error) =>
    isFault(error, 'sdk/too-large'),
  )
  await assert.rejects(putShareBackup({ ...store, backupUrl: url }, key, bytes), (error) =>
    isFault(error, 'sdk/bad-address'),
  )
})

test('completions know every command, in each shell', async () => {
  const complete = (...words: readonly string[]): string =>
    `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _quorate; echo "\${COMPREPLY[*]}"`
  const ran = await shell(`
    source <(quorate completion bash)
    ${complete('quorate', 'kms', 'secrets', 'ro')}
    ${complete('kms', 'secrets', 'rest')}
    ${complete('quorate', 'kms', 'secrets', 'get', 'NAME', '--no-i')}
    ${complete('quorate', 'wal')}`)
  assert.equal(ran.out, 'rollback\nrestore\n--no-imports\nwallet\n', ran.err)
  for (const shellName of ['zsh', 'fish']) {
    const { out, code } = await cliIn(home)('completion', shellName)
    assert.equal(code, 0)
    assert.match(out, /secrets/)
  }
  assert.equal((await cliIn(home)('completion', 'tcsh')).code, 2)
})

test('sealed, it says so; unsealed, it goes on', async () => {
  assert.equal((await kms('seal')).code, 0)
  const sealed = await kms('secrets', 'list', '--json')
  assert.deepEqual([sealed.code, errorOf(sealed).code], [5, 'kms/sealed'])
  assert.equal((await kms('unseal')).code, 0)
  assert.equal((await kms('secrets', 'list')).code, 0)
  const log = join(home, 'audit.jsonl')
  assert.equal((await kms('audit', 'export', '--output', log)).code, 0)
  assert.ok(readFileSync(log, 'utf8').split('\n').length > 10)
  assert.equal((await kms('audit', 'export', '--output', log)).code, 4)
})

test('the audit log is sealed into files that verify without the server, and pruned', async () => {
  const sealed = document<{ first: number; last: number; path: string }>(
    await kms('audit', 'seal', '--json'),
  )
  assert.equal(sealed.first, 1)
  const { key } = document<{ key: string }>(await kms('audit', 'segments', '--json'))
  const stranger = cliIn(scratch())
  const good = await stranger('kms', 'audit', 'verify', sealed.path, '--key', key)
  assert.deepEqual([good.code, /nothing was changed/.test(good.out)], [0, true])
  assert.match((await stranger('kms', 'audit', 'verify', sealed.path)).out, new RegExp(key))
  const forged = join(home, 'forged.jsonl')
  writeFileSync(
    forged,
    readFileSync(sealed.path, 'utf8')
      .trimEnd()
      .replace(/\n[^\n]*$/, '\n'),
  )
  assert.equal((await stranger('kms', 'audit', 'verify', forged, '--key', key)).code, 6)
  const early = await kms('audit', 'prune', '--before', '2100-01-01T00:00Z', '--json')
  assert.deepEqual([early.code, errorOf(early).code], [4, 'kms/not-sealed'])
  const none = await kms('audit', 'prune', '--before', '2020-01-01T00:00Z')
  assert.match(none.out, /No segment is as old/)
  assert.equal((await kms('audit', 'verify')).code, 0)
})

test('the guide works as it is written, in under two minutes', async () => {
  const guide = readFileSync(new URL('../../../../docs/guides/secrets.md', import.meta.url), 'utf8')
  const script = Array.from(guide.matchAll(/```sh\n(.*?)```/gs), ([, block]) => block).join('\n')
  const newcomer = scratch()
  const begun = performance.now()
  const ran = await shell(
    `export HOME='${newcomer}' QUORATE_HOME='${newcomer}'; trap 'quorate kms dev --stop' EXIT; set -x
${script}`,
    newcomer,
  )
  assert.equal(ran.code, 0, ran.err)
  assert.ok(performance.now() - begun < 120_000)
  assert.match(ran.out, /^hello, world/m)
  assert.match(ran.out, /revert|comes back/)
  assert.ok(existsSync(join(newcomer, 'before.env')))
  assert.match(
    readFileSync(join(newcomer, 'before.env'), 'utf8'),
    /MESSAGE='\$\{GREETING\}, world'/,
  )
})
