import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { BOOTSTRAP_FILE } from '#src/domains/bootstrap/service.js'
import { prj, startAccess } from './harness.js'

test('the bootstrap secret makes one administrator, once, within an hour', async (t) => {
  const server = await startAccess(t)
  const path = join(server.directory, BOOTSTRAP_FILE)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const secret = readFileSync(path, 'utf8').trim()
  const init = (body: object) => server.call('POST', '/api/v1/sys/init', { body })
  assert.equal((await init({ secret: `qkb_${'0'.repeat(59)}`, name: 'eve' })).status, 401)
  assert.equal((await init({ secret: 'qkb_x', name: 'eve' })).status, 401)
  const made = await init({ secret, name: 'root' })
  assert.equal(made.status, 201)
  assert.equal(existsSync(path), false)
  const again = await init({ secret, name: 'eve' })
  assert.equal(again.status, 401)
  assert.equal(again.body.code, 'kms/unauthenticated')
  const self = await server.call('GET', '/api/v1/self', { token: made.body.accessToken })
  assert.equal(self.body.name, 'root')
  assert.equal(self.body.grants[0].role, 'admin')
  const actions = (await server.audit()).map(({ action, decision }) => `${action} ${decision}`)
  assert.ok(actions.includes('bootstrap.redeem deny') && actions.includes('bootstrap.redeem allow'))
})

test('a bootstrap secret of more than an hour is worth nothing', async (t) => {
  const server = await startAccess(t)
  const secret = readFileSync(join(server.directory, BOOTSTRAP_FILE), 'utf8').trim()
  server.time.advance(3_600_000)
  const answer = await server.call('POST', '/api/v1/sys/init', { body: { secret, name: 'late' } })
  assert.equal(answer.status, 401)
  // The next unsealing offers a new one.
  await server.domain.bootstrap.offer()
  await server.administrator()
})

test('tokens: an hour, renewed up to a day, revoked at once', async (t) => {
  const server = await startAccess(t)
  const { token } = await server.administrator()
  const self = (text: string | undefined) =>
    server.call('GET', '/api/v1/tokens/self', { token: text })
  assert.equal((await self(undefined)).status, 401)
  assert.equal((await self('qkt_nonsense')).status, 401)
  assert.equal((await self(`${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`)).status, 401)
  assert.equal((await self(token)).body.expiresAt, '2026-03-04T13:00:00.000Z')
  server.time.advance(50 * 60_000)
  const renewed = await server.call('POST', '/api/v1/tokens/self/renew', { token })
  assert.equal(renewed.body.expiresAt, '2026-03-04T13:50:00.000Z')
  for (let hour = 0; hour < 23; hour++) {
    server.time.advance(55 * 60_000)
    assert.equal((await server.call('POST', '/api/v1/tokens/self/renew', { token })).status, 200)
  }
  assert.equal((await self(token)).body.expiresAt, (await self(token)).body.expiresAt)
  server.time.advance(59 * 60_000)
  await server.call('POST', '/api/v1/tokens/self/renew', { token })
  server.time.advance(3_600_000)
  assert.equal((await self(token)).status, 401)
})

test('a revoked token stops working with the answer', async (t) => {
  const server = await startAccess(t)
  const { token, id } = await server.administrator()
  const second = await server.call('POST', `/api/v1/identities/${id}/tokens`, {
    token,
    body: { name: 'second' },
  })
  const other = second.body.accessToken
  assert.equal((await server.call('GET', '/api/v1/self', { token: other })).status, 200)
  const revoked = await server.call('DELETE', `/api/v1/tokens/${second.body.token.id}`, { token })
  assert.equal(revoked.status, 204)
  assert.equal((await server.call('GET', '/api/v1/self', { token: other })).status, 401)
  assert.equal((await server.call('POST', '/api/v1/tokens/self/revoke', { token })).status, 204)
  assert.equal((await server.call('GET', '/api/v1/self', { token })).status, 401)
})

test('limits of use, address and life hold', async (t) => {
  const server = await startAccess(t)
  const { token: admin } = await server.administrator()
  const self = (token: string) => server.call('GET', '/api/v1/self', { token })
  const thrice = await server.identity(admin, { name: 'thrice', limits: { maxUses: 3 } })
  const both = await Promise.all([self(thrice.token), self(thrice.token)])
  assert.deepEqual(
    both.map(({ status }) => status),
    [200, 200],
  )
  assert.equal((await self(thrice.token)).status, 200)
  assert.equal((await self(thrice.token)).status, 401)
  const elsewhere = await server.identity(admin, {
    name: 'elsewhere',
    limits: { addresses: ['192.0.2.0/24', '::/0'] },
  })
  assert.equal((await self(elsewhere.token)).status, 401)
  const here = await server.identity(admin, {
    name: 'here',
    limits: { addresses: ['127.0.0.0/8'] },
  })
  assert.equal((await self(here.token)).status, 200)
  const tooLong = await server.call('POST', `/api/v1/identities/${here.id}/tokens`, {
    token: admin,
    body: { name: 'x', limits: { ttlSeconds: 86_401 } },
  })
  assert.equal(tooLong.status, 422)
})

test('universal: secrets with limits, one answer for every failure, a pause after five', async (t) => {
  const server = await startAccess(t)
  const { token: admin } = await server.administrator()
  const project = prj('1')
  const machine = await server.identity(admin, { name: 'ci', project })
  const logIn = (clientId: string, clientSecret: string) =>
    server.call('POST', '/api/v1/auth/universal/login', { body: { clientId, clientSecret } })
  const settings = { limits: { ttlSeconds: 600, maxTtlSeconds: 1200, maxUses: 0, addresses: [] } }
  const put = await server.call('PUT', `/api/v1/identities/${machine.id}/auth-methods/universal`, {
    token: admin,
    body: settings,
  })
  assert.equal(put.status, 200)
  const made = await server.call('POST', `/api/v1/identities/${machine.id}/client-secrets`, {
    token: admin,
    body: { maxUses: 1, ttlSeconds: 3600 },
  })
  const secret = made.body.clientSecret
  assert.match(secret, /^qks_[0-9a-z]{59}$/)
  const good = await logIn(machine.id, secret)
  assert.equal(good.status, 200)
  assert.equal(good.body.token.expiresAt, '2026-03-04T12:10:00.000Z')
  assert.equal(
    (await server.call('GET', '/api/v1/self', { token: good.body.accessToken })).body.name,
    'ci',
  )
  // Used up, unknown, another's: the same words.
  const other = await server.identity(admin, { name: 'other', project })
  const failures = [
    await logIn(machine.id, secret),
    await logIn(machine.id, `qks_${'0'.repeat(59)}`),
    await logIn(other.id, secret),
    await logIn('idn_01hgw2bbg00000000000000000', secret),
    await logIn('nobody', 'nothing'),
  ]
  const faces = new Set(
    failures.map(({ status, body }) => JSON.stringify([status, body.code, body.detail])),
  )
  assert.deepEqual([...faces], [JSON.stringify([401, 'kms/unauthenticated', undefined])])
  for (let i = 0; i < 3; i++) assert.equal((await logIn(machine.id, secret)).status, 401)
  // The fifth failure began the pause.
  assert.equal((await logIn(machine.id, secret)).status, 429)
  // The same for one that does not exist.
  for (let i = 0; i < 4; i++) await logIn('nobody', 'nothing')
  assert.equal((await logIn('nobody', 'nothing')).status, 429)
  server.time.advance(1_000)
  assert.equal((await logIn('nobody', 'nothing')).status, 401)
  assert.equal((await logIn('nobody', 'nothing')).status, 429)
})

test('a person replaces his own secret, and needs the old one for it', async (t) => {
  const server = await startAccess(t)
  const { token, id, clientSecret } = await server.administrator()
  const rotate = (current: string) =>
    server.call('POST', '/api/v1/self/rotate-secret', { token, body: { clientSecret: current } })
  assert.equal((await rotate(`qks_${'0'.repeat(59)}`)).status, 401)
  const fresh = await rotate(clientSecret)
  assert.equal(fresh.status, 200)
  const logIn = (secret: string) =>
    server.call('POST', '/api/v1/auth/universal/login', {
      body: { clientId: id, clientSecret: secret },
    })
  assert.equal((await logIn(clientSecret)).status, 401)
  assert.equal((await logIn(fresh.body.clientSecret)).status, 200)
})

test('another device signs in with the word of one that is signed in', async (t) => {
  const server = await startAccess(t)
  const { token } = await server.administrator()
  const begin = await server.call('POST', '/api/v1/auth/device', { body: { name: 'laptop' } })
  const { deviceCode, userCode } = begin.body
  const collect = () => server.call('POST', '/api/v1/auth/device/token', { body: { deviceCode } })
  assert.equal((await collect()).status, 202)
  const look = await server.call('POST', '/api/v1/auth/device/look', { token, body: { userCode } })
  assert.deepEqual([look.body.name, look.body.address], ['laptop', '127.0.0.1'])
  assert.equal(
    (await server.call('POST', '/api/v1/auth/device/approve', { body: { userCode } })).status,
    401,
  )
  assert.equal(
    (await server.call('POST', '/api/v1/auth/device/approve', { token, body: { userCode } }))
      .status,
    204,
  )
  assert.equal(
    (await server.call('POST', '/api/v1/auth/device/approve', { token, body: { userCode } }))
      .status,
    404,
  )
  const got = await collect()
  assert.equal(
    (await server.call('GET', '/api/v1/self', { token: got.body.accessToken })).body.name,
    'root',
  )
  assert.equal((await collect()).status, 401)
  const late = await server.call('POST', '/api/v1/auth/device', { body: { name: 'late' } })
  server.time.advance(10 * 60_000)
  assert.equal(
    (
      await server.call('POST', '/api/v1/auth/device/approve', {
        token,
        body: { userCode: late.body.userCode },
      })
    ).status,
    404,
  )
})

test('ended tokens and secrets are removed, and their rows are gone', async (t) => {
  const server = await startAccess(t)
  await server.administrator()
  const [job] = server.domain.module.jobs ?? []
  server.time.advance(2 * 3_600_000)
  await job!.run(new AbortController().signal)
  const rows = await server.kms.sql.read("SELECT id FROM credential WHERE kind = 'token'")
  assert.equal(rows.length, 0)
})
