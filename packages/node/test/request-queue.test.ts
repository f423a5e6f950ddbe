/** Requests from a queue on which anybody may put anything. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  encodeRequest,
  type OperationJson,
  type RequestBody,
  requestHash,
  type SignedRequest,
  signRequest,
} from '@quorate/api'
import type { AcceptedRecord, ClusterClient } from '@quorate/auth'
import { Fault, type Id, type Logger, newId, type Signer, toHex, utf8 } from '@quorate/base'
import { softwareKey } from '@quorate/enclave/testing'
import { ManualTime, MemoryRequests, type QueueKind, systemRandom } from '@quorate/platform'
import { chooseTemplate } from '@quorate/policy'
import { serveQueue } from '#src/request-queue.js'

const NOW = 1_700_000_000_000
const id = <P extends 'cli' | 'prj' | 'req' | 'op' | 'wal'>(prefix: P): Id<P> =>
  newId(prefix, NOW, systemRandom)
const CLUSTER = new Uint8Array(32).fill(7)
const PROJECT = id('prj')

type Enrolled = { readonly client: Id<'cli'>; readonly signer: Signer }
const enrolled = (): Enrolled => ({ client: id('cli'), signer: softwareKey() })
const operator = enrolled()
const auditor = enrolled()
const expired = enrolled()

const entry = (
  { client, signer }: Enrolled,
  role: ClusterClient['role'],
  expiresAt = NOW + 1_000_000,
): ClusterClient => ({
  id: client,
  key: signer.publicKey,
  name: 'test',
  role,
  project: PROJECT,
  expiresAt,
})
// Of the record only the clients are looked at.
const cluster = {
  cluster: CLUSTER,
  record: {
    clients: [
      entry(operator, 'operator'),
      entry(auditor, 'auditor'),
      entry(expired, 'operator', NOW - 1),
    ],
  },
} as unknown as AcceptedRecord

const wallet = (project = PROJECT): RequestBody => ({
  kind: 'createWallet',
  value: {
    v: 1,
    requestId: id('req'),
    project,
    label: 'w',
    protocol: 'frost',
    suite: 'FROST-ED25519-SHA512-v1',
    network: 'solana-devnet',
    threshold: 2,
    parties: 3,
    policy: chooseTemplate('testnet-open', {}),
    unsafeThreshold: false,
    createdAt: NOW,
    expiresAt: NOW + 60_000,
  },
})
const signed = (
  by: Enrolled = operator,
  body: RequestBody = wallet(),
  of: Uint8Array = CLUSTER,
): Promise<SignedRequest> => signRequest(by.signer, of, by.client, body)

const settled = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** A queue and what serves it; `run` is what becomes of a request that was let through. */
function world(run: (request: SignedRequest) => Promise<void> = async () => undefined) {
  const time = new ManualTime(NOW)
  const events: string[] = []
  const logger: Logger = {
    log: (_level, event, fields) => void events.push(`${event} ${fields?.['code']}`),
    with: () => logger,
  }
  const requests = new MemoryRequests({ timers: time, logger })
  const queue = requests.open()
  const begun: { readonly request: SignedRequest; readonly key: string }[] = []
  const operation = (request: SignedRequest): OperationJson => ({
    id: id('op'),
    kind: 'createWallet',
    state: 'done',
    project: PROJECT,
    requestId: request.body.value.requestId,
    createdAt: '',
    updatedAt: '',
  })
  const service = serveQueue({
    queue,
    operations: {
      begin: async (request, key) => {
        begun.push({ request, key })
        await run(request)
        return operation(request)
      },
      ended: async () => undefined,
      get: async () => operation(begun.at(-1)!.request),
    },
    cluster,
    atOnce: { keygen: 2, sign: 2 },
    clock: time,
    timers: time,
    logger,
  })
  const publish = async (kind: QueueKind, bytes: Uint8Array): Promise<void> => {
    await requests.open().publish(kind, toHex(systemRandom.bytes(16)), bytes)
    await settled()
  }
  return { time, events, begun, service, publish, requests }
}

test('a request of an enrolled client is carried out under its own hash and answered', async () => {
  const { begun, service, publish, requests } = world()
  const request = await signed()
  const hash = toHex(requestHash(request))
  const answers: OperationJson[] = []
  requests
    .open()
    .onResponse('keygen', hash, (result) =>
      answers.push(JSON.parse(Buffer.from(result).toString()) as OperationJson),
    )
  await publish('keygen', encodeRequest(request))
  assert.deepEqual(
    begun.map(({ key }) => key),
    [hash],
  )
  assert.deepEqual(
    answers.map(({ state, requestId }) => [state, requestId]),
    [['done', request.body.value.requestId]],
  )
  assert.deepEqual(service.figures, { answered: 1, refused: 0, postponed: 0, givenUp: 0 })
})

test('attack: what no enrolled client signed for this place is taken off, counted, never tried', async () => {
  const { events, begun, service, publish, time } = world()
  const good = encodeRequest(await signed())
  const changed = good.slice()
  changed[changed.length - 1]! ^= 1
  const attacks: readonly (readonly [string, QueueKind, Uint8Array])[] = [
    ['base/malformed', 'keygen', utf8('garbage')],
    ['base/malformed', 'keygen', new Uint8Array()],
    ['base/too-large', 'keygen', new Uint8Array(4_000_000)],
    ['api/bad-signature', 'keygen', changed],
    ['auth/unauthenticated', 'keygen', encodeRequest(await signed(enrolled()))],
    [
      'api/bad-signature',
      'keygen',
      encodeRequest(await signed({ ...operator, signer: softwareKey() })),
    ],
    [
      'auth/other-cluster',
      'keygen',
      encodeRequest(await signed(operator, wallet(), new Uint8Array(32))),
    ],
    ['auth/client-expired', 'keygen', encodeRequest(await signed(expired))],
    ['api/not-permitted', 'keygen', encodeRequest(await signed(auditor))],
    ['node/request-mismatch', 'keygen', encodeRequest(await signed(operator, wallet(id('prj'))))],
    ['node/request-mismatch', 'sign', good],
    ['node/request-mismatch', 'reshare', good],
  ]
  for (const [code, kind, bytes] of attacks) {
    events.length = 0
    await publish(kind, bytes)
    assert.deepEqual(events, [`queue.request-refused ${code}`])
  }
  time.advance(600_000)
  await settled()
  assert.deepEqual([begun.length, service.figures.refused], [0, attacks.length])
})

test('a fault that passes brings the request again; it is given up after five times', async () => {
  const { begun, service, publish, time, events } = world(() =>
    Promise.reject(new Fault('platform/overloaded')),
  )
  await publish('keygen', encodeRequest(await signed()))
  for (let i = 0; i < 10; i++) {
    time.advance(20_000)
    await settled()
  }
  assert.equal(begun.length, 5)
  assert.equal(new Set(begun.map(({ key }) => key)).size, 1)
  assert.deepEqual(service.figures, { answered: 0, refused: 0, postponed: 4, givenUp: 1 })
  assert.equal(events.at(-1), 'queue.request-given-up platform/overloaded')
})

test('a fault that stays ends it at once; one that nobody foresaw is tried again', async () => {
  for (const [fault, times] of [
    [new Fault('node/idempotency-conflict'), 1],
    [new Error('unforeseen'), 5],
  ] as const) {
    const { begun, service, publish, time } = world(() => Promise.reject(fault))
    await publish('keygen', encodeRequest(await signed()))
    for (let i = 0; i < 10; i++) {
      time.advance(20_000)
      await settled()
    }
    assert.deepEqual([begun.length, service.figures.givenUp], [times, 1])
  }
})

test('a long operation stays with its node, and a stopped service takes nothing more', async () => {
  let finish: () => void = () => {}
  const { begun, service, publish, time } = world(
    () =>
      new Promise((resolve) => {
        finish = resolve
      }),
  )
  await publish('keygen', encodeRequest(await signed()))
  for (let i = 0; i < 30; i++) {
    time.advance(5_000)
    await settled()
  }
  assert.equal(begun.length, 1)
  finish()
  await settled()
  assert.equal(service.figures.answered, 1)
  service.stop()
  await publish('keygen', encodeRequest(await signed()))
  assert.equal(begun.length, 1)
})
