import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ALLOWED_SKEW_MS } from '@quorate/api'
import {
  type AcceptedRecord,
  type Connection,
  checkHello,
  HEARTBEAT_LIFE_MS,
  HeartbeatBook,
  type HeartbeatContent,
  makeEpoch,
  makeHeartbeat,
  makeHello,
  type TrustContext,
  verifyHeartbeat,
} from '@quorate/auth'
import { type FaultCode, isFault, type Signer } from '@quorate/base'
import fc from 'fast-check'
import { accepted, DAY, envelope, epochOf, FIRST, NOW, node, signerOf, verify } from './kit.ts'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)
const CERTIFICATE = new Uint8Array(32).fill(0xf2)
const CONTENT: HeartbeatContent = {
  v: 1,
  time: NOW,
  addresses: ['192.0.2.2:7601', '[2001:db8::2]:7601'],
  certificate: CERTIFICATE,
}

let cluster: AcceptedRecord
let context: TrustContext
let signedEpoch: Uint8Array
before(async () => {
  cluster = await accepted()
  context = { cluster, now: NOW, verify }
  signedEpoch = await makeEpoch(epochOf(cluster), node(2))
})

const greeting =
  (epoch: Uint8Array = signedEpoch, signer: Signer = envelope) =>
  (connection: Connection): Promise<Uint8Array> =>
    makeHello({ v: 1, epoch, ...connection }, signer)
const heartbeat = (changes: Partial<HeartbeatContent> = {}): Promise<Uint8Array> =>
  makeHeartbeat({ ...CONTENT, ...changes }, greeting())

test('a heartbeat says where its node is, and when', async () => {
  const found = verifyHeartbeat(await heartbeat(), context)
  assert.equal(found.epoch.nodeIndex, 2)
  assert.deepEqual(found.signedEpoch, signedEpoch)
  assert.deepEqual([found.addresses, found.time], [CONTENT.addresses, NOW])
})

test('it counts for its life and the allowed skew, both ways', async () => {
  const signed = await heartbeat()
  const at = (now: number) => () => verifyHeartbeat(signed, { ...context, now })
  for (const now of [NOW - ALLOWED_SKEW_MS, NOW + HEARTBEAT_LIFE_MS + ALLOWED_SKEW_MS])
    assert.doesNotThrow(at(now))
  for (const now of [
    NOW - ALLOWED_SKEW_MS - 1,
    NOW + HEARTBEAT_LIFE_MS + ALLOWED_SKEW_MS + 1,
    NOW + 2 * DAY,
  ])
    assert.throws(at(now), isCode('auth/expired'))
})

test('attack: a heartbeat of a stranger, another cluster, another key or another certificate', async () => {
  const other = await accepted({ ...FIRST, name: 'other' })
  const foreign = await makeEpoch(epochOf(other), node(2))
  const refused = async (code: FaultCode, signed: Promise<Uint8Array>): Promise<void> => {
    const bytes = await signed
    assert.throws(() => verifyHeartbeat(bytes, context), isCode(code))
  }
  await refused('auth/other-cluster', makeHeartbeat(CONTENT, greeting(foreign)))
  await refused('auth/bad-signature', makeHeartbeat(CONTENT, greeting(signedEpoch, signerOf(99))))
  const stranger = await makeEpoch(epochOf(cluster), signerOf(98))
  await refused('auth/bad-signature', makeHeartbeat(CONTENT, greeting(stranger)))
  await refused('auth/wrong-channel', heartbeat({ certificate: new Uint8Array(32) }))
  await refused('auth/wrong-channel', heartbeat({ certificate: new Uint8Array() }))
})

test('attack: a greeting of a connection is no heartbeat, and a heartbeat opens no connection', async () => {
  let made: Connection | undefined
  await makeHeartbeat(CONTENT, (connection) => {
    made = connection
    return greeting()(connection)
  })
  const hello = await greeting()(made!)
  for (const channel of [new Uint8Array(32).fill(1), new Uint8Array()])
    for (const peerCertificate of [CERTIFICATE, new Uint8Array()])
      assert.throws(
        () =>
          checkHello(hello, {
            ...context,
            connection: {
              role: 'dialler',
              ownCertificate: new Uint8Array(),
              peerCertificate,
              channel,
            },
          }),
        isCode('auth/wrong-channel'),
      )
  const onConnection = { ...made!, channel: new Uint8Array(32).fill(1) }
  const signed = await makeHeartbeat(CONTENT, () => greeting()(onConnection))
  assert.throws(() => verifyHeartbeat(signed, context), isCode('auth/wrong-channel'))
})

test('attack: any changed byte is refused', async () => {
  const signed = await heartbeat()
  fc.assert(
    fc.property(fc.nat(signed.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
      const changed = signed.slice()
      changed[at]! ^= mask
      assert.throws(() => verifyHeartbeat(changed, context), isFault)
    }),
  )
  for (const wrong of [new Uint8Array(), new Uint8Array(100_000), signed.slice(1)])
    assert.throws(() => verifyHeartbeat(wrong, context), isFault)
})

test('the book keeps the newest of each node; older ones, repeated, change nothing', async () => {
  const book = new HeartbeatBook()
  const [first, second] = [await heartbeat(), await heartbeat({ time: NOW + 5_000, addresses: [] })]
  assert.deepEqual(book.take(first, context)?.addresses, CONTENT.addresses)
  assert.equal(book.take(first, context), undefined)
  assert.deepEqual(book.take(second, context)?.addresses, [])
  assert.throws(() => book.take(first, context), isCode('auth/replayed'))
  const sameTime = await heartbeat({ time: NOW + 5_000, addresses: ['192.0.2.9:1'] })
  assert.throws(() => book.take(sameTime, context), isCode('auth/replayed'))
  assert.deepEqual(book.alive(NOW + 5_000), [2])
  assert.deepEqual(book.alive(NOW + 5_001 + HEARTBEAT_LIFE_MS + ALLOWED_SKEW_MS), [])
})
