import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  type AcceptedRecord,
  type Connection,
  checkHello,
  type Hello,
  type HelloContext,
  makeEpoch,
  makeHello,
} from '@quorate/auth'
import { type FaultCode, isFault } from '@quorate/base'
import { accepted, DAY, envelope, epochOf, NOW, node, signerOf, verify } from './kit.ts'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)
const filled = (byte: number) => new Uint8Array(32).fill(byte)
const none = new Uint8Array()

let cluster: AcceptedRecord
let hello: Hello
let context: HelloContext
const connection: Connection = {
  role: 'listener',
  ownCertificate: filled(0xf1),
  peerCertificate: filled(0xf2),
  channel: filled(0xc1),
}
before(async () => {
  cluster = await accepted()
  const epoch = await makeEpoch(epochOf(cluster), node(2))
  hello = {
    v: 1,
    epoch,
    role: 'dialler',
    ownCertificate: filled(0xf2),
    peerCertificate: filled(0xf1),
    channel: filled(0xc1),
  }
  context = { cluster, now: NOW, verify, connection }
})

test('a greeting shows which node is at the other end', async () => {
  const { epoch, signedEpoch } = checkHello(await makeHello(hello, envelope), context)
  assert.equal(epoch.nodeIndex, 2)
  assert.deepEqual(signedEpoch, hello.epoch)
})

test('attack: a greeting passed on, repeated, relayed, sent back or forged is refused', async () => {
  const good = await makeHello(hello, envelope)
  const refusedOn = (changes: Partial<Connection>): void =>
    assert.throws(
      () => checkHello(good, { ...context, connection: { ...connection, ...changes } }),
      isCode('auth/wrong-channel'),
    )
  refusedOn({ role: 'dialler' })
  refusedOn({ channel: filled(0xc2) })
  refusedOn({ ownCertificate: filled(0xaa) })
  refusedOn({ peerCertificate: filled(0xaa) })
  refusedOn({ ownCertificate: none, peerCertificate: none, channel: none })
  assert.throws(() => checkHello(good, { ...context, now: NOW + 2 * DAY }), isCode('auth/expired'))
  // A relay that holds the signed epoch record, but not its envelope key.
  const forged = await makeHello({ ...hello, ownCertificate: filled(0xee) }, signerOf(66))
  const relayed = { ...connection, peerCertificate: filled(0xee) }
  assert.throws(
    () => checkHello(forged, { ...context, connection: relayed }),
    isCode('auth/bad-signature'),
  )
})

test('the certificate must be the one that the identity key delegated to', async () => {
  const other = await makeHello({ ...hello, ownCertificate: filled(0xee) }, envelope)
  const shown = { ...connection, peerCertificate: filled(0xee) }
  assert.throws(
    () => checkHello(other, { ...context, connection: shown }),
    isCode('auth/wrong-channel'),
  )
  const bare = await makeEpoch(epochOf(cluster, { tlsFingerprint: undefined }), node(2))
  const unnamed = await makeHello({ ...hello, epoch: bare }, envelope)
  assert.throws(() => checkHello(unnamed, context), isCode('auth/wrong-channel'))
})

test('on a unix socket it names no certificate, and is of no use on TLS', async () => {
  const bare = await makeEpoch(epochOf(cluster, { tlsFingerprint: undefined }), node(2))
  const local = {
    ...hello,
    epoch: bare,
    ownCertificate: none,
    peerCertificate: none,
    channel: none,
  }
  const signed = await makeHello(local, envelope)
  const socket = { ...connection, ownCertificate: none, peerCertificate: none, channel: none }
  assert.equal(checkHello(signed, { ...context, connection: socket }).epoch.nodeIndex, 2)
  assert.throws(() => checkHello(signed, context), isCode('auth/wrong-channel'))
  const back = { ...socket, role: 'dialler' } as const
  assert.throws(
    () => checkHello(signed, { ...context, connection: back }),
    isCode('auth/wrong-channel'),
  )
})
