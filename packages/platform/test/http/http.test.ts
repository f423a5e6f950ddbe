import assert from 'node:assert/strict'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import http from 'node:http'
import net from 'node:net'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { Problem } from '@quorate/api'
import { Fault, isFault, type LogFields, type Logger } from '@quorate/base'
import {
  type Address,
  addressText,
  createHttp,
  type HttpOptions,
  type HttpRoute,
  type HttpServer,
  ManualTime,
  type ServerEvent,
  systemClock,
  systemRandom,
  systemTimers,
} from '@quorate/platform'
import { scratch } from '../scratch.js'

type User = { readonly name: string }

const ITEM = {
  type: 'object',
  required: ['amount'],
  properties: {
    amount: { type: 'string', pattern: '^\\d+$' },
    tags: { type: 'array', items: { type: 'string' } },
  },
  additionalProperties: false,
}
const ROUTES: readonly HttpRoute<User>[] = [
  { method: 'GET', path: '/health', isPublic: true, handle: () => ({ body: { ok: true } }) },
  { method: 'GET', path: '/me', handle: ({ principal }) => ({ body: { name: principal?.name } }) },
  {
    method: 'POST',
    path: '/items/{id}',
    schema: {
      params: { type: 'object', properties: { id: { type: 'string', pattern: '^[a-z]+$' } } },
      body: ITEM,
    },
    handle: ({ params, body, rawBody }) => ({
      status: 202,
      body: { params, body, raw: Buffer.from(rawBody).toString() },
    }),
  },
  {
    method: 'GET',
    path: '/list',
    schema: {
      query: {
        type: 'object',
        properties: { limit: { type: 'integer', maximum: 9 }, cursor: { type: 'string' } },
        additionalProperties: false,
      },
    },
    handle: ({ query }) => ({ body: query }),
  },
  { method: 'POST', path: '/nothing', handle: () => ({}) },
  {
    method: 'GET',
    path: '/text',
    isPublic: true,
    handle: () => ({ text: { type: 'text/plain; version=1; charset=utf-8', content: 'a 1\n' } }),
  },
  {
    method: 'GET',
    path: '/broken',
    handle: () => {
      throw new Error('password is hunter2')
    },
  },
  {
    method: 'GET',
    path: '/bug',
    handle: () => {
      throw new Fault('base/bug', { detail: 'hunter2' })
    },
  },
  {
    method: 'GET',
    path: '/busy',
    handle: () => {
      throw new Fault('platform/overloaded')
    },
  },
]

type Line = { readonly event: string; readonly fields: LogFields }
async function serve(
  t: TestContext,
  change: Partial<HttpOptions<User>> = {},
): Promise<{ server: HttpServer; lines: Line[] }> {
  const lines: Line[] = []
  const logger: Logger = {
    log: (_level, event, fields = {}) => void lines.push({ event, fields }),
    with: () => logger,
  }
  const server = await createHttp<User>({
    address: { host: '127.0.0.1', port: 0 },
    routes: ROUTES,
    authenticate: (request) => {
      if (request.header('authorization') !== 'ok') throw new Fault('platform/not-authenticated')
      return { name: 'ada' }
    },
    logger,
    clock: systemClock,
    random: systemRandom,
    timers: systemTimers,
    ...change,
  })
  t.after(() => server.close())
  return { server, lines }
}

type Answer = {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly text: string
}
const socketOf = (address: Address): http.RequestOptions =>
  'path' in address ? { socketPath: address.path } : { ...address }

async function ask(
  server: HttpServer,
  method: string,
  path: string,
  { headers = {}, body }: { headers?: http.OutgoingHttpHeaders; body?: string } = {},
): Promise<Answer> {
  const request = http.request({
    ...socketOf(server.address),
    method,
    path,
    agent: false,
    headers: { authorization: 'ok', ...headers },
  })
  request.end(body)
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  let text = ''
  for await (const chunk of response) text += chunk
  return { status: response.statusCode ?? 0, headers: response.headers, text }
}

function isProblem(answer: Answer, code: string): Problem {
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/)
  const problem = JSON.parse(answer.text) as Problem
  assert.equal(problem.code, code)
  assert.equal(problem.status, answer.status)
  assert.equal(problem.requestId, answer.headers['x-request-id'])
  assert.match(problem.requestId, /^req_/)
  assert.ok(problem.remedy.length > 0 && typeof problem.retryable === 'boolean')
  return problem
}

const JSON_TYPE = { 'content-type': 'application/json' }

test('a good request is answered, with headers that keep it private', async (t) => {
  const { server, lines } = await serve(t)
  const me = await ask(server, 'GET', '/me')
  assert.deepEqual([me.status, JSON.parse(me.text)], [200, { name: 'ada' }])
  assert.equal(me.headers['cache-control'], 'no-store')
  assert.equal(me.headers['x-content-type-options'], 'nosniff')
  const body = '{ "amount": "5" }'
  const item = await ask(server, 'POST', '/items/abc', {
    headers: { 'content-type': 'application/json; charset=UTF-8' },
    body,
  })
  assert.equal(item.status, 202)
  assert.deepEqual(JSON.parse(item.text), {
    params: { id: 'abc' },
    body: { amount: '5' },
    raw: body,
  })
  assert.deepEqual(JSON.parse((await ask(server, 'GET', '/list?limit=7&cursor=8')).text), {
    limit: 7,
    cursor: '8',
  })
  assert.equal(
    (await ask(server, 'POST', '/nothing', { headers: JSON_TYPE, body: '{}' })).status,
    204,
  )
  const text = await ask(server, 'GET', '/text')
  assert.deepEqual([text.status, text.text], [200, 'a 1\n'])
  assert.equal(text.headers['content-type'], 'text/plain; version=1; charset=utf-8')
  assert.deepEqual(lines[1]?.fields['route'], '/items/:id')
})

test('a web page cannot drive it', async (t) => {
  const { server } = await serve(t, {
    hosts: ['node.example:7600'],
    origins: ['https://console.example'],
  })
  const port = 'port' in server.address ? server.address.port : 0
  const attacks: [string, string, Parameters<typeof ask>[3], string][] = [
    [
      'rebound host',
      '/health',
      { headers: { host: `evil.example:${port}` } },
      'platform/refused-host',
    ],
    ['host without port', '/health', { headers: { host: '127.0.0.1' } }, 'platform/refused-host'],
    [
      'foreign origin',
      '/health',
      { headers: { origin: 'https://evil.example' } },
      'platform/refused-origin',
    ],
    ['opaque origin', '/health', { headers: { origin: 'null' } }, 'platform/refused-origin'],
    [
      'own address as origin',
      '/health',
      { headers: { origin: `http://127.0.0.1:${port}` } },
      'platform/refused-origin',
    ],
    [
      'image of another site',
      '/health',
      { headers: { 'sec-fetch-site': 'cross-site' } },
      'platform/refused-origin',
    ],
    [
      'page on another port',
      '/health',
      { headers: { 'sec-fetch-site': 'same-site' } },
      'platform/refused-origin',
    ],
  ]
  for (const [name, path, change, code] of attacks) {
    const answer = await ask(server, 'GET', path, change)
    isProblem(answer, code)
    assert.ok(
      !Object.keys(answer.headers).some((header) => header.startsWith('access-control')),
      name,
    )
  }
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json-seq',
    '',
  ])
    isProblem(
      await ask(server, 'POST', '/items/abc', {
        headers: { 'content-type': type },
        body: '{"amount":"1"}',
      }),
      'platform/not-json',
    )
  isProblem(await ask(server, 'POST', '/nothing'), 'platform/not-json')
  const preflight = {
    origin: 'https://evil.example',
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'content-type',
  }
  isProblem(
    await ask(server, 'OPTIONS', '/items/abc', { headers: preflight }),
    'platform/refused-origin',
  )
  const allowed = await ask(server, 'OPTIONS', '/items/abc', {
    headers: { ...preflight, origin: 'https://console.example' },
  })
  isProblem(allowed, 'platform/wrong-method')
  assert.ok(!Object.keys(allowed.headers).some((header) => header.startsWith('access-control')))
  assert.equal(
    (await ask(server, 'GET', '/me', { headers: { origin: 'https://console.example' } })).status,
    200,
  )
  assert.equal(
    (await ask(server, 'GET', '/me', { headers: { host: 'NODE.example:7600' } })).status,
    200,
  )
  assert.equal(
    (await ask(server, 'GET', '/me', { headers: { host: `localhost:${port}` } })).status,
    200,
  )
})

test('nothing but public routes is served without authentication', async (t) => {
  const { server } = await serve(t)
  const headers = { authorization: 'wrong' }
  for (const { method, path, isPublic } of ROUTES) {
    const answer = await ask(server, method, path.replace('{id}', 'abc'), {
      headers: { ...headers, ...JSON_TYPE },
      ...(method === 'POST' ? { body: '{}' } : {}),
    })
    if (isPublic) assert.equal(answer.status, 200)
    else {
      isProblem(answer, 'platform/not-authenticated')
      assert.ok(answer.headers['www-authenticate'])
    }
  }
})

test('wrong input is a problem that names the field', async (t) => {
  const { server } = await serve(t)
  const post = (body: string): Promise<Answer> =>
    ask(server, 'POST', '/items/abc', { headers: JSON_TYPE, body })
  const invalid: [Promise<Answer>, RegExp][] = [
    [post('{}'), /body must have required property 'amount'/],
    [post('{"amount":5}'), /body\.amount must be string/],
    [post('{"amount":"5","tags":["x",1]}'), /body\.tags\.1 must be string/],
    [post('{"amount":"5","admin":true}'), /additional properties \(admin\)/],
    [post('{"amount":"5","\\u001b[31m":true}'), /additional properties$/],
    [post('null'), /body must be object/],
    [
      ask(server, 'POST', '/items/ABC', { headers: JSON_TYPE, body: '{"amount":"5"}' }),
      /path\.id must match/,
    ],
    [ask(server, 'GET', '/list?limit=10'), /query\.limit must be <= 9/],
    [ask(server, 'GET', '/list?limit=1e0'), /query\.limit must be integer/],
    [ask(server, 'GET', '/list?limit=1&limit=2'), /query\.limit must be integer/],
    [ask(server, 'GET', '/list?other=1'), /additional properties \(other\)/],
    [ask(server, 'GET', '/me?x=1'), /additional properties \(x\)/],
  ]
  for (const [answer, detail] of invalid)
    assert.match(isProblem(await answer, 'platform/invalid-request').detail ?? '', detail)
  for (const body of [
    '',
    '{',
    '{"amount":"5"',
    'amount=5',
    '{"__proto__":{"amount":"5"}}',
    '{"amount":"5"} x',
  ])
    isProblem(await post(body), 'platform/malformed-json')
})

test('what is not there is a problem too', async (t) => {
  const { server } = await serve(t)
  isProblem(await ask(server, 'GET', '/absent'), 'platform/no-route')
  isProblem(await ask(server, 'GET', '/%zz'), 'platform/malformed-request')
  for (const method of ['DELETE', 'HEAD', 'PUT', 'OPTIONS']) {
    const answer = await ask(server, method, '/items/abc')
    assert.equal(answer.status, 405)
    assert.equal(answer.headers['allow'], 'POST')
  }
})

test('a name of 128 characters fits into a path, and one beyond all measure is refused', async (t) => {
  const { server } = await serve(t)
  const post = (name: string): Promise<Answer> =>
    ask(server, 'POST', `/items/${name}`, { headers: JSON_TYPE, body: '{"amount":"5"}' })
  assert.equal((await post('n'.repeat(128))).status, 202)
  assert.equal((await post('%6e'.repeat(128))).status, 202)
  isProblem(await post('n'.repeat(385)), 'platform/malformed-request')
  assert.equal(server.internalErrors, 0)
})

test('an error of our own is hidden, counted and logged', async (t) => {
  const { server, lines } = await serve(t)
  for (const path of ['/broken', '/bug']) {
    const answer = await ask(server, 'GET', path)
    isProblem(answer, 'api/internal')
    assert.ok(!answer.text.includes('hunter2') && !answer.text.includes('.js'))
  }
  assert.equal(server.internalErrors, 2)
  const logged = lines.filter(({ event }) => event === 'http.internal-error')
  assert.equal(logged.length, 2)
  assert.match(String(logged[0]?.fields['requestId']), /^req_/)
  const busy = await ask(server, 'GET', '/busy')
  isProblem(busy, 'platform/overloaded')
  assert.equal(busy.headers['retry-after'], '1')
  assert.equal(server.internalErrors, 2)
})

/** Sends raw bytes and reads until the server closes. */
async function raw(server: HttpServer, bytes: string): Promise<string> {
  const socket = net.connect(server.address as { host: string; port: number })
  socket.write(bytes)
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += String(chunk)
  })
  await new Promise((resolve) => socket.on('close', resolve).on('error', () => {}))
  return text
}

const headOf = ({ address }: HttpServer): string =>
  `POST /items/abc HTTP/1.1\r\nhost: ${addressText(address)}\r\nauthorization: ok\r\ncontent-type: application/json\r\n`

test('too large is cut off, and so is what is no HTTP', async (t) => {
  const { server } = await serve(t, { limits: { bodyBytes: 100 } })
  const large = await ask(server, 'POST', '/items/abc', {
    headers: JSON_TYPE,
    body: `{"amount":"${'1'.repeat(200)}"}`,
  })
  isProblem(large, 'platform/body-too-large')
  const chunked = `${headOf(server)}connection: close\r\ntransfer-encoding: chunked\r\n\r\n96\r\n${'x'.repeat(150)}\r\n0\r\n\r\n`
  assert.match(await raw(server, chunked), /^HTTP\/1\.1 413 [\s\S]*platform\/body-too-large/)
  assert.match(
    await raw(server, `GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`),
    /^HTTP\/1\.1 400 [\s\S]*platform\/malformed-request/,
  )
  assert.match(
    await raw(server, 'garbage\r\n\r\n'),
    /^HTTP\/1\.1 400 [\s\S]*platform\/malformed-request/,
  )
  assert.match(
    await raw(server, 'GET /health HTTP/1.0\r\n\r\n'),
    /^HTTP\/1\.1 421 [\s\S]*platform\/refused-host/,
  )
})

test('headers or a body that do not come are not waited for', async (t) => {
  const { server } = await serve(t, { limits: { headersMs: 60, requestMs: 120 } })
  assert.match(
    await raw(server, 'GET /health HTTP/1.1\r\nhost: x\r\nslow: '),
    /^HTTP\/1\.1 408 [\s\S]*platform\/request-timeout/,
  )
  assert.match(
    await raw(server, `${headOf(server)}content-length: 50\r\n\r\n{"amount"`),
    /^HTTP\/1\.1 408 /,
  )
})

test('events are streamed until the source ends, fails, or the server stops', async (t) => {
  const time = new ManualTime()
  let isReturned = false
  const sources: Record<string, () => AsyncIterable<ServerEvent>> = {
    short: async function* () {
      yield { event: 'progress', data: { round: 1, text: 'a\nb' }, id: '1' }
      yield { event: 'done', data: null }
    },
    failing: async function* () {
      yield { event: 'progress', data: 1 }
      throw new Error('hunter2')
    },
    endless: () => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: async () => {
          isReturned = true
          return { done: true, value: undefined }
        },
      }),
    }),
  }
  const { server } = await serve(t, {
    timers: time,
    routes: Object.entries(sources).map(
      ([name, make]): HttpRoute<User> => ({
        method: 'GET',
        path: `/${name}`,
        handle: () => ({ events: make() }),
      }),
    ),
  })
  const short = await ask(server, 'GET', '/short')
  assert.equal(short.headers['content-type'], 'text/event-stream')
  assert.equal(
    short.text,
    ': open\n\nid: 1\nevent: progress\ndata: {"round":1,"text":"a\\nb"}\n\nevent: done\ndata: null\n\n',
  )
  const failing = await ask(server, 'GET', '/failing')
  assert.match(failing.text, /event: problem\ndata: \{.*"code":"api\/internal"/)
  assert.ok(!failing.text.includes('hunter2'))
  assert.equal(server.internalErrors, 1)

  const request = http
    .request({ ...socketOf(server.address), path: '/endless', headers: { authorization: 'ok' } })
    .end()
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  while (time.pending === 0) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(String((await once(response, 'data'))[0]), ': open\n\n')
  time.advance(15_000)
  assert.equal(String((await once(response, 'data'))[0]), ': still here\n\n')
  const ended = once(response, 'end')
  response.resume()
  await server.close()
  await ended
  assert.ok(isReturned)
})

test('closing lets a running request end, and takes no other', async (t) => {
  let finish = (): void => {}
  const begun = new Promise<void>((resolve) => {
    finish = resolve
  })
  let release = (): void => {}
  const held = new Promise<void>((resolve) => {
    release = resolve
  })
  const { server } = await serve(t, {
    routes: [
      {
        method: 'GET',
        path: '/slow',
        handle: async () => {
          finish()
          await held
          return { body: 'ended' }
        },
      },
    ],
  })
  const answer = ask(server, 'GET', '/slow')
  await begun
  const closed = server.close()
  await assert.rejects(ask(server, 'GET', '/slow'), { code: 'ECONNREFUSED' })
  release()
  assert.equal((await answer).text, '"ended"')
  await closed
  await server.close()
})

test('a unix socket is private; an address in use is refused', async (t) => {
  const path = join(scratch(t), 'api.sock')
  const { server } = await serve(t, { address: { path } })
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal((await ask(server, 'GET', '/me', { headers: { host: 'localhost' } })).status, 200)
  isProblem(
    await ask(server, 'GET', '/me', { headers: { host: 'evil.example' } }),
    'platform/refused-host',
  )
  await assert.rejects(serve(t, { address: { path } }), (error) =>
    isFault(error, 'platform/port-taken'),
  )
  const { server: tcp } = await serve(t)
  await assert.rejects(serve(t, { address: tcp.address }), (error) =>
    isFault(error, 'platform/port-taken'),
  )
})
