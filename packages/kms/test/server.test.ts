import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { join } from 'node:path'
import test from 'node:test'
import type { TLSSocket } from 'node:tls'
import { isFault, type Logger } from '@quorate/base'
import { type RunningKms, startKms } from '@quorate/kms'
import { testConfig } from '#src/testing/index.js'
import { scratch } from './scratch.js'

type Answer = {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly text: string
  readonly headers: http.IncomingHttpHeaders
}
type Call = (method: string, path: string, body?: unknown, token?: string) => Promise<Answer>

const callOver =
  (send: typeof http.request, where: http.RequestOptions): Call =>
  (method, path, body, token) =>
    new Promise((resolve, reject) => {
      const request = send(
        {
          ...where,
          method,
          path,
          headers: {
            host: 'localhost',
            ...(body !== undefined && { 'content-type': 'application/json' }),
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
          },
        },
        (response) => {
          let text = ''
          response.on('data', (chunk) => {
            text += chunk
          })
          response.on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              text,
              headers: response.headers,
              body: /json;|problem/.test(response.headers['content-type'] ?? '')
                ? (JSON.parse(text) as Record<string, unknown>)
                : {},
            }),
          )
        },
      )
      request.on('error', reject)
      request.end(body === undefined ? undefined : JSON.stringify(body))
    })

async function withServer(
  directory: string,
  work: (kms: RunningKms, call: Call, events: readonly string[]) => Promise<void>,
  isTls = false,
): Promise<void> {
  const events: string[] = []
  const logger: Logger = { log: (_level, event) => void events.push(event), with: () => logger }
  const config = testConfig(directory)
  const kms = await startKms({ ...config, http: { ...config.http, isTls } }, logger)
  try {
    await work(kms, callOver(http.request, { socketPath: kms.socketPath }), events)
  } finally {
    await kms.stop()
  }
}

async function initialise(directory: string, call: Call): Promise<string> {
  const secret = readFileSync(join(directory, 'bootstrap-secret'), 'utf8').trim()
  const { body } = await call('POST', '/api/v1/sys/init', { secret, name: 'admin' })
  return body['accessToken'] as string
}

test('it starts loudly in development, serves, seals, and is unsealed by shares', async (t) => {
  const directory = scratch(t)
  await withServer(directory, async (kms, call, events) => {
    assert.ok(events.includes('kms.development'))
    assert.deepEqual((await call('GET', '/api/v1/ready')).body, { ready: true, sealed: false })
    const token = await initialise(directory, call)
    const as: Call = (method, path, body) => call(method, path, body, token)
    const refused = await call('GET', '/api/v1/sys/status')
    assert.equal(refused.status, 401)
    assert.equal(refused.headers['www-authenticate'], 'Bearer')
    const status = await as('GET', '/api/v1/sys/status')
    assert.equal(status.body['environment'], 'development')
    assert.match(status.body['rollback'] as string, /^not detectable/)
    const quorum = await as('POST', '/api/v1/sys/recipients', {
      groupThreshold: 1,
      groups: [{ threshold: 2, members: 3 }],
    })
    assert.equal(quorum.status, 201)
    const [shares] = quorum.body['shares'] as string[][]
    assert.deepEqual((await as('POST', '/api/v1/sys/rotate', {})).body, { term: 2, dropped: [] })
    assert.equal((await as('POST', '/api/v1/sys/seal', {})).status, 200)
    const sealed = await as('GET', '/api/v1/sys/status')
    assert.equal(sealed.status, 503)
    assert.equal(sealed.body['code'], 'kms/sealed')
    assert.equal((await call('GET', '/api/v1/ready')).status, 503)
    assert.equal((await call('GET', '/api/v1/health')).status, 200)
    const short = await call('POST', '/api/v1/sys/unseal', { shares: shares!.slice(0, 1) })
    assert.equal(short.body['code'], 'kms/bad-share')
    const opened = await call('POST', '/api/v1/sys/unseal', { shares: shares!.slice(1) })
    assert.deepEqual(opened.body, { sealed: false })
    assert.equal((await as('GET', '/api/v1/sys/status')).status, 200)
    const report = await as('POST', '/api/v1/audit/verify', {})
    assert.equal(report.body['isOk'], true)
    const lines = (await as('GET', '/api/v1/audit/export')).text.trimEnd().split('\n')
    assert.equal(lines.length, kms.kms.journal.head.seq)
    const page = await as('GET', '/api/v1/audit?action=sys.seal')
    assert.equal((page.body['items'] as unknown[]).length, 1)
    assert.match((await call('GET', '/metrics')).text, /^quorate_kms_sealed 0$/m)
    const backup = await as('POST', '/api/v1/sys/backup', { name: 'one' })
    assert.equal(backup.status, 201)
  })
})

test('without shares only somebody at the machine unseals', async (t) => {
  await withServer(scratch(t), async (kms, call) => {
    await kms.kms.seal('system')
    const overTcp = callOver(http.request, { host: '127.0.0.1', port: kms.port })
    const refused = await overTcp('POST', '/api/v1/sys/unseal', {})
    assert.equal(refused.body['code'], 'kms/no-recipient')
    assert.deepEqual((await call('POST', '/api/v1/sys/unseal', {})).body, { sealed: false })
  })
})

test('over TLS the certificate stays the same, and is the one whose fingerprint is told', async (t) => {
  const directory = scratch(t)
  const seen: string[] = []
  for (let life = 0; life < 2; life++)
    await withServer(
      directory,
      async (kms) => {
        const fingerprint = await new Promise<string>((resolve, reject) => {
          const request = https.get(
            {
              host: '127.0.0.1',
              port: kms.port,
              path: '/api/v1/health',
              rejectUnauthorized: false,
              headers: { host: 'localhost' },
            },
            (response) => {
              response.resume()
              const { fingerprint256 } = (response.socket as TLSSocket).getPeerCertificate()
              resolve(fingerprint256.replaceAll(':', '').toLowerCase())
            },
          )
          request.on('error', reject)
        })
        assert.equal(fingerprint, kms.fingerprint)
        seen.push(fingerprint)
      },
      true,
    )
  assert.equal(seen[0], seen[1])
})

test('one process for each data directory; a store stays in its environment', async (t) => {
  const directory = scratch(t)
  const logger: Logger = { log: () => undefined, with: () => logger }
  await withServer(directory, async () => {
    await assert.rejects(startKms(testConfig(directory), logger), (error) =>
      isFault(error, 'platform/directory-in-use'),
    )
  })
  const config = testConfig(directory)
  await assert.rejects(startKms({ ...config, environment: 'staging' }, logger), (error) =>
    isFault(error, 'kms/environment-changed'),
  )
})
