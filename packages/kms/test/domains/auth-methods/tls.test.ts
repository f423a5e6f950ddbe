import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import https from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { isFault } from '@quorate/base'
import { addressText, createHttp, systemRandom, systemTimers } from '@quorate/platform'
import { gated } from '#src/domains/access/gate.js'
import type { TlsSettings } from '#src/domains/auth-methods/model.js'
import { checkTls } from '#src/domains/auth-methods/tls.js'
import { prj, startAccess } from '../access/harness.js'

const hasOpenssl = ((): boolean => {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
})()
const skip = hasOpenssl ? false : 'openssl is not installed'

let directory = ''
const at = (name: string): string => join(directory, name)
const openssl = (...args: readonly string[]): void => {
  execFileSync('openssl', args, { stdio: 'ignore', cwd: directory })
}
const pem = (name: string): string => readFileSync(at(`${name}.pem`), 'utf8')
const der = (name: string): Uint8Array => new Uint8Array(new X509Certificate(pem(name)).raw)

function authority(name: string, commonName = name): void {
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.pem`,
    '-subj',
    `/CN=${commonName}`,
    '-days',
    '30',
    '-addext',
    'basicConstraints=critical,CA:TRUE',
    // The same for all, so that names alone do not tell one authority from another.
    '-addext',
    'subjectKeyIdentifier=00112233445566778899aabbccddeeff00112233',
  )
}
function leaf(
  name: string,
  issuer: string,
  extensions: string,
  subject = `/CN=${name}/OU=pay`,
): void {
  writeFileSync(at(`${name}.ext`), extensions)
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    subject,
  )
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    `${issuer}.pem`,
    '-CAkey',
    `${issuer}.key`,
    '-CAcreateserial',
    '-days',
    '10',
    '-extfile',
    `${name}.ext`,
    '-out',
    `${name}.pem`,
  )
}

before(() => {
  if (!hasOpenssl) return
  directory = mkdtempSync(join(tmpdir(), 'kms-tls-'))
  authority('ca')
  authority('other')
  authority('namesake', 'ca')
  const names = 'subjectAltName=DNS:a.example,URI:spiffe://x/pay'
  leaf('good', 'ca', `${names}\nextendedKeyUsage=clientAuth`)
  leaf('plain', 'ca', names)
  leaf('server', 'ca', `${names}\nextendedKeyUsage=serverAuth`)
  leaf('sub', 'ca', 'basicConstraints=critical,CA:TRUE\n')
  leaf('below', 'sub', names)
  leaf('foreign', 'other', names)
  leaf('forged', 'namesake', names)
  leaf('tricky', 'ca', 'subjectAltName=DNS:b.example\n[x]\n', '/CN=tricky, DNS:a.example/OU=pay')
})
after(() => rmSync(directory, { recursive: true, force: true }))

const now = Date.now() + 60_000
const clock = { now: () => now, monotonic: () => 0 }
const settings = (more: Partial<TlsSettings> = {}): TlsSettings => ({
  limits: { ttlSeconds: 600, maxTtlSeconds: 600, maxUses: 0, addresses: [] },
  caCertificates: pem('ca'),
  dnsNames: ['a.example'],
  revokedSerials: [],
  ...more,
})
const passes = (name: string, more?: Partial<TlsSettings>, time = clock): boolean => {
  try {
    checkTls(settings(more), der(name), time)
    return true
  } catch (error) {
    assert.ok(isFault(error, 'kms/unauthenticated'), String(error))
    return false
  }
}

test('the issuer is configured, the certificate current, for clients and not revoked', {
  skip,
}, () => {
  assert.ok(passes('good') && passes('plain'))
  assert.ok(
    !passes('server') &&
      !passes('foreign') &&
      !passes('forged') &&
      !passes('below') &&
      !passes('sub') &&
      !passes('ca'),
  )
  assert.ok(passes('below', { caCertificates: `${pem('ca')}\n${pem('sub')}` }))
  const serial = new X509Certificate(pem('good')).serialNumber
  assert.ok(!passes('good', { revokedSerials: [serial] }))
  assert.ok(!passes('good', {}, { ...clock, now: () => now + 11 * 86_400_000 }))
  assert.ok(!passes('good', {}, { ...clock, now: () => now - 86_400_000 }))
  assert.throws(
    () => checkTls(settings(), undefined, clock),
    (error) => isFault(error, 'kms/unauthenticated'),
  )
  assert.throws(
    () => checkTls(settings(), Uint8Array.of(1), clock),
    (error) => isFault(error, 'kms/unauthenticated'),
  )
})

test('every name that is asked for has to match', { skip }, () => {
  assert.ok(
    passes('good', { uris: ['spiffe://x/*'], organizationalUnits: ['pay'], commonNames: ['goo*'] }),
  )
  assert.ok(!passes('good', { uris: ['spiffe://y/*'] }))
  assert.ok(!passes('good', { organizationalUnits: ['web'] }))
  assert.ok(!passes('good', { dnsNames: ['spiffe://x/pay'] }))
  // A common name that looks like an alternative one is none.
  assert.ok(!passes('tricky') && passes('tricky', { dnsNames: ['b.example'] }))
})

test('over TLS the certificate of the socket signs in, and a header does not', {
  skip,
}, async (t) => {
  const server = await startAccess(t, {}, now)
  const { token: admin } = await server.administrator()
  const machine = await server.identity(admin, { name: 'm', project: prj('1') })
  const put = await server.call('PUT', `/api/v1/identities/${machine.id}/auth-methods/tls`, {
    token: admin,
    body: settings(),
  })
  assert.equal(put.status, 200)
  const { access } = server.domain
  const http = await createHttp({
    address: { host: '127.0.0.1', port: 0 },
    tls: {
      certificate: pem('server'),
      privateKey: readFileSync(at('server.key'), 'utf8'),
      asksForCertificate: true,
    },
    routes: server.routes.map((route) => gated(route, access)),
    authenticate: (request) => access.authenticate(request),
    logger: server.kms.context.logger,
    clock: server.time,
    random: systemRandom,
    timers: systemTimers,
  })
  t.after(() => http.close())
  const logIn = (client: object, headers: object = {}): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const request = https.request(
        `https://${addressText(http.address)}/api/v1/auth/tls/login`,
        {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          agent: false,
          // The server's certificate is not what this is about.
          rejectUnauthorized: false,
          ...client,
        },
        (response) => {
          response.resume()
          resolve(response.statusCode)
        },
      )
      request.on('error', reject)
      request.end(JSON.stringify({ identity: machine.id }))
    })
  const identity = (name: string) => ({
    cert: pem(name),
    key: readFileSync(at(`${name}.key`), 'utf8'),
  })
  assert.equal(await logIn(identity('good')), 200)
  assert.equal(await logIn({}), 401)
  assert.equal(await logIn(identity('foreign')), 401)
  assert.equal(await logIn({}, { 'x-client-cert': pem('good').replaceAll('\n', '') }), 401)
})
