/**
 * The published bytes of every structure of this package. The test makes them anew and compares;
 * with UPDATE_VECTORS=1 it writes them instead.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  acceptRecord,
  checkHello,
  encodeSignedRecord,
  fingerprintWords,
  httpRequestMessage,
  makeEpoch,
  makeHeartbeat,
  makeHello,
  makeNodeCard,
  nodeCardHash,
  ReplayGuard,
  readNodeCard,
  signHttpRequest,
  verifyEpoch,
  verifyHeartbeat,
  verifyHttpRequest,
} from '@quorate/auth'
import { toHex, utf8 } from '@quorate/base'
import {
  accepted,
  after,
  byAdmin,
  client,
  envelope,
  epochOf,
  FIRST,
  idOf,
  NOW,
  node,
  signedBy,
  signedFirst,
  verify,
} from './kit.ts'

function projectRoot(from: string): string {
  const file = join(from, 'package.json')
  if (existsSync(file) && readFileSync(file, 'utf8').includes('"quorate-workspace"')) return from
  return projectRoot(dirname(from))
}
const directory = join(projectRoot(dirname(fileURLToPath(import.meta.url))), 'test/vectors/formats')

/** Bytes as hex, so that a vector reads in any language. */
const plain = (value: unknown): string =>
  `${JSON.stringify(value, (_, item: unknown) => (item instanceof Uint8Array ? toHex(item) : item), 2)}\n`

function publish(
  name: string,
  content: { readonly description: string; readonly [key: string]: unknown },
): void {
  const file = join(directory, `auth-${name}.json`)
  if (process.env['UPDATE_VECTORS'] === '1') {
    mkdirSync(directory, { recursive: true })
    writeFileSync(file, plain(content))
  }
  assert.equal(plain(content), readFileSync(file, 'utf8'), `${name}: the bytes changed`)
}

const SEEDS =
  'Ed25519 private seeds are one byte 32 times: node i has i; alice, bob, carol have 11, 12, 13; the client has 21; the envelope key of node 2 has 32.'

test('cluster record', async () => {
  const signedOne = await signedFirst()
  const one = acceptRecord(undefined, signedOne, { verify })
  const record = after(one, { minProtocol: 3 })
  const signedTwo = await signedBy(record, byAdmin('alice'), byAdmin('carol'))
  const two = acceptRecord(one, signedTwo, { verify })
  publish('cluster-record', {
    description: `Two cluster records in a chain: the first signed by all nodes, the second by two admins of the first. ${SEEDS}`,
    records: [
      {
        value: FIRST,
        record: signedOne.record,
        hash: one.hash,
        words: fingerprintWords(one.hash),
        signed: encodeSignedRecord(signedOne),
      },
      {
        value: record,
        record: signedTwo.record,
        hash: two.hash,
        words: fingerprintWords(two.hash),
        signed: encodeSignedRecord(signedTwo),
      },
    ],
  })
})

test('node card', async () => {
  const value = {
    v: 1,
    id: idOf('nod', 1),
    identityKey: node(1).publicKey,
    name: 'zurich-1',
    custody: 'software',
    createdAt: NOW,
  } as const
  const signed = await makeNodeCard(value, node(1))
  assert.deepEqual(readNodeCard(signed, verify), value)
  publish('node-card', {
    description: `A node card signed by its own key. ${SEEDS}`,
    value,
    signed,
    hash: nodeCardHash(signed),
  })
})

test('epoch record and greeting', async () => {
  const cluster = await accepted()
  const value = epochOf(cluster)
  const signed = await makeEpoch(value, node(2))
  assert.deepEqual(verifyEpoch(signed, { cluster, now: NOW, verify }), value)
  publish('epoch-record', {
    description: `An epoch record of node 2 of the first cluster record. ${SEEDS}`,
    value,
    signed,
  })
  const hello = {
    v: 1,
    epoch: signed,
    role: 'dialler',
    ownCertificate: new Uint8Array(32).fill(0xf2),
    peerCertificate: new Uint8Array(32).fill(0xf1),
    channel: new Uint8Array(32).fill(0xc1),
  } as const
  const signedHello = await makeHello(hello, envelope)
  const connection = {
    role: 'listener',
    ownCertificate: hello.peerCertificate,
    peerCertificate: hello.ownCertificate,
    channel: hello.channel,
  } as const
  assert.deepEqual(checkHello(signedHello, { cluster, now: NOW, verify, connection }).epoch, value)
  publish('hello', {
    description: `Node 2, which dialled, greets over TLS with that epoch record. ${SEEDS}`,
    value: hello,
    signed: signedHello,
  })
})

test('HTTP request', async () => {
  const cluster = await accepted()
  const request = {
    method: 'POST',
    target: '/api/v1/wallets?dry=1',
    host: '127.0.0.1:7600',
    body: utf8('{"threshold":2}'),
  }
  const stamp = { cluster: cluster.cluster, time: NOW, nonce: new Uint8Array(16).fill(1) }
  const authorization = await signHttpRequest(request, {
    ...stamp,
    client: idOf('cli', 1),
    signer: client,
  })
  const context = {
    cluster,
    now: NOW,
    verify,
    guard: new ReplayGuard(),
    permission: 'tx.sign' as const,
  }
  assert.equal(verifyHttpRequest(request, authorization, context).id, idOf('cli', 1))
  publish('http-request', {
    description: `A signed HTTP request of the client of the first cluster record. ${SEEDS}`,
    request,
    ...stamp,
    message: httpRequestMessage(request, stamp),
    authorization,
  })
})

test('heartbeat', async () => {
  const cluster = await accepted()
  const epoch = await makeEpoch(epochOf(cluster), node(2))
  const value = {
    v: 1,
    time: NOW,
    addresses: ['192.0.2.2:7601', '[2001:db8::2]:7601'],
    certificate: new Uint8Array(32).fill(0xf2),
  } as const
  const signed = await makeHeartbeat(value, (connection) =>
    makeHello({ v: 1, epoch, ...connection }, envelope),
  )
  assert.deepEqual(
    verifyHeartbeat(signed, { cluster, now: NOW, verify }).addresses,
    value.addresses,
  )
  publish('heartbeat', {
    description: `A heartbeat of node 2: its content, and a greeting whose channel is the hash of that. ${SEEDS}`,
    value,
    signed,
  })
})
