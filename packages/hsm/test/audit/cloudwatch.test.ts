import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { isFault } from '@quorate/base'
import { batchesOf, CLOUDWATCH_LIMITS, cloudWatchDelivery } from '#src/audit/cloudwatch.js'
import type { AuditDelivery, AuditLine } from '#src/audit/delivery.js'
import { SECRETS, setEnvironment, TestCalls } from '../cloud/kit.ts'
import { SimulatedCloudWatch } from '../cloud/simulator/cloudwatch.ts'
import { SimulatedServer } from '../cloud/simulator/server.ts'

const NOW = 1_767_225_600_000

type Bench = {
  readonly delivery: AuditDelivery
  readonly server: SimulatedServer
  readonly service: SimulatedCloudWatch
  readonly texts: () => readonly string[]
}

async function bench(t: TestContext): Promise<Bench> {
  setEnvironment(t, {
    AWS_ACCESS_KEY_ID: 'AKIASIMULATED',
    AWS_SECRET_ACCESS_KEY: 'simulated-secret-key',
  })
  const service = new SimulatedCloudWatch(NOW)
  const server = await SimulatedServer.start(service)
  t.after(() => server.close())
  const delivery = await cloudWatchDelivery({
    region: 'eu-central-1',
    group: 'quorate',
    stream: 'node-1',
    endpoint: server.url,
    clock: { now: () => NOW, monotonic: () => 0 },
    calls: new TestCalls(),
  })
  t.after(() => delivery.close())
  const texts = (): readonly string[] =>
    (service.streams.get('quorate/node-1') ?? []).map(({ message }) => message)
  return { delivery, server, service, texts }
}

const lines = (count: number, from = 1, time = NOW): readonly AuditLine[] =>
  Array.from({ length: count }, (_, i) => ({ seq: from + i, time, text: `{"seq":${from + i}}` }))

const unavailable = (error: unknown): boolean => isFault(error, 'hsm/audit-unavailable')

test('records are kept in order, and group and stream are made once', async (t) => {
  const { delivery, server, texts } = await bench(t)
  assert.ok(delivery.confirms)
  await delivery.deliver(lines(3))
  // Two at once: the second waits for the first.
  await Promise.all([delivery.deliver(lines(2, 4)), delivery.deliver(lines(2, 6))])
  assert.deepEqual(
    texts(),
    lines(7).map(({ text }) => text),
  )
  assert.equal(server.count('CreateLogGroup'), 1)
  assert.equal(server.count('CreateLogStream'), 2)
})

test('many records go in batches that the service takes', async (t) => {
  const { delivery, service, texts } = await bench(t)
  await delivery.deliver(lines(CLOUDWATCH_LIMITS.events + 1))
  assert.deepEqual(service.batches, [CLOUDWATCH_LIMITS.events, 1])
  assert.equal(texts().length, CLOUDWATCH_LIMITS.events + 1)
})

test('long records are counted in bytes of UTF-8', () => {
  const message = '€'.repeat(100_000)
  const batches = batchesOf(Array.from({ length: 7 }, () => ({ timestamp: NOW, message })))
  assert.deepEqual(
    batches.map(({ length }) => length),
    [3, 3, 1],
  )
  assert.deepEqual(batchesOf([]), [])
})

test('records of any time are taken: old ones, such of a clock that was ahead, or went back', async (t) => {
  const { delivery, texts } = await bench(t)
  const times = [NOW - 30 * 86_400_000, NOW + 86_400_000, NOW - 1000, NOW, NOW - 5000]
  const mixed = times.map((time, i) => ({ seq: i + 1, time, text: `${i}` }))
  await delivery.deliver(mixed)
  assert.deepEqual(texts(), ['0', '1', '2', '3', '4'])
})

test('a record is confirmed after the answer, never before', async (t) => {
  const { delivery, server, texts } = await bench(t)
  await delivery.deliver(lines(1))
  // More often than one call is tried.
  server.plan(
    'PutLogEvents',
    { kind: 'error', status: 500, code: 'ServiceUnavailableException' },
    4,
  )
  await assert.rejects(delivery.deliver(lines(1, 2)), unavailable)
  assert.equal(texts().length, 1)
  server.plan('PutLogEvents', { kind: 'error', status: 400, code: 'ThrottlingException' }, 2)
  await delivery.deliver(lines(1, 2))
  assert.equal(texts().length, 2)
})

test('an answer that was lost makes a record stand there twice, never not at all', async (t) => {
  const { delivery, server, texts } = await bench(t)
  await delivery.deliver(lines(1))
  server.plan('PutLogEvents', { kind: 'lost-answer' })
  await delivery.deliver(lines(1, 2))
  assert.deepEqual(texts(), ['{"seq":1}', '{"seq":2}', '{"seq":2}'])
})

test('records that the service takes back in its answer are not confirmed', async (t) => {
  const { delivery, server } = await bench(t)
  await delivery.deliver(lines(1))
  const change = (): object => ({ rejectedLogEventsInfo: { tooOldLogEventEndIndex: 1 } })
  server.plan('PutLogEvents', { kind: 'changed', change: () => ({ ...change() }) })
  await assert.rejects(delivery.deliver(lines(1, 2)), unavailable)
})

test('a stream that somebody removed is made again', async (t) => {
  const { delivery, service, texts } = await bench(t)
  await delivery.deliver(lines(1))
  service.streams.clear()
  await delivery.deliver(lines(1, 2))
  assert.deepEqual(texts(), ['{"seq":2}'])
})

test('a denial says so, and nothing of credentials or of the service', async (t) => {
  const { delivery, server } = await bench(t)
  server.plan('PutLogEvents', { kind: 'error', status: 400, code: 'AccessDeniedException' })
  await assert.rejects(delivery.deliver(lines(1)), (error) => {
    assert.ok(unavailable(error))
    assert.match(String(error), /may not write/)
    const shown = inspect(error, { depth: null, showHidden: true })
    for (const secret of SECRETS) assert.ok(!shown.includes(secret), secret)
    return true
  })
})
