/** The API over TLS: its certificate, and callers that are known by theirs. */
import assert from 'node:assert/strict'
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import type { AcceptedRecord, ClusterClient } from '@quorate/auth'
import { ReplayGuard } from '@quorate/auth'
import { type Id, isFault } from '@quorate/base'
import {
  createHttp,
  createLogger,
  type HttpServer,
  systemClock,
  systemRandom,
  systemTimers,
} from '@quorate/platform'
import { selfSignedLeaf } from '@quorate/trust'
import { authenticate } from '#src/http/authenticate.js'
import { type ApiTls, apiTls } from '#src/http/tls.js'
import { directory } from '../scratch.ts'

const NODE = 'nod_00000000000000000000000001'

type Identity = { readonly publicKey: Uint8Array; readonly cert: string; readonly key: string }

/** A certificate of a fresh Ed25519 key, and the key. */
async function identity(): Promise<Identity> {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const raw = rawOf(publicKey)
  const der = await selfSignedLeaf({
    publicKey: raw,
    subject: 'client',
    notBefore: Date.now() - 60_000,
    notAfter: Date.now() + 60_000,
    serial: systemRandom.bytes(16),
    sign: (tbs) => new Uint8Array(sign(null, tbs, privateKey)),
  })
  const lines = Buffer.from(der).toString('base64')
  return {
    publicKey: raw,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
  }
}

const rawOf = (key: KeyObject): Uint8Array =>
  new Uint8Array(key.export({ format: 'der', type: 'spki' }).subarray(-32))

let server: HttpServer
let tls: ApiTls
let own: Identity
let stranger: Identity
let data: string

before(async () => {
  data = mkdtempSync(join(tmpdir(), 'quorate-node-'))
  own = await identity()
  stranger = await identity()
  const client: ClusterClient = {
    id: 'cli_00000000000000000000000001' as Id<'cli'>,
    key: own.publicKey,
    name: 'shop',
    role: 'signer',
    project: 'prj_00000000000000000000000001' as Id<'prj'>,
    expiresAt: Date.now() + 600_000,
  }
  const cluster = {
    cluster: new Uint8Array(32),
    record: { clients: [client] },
  } as unknown as AcceptedRecord
  const guard = new ReplayGuard()
  tls = await apiTls(data, NODE, systemClock, systemRandom)
  const route = (path: string) =>
    ({
      method: 'GET',
      path,
      handle: ({ principal }: { readonly principal: ClusterClient | undefined }) => ({
        body: { client: principal?.id },
      }),
    }) as const
  server = await createHttp<ClusterClient>({
    address: { host: '127.0.0.1', port: 0 },
    tls,
    routes: [route('/api/v1/status'), route('/api/v1/audit')],
    authenticate: (asked) =>
      authenticate(asked, { cluster, clock: systemClock, guard, isPrivate: true }),
    logger: createLogger({
      sink: { write: () => {} },
      clock: systemClock,
      level: 'error',
      format: 'json',
    }),
    clock: systemClock,
    random: systemRandom,
    timers: systemTimers,
  })
})
after(async () => {
  await server.close()
  rmSync(data, { recursive: true })
})

async function ask(
  path: string,
  credentials: Pick<Identity, 'cert' | 'key'> | undefined,
): Promise<{ readonly status: number; readonly body: { readonly [name: string]: unknown } }> {
  const { port } = server.address as { readonly port: number }
  const asked = request({
    host: '127.0.0.1',
    port,
    path,
    agent: false,
    rejectUnauthorized: false,
    ...(credentials !== undefined && { cert: credentials.cert, key: credentials.key }),
  })
  asked.end()
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  return { status: answer.statusCode ?? 0, body: JSON.parse(await text(answer)) }
}

test('a caller is known by the key of its certificate, and may do what its role permits', async () => {
  const { status, body } = await ask('/api/v1/status', own)
  assert.deepEqual([status, body], [200, { client: 'cli_00000000000000000000000001' }])
  const audit = await ask('/api/v1/audit', own)
  assert.deepEqual([audit.status, audit.body['code']], [403, 'api/not-permitted'])
})

test('a stranger with a certificate, and a caller with none, are nobody', async () => {
  for (const credentials of [stranger, undefined]) {
    const { status, body } = await ask('/api/v1/status', credentials)
    assert.deepEqual([status, body['code']], [401, 'auth/unauthenticated'])
  }
})

test('the certificate of another one is no use without its key', async () => {
  await assert.rejects(ask('/api/v1/status', { cert: own.cert, key: stranger.key }))
})

test('the certificate of the API is made once, for its owner alone', async (t) => {
  assert.deepEqual(await apiTls(data, NODE, systemClock, systemRandom), tls)
  assert.match(tls.fingerprint, /^[0-9a-f]{64}$/)
  const path = join(data, 'api-tls.pem')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const other = await apiTls(directory(t), NODE, systemClock, systemRandom)
  assert.notEqual(other.fingerprint, tls.fingerprint)

  const damaged = directory(t)
  const content = readFileSync(path, 'utf8').replace('BEGIN CERTIFICATE', 'BEGIN SOMETHING')
  writeFileSync(join(damaged, 'api-tls.pem'), content, { mode: 0o600 })
  await assert.rejects(apiTls(damaged, NODE, systemClock, systemRandom), (error) =>
    isFault(error, 'node/bad-api-certificate'),
  )
})
