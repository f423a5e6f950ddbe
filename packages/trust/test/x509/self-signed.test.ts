import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import tls from 'node:tls'
import { isFault } from '@quorate/base'
import { certificatePublicKey, ed25519Spki, selfSignedLeaf } from '#src/x509/self-signed.js'

async function identity(subject: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(12))
  const certificate = await selfSignedLeaf({
    publicKey: raw,
    subject,
    notBefore: Date.UTC(2024, 0, 1),
    notAfter: Date.UTC(2124, 0, 1),
    serial: Uint8Array.of(0x91, 2, 3),
    sign: (tbs) => new Uint8Array(sign(null, tbs, privateKey)),
  })
  const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(certificate).toString('base64')}\n-----END CERTIFICATE-----\n`
  return {
    raw,
    certificate,
    pem,
    privateKey,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
  }
}

test('Node reads the certificate and its signature verifies under its own key', async () => {
  const { raw, certificate } = await identity('node 1')
  const parsed = new X509Certificate(certificate)
  assert.equal(parsed.subject, 'CN=node 1')
  assert.equal(parsed.serialNumber, '910203')
  assert.equal(parsed.ca, false)
  assert.equal(new Date(parsed.validFrom).getTime(), Date.UTC(2024, 0, 1))
  assert.equal(new Date(parsed.validTo).getTime(), Date.UTC(2124, 0, 1))
  assert.ok(parsed.verify(parsed.publicKey))
  assert.deepEqual(certificatePublicKey(certificate), raw)
  assert.deepEqual(
    new Uint8Array(parsed.publicKey.export({ type: 'spki', format: 'der' })),
    ed25519Spki(raw),
  )
})

test('OpenSSL prints the certificate with the intended usages', (t) => {
  if (spawnSync('openssl', ['version']).status !== 0) return t.skip('openssl is not installed')
  return identity('node 2').then(({ pem }) => {
    const text = execFileSync('openssl', ['x509', '-noout', '-text'], {
      input: pem,
      encoding: 'utf8',
    })
    assert.match(text, /Version: 3/)
    assert.match(text, /Signature Algorithm: ED25519/)
    assert.match(text, /Basic Constraints: critical\s+CA:FALSE/)
    assert.match(text, /Key Usage: critical\s+Digital Signature/)
    assert.match(text, /TLS Web Server Authentication, TLS Web Client Authentication/)
    assert.match(text, /Subject Key Identifier/)
  })
})

test('a mutual TLS 1.3 handshake shows each side the other key', async () => {
  const [server, client] = await Promise.all([identity('server'), identity('client')])
  const options = {
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    rejectUnauthorized: false,
  } as const
  const listener = tls.createServer({
    ...options,
    key: server.key,
    cert: server.pem,
    requestCert: true,
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const accepted = once(listener, 'secureConnection') as Promise<[tls.TLSSocket]>
  const dialled = tls.connect({
    ...options,
    host: '127.0.0.1',
    port: (listener.address() as AddressInfo).port,
    key: client.key,
    cert: client.pem,
  })
  await once(dialled, 'secureConnect')
  const [arrived] = await accepted
  assert.equal(dialled.getProtocol(), 'TLSv1.3')
  assert.deepEqual(
    certificatePublicKey(new Uint8Array(dialled.getPeerCertificate().raw)),
    server.raw,
  )
  assert.deepEqual(
    certificatePublicKey(new Uint8Array(arrived.getPeerCertificate().raw)),
    client.raw,
  )
  dialled.destroy()
  arrived.destroy()
  listener.close()
})

test('fields out of range are refused', async () => {
  const good = {
    publicKey: new Uint8Array(32),
    subject: 'x',
    notBefore: 0,
    notAfter: 1000,
    serial: Uint8Array.of(1),
    sign: () => new Uint8Array(64),
  }
  await selfSignedLeaf(good)
  const wrong: Partial<typeof good>[] = [
    { publicKey: new Uint8Array(33) },
    { subject: '' },
    { subject: 'x'.repeat(65) },
    { notAfter: 0 },
    { serial: new Uint8Array(4) },
    { serial: new Uint8Array(20).fill(1) },
    { sign: () => new Uint8Array(63) },
  ]
  for (const change of wrong)
    await assert.rejects(selfSignedLeaf({ ...good, ...change }), (error) =>
      isFault(error, 'trust/bad-certificate-field'),
    )
})

test('other keys and damaged certificates are refused, never misread', async () => {
  const { certificate } = await identity('node 3')
  for (let length = 0; length < certificate.length; length += 7)
    assert.throws(
      () => certificatePublicKey(certificate.subarray(0, length)),
      (error) => isFault(error, 'trust/malformed-der'),
    )
  const x25519 = certificate.slice()
  // 1.3.101.112 becomes 1.3.101.110 wherever it stands.
  for (let at = 0; at < x25519.length - 2; at++)
    if (x25519[at] === 0x2b && x25519[at + 1] === 0x65 && x25519[at + 2] === 0x70)
      x25519[at + 2] = 0x6e
  assert.throws(
    () => certificatePublicKey(x25519),
    (error) => isFault(error, 'trust/unsupported-key'),
  )
})
