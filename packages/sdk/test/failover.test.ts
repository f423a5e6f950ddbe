/** Several nodes that stand in for each other: what is asked of which, and how often. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { afterEach, test } from 'node:test'
import {
  IDEMPOTENCY_HEADER,
  type OperationJson,
  PROBLEM_CONTENT_TYPE,
  toProblem,
} from '@quorate/api'
import { Fault, type FaultCode, type Id, isFault, newId } from '@quorate/base'
import { type Endpoint, NodeClient, type RetryPolicy } from '@quorate/sdk'

const random = { bytes: (length: number) => new Uint8Array(length).fill(255) }
const RETRY: RetryPolicy = { attempts: 6, firstMs: 100, maxMs: 1000 }

const operation = (state: OperationJson['state']): OperationJson => ({
  id: 'op_00000000000000000000000001',
  kind: 'refresh',
  state,
  project: 'prj_00000000000000000000000001',
  requestId: 'req_00000000000000000000000001',
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  ...(state === 'done' && {
    result: {
      kind: 'refresh',
      wallet: 'wal_00000000000000000000000001',
      generation: 2,
      record: 'ab',
      receipts: [],
    },
  }),
})

type Asked = {
  readonly node: number
  readonly url: string
  readonly key: string | undefined
  readonly body: string
}
type Answer = (response: ServerResponse, request: IncomingMessage) => void

const json: (value: unknown) => Answer = (value) => (response) => {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(value))
}
const problem =
  (code: FaultCode, retryAfter?: string): Answer =>
  (response) => {
    const body = toProblem(new Fault(code), 'req_1')
    response.statusCode = body.status
    if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
    response.setHeader('content-type', PROBLEM_CONTENT_TYPE)
    response.end(JSON.stringify(body))
  }
const lost: Answer = (_response, request) => request.socket.destroy()

const undo: (() => void)[] = []
afterEach(() => {
  for (const step of undo.splice(0)) step()
})

/** Nodes of which each gives its answers one after the other, the last one again and again. */
async function stage(...nodes: readonly (readonly Answer[])[]) {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-sdk-'))
  const asked: Asked[] = []
  const pauses: number[] = []
  const servers: Server[] = []
  const endpoints: Endpoint[] = []
  for (const [i, answers] of nodes.entries()) {
    const socketPath = join(directory, `a${i}`)
    let at = 0
    const server = createServer((request, response) => {
      void buffer(request).then((body) => {
        const key = request.headers[IDEMPOTENCY_HEADER] as string | undefined
        asked.push({ node: i, url: request.url ?? '', key, body: body.toString() })
        answers[Math.min(at++, answers.length - 1)]!(response, request)
      })
    }).listen(socketPath)
    await once(server, 'listening')
    servers.push(server)
    endpoints.push({ socketPath })
  }
  undo.push(() => {
    for (const server of servers) server.close()
    rmSync(directory, { recursive: true, force: true })
  })
  const [first, ...others] = endpoints
  let now = 1_800_000_000_000
  const client = new NodeClient({
    endpoint: [first!, ...others],
    retry: RETRY,
    cluster: new Uint8Array(32),
    credentials: [
      {
        client: 'cli_00000000000000000000000001' as Id<'cli'>,
        role: 'operator',
        project: 'prj_00000000000000000000000001' as Id<'prj'>,
        signer: {
          scheme: 'ed25519',
          publicKey: new Uint8Array(32),
          sign: () => Promise.resolve(new Uint8Array(64)),
        },
      },
    ],
    clock: { now: () => now, monotonic: () => now },
    random,
    sleep(ms) {
      pauses.push(ms)
      now += ms
      return Promise.resolve()
    },
  })
  const refresh = (signal?: AbortSignal): Promise<OperationJson> =>
    client.carryOut(
      'refreshWallet',
      {
        kind: 'refresh',
        value: {
          v: 1,
          requestId: newId('req', now, random),
          project: 'prj_00000000000000000000000001' as Id<'prj'>,
          wallet: 'wal_00000000000000000000000001' as Id<'wal'>,
          generation: 1,
          createdAt: now,
          expiresAt: now + 1000,
        },
      },
      { signal },
    )
  return { client, asked, pauses, refresh }
}

test('where one node does not answer, the next one is asked at once, and first from then on', async () => {
  const { client, asked, pauses } = await stage([lost], [json({ status: 'ok' })])
  assert.deepEqual(await client.call('getHealth', {}), { status: 'ok' })
  await client.call('getHealth', {})
  assert.deepEqual(
    asked.map(({ node }) => node),
    [0, 1, 1],
  )
  assert.deepEqual(pauses, [])
})

test('a node that is busy is asked again after as long as it says', async () => {
  const busy = problem('node/rate-limited', '3')
  const { client, asked, pauses } = await stage([
    busy,
    problem('node/overloaded'),
    json({ status: 'ok' }),
  ])
  assert.deepEqual(await client.call('getHealth', {}), { status: 'ok' })
  assert.deepEqual(pauses, [3000, 200])
  assert.equal(asked.length, 3)
})

test('a refusal is the answer', async () => {
  const { client, asked } = await stage([problem('policy/denied')], [json({ status: 'ok' })])
  await assert.rejects(client.call('getHealth', {}), (error) => isFault(error, 'policy/denied'))
  assert.equal(asked.length, 1)
})

test('after so many attempts the last fault is the answer', async () => {
  const { client, asked } = await stage([lost], [lost])
  await assert.rejects(client.call('getHealth', {}), (error) => isFault(error, 'sdk/unreachable'))
  assert.equal(asked.length, RETRY.attempts)
})

test('a request whose node is lost on the way goes to the next one as it was', async () => {
  const { asked, refresh } = await stage(
    [json(operation('running')), lost],
    [json(operation('running')), json(operation('done'))],
  )
  assert.equal((await refresh()).state, 'done')
  const begun = asked.filter(({ key }) => key !== undefined)
  assert.deepEqual(
    begun.map(({ node }) => node),
    [0, 1],
  )
  assert.equal(begun[0]!.key, begun[1]!.key)
  assert.equal(begun[0]!.body, begun[1]!.body)
})

test('an operation that waits for people is handed back', async () => {
  const { refresh } = await stage([json(operation('waiting'))])
  assert.equal((await refresh()).state, 'waiting')
})

test('a call that is taken back ends at once', async () => {
  const { refresh } = await stage([() => {}])
  const controller = new AbortController()
  const asking = refresh(controller.signal)
  controller.abort()
  await assert.rejects(asking, (error) => isFault(error, 'sdk/cancelled'))
})
