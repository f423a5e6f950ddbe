/** A store that is lost and restored on another machine: what serves again, and who can no longer sign in. */
import assert from 'node:assert/strict'
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { isFault, type Logger } from '@quorate/base'
import { combineMnemonics } from '@quorate/math'
import { ManualTime, systemRandom } from '@quorate/platform'
import { recoveryParams, recoveryRecipient } from '#src/barrier/recipients.js'
import type { KmsConfig } from '#src/config.js'
import { makeDomains } from '#src/domains.js'
import { inspectKmsBackup, restoreKms } from '#src/restore.js'
import { type RunningKms, startKms } from '#src/server.js'
import { acceptRollback, restoreBackup } from '#src/storage/restore.js'
import { openTestKms, testConfig } from '#src/testing/index.js'
import { scratch } from './scratch.js'

const SILENT: Logger = { log: () => undefined, with: () => SILENT }
const faultIs = (code: string) => (error: unknown) => isFault(error) && error.code === code

// biome-ignore lint/suspicious/noExplicitAny: any JSON, which the test goes on to check
type Answered = { readonly status: number; readonly body: any }

async function ask(
  kms: RunningKms,
  method: string,
  path: string,
  { token, body }: { readonly token?: string; readonly body?: unknown } = {},
): Promise<Answered> {
  const hasBody = method !== 'GET'
  const response = await fetch(`http://127.0.0.1:${kms.port}/api/v1${path}`, {
    method,
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(hasBody && { 'content-type': 'application/json' }),
    },
    ...(hasBody && { body: JSON.stringify(body ?? {}) }),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

async function initialise(kms: RunningKms, directory: string, name: string): Promise<Answered> {
  const secret = readFileSync(join(directory, 'bootstrap-secret'), 'utf8').trim()
  return ask(kms, 'POST', '/sys/init', { body: { secret, name } })
}

type Lost = {
  readonly backup: string
  readonly shares: readonly string[]
  /** Directory of the second HSM, which is not lost. */
  readonly second: string
  readonly project: string
  readonly admin: Answered['body']
  readonly machine: { readonly id: string; readonly token: string; readonly secret: string }
}

/** A server that has lived, was backed up, and is gone with its directory and its HSM. */
async function loseOne(t: TestContext): Promise<Lost> {
  const [directory, kept] = [join(scratch(t), 'data'), scratch(t)]
  const second = join(kept, 'second-hsm')
  const kms = await startKms({ ...testConfig(directory), secondHsm: `simulated:${second}` }, SILENT)
  try {
    const { body: admin } = await initialise(kms, directory, 'root')
    const as = { token: admin.accessToken }
    const done = async (
      method: string,
      path: string,
      body?: unknown,
    ): Promise<Answered['body']> => {
      const answer = await ask(kms, method, path, { ...as, body })
      assert.ok(answer.status < 300, `${method} ${path} ${JSON.stringify(answer.body)}`)
      return answer.body
    }
    const project = (await done('POST', '/projects', { name: 'shop' })).id
    const place = { project, environment: 'development', path: '/' }
    await done('POST', '/secrets', { ...place, secretName: 'A', secretValue: 'kept' })
    const { id } = await done('POST', '/identities', { kind: 'machine', name: 'ci', project })
    await done('POST', `/identities/${id}/grants`, { project, role: 'viewer' })
    const limits = { ttlSeconds: 3600, maxTtlSeconds: 3600, maxUses: 0, addresses: [] }
    await done('PUT', `/identities/${id}/auth-methods/universal`, { limits })
    const secret = (await done('POST', `/identities/${id}/client-secrets`)).clientSecret
    const token = (await done('POST', `/identities/${id}/tokens`, { name: 'x' })).accessToken
    const group = { threshold: 2, members: 3 }
    const quorum = await done('POST', '/sys/recipients', { groupThreshold: 1, groups: [group] })
    const { path } = await done('POST', '/sys/backup', { name: 'b' })
    const backup = join(kept, 'b.qkb')
    copyFileSync(path, backup)
    const shares = quorum.shares[0].slice(1)
    return { backup, shares, second, project, admin, machine: { id, token, secret } }
  } finally {
    await kms.stop()
    rmSync(directory, { recursive: true })
  }
}

/** Everything serves again, and nobody signs in with anything of before. */
async function checkTakenUp(config: KmsConfig, lost: Lost): Promise<void> {
  const { project, admin, machine } = lost
  const kms = await startKms(config, SILENT)
  try {
    assert.ok(!kms.kms.isSealed, 'the HSM of this machine opens it')
    for (const token of [admin.accessToken, machine.token]) {
      const { status, body } = await ask(kms, 'GET', '/self', { token })
      assert.deepEqual([status, body.code], [401, 'kms/unauthenticated'])
    }
    for (const proof of [
      { clientId: machine.id, clientSecret: machine.secret },
      { clientId: admin.clientId, clientSecret: admin.clientSecret },
    ])
      assert.equal((await ask(kms, 'POST', '/auth/universal/login', { body: proof })).status, 401)
    const taken = await initialise(kms, config.directory, 'root')
    assert.equal(taken.body.code, 'kms/name-taken')
    const made = await initialise(kms, config.directory, 'root-2')
    assert.equal(made.status, 201)
    const as = { token: made.body.accessToken }
    const found = await ask(
      kms,
      'GET',
      `/projects/${project}/environments/development/secrets/A?path=/`,
      as,
    )
    assert.equal(found.body.secretValue, 'kept')
    const { body } = await ask(kms, 'GET', `/identities?project=${project}`, as)
    assert.deepEqual(
      body.items.map((each: { name: string; isActive: boolean }) => [each.name, each.isActive]),
      [['ci', false]],
    )
    // Put back by somebody who knows, it needs a new secret still.
    const target = `/identities/${machine.id}`
    await ask(kms, 'PATCH', target, { ...as, body: { isActive: true } })
    const login = { clientId: machine.id, clientSecret: machine.secret }
    assert.equal((await ask(kms, 'POST', '/auth/universal/login', { body: login })).status, 401)
    const { body: fresh } = await ask(kms, 'POST', `${target}/client-secrets`, { ...as, body: {} })
    const again = { clientId: machine.id, clientSecret: fresh.clientSecret }
    assert.equal((await ask(kms, 'POST', '/auth/universal/login', { body: again })).status, 200)
    const log = (await ask(kms, 'GET', '/audit?action=store.restore', as)).body.items
    assert.deepEqual(
      log.map((each: { resource: string }) => each.resource).sort(),
      ['credential', 'identity', kms.kms.sql.storeId].sort(),
    )
    assert.ok((await ask(kms, 'POST', '/audit/verify', as)).body.isOk)
  } finally {
    await kms.stop()
  }
}

test('a quorum restores a lost store on another machine', async (t) => {
  const lost = await loseOne(t)
  const { backup, shares } = lost
  const directory = join(scratch(t), 'restored')
  const config = testConfig(directory)
  const look = await inspectKmsBackup(config, { backup, shares }, SILENT)
  assert.ok(look.rows > 20 && look.openedBy.startsWith('recovery-'))
  const { checkpoint } = look
  for (const [changed, given, code] of [
    [{}, { shares, checkpoint: checkpoint + 1 }, 'kms/restore-pending'],
    [{}, { shares: [], checkpoint }, 'kms/no-recipient'],
    [{}, { shares: shares.slice(1), checkpoint }, 'math/bad-shares'],
    [{ environment: 'staging' }, { shares, checkpoint }, 'kms/environment-changed'],
  ] as const)
    await assert.rejects(
      restoreKms({ ...config, ...changed }, { backup, ...given }, SILENT),
      faultIs(code),
    )
  assert.ok(!existsSync(join(directory, 'kms.db')), 'nothing was written')
  const restored = await restoreKms(config, { backup, shares, checkpoint }, SILENT)
  assert.equal(restored.rows, look.rows)
  // Those of the lost machine.
  assert.equal(restored.strangers.length, 2)
  assert.ok(restored.bootstrapFile !== undefined)
  await assert.rejects(
    restoreKms(config, { backup, shares, checkpoint }, SILENT),
    faultIs('kms/not-empty'),
  )
  await checkTakenUp(config, lost)
})

test('the second HSM restores it without a quorum', async (t) => {
  const lost = await loseOne(t)
  const { backup, second } = lost
  const directory = join(scratch(t), 'restored')
  const hsm = { type: 'simulated', environment: 'development', directory: second } as const
  const config: KmsConfig = {
    ...testConfig(directory),
    hsm: { ...testConfig('').hsm, config: hsm },
  }
  const { checkpoint, openedBy } = await inspectKmsBackup(config, { backup, shares: [] }, SILENT)
  assert.ok(openedBy.startsWith('hsm-'))
  const restored = await restoreKms(config, { backup, shares: [], checkpoint }, SILENT)
  assert.equal(restored.strangers.length, 1)
  await checkTakenUp(config, lost)
})

test('failed sign-ins of before the restore lock nobody out after it', async (t) => {
  const { backup, shares } = await loseOne(t)
  const directory = join(scratch(t), 'restored')
  const secret = combineMnemonics(shares)
  const quorum = recoveryRecipient(recoveryParams(secret), systemRandom, secret)
  const clock = new ManualTime(Date.parse('2026-03-04T12:00:00.000Z'))
  const { seq } = await restoreBackup({
    backup,
    directory,
    databaseUri: undefined,
    recipients: [quorum],
    clock,
    random: systemRandom,
  })
  const domains = makeDomains(testConfig(directory))
  const kms = await openTestKms({ directory, clock, modules: domains.modules })
  const { lockout } = domains.made().access.access
  const check = (): void => lockout.check('somebody', clock.monotonic())
  for (let i = 0; i < 6; i++) lockout.failed('somebody', clock.monotonic())
  assert.throws(check, faultIs('kms/rate-limited'))
  await acceptRollback(kms.sql, secret, seq)
  assert.ok(await kms.unsealWith([quorum]))
  check()
  await kms.close()
})
