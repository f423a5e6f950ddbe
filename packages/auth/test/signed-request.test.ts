import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import {
  type AcceptedRecord,
  acceptRecord,
  type HttpRequest,
  ReplayGuard,
  type RequestContext,
  type RequestCredentials,
  signHttpRequest,
  verifyHttpRequest,
} from '@quorate/auth'
import { type FaultCode, isFault, utf8 } from '@quorate/base'
import {
  accepted,
  after,
  byAdmin,
  client,
  DAY,
  FIRST,
  idOf,
  NOW,
  signedBy,
  signerOf,
  verify,
} from './kit.ts'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)
const request: HttpRequest = {
  method: 'POST',
  target: '/api/v1/wallets?dry=1',
  host: '127.0.0.1:7600',
  body: utf8('{"threshold":2}'),
}

let cluster: AcceptedRecord
before(async () => {
  cluster = await accepted()
})

const credentials = (changes: Partial<RequestCredentials> = {}): RequestCredentials => ({
  cluster: cluster.cluster,
  client: idOf('cli', 1),
  signer: client,
  time: NOW,
  nonce: new Uint8Array(16).fill(1),
  ...changes,
})
const context = (changes: Partial<RequestContext> = {}): RequestContext => ({
  cluster,
  now: NOW,
  verify,
  guard: new ReplayGuard(),
  permission: 'tx.sign',
  ...changes,
})

test('a signed request gives the client entry', async () => {
  const header = await signHttpRequest(request, credentials())
  assert.equal(verifyHttpRequest(request, header, context()).name, 'payments')
  // Host names ignore case.
  const named = { ...request, host: 'Node.Example:7600' }
  const other = await signHttpRequest(named, credentials())
  verifyHttpRequest({ ...named, host: 'node.example:7600' }, other, context())
})

test('attack: a request that differs from the signed one in any part is refused', async () => {
  const header = await signHttpRequest(request, credentials())
  const changes: readonly Partial<HttpRequest>[] = [
    { method: 'PUT' },
    { target: '/api/v1/wallets?dry=0' },
    { target: '/api/v1/wallets' },
    { host: '127.0.0.1:7601' },
    { body: utf8('{"threshold":1}') },
    { body: new Uint8Array() },
  ]
  for (const change of changes)
    assert.throws(
      () => verifyHttpRequest({ ...request, ...change }, header, context()),
      isCode('auth/unauthenticated'),
    )
  for (const [from, to] of [
    ['time=1', 'time=0'],
    ['nonce=01', 'nonce=02'],
    ['signature=', 'signature=00'],
    ['Quorate', 'quorate'],
    [', ', ','],
  ] as const)
    assert.throws(
      () => verifyHttpRequest(request, header.replace(from, to), context({ now: NOW })),
      (error) => isFault(error, 'auth/unauthenticated') || isFault(error, 'auth/clock-skew'),
      to,
    )
  assert.throws(
    () => verifyHttpRequest(request, undefined, context()),
    isCode('auth/unauthenticated'),
  )
})

test('attack: a replayed request is refused, also under another permission', async () => {
  const guard = new ReplayGuard()
  const header = await signHttpRequest(request, credentials())
  verifyHttpRequest(request, header, context({ guard }))
  assert.throws(
    () => verifyHttpRequest(request, header, context({ guard })),
    isCode('auth/replayed'),
  )
  assert.throws(
    () => verifyHttpRequest(request, header, context({ guard, now: NOW + 29_000 })),
    isCode('auth/replayed'),
  )
  const denied = await signHttpRequest(request, credentials({ nonce: new Uint8Array(16).fill(2) }))
  assert.throws(
    () => verifyHttpRequest(request, denied, context({ guard, permission: 'wallet.create' })),
    isCode('api/not-permitted'),
  )
  assert.throws(
    () => verifyHttpRequest(request, denied, context({ guard })),
    isCode('auth/replayed'),
  )
})

test('attack: a request for another cluster is refused by this one', async () => {
  const other = await accepted({ ...FIRST, name: 'other' })
  const header = await signHttpRequest(request, credentials({ cluster: other.cluster }))
  verifyHttpRequest(request, header, context({ cluster: other }))
  assert.throws(() => verifyHttpRequest(request, header, context()), isCode('auth/unauthenticated'))
})

test("attack: a client that no record names, or another client's key, is refused alike", async () => {
  const stranger = await signHttpRequest(
    request,
    credentials({ client: idOf('cli', 2), signer: signerOf(99) }),
  )
  const impostor = await signHttpRequest(request, credentials({ signer: signerOf(99) }))
  const messages = [stranger, impostor].map((header) => {
    try {
      verifyHttpRequest(request, header, context())
      return 'accepted'
    } catch (error) {
      return isFault(error, 'auth/unauthenticated') ? error.message : 'another fault'
    }
  })
  assert.equal(messages[0], messages[1])
  assert.match(messages[0]!, /not signed by an enrolled client/)
})

test('an entry counts until it expires or a later record drops it', async () => {
  const late = NOW + 90 * DAY
  const header = await signHttpRequest(request, credentials({ time: late }))
  verifyHttpRequest(
    request,
    await signHttpRequest(request, credentials({ time: late - 1 })),
    context({ now: late - 1 }),
  )
  assert.throws(
    () => verifyHttpRequest(request, header, context({ now: late })),
    isCode('auth/client-expired'),
  )
  const next = await signedBy(after(cluster, { clients: [] }), byAdmin('alice'), byAdmin('bob'))
  const without = acceptRecord(cluster, next, { verify })
  const early = await signHttpRequest(request, credentials())
  assert.throws(
    () => verifyHttpRequest(request, early, context({ cluster: without })),
    isCode('auth/unauthenticated'),
  )
})

test('attack: a clock that is more than 30 s off is refused, either way', async () => {
  const header = await signHttpRequest(request, credentials())
  for (const skew of [-30_000, 30_000])
    verifyHttpRequest(request, header, context({ now: NOW + skew }))
  for (const skew of [-30_001, 30_001])
    assert.throws(
      () => verifyHttpRequest(request, header, context({ now: NOW + skew })),
      isCode('auth/clock-skew'),
    )
})

test('a forged request never reaches the guard', async () => {
  const guard = new ReplayGuard({ maxPerClient: 1 })
  const forged = await signHttpRequest(request, credentials({ signer: signerOf(99) }))
  for (let i = 0; i < 3; i++)
    assert.throws(
      () => verifyHttpRequest(request, forged, context({ guard })),
      isCode('auth/unauthenticated'),
    )
  verifyHttpRequest(request, await signHttpRequest(request, credentials()), context({ guard }))
})

test('what HTTP could not carry is not signed', async () => {
  for (const change of [{ method: 'get' }, { target: 'wallets' }, { target: '/a b' }, { host: '' }])
    await assert.rejects(
      signHttpRequest({ ...request, ...change }, credentials()),
      isCode('base/malformed'),
    )
})
