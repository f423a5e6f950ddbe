import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import test, { type TestContext } from 'node:test'
import type { AuditRecord } from '@quorate/api'
import { fromHex, toHex } from '@quorate/base'
import { approvalMessage } from '#src/domains/approvals/model.js'
import { verifyGrants } from '#src/domains/approvals/verify.js'
import { type Answer, prj, startAccess } from '../access/harness.js'

const project = prj('1')

type Approver = {
  readonly id: string
  readonly token: string
  readonly publicKey: string
  readonly privateKey: KeyObject
}

async function setUp(t: TestContext, policy: object = {}) {
  const server = await startAccess(t)
  const { token: admin } = await server.administrator()
  const member = { kind: 'user', grants: [{ project, role: 'no-access' }] } as const
  const approver = async (name: string): Promise<Approver> => {
    const made = await server.identity(admin, { ...member, name })
    const { publicKey, privateKey } = generateKeyPairSync('ed25519')
    const hex = toHex(
      new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }).subarray(12)),
    )
    const added = await server.call('POST', `/api/v1/identities/${made.id}/approver-keys`, {
      token: admin,
      body: { name: 'laptop', publicKey: hex },
    })
    assert.equal(added.status, 201)
    return { ...made, publicKey: hex, privateKey }
  }
  const approvers = [await approver('ada'), await approver('bob'), await approver('cy')] as const
  const dev = await server.identity(admin, { ...member, name: 'dev' })
  const made = await server.call('POST', '/api/v1/approval-policies', {
    token: admin,
    body: {
      project,
      name: 'production',
      roles: ['viewer'],
      approvers: approvers.map(({ id }) => id),
      required: 2,
      bypassers: [],
      maxDurationSeconds: 3600,
      requestSeconds: 7200,
      allowsSelfApproval: false,
      ...policy,
    },
  })
  assert.equal(made.status, 201, JSON.stringify(made.body))
  const ask = (token: string = dev.token, more: object = {}) =>
    server.call('POST', '/api/v1/access-requests', {
      token,
      body: {
        policy: made.body.id,
        role: 'viewer',
        durationSeconds: 1800,
        reason: 'incident 7',
        ...more,
      },
    })
  const decide = (
    request: Answer,
    by: Approver,
    change: {
      decision?: 'approve' | 'deny'
      lifeMs?: number
      hash?: string
      as?: string
      body?: object
    } = {},
  ) => {
    const {
      decision = 'approve',
      lifeMs = 600_000,
      hash = request.body.requestHash,
      as = by.id,
    } = change
    const expiresAt = server.time.now() + lifeMs
    const message = approvalMessage(fromHex(hash), { decision, approver: as, expiresAt })
    return server.call('POST', `/api/v1/access-requests/${request.body.id}/decisions`, {
      token: by.token,
      body: {
        decision,
        publicKey: by.publicKey,
        expiresAt: new Date(expiresAt).toISOString(),
        signature: sign(null, message, by.privateKey).toString('hex'),
        ...change.body,
      },
    })
  }
  const mayRead = () =>
    server
      .call('POST', '/api/v1/access/why', {
        token: dev.token,
        body: {
          action: 'secret.read',
          project,
          resource: { environment: 'prod', path: '/', name: 'A', tags: [] },
        },
      })
      .then(({ body }) => body.allowed as boolean)
  return { server, admin, approvers, dev, policy: made.body, ask, decide, mayRead }
}

test('two of three signatures grant it, for its time and no longer', async (t) => {
  const { server, approvers, ask, decide, mayRead } = await setUp(t)
  const [ada, bob] = approvers
  const request = await ask()
  assert.equal(request.status, 201)
  assert.equal((await decide(request, ada)).body.state, 'open')
  assert.equal((await decide(request, ada)).body.state, 'open', 'the same word twice is one')
  assert.equal(await mayRead(), false)
  const granted = await decide(request, bob)
  assert.equal(granted.body.state, 'granted')
  assert.equal(granted.body.grant.endsAt, '2026-03-04T12:30:00.000Z')
  assert.equal(await mayRead(), true)
  server.time.advance(1_800_000)
  assert.equal(await mayRead(), false)
  assert.equal((await decide(request, approvers[2])).body.code, 'kms/request-closed')
})

test('what is not an approver’s own signature for this very request does not count', async (t) => {
  const { server, admin, approvers, dev, ask, decide } = await setUp(t)
  const [ada, bob] = approvers
  const [request, second] = [await ask(), await ask()]
  const code = async (answer: Promise<Answer>): Promise<string> => (await answer).body?.code
  assert.equal(
    await code(decide(request, ada, { hash: second.body.requestHash })),
    'kms/bad-approval',
  )
  assert.equal(await code(decide(request, ada, { as: bob.id })), 'kms/bad-approval')
  assert.equal(await code(decide(request, ada, { body: { decision: 'deny' } })), 'kms/bad-approval')
  assert.equal(
    await code(decide(request, ada, { body: { publicKey: bob.publicKey } })),
    'kms/bad-approval',
  )
  assert.equal(
    await code(decide(request, { ...ada, privateKey: bob.privateKey })),
    'kms/bad-approval',
  )
  assert.equal(await code(decide(request, ada, { lifeMs: 7_200_001 })), 'kms/bad-approval')
  assert.equal(await code(decide(request, ada, { lifeMs: 0 })), 'kms/bad-approval')
  assert.equal(await code(decide(request, { ...ada, token: dev.token })), 'kms/not-approver')
  // An approval that has ended, and one whose key was taken away, no longer count.
  await decide(request, ada, { lifeMs: 60_000 })
  server.time.advance(60_000)
  assert.equal((await decide(request, bob)).body.state, 'open')
  const keys = (await server.call('GET', `/api/v1/identities/${bob.id}`, { token: admin })).body
    .approverKeys
  await server.call('DELETE', `/api/v1/identities/${bob.id}/approver-keys/${keys[0].id}`, {
    token: admin,
  })
  assert.equal((await decide(request, ada)).body.state, 'open')
  assert.equal((await decide(request, approvers[2])).body.state, 'granted')
})

test('nobody approves his own request, unless the policy says so', async (t) => {
  const strict = await setUp(t)
  const [ada] = strict.approvers
  const own = await strict.ask(ada.token)
  assert.equal((await strict.decide(own, ada)).body.code, 'kms/not-approver')
  const lax = await setUp(t, { allowsSelfApproval: true, required: 1 })
  const request = await lax.ask(lax.approvers[0].token)
  assert.equal((await lax.decide(request, lax.approvers[0])).body.state, 'granted')
})

test('one refusal ends it; so do time, a changed policy and a revocation', async (t) => {
  const { server, admin, approvers, policy, ask, decide, mayRead } = await setUp(t)
  const [ada, bob] = approvers
  const denied = await ask()
  assert.equal((await decide(denied, ada, { decision: 'deny' })).body.state, 'denied')
  assert.equal((await decide(denied, bob)).body.code, 'kms/request-closed')
  const granted = await ask()
  await decide(granted, ada)
  await decide(granted, bob)
  assert.equal(await mayRead(), true)
  const revoked = await server.call('POST', `/api/v1/access-requests/${granted.body.id}/revoke`, {
    token: admin,
  })
  assert.equal(revoked.body.state, 'revoked')
  assert.equal(await mayRead(), false)
  const stale = await ask()
  await decide(stale, ada)
  const { id, version: _, name: __, project: ___, ...body } = policy
  const put = await server.call('PUT', `/api/v1/approval-policies/${id}`, {
    token: admin,
    body: { ...body, requestSeconds: 60 },
  })
  assert.equal(put.status, 200)
  assert.equal((await decide(stale, bob)).body.code, 'kms/request-closed')
  const late = await ask()
  assert.equal((await decide(late, ada, { lifeMs: 60_000 })).body.state, 'open')
  server.time.advance(60_000)
  assert.equal((await decide(late, bob)).body.code, 'kms/request-closed')
  const shown = await server.call('GET', `/api/v1/access-requests/${late.body.id}`, {
    token: admin,
  })
  assert.equal(shown.body.state, 'expired')
})

test('beyond the policy there is no request', async (t) => {
  const { ask } = await setUp(t)
  assert.equal((await ask(undefined, { role: 'admin' })).body.code, 'kms/bad-grant')
  assert.equal((await ask(undefined, { durationSeconds: 3601 })).body.code, 'kms/bad-grant')
  assert.equal((await ask(undefined, { policy: 'apl_01hgw2bbg00000000000000000' })).status, 404)
})

test('breaking the glass takes the permission and the policy, and is loud', async (t) => {
  const { server, admin, dev, policy, ask, mayRead } = await setUp(t)
  const request = await ask()
  const bypass = (token: string) =>
    server.call('POST', `/api/v1/access-requests/${request.body.id}/bypass`, { token })
  assert.equal((await bypass(dev.token)).body.code, 'kms/not-permitted')
  assert.equal((await bypass(admin)).body.code, 'kms/not-approver')
  const { id, version: _, name: __, project: ___, ...body } = policy
  const rootId = (await server.call('GET', '/api/v1/self', { token: admin })).body.id
  await server.call('PUT', `/api/v1/approval-policies/${id}`, {
    token: admin,
    body: { ...body, bypassers: [rootId] },
  })
  const again = await ask()
  const broken = await server.call('POST', `/api/v1/access-requests/${again.body.id}/bypass`, {
    token: admin,
  })
  assert.equal(broken.body.state, 'granted')
  assert.equal(await mayRead(), true)
  const [finding] = verifyGrants(await server.audit())
  assert.deepEqual([finding?.kind, finding?.approvals, finding?.isSound], ['break-glass', 0, true])
})

test('to become an approver by the back door takes the right to write the policy', async (t) => {
  const { server, admin, approvers } = await setUp(t)
  const clerk = await server.identity(admin, {
    kind: 'user',
    name: 'clerk',
    grants: [
      { rules: [{ effect: 'allow', actions: ['identity.*', 'token.*', 'auth-method.*'] }] },
      { project, role: 'no-access' },
    ],
  })
  const [ada] = approvers
  for (const [method, path, body] of [
    ['POST', `/api/v1/identities/${ada.id}/tokens`, { name: 'x' }],
    [
      'POST',
      `/api/v1/identities/${ada.id}/approver-keys`,
      { name: 'x', publicKey: '11'.repeat(32) },
    ],
    ['POST', `/api/v1/identities/${ada.id}/client-secrets`, {}],
  ] as const)
    assert.equal(
      (await server.call(method, path, { token: clerk.token, body })).body.code,
      'kms/escalation',
    )
})

test('the audit log alone shows whether a grant was approved', async (t) => {
  const { server, approvers, ask, decide } = await setUp(t)
  const request = await ask()
  await decide(request, approvers[0])
  await decide(request, approvers[2])
  const records = await server.audit()
  const judge = (changed: readonly AuditRecord[]) =>
    verifyGrants(changed).map(({ isSound }) => isSound)
  const [finding] = verifyGrants(records)
  assert.deepEqual(
    [finding?.approvals, finding?.required, finding?.kind, finding?.isSound],
    [2, 2, 'approved', true],
  )
  const isDecision = ({ action }: AuditRecord): boolean => action === 'access-request.decide'
  const first = records.findIndex(isDecision)
  const change = (index: number, more: Partial<AuditRecord>): readonly AuditRecord[] =>
    records.map((record, i) => (i === index ? { ...record, ...more } : record))
  const setField = (index: number, name: string, value: string | number): readonly AuditRecord[] =>
    change(index, {
      fields: records[index]!.fields.map((field) =>
        field.name === name ? ({ ...field, value } as typeof field) : field,
      ),
    })
  const grant = records.findIndex(({ action }) => action === 'access-request.grant')
  const create = records.findIndex(
    ({ action, outcome }) => action === 'access-request.create' && outcome === 'done',
  )
  assert.deepEqual(judge(records.filter((_, i) => i !== first)), [false], 'an approval is missing')
  assert.deepEqual(judge(change(first, { actor: approvers[1].id })), [false], 'another approver')
  assert.deepEqual(
    judge(setField(first, 'signature', '0'.repeat(128))),
    [false],
    'another signature',
  )
  assert.deepEqual(judge(setField(first, 'expiresAt', 1)), [false], 'another expiry')
  assert.deepEqual(judge(setField(create, 'durationSeconds', 99_999)), [false], 'other terms')
  assert.deepEqual(judge(setField(create, 'required', 1)), [false], 'fewer approvals')
  assert.deepEqual(
    judge(setField(grant, 'requester', approvers[1].id)),
    [false],
    'another requester',
  )
  assert.deepEqual(
    judge(setField(grant, 'endsAt', server.time.now() + 1_800_001)),
    [false],
    'a later end',
  )
})
