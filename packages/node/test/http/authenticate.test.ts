import assert from 'node:assert/strict'
import { test } from 'node:test'
import { signAccessToken } from '@quorate/api'
import {
  type AcceptedRecord,
  type ClusterClient,
  ReplayGuard,
  signHttpRequest,
} from '@quorate/auth'
import { type Id, isFault } from '@quorate/base'
import { softwareKey } from '@quorate/enclave/testing'
import type { UncheckedRequest } from '@quorate/platform'
import { type Authentication, authenticate } from '#src/http/authenticate.js'

const NOW = 1_800_000_000_000
const HOST = '127.0.0.1:7600'
const signer = softwareKey()
const client: ClusterClient = {
  id: 'cli_00000000000000000000000001' as Id<'cli'>,
  key: signer.publicKey,
  name: 'shop',
  role: 'signer',
  project: 'prj_00000000000000000000000001' as Id<'prj'>,
  expiresAt: NOW + 600_000,
}
const cluster = {
  cluster: new Uint8Array(32).fill(1),
  record: { clients: [client] },
} as unknown as AcceptedRecord
const authentication = (change: Partial<Authentication> = {}): Authentication => ({
  cluster,
  clock: { now: () => NOW, monotonic: () => 0 },
  guard: new ReplayGuard(),
  isPrivate: true,
  ...change,
})
const request = (url: string, authorization?: string, method = 'GET'): UncheckedRequest => ({
  id: 'req_1',
  method: method as 'GET',
  url,
  rawBody: new Uint8Array(),
  connection: { address: 'local', certificates: [] },
  header: (name) => (name === 'authorization' ? authorization : name === 'host' ? HOST : undefined),
})
const token = (expiresAt = NOW + 60_000): Promise<string> =>
  signAccessToken(signer, {
    v: 1,
    cluster: cluster.cluster,
    client: client.id,
    role: client.role,
    host: HOST,
    createdAt: expiresAt - 60_000,
    expiresAt,
    nonce: new Uint8Array(16),
  })
const codeOf = (asked: UncheckedRequest, change: Partial<Authentication> = {}): string => {
  try {
    authenticate(asked, authentication(change))
    return 'taken'
  } catch (error) {
    assert.ok(isFault(error))
    return error.code
  }
}

test('a signed call counts once, a token until it expires', async () => {
  const url = '/api/v1/wallets?limit=1'
  const authorization = await signHttpRequest(
    { method: 'GET', target: url, host: HOST, body: new Uint8Array() },
    {
      client: client.id,
      signer,
      cluster: cluster.cluster,
      time: NOW,
      nonce: new Uint8Array(16).fill(9),
    },
  )
  const same = authentication()
  assert.equal(authenticate(request(url, authorization), same), client)
  assert.throws(
    () => authenticate(request(url, authorization), same),
    (error) => isFault(error, 'auth/replayed'),
  )
  const bearer = await token()
  for (let times = 0; times < 3; times++)
    assert.equal(authenticate(request(url, bearer), same), client)
  assert.equal(codeOf(request(url, await token(NOW))), 'auth/expired')
})

test('a token is not taken where others could read it', async () => {
  const asked = request('/api/v1/status', await token())
  assert.equal(codeOf(asked), 'taken')
  assert.equal(codeOf(asked, { isPrivate: false }), 'auth/unauthenticated')
})

test('a token permits what the role does, at routes that there are, while the entry lasts', async () => {
  const bearer = await token()
  assert.equal(codeOf(request('/api/v1/audit', bearer)), 'api/not-permitted')
  assert.equal(codeOf(request('/api/v1/openapi.json', bearer)), 'taken')
  assert.equal(codeOf(request('/api/v1/openapiXjson', bearer)), 'auth/unauthenticated')
  assert.equal(codeOf(request('/api/v1/status', bearer, 'POST')), 'auth/unauthenticated')
  assert.equal(codeOf(request('/api/v1/status')), 'auth/unauthenticated')
  const over = { ...client, expiresAt: NOW }
  const expired = { cluster: { ...cluster, record: { ...cluster.record, clients: [over] } } }
  assert.equal(codeOf(request('/api/v1/status', bearer), expired), 'auth/client-expired')
})
