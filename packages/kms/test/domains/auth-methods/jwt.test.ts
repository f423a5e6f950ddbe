import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { Fault } from '@quorate/base'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { neighbourhood } from '#src/domains/access/cidr.js'
import type { FetchJson } from '#src/domains/auth-methods/fetch-json.js'
import { prj, START, startAccess } from '../access/harness.js'

const ISSUER = 'https://issuer.example'
const limits = { ttlSeconds: 600, maxTtlSeconds: 600, maxUses: 0, addresses: [] }
const seconds = (offset: number): number => Math.floor(START / 1000) + offset

type Key = Awaited<ReturnType<typeof generateKeyPair>>
const publicJwk = async ({ publicKey }: Key, kid: string) => ({
  ...(await exportJWK(publicKey)),
  kid,
  use: 'sig',
})

function provider(documents: Map<string, unknown>): FetchJson & { readonly asked: string[] } {
  const asked: string[] = []
  return Object.assign(
    async (url: string) => {
      asked.push(url)
      const found = documents.get(url)
      if (found === undefined) throw new Fault('kms/identity-provider', { detail: 'status 404' })
      return found
    },
    { asked },
  ) as FetchJson & { readonly asked: string[] }
}

async function setUp(
  t: TestContext,
  settings: object,
  documents: Map<string, unknown>,
  method = 'jwt',
) {
  const fetch = provider(documents)
  const server = await startAccess(t, { fetch })
  const { token: admin } = await server.administrator()
  const machine = await server.identity(admin, { name: 'm', project: prj('1') })
  const put = await server.call('PUT', `/api/v1/identities/${machine.id}/auth-methods/${method}`, {
    token: admin,
    body: settings,
  })
  const logIn = (jwt: string, identity = machine.id) =>
    server.call('POST', `/api/v1/auth/${method}/login`, { body: { identity, jwt } })
  return { server, put, logIn, fetch, machine, admin }
}

const sign = (
  key: Key,
  claims: Record<string, unknown>,
  header: Record<string, unknown> = {},
): Promise<string> =>
  new SignJWT({
    iss: ISSUER,
    aud: 'kms',
    sub: 'repo:acme/app:main',
    exp: seconds(300),
    iat: seconds(0),
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', kid: '1', ...header })
    .sign(key.privateKey)

test('OpenID Connect: discovery, keys, bounds, and nothing that is not signed', async (t) => {
  const key = await generateKeyPair('ES256')
  const stranger = await generateKeyPair('ES256')
  const documents = new Map<string, unknown>([
    [`${ISSUER}/.well-known/openid-configuration`, { issuer: ISSUER, jwks_uri: `${ISSUER}/keys` }],
    [
      `${ISSUER}/keys`,
      { keys: [await publicJwk(key, '1'), { kty: 'oct', k: 'c2VjcmV0', kid: 'hs' }] },
    ],
  ])
  const { put, logIn, fetch, server } = await setUp(
    t,
    {
      limits,
      keys: 'oidc',
      issuer: ISSUER,
      audiences: ['kms'],
      subject: 'repo:acme/*',
      claims: { 'repo.owner': ['acme'], 'https://x.example/team': ['pay*', 'core'] },
      algorithms: ['ES256'],
      clockSkewSeconds: 30,
    },
    documents,
  )
  assert.equal(put.status, 200)
  const bound = { repo: { owner: 'acme' }, 'https://x.example/team': ['web', 'payments'] }
  const good = await logIn(await sign(key, bound))
  assert.equal(good.status, 200)
  assert.equal(good.body.token.name, 'repo:acme/app:main')
  const secret = new TextEncoder().encode('secret')
  const jwk = JSON.stringify(await publicJwk(key, '1'))
  const claims = { ...bound, iss: ISSUER, aud: 'kms', sub: 'repo:acme/app:main', exp: seconds(300) }
  const bad: readonly (readonly [string, string])[] = [
    ['another key', await sign(stranger, bound)],
    ['expired', await sign(key, { ...bound, exp: seconds(-31) })],
    ['without an end', await sign(key, { ...bound, exp: undefined })],
    ['not yet', await sign(key, { ...bound, nbf: seconds(31) })],
    ['another issuer', await sign(key, { ...bound, iss: 'https://other.example' })],
    ['another audience', await sign(key, { ...bound, aud: 'other' })],
    ['another subject', await sign(key, { ...bound, sub: 'repo:evil/app' })],
    ['a claim out of bounds', await sign(key, { ...bound, 'https://x.example/team': ['web'] })],
    ['a claim missing', await sign(key, { 'https://x.example/team': ['core'] })],
    ['none', new UnsecuredJWT(claims).encode()],
    [
      'HMAC under the public key',
      await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256', kid: '1' })
        .sign(new TextEncoder().encode(jwk)),
    ],
    [
      'HMAC under a published key',
      await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'hs' }).sign(secret),
    ],
    ['nonsense', 'a.b.c'],
  ]
  for (const [what, token] of bad) {
    const answer = await logIn(token)
    assert.deepEqual([answer.status, answer.body.code], [401, 'kms/unauthenticated'], what)
    // This test is not about the pause after failures.
    server.domain.access.lockout.succeeded(
      `${good.body.token.identity}/${neighbourhood('127.0.0.1')}`,
    )
  }
  // Within the allowed skew.
  assert.equal((await logIn(await sign(key, { ...bound, exp: seconds(-29) }))).status, 200)
  assert.equal(fetch.asked.length, 2, 'the keys were fetched once')
})

test('unknown keys fetch the set again, at most twice a minute', async (t) => {
  const [old, young] = [await generateKeyPair('ES256'), await generateKeyPair('ES256')]
  const documents = new Map<string, unknown>([
    ['https://k.example/keys', { keys: [await publicJwk(old, '1')] }],
  ])
  const { logIn, fetch, server } = await setUp(
    t,
    {
      limits,
      keys: 'url',
      jwksUrl: 'https://k.example/keys',
      issuer: ISSUER,
      audiences: ['kms'],
      claims: {},
      algorithms: ['ES256'],
      clockSkewSeconds: 0,
    },
    documents,
  )
  assert.equal((await logIn(await sign(old, {}))).status, 200)
  documents.set('https://k.example/keys', { keys: [await publicJwk(young, '2')] })
  assert.equal((await logIn(await sign(young, {}, { kid: '2' }))).status, 401)
  assert.equal((await logIn(await sign(young, {}, { kid: '3' }))).status, 401)
  assert.equal(fetch.asked.length, 1)
  server.time.advance(30_000)
  assert.equal((await logIn(await sign(young, {}, { kid: '2' }))).status, 200)
  assert.equal((await logIn(await sign(young, {}, { kid: '3' }))).status, 401)
  assert.equal(fetch.asked.length, 2)
  // A provider that is down is not the caller's failure.
  documents.clear()
  server.time.advance(10 * 60_000)
  const down = await logIn(await sign(young, { exp: seconds(3600) }, { kid: '2' }))
  assert.deepEqual([down.status, down.body.code], [503, 'kms/identity-provider'])
})

test('settings that could not work or would not be safe are refused', async (t) => {
  const key = await publicJwk(await generateKeyPair('ES256'), '1')
  const base = {
    limits,
    issuer: ISSUER,
    audiences: ['kms'],
    claims: {},
    algorithms: ['ES256'],
    clockSkewSeconds: 0,
  }
  const { server, machine, admin } = await setUp(
    t,
    { ...base, keys: 'static', jwks: JSON.stringify({ keys: [key] }) },
    new Map(),
  )
  const put = (method: string, body: object) =>
    server.call('PUT', `/api/v1/identities/${machine.id}/auth-methods/${method}`, {
      token: admin,
      body,
    })
  const codes = async (method: string, body: object): Promise<string> =>
    (await put(method, body)).body?.code
  assert.equal(await codes('jwt', { ...base, keys: 'static' }), 'kms/bad-auth-method')
  assert.equal(
    await codes('jwt', { ...base, keys: 'static', jwks: '{"keys":[{"kty":"oct","k":"AA"}]}' }),
    'kms/bad-auth-method',
  )
  assert.equal(
    await codes('jwt', { ...base, keys: 'url', jwksUrl: 'http://k.example/keys' }),
    'kms/bad-auth-method',
  )
  assert.equal(
    await codes('jwt', { ...base, keys: 'oidc', issuer: 'http://k.example' }),
    'kms/bad-auth-method',
  )
  assert.equal(
    await codes('jwt', { ...base, keys: 'oidc', algorithms: ['HS256'] }),
    'platform/invalid-request',
  )
  assert.equal(
    await codes('jwt', { ...base, keys: 'oidc', limits: { ...limits, ttlSeconds: 700 } }),
    'kms/bad-auth-method',
  )
  const cluster = {
    limits,
    mode: 'review',
    issuer: ISSUER,
    audience: 'kms',
    namespaces: ['a'],
    serviceAccounts: ['*'],
  }
  assert.equal(
    await codes('kubernetes', { ...cluster, apiUrl: 'https://k8s.example' }),
    'kms/bad-auth-method',
  )
  assert.equal(await codes('kubernetes', cluster), 'kms/bad-auth-method')
  assert.equal(await codes('kubernetes', { ...cluster, mode: 'jwks' }), 'kms/bad-auth-method')
  assert.equal(
    await codes('tls', { limits, caCertificates: 'x', revokedSerials: [] }),
    'kms/bad-auth-method',
  )
})

const subject = (namespace: string, account: string) => ({
  sub: `system:serviceaccount:${namespace}:${account}`,
})

test('Kubernetes by keys: issuer, audience, namespace and account', async (t) => {
  const key = await generateKeyPair('ES256')
  const { logIn, put, server } = await setUp(
    t,
    {
      limits,
      mode: 'jwks',
      issuer: ISSUER,
      audience: 'kms',
      namespaces: ['pay', 'web-*'],
      serviceAccounts: ['app'],
      jwks: JSON.stringify({ keys: [await publicJwk(key, '1')] }),
    },
    new Map(),
    'kubernetes',
  )
  assert.equal(put.status, 200)
  assert.equal(
    (await logIn(await sign(key, subject('pay', 'app')))).body.token.name,
    'system:serviceaccount:pay:app',
  )
  assert.equal((await logIn(await sign(key, subject('web-1', 'app')))).status, 200)
  for (const claims of [
    subject('pay', 'other'),
    subject('payments', 'app'),
    { sub: 'system:serviceaccount:pay:app:x' },
    { sub: 'system:node:pay' },
    { ...subject('pay', 'app'), aud: 'https://kubernetes.default.svc' },
    { ...subject('pay', 'app'), iss: 'https://other.example' },
  ]) {
    assert.equal((await logIn(await sign(key, claims))).status, 401, JSON.stringify(claims))
    server.time.advance(20_000)
  }
})

test('Kubernetes by TokenReview: the cluster says who it is', async (t) => {
  const key = await generateKeyPair('ES256')
  const url = 'http://127.0.0.1:6443/apis/authentication.k8s.io/v1/tokenreviews'
  const documents = new Map<string, unknown>()
  const { logIn, put, fetch, server } = await setUp(
    t,
    {
      limits,
      mode: 'review',
      issuer: ISSUER,
      audience: 'kms',
      namespaces: ['pay'],
      serviceAccounts: ['app'],
      apiUrl: 'http://127.0.0.1:6443/',
    },
    documents,
    'kubernetes',
  )
  assert.equal(put.status, 200)
  const token = await sign(key, subject('pay', 'app'))
  const review = (status: object): void => void documents.set(url, { kind: 'TokenReview', status })
  const user = { username: 'system:serviceaccount:pay:app' }
  review({ authenticated: true, audiences: ['kms'], user })
  assert.equal((await logIn(token)).status, 200)
  const elsewhere = await sign(key, { ...subject('pay', 'app'), iss: 'https://other.example' })
  assert.equal((await logIn(elsewhere)).status, 401)
  assert.equal(fetch.asked.length, 1, 'a token of another issuer is sent nowhere')
  for (const status of [
    { authenticated: false, audiences: ['kms'], user },
    { authenticated: 'true', audiences: ['kms'], user },
    { authenticated: true, user },
    { authenticated: true, audiences: ['other'], user },
    {
      authenticated: true,
      audiences: ['kms'],
      user: { username: 'system:serviceaccount:pay:other' },
    },
    {},
  ]) {
    review(status)
    assert.equal((await logIn(token)).status, 401, JSON.stringify(status))
    server.time.advance(60_000)
  }
})
