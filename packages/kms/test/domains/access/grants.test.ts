import assert from 'node:assert/strict'
import test from 'node:test'
import { type Answer, prj, startAccess, type TestServer } from './harness.js'

const project = prj('1')
const other = prj('2')
const allow = (...actions: readonly string[]) => [{ effect: 'allow', actions }]

type World = TestServer & { readonly admin: string; readonly adminId: string }
async function world(t: Parameters<typeof startAccess>[0]): Promise<World> {
  const server = await startAccess(t)
  const { token, id } = await server.administrator()
  return { ...server, admin: token, adminId: id }
}

const why = (w: World, token: string, body: object): Promise<Answer> =>
  w.call('POST', '/api/v1/access/why', { token, body })
const grant = (w: World, token: string, id: string, body: object): Promise<Answer> =>
  w.call('POST', `/api/v1/identities/${id}/grants`, { token, body })
const secret = (environment: string, path = '/app', name = 'KEY') => ({
  action: 'secret.read',
  project,
  resource: { environment, path, name, tags: [] },
})

test('a role is held in its project only, and says why', async (t) => {
  const w = await world(t)
  const { token } = await w.identity(w.admin, {
    name: 'viewer',
    project,
    grants: [{ project, role: 'viewer' }],
  })
  const here = await why(w, token, secret('prod'))
  assert.equal(here.body.allowed, true)
  assert.match(here.body.rule, /^role:viewer\/1:grt_/)
  assert.equal((await why(w, token, { ...secret('prod'), project: other })).body.allowed, false)
  const update = await why(w, token, { ...secret('prod'), action: 'secret.update' })
  assert.deepEqual([update.body.allowed, update.body.rule, update.body.why], [false, null, []])
})

test('a custom role with conditions, a group, and a rule that denies', async (t) => {
  const w = await world(t)
  const role = await w.call('POST', '/api/v1/roles', {
    token: w.admin,
    body: {
      project,
      name: 'payments',
      rules: [
        {
          effect: 'allow',
          actions: ['secret.*'],
          when: { environments: ['prod*'], paths: ['/pay/**'] },
        },
        { effect: 'deny', actions: ['secret.*'], when: { names: ['*_ROOT'] } },
      ],
    },
  })
  assert.equal(role.status, 201)
  const group = await w.call('POST', '/api/v1/groups', {
    token: w.admin,
    body: { project, name: 'payers' },
  })
  const given = await w.call('POST', `/api/v1/groups/${group.body.id}/grants`, {
    token: w.admin,
    body: { project, role: role.body.id },
  })
  assert.equal(given.status, 201)
  const { id, token } = await w.identity(w.admin, { name: 'm', project })
  const asks = (environment: string, path: string, name: string) =>
    why(w, token, secret(environment, path, name)).then(({ body }) => body.allowed)
  assert.equal(await asks('prod-eu', '/pay/card', 'KEY'), false)
  const joined = await w.call('PATCH', `/api/v1/identities/${id}`, {
    token: w.admin,
    body: { groups: [group.body.id] },
  })
  assert.equal(joined.status, 200)
  assert.equal(await asks('prod-eu', '/pay/card', 'KEY'), true)
  assert.equal(await asks('prod-eu', '/pay/card', 'KEY_ROOT'), false)
  assert.equal(await asks('dev', '/pay/card', 'KEY'), false)
  // A changed role changes what its holders may with the next request.
  const changed = await w.call('PATCH', `/api/v1/roles/${role.body.id}`, {
    token: w.admin,
    body: { rules: allow('folder.read') },
    headers: { 'if-match': role.headers.get('etag') ?? '' },
  })
  assert.equal(changed.status, 200)
  assert.equal(await asks('prod-eu', '/pay/card', 'KEY'), false)
  const stale = await w.call('PATCH', `/api/v1/roles/${role.body.id}`, {
    token: w.admin,
    body: { rules: [] },
    headers: { 'if-match': role.headers.get('etag') ?? '' },
  })
  assert.equal(stale.status, 412)
  assert.equal(
    (await w.call('DELETE', `/api/v1/roles/${role.body.id}`, { token: w.admin })).status,
    409,
  )
})

test('temporary privileges begin and end by the clock', async (t) => {
  const w = await world(t)
  const { id, token } = await w.identity(w.admin, { name: 'm', project })
  const may = () => why(w, token, secret('prod')).then(({ body }) => body.allowed)
  const later = await grant(w, w.admin, id, {
    project,
    rules: allow('secret.read'),
    startsAt: '2026-03-04T12:10:00.000Z',
    durationSeconds: 600,
    reason: 'on call',
  })
  assert.equal(later.body.endsAt, '2026-03-04T12:20:00.000Z')
  assert.equal(await may(), false)
  w.time.advance(600_000)
  assert.equal(await may(), true)
  w.time.advance(599_999)
  assert.equal(await may(), true)
  w.time.advance(1)
  assert.equal(await may(), false)
  for (const body of [
    { project, role: 'viewer', endsAt: '2026-03-04T12:00:00.000Z' },
    { project, role: 'viewer', rules: allow('secret.read') },
    { project },
    { project, role: 'nothing' },
    { role: 'viewer' },
    { project: other, role: 'viewer' },
    { project, role: 'viewer', durationSeconds: 60, endsAt: '2026-03-05T12:00:00.000Z' },
  ])
    assert.equal(
      (await grant(w, w.admin, id, body)).body.code,
      'kms/bad-grant',
      JSON.stringify(body),
    )
})

test('nobody gives, takes or becomes what he does not hold', async (t) => {
  const w = await world(t)
  const chief = await w.identity(w.admin, {
    name: 'chief',
    project,
    grants: [{ project, role: 'admin' }],
  })
  const strong = await w.identity(w.admin, {
    name: 'strong',
    project,
    grants: [{ project, rules: allow('secret.*', 'sys.seal', 'folder.*') }],
  })
  const lead = await w.identity(w.admin, {
    name: 'lead',
    project,
    grants: [
      {
        project,
        rules: allow(
          'grant.*',
          'identity.*',
          'token.*',
          'auth-method.*',
          'role.*',
          'group.*',
          'approval-policy.*',
        ),
      },
      {
        project,
        rules: [{ effect: 'allow', actions: ['secret.read'], when: { environments: ['dev'] } }],
      },
    ],
  })
  const target = await w.identity(w.admin, { name: 'target', project })
  const refused = async (answer: Promise<Answer>): Promise<void> => {
    const { status, body } = await answer
    assert.deepEqual([status, body.code], [403, 'kms/escalation'], JSON.stringify(body))
  }
  const { token } = lead
  const dev = { environments: ['dev'], paths: ['/x/**'] }
  assert.equal(
    (
      await grant(w, token, target.id, {
        project,
        rules: [{ effect: 'allow', actions: ['secret.read'], when: dev }],
      })
    ).status,
    201,
  )
  await refused(grant(w, token, target.id, { project, rules: allow('secret.read') }))
  await refused(grant(w, token, target.id, { project, role: 'admin' }))
  await refused(grant(w, token, lead.id, { project, role: 'developer' }))
  // Nor by the back door: as somebody else, by his keys, by a role, a group, a policy.
  await refused(
    w.call('POST', `/api/v1/identities/${strong.id}/tokens`, { token, body: { name: 'x' } }),
  )
  await refused(
    w.call('POST', `/api/v1/identities/${strong.id}/client-secrets`, { token, body: {} }),
  )
  const settings = { limits: { ttlSeconds: 60, maxTtlSeconds: 60, maxUses: 0, addresses: [] } }
  await refused(
    w.call('PUT', `/api/v1/identities/${strong.id}/auth-methods/universal`, {
      token,
      body: settings,
    }),
  )
  await refused(
    w.call('POST', `/api/v1/identities/${strong.id}/approver-keys`, {
      token,
      body: { name: 'k', publicKey: '00'.repeat(32) },
    }),
  )
  await refused(
    w.call('PATCH', `/api/v1/identities/${strong.id}`, { token, body: { isActive: false } }),
  )
  await refused(w.call('DELETE', `/api/v1/identities/${strong.id}`, { token }))
  await refused(
    w.call('POST', '/api/v1/roles', {
      token,
      body: { project, name: 'r', rules: allow('secret.*') },
    }),
  )
  const group = await w.call('POST', '/api/v1/groups', {
    token: w.admin,
    body: { project, name: 'g' },
  })
  await w.call('POST', `/api/v1/groups/${group.body.id}/grants`, {
    token: w.admin,
    body: { project, role: 'developer' },
  })
  await refused(
    w.call('PATCH', `/api/v1/identities/${lead.id}`, { token, body: { groups: [group.body.id] } }),
  )
  const strongGrant = (await w.call('GET', `/api/v1/identities/${strong.id}`, { token })).body
    .grants[0].id
  await refused(
    w.call('DELETE', `/api/v1/identities/${strong.id}/grants/${strongGrant}`, { token }),
  )
  const policy = {
    project,
    name: 'p',
    roles: ['developer'],
    approvers: [lead.id],
    required: 1,
    bypassers: [],
    maxDurationSeconds: 60,
    requestSeconds: 60,
    allowsSelfApproval: false,
  }
  await refused(w.call('POST', '/api/v1/approval-policies', { token, body: policy }))
  // Nobody lifts a refusal that stands against himself.
  const denial = await grant(w, w.admin, lead.id, {
    project,
    rules: [{ effect: 'deny', actions: ['secret.read'] }],
  })
  await refused(
    w.call('DELETE', `/api/v1/identities/${lead.id}/grants/${denial.body.id}`, { token }),
  )
  // A project's administrator may all of that in his project, and nothing outside.
  assert.equal((await grant(w, chief.token, target.id, { project, role: 'admin' })).status, 201)
  const person = await w.identity(w.admin, { kind: 'user', name: 'person' })
  assert.equal((await grant(w, chief.token, person.id, { project, role: 'viewer' })).status, 201)
  assert.equal(
    (await grant(w, chief.token, person.id, { project: other, role: 'viewer' })).status,
    404,
  )
  assert.equal((await grant(w, chief.token, person.id, { role: 'viewer' })).status, 404)
  const denials = (await w.audit()).filter(({ reason }) => reason === 'kms/escalation')
  assert.ok(
    denials.length >= 14 &&
      denials.every(({ decision, outcome }) => decision === 'deny' && outcome === 'failed'),
  )
})

test('the last administrator stays', async (t) => {
  const w = await world(t)
  const { id, admin } = { id: w.adminId, admin: w.admin }
  const self = await w.call('GET', '/api/v1/self', { token: admin })
  const grantPath = `/api/v1/identities/${id}/grants/${self.body.grants[0].id}`
  const isLast = (answer: Answer): void => assert.equal(answer.body?.code, 'kms/last-administrator')
  isLast(await w.call('DELETE', grantPath, { token: admin }))
  isLast(await w.call('DELETE', `/api/v1/identities/${id}`, { token: admin }))
  isLast(
    await w.call('PATCH', `/api/v1/identities/${id}`, { token: admin, body: { isActive: false } }),
  )
  // One for a time does not count.
  await w.identity(admin, {
    kind: 'user',
    name: 'guest',
    grants: [{ role: 'admin', durationSeconds: 3600 }],
  })
  isLast(await w.call('DELETE', grantPath, { token: admin }))
  const second = await w.identity(admin, {
    kind: 'user',
    name: 'second',
    grants: [{ role: 'admin' }],
  })
  assert.equal(
    (await w.call('DELETE', `/api/v1/identities/${id}`, { token: second.token })).status,
    204,
  )
  assert.equal((await w.call('GET', '/api/v1/self', { token: admin })).status, 401)
})

test('who is put out of action or removed is out with the answer', async (t) => {
  const w = await world(t)
  const { id, token } = await w.identity(w.admin, {
    name: 'm',
    project,
    grants: [{ project, role: 'viewer' }],
  })
  const self = (): Promise<number> =>
    w.call('GET', '/api/v1/self', { token }).then(({ status }) => status)
  const set = (isActive: boolean) =>
    w.call('PATCH', `/api/v1/identities/${id}`, { token: w.admin, body: { isActive } })
  assert.equal(await self(), 200)
  await set(false)
  assert.equal(await self(), 401)
  await set(true)
  assert.equal(await self(), 200)
  await w.call('DELETE', `/api/v1/identities/${id}`, { token: w.admin })
  assert.equal(await self(), 401)
  const left = await w.kms.sql.read('SELECT id FROM credential WHERE identity = ?', [id])
  assert.equal(left.length, 0)
})

test('a row that was put back, altered or taken away is refused', async (t) => {
  const w = await world(t)
  const { id, token } = await w.identity(w.admin, { name: 'm', project })
  const [before] = await w.kms.sql.read('SELECT * FROM access_document WHERE id = ?', [id])
  const given = await grant(w, w.admin, id, { project, role: 'viewer' })
  assert.equal(given.status, 201)
  const restore = (body: string, version: number) =>
    w.kms.sql.write([
      {
        sql: 'UPDATE access_document SET body = ?, version = ? WHERE id = ?',
        params: [body, version, id],
      },
    ])
  const ask = () => w.call('GET', '/api/v1/self', { token })
  const forget = () => w.domain.access.forget()
  assert.equal((await ask()).status, 200)
  // Put back to what it was before the grant: a grant taken back would come to life again like this.
  const [after] = await w.kms.sql.read('SELECT * FROM access_document WHERE id = ?', [id])
  await restore(before!['body'] as string, before!['version'] as number)
  forget()
  assert.equal((await ask()).body.code, 'kms/rolled-back')
  await restore((after!['body'] as string).replace('viewer', 'admin'), after!['version'] as number)
  forget()
  assert.equal((await ask()).body.code, 'kms/rolled-back')
  await restore(after!['body'] as string, after!['version'] as number)
  forget()
  assert.equal((await ask()).status, 200)
  // A token made by whoever writes to the database.
  const [row] = await w.kms.sql.read(
    "SELECT * FROM credential WHERE identity = ? AND kind = 'token'",
    [id],
  )
  await w.kms.sql.write([
    { sql: 'UPDATE credential SET identity = ? WHERE id = ?', params: [w.adminId, row!['id']!] },
  ])
  w.domain.module.sealed?.()
  assert.equal((await ask()).body.code, 'kms/rolled-back')
  await w.kms.sql.write([{ sql: 'DELETE FROM credential WHERE id = ?', params: [row!['id']!] }])
  w.domain.module.sealed?.()
  assert.equal((await ask()).body.code, 'kms/rolled-back')
})
