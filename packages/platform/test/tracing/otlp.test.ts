import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, test } from 'node:test'
import { type Logger, Secret, utf8 } from '@quorate/base'
import { ManualTime, systemRandom, systemTimers } from '@quorate/platform'
import { OtlpTracer, otlpHeaders, tracesUrl } from '#src/tracing/otlp.js'

type Body = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly unknown[] }
    readonly scopeSpans: readonly {
      readonly scope: unknown
      readonly spans: readonly { [name: string]: unknown }[]
    }[]
  }[]
}

const events: string[] = []
const logger: Logger = { log: (_level, event) => void events.push(event), with: () => logger }

let collector: Server
let url: string
let status = 200
const received: { headers: IncomingHttpHeaders; path: string | undefined; body: Body }[] = []

beforeEach(async () => {
  received.length = 0
  events.length = 0
  status = 200
  collector = createServer((request, answer) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Body
      received.push({ headers: request.headers, path: request.url, body })
      answer.writeHead(status).end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(collector, 'listening')
  url = tracesUrl(`http://127.0.0.1:${(collector.address() as AddressInfo).port}/`)
})
afterEach(() => {
  collector.closeAllConnections()
  collector.close()
})

const tracerWith = (time: ManualTime, limits = {}): OtlpTracer =>
  new OtlpTracer({
    url,
    headers: new Secret({ authorization: 'Bearer abc' }),
    resource: { 'service.name': 'node', 'quorate.node.index': 2 },
    clock: time,
    random: systemRandom,
    // Only requests that hang would need them.
    timers: { after: systemTimers.after, every: time.every.bind(time) },
    logger,
    limits,
  })

const spans = () =>
  received.flatMap(({ body }) =>
    body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((each) => each.spans)),
  )

test('spans reach the collector in the JSON form of OTLP', async () => {
  const time = new ManualTime(1_700_000_000_123)
  const tracer = tracerWith(time)
  const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), isSampled: true }
  const span = tracer.start({
    name: 'POST /x',
    kind: 'server',
    parent,
    attributes: { n: 7, f: 0.5 },
  })
  const other = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), isSampled: true }
  span.link(other)
  span.set({ ok: true, text: 'x'.repeat(1000) })
  time.advance(20)
  span.end('node/internal')
  span.end()
  await tracer.close()

  assert.equal(received.length, 1)
  const [{ headers, path, body }] = received as [(typeof received)[0]]
  assert.equal(path, '/v1/traces')
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers['authorization'], 'Bearer abc')
  assert.deepEqual(body.resourceSpans[0]?.resource.attributes, [
    { key: 'service.name', value: { stringValue: 'node' } },
    { key: 'quorate.node.index', value: { intValue: '2' } },
  ])
  assert.deepEqual(spans(), [
    {
      traceId: parent.traceId,
      spanId: span.context.spanId,
      parentSpanId: parent.spanId,
      name: 'POST /x',
      kind: 2,
      startTimeUnixNano: '1700000000123000000',
      endTimeUnixNano: '1700000000143000000',
      attributes: [
        { key: 'n', value: { intValue: '7' } },
        { key: 'f', value: { doubleValue: 0.5 } },
        { key: 'ok', value: { boolValue: true } },
        { key: 'text', value: { stringValue: 'x'.repeat(256) } },
      ],
      links: [{ traceId: other.traceId, spanId: other.spanId }],
      status: { code: 2, message: 'node/internal' },
    },
  ])
  assert.match(span.context.spanId, /^[0-9a-f]{16}$/)
  assert.deepEqual(tracer.figures, { exported: 1, dropped: 0 })
})

test('a trace that its caller does not keep is not sent', async () => {
  const tracer = tracerWith(new ManualTime())
  const parent = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), isSampled: false }
  tracer.start({ name: 'x', parent }).end()
  await tracer.close()
  assert.equal(received.length, 0)
})

test('what the queue cannot hold, and what the collector does not take, is dropped and counted', async () => {
  const time = new ManualTime()
  const tracer = tracerWith(time, { maxQueued: 3, batch: 100 })
  for (let i = 0; i < 5; i++) tracer.start({ name: 'x' }).end()
  assert.deepEqual(tracer.figures, { exported: 0, dropped: 2 })
  status = 503
  await tracer.flush()
  assert.deepEqual(tracer.figures, { exported: 0, dropped: 5 })
  tracer.start({ name: 'x' }).end()
  await tracer.flush()
  assert.deepEqual(events, ['tracing.failed'])
  status = 200
  tracer.start({ name: 'x' }).end()
  await tracer.close()
  assert.deepEqual(tracer.figures, { exported: 1, dropped: 6 })
  assert.deepEqual(events, ['tracing.failed', 'tracing.resumed'])
})

test('a collector that is not there costs the caller nothing', async () => {
  collector.closeAllConnections()
  await new Promise((resolve) => collector.close(resolve))
  const tracer = tracerWith(new ManualTime(), { batch: 2 })
  for (let i = 0; i < 10; i++) tracer.start({ name: 'x' }).end()
  await tracer.close()
  assert.deepEqual(tracer.figures, { exported: 0, dropped: 10 })
})

test('headers come as the specification writes them, and nothing prints them', () => {
  const given = new Secret(utf8('api-key=a%20b, X-Tenant = t1'))
  const headers = otlpHeaders(given)
  assert.deepEqual(headers?.expose(), { 'api-key': 'a b', 'x-tenant': 't1' })
  assert.equal(JSON.stringify({ headers }), '{"headers":"[secret]"}')
  assert.ok(given.isWiped)
  for (const bad of ['nothing', 'a=%zz', 'a b=c', 'a=\u0001'])
    assert.equal(otlpHeaders(new Secret(utf8(bad))), undefined, bad)
})
