import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import http, { type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { Secret, utf8 } from '@quorate/base'
import {
  type EventSeverity,
  logNotifier,
  type Notice,
  type Notifier,
  notifyAll,
  type WebhookOptions,
  webhookNotifier,
} from '@quorate/hsm'
import { ManualTime } from '@quorate/platform'
import { settle, until } from '../audit/kit.ts'
import { isCode, NOW } from '../kit.ts'
import { Lines, Told } from './kit.ts'

const SECRET = utf8('a secret of sixteen bytes or more')
const notice = (id = 'n1', severity: EventSeverity = 'critical'): Notice => ({
  id,
  kind: 'alert.raised',
  severity,
  component: 'luna-1',
  time: NOW,
  details: { event: 'health.lost', reason: 'hsm/unavailable' },
})
const lost = isCode('hsm/notification-lost')

type Got = { readonly headers: IncomingMessage['headers']; readonly body: string }

/** A receiver that answers with the statuses that the test gives, then with 204. */
async function receiver(
  t: TestContext,
  ...statuses: number[]
): Promise<{ url: string; got: Got[] }> {
  const got: Got[] = []
  const server = http.createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      got.push({ headers: request.headers, body })
      response.writeHead(statuses.shift() ?? 204, { location: '/elsewhere' })
      response.end('ignored')
    })
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?token=t0k`, got }
}

class Stage {
  readonly time = new ManualTime(NOW)
  readonly lines = new Lines()
  open(url: string, more: Partial<WebhookOptions> = {}): Notifier {
    const { time, lines: logger } = this
    return webhookNotifier({
      url,
      secret: new Secret(SECRET.slice()),
      clock: time,
      timers: time,
      logger,
      ...more,
    })
  }
}

test('a notice is posted once, signed over its id, its time and its body', async (t) => {
  const { url, got } = await receiver(t)
  const notifier = new Stage().open(url)
  await notifier.notify(notice())
  notifier.close()
  const [{ headers, body }] = got as [Got]
  assert.deepEqual(JSON.parse(body), {
    type: 'hsm.alert.raised',
    timestamp: new Date(NOW).toISOString(),
    data: {
      severity: 'critical',
      component: 'luna-1',
      event: 'health.lost',
      reason: 'hsm/unavailable',
    },
  })
  const seconds = Math.floor(NOW / 1000)
  assert.equal(headers['webhook-id'], 'n1')
  assert.equal(headers['webhook-timestamp'], String(seconds))
  const expected = createHmac('sha256', SECRET).update(`n1.${seconds}.${body}`).digest('base64')
  assert.equal(headers['webhook-signature'], `v1,${expected}`)
})

test('it is tried again with doubling pauses until it is taken, and the next ones wait', async (t) => {
  const { url, got } = await receiver(t, 500, 503, 429)
  const stage = new Stage()
  const notifier = stage.open(url)
  const done = Promise.all([notifier.notify(notice('a')), notifier.notify(notice('b'))])
  for (const [tries, pause] of [
    [1, 1000],
    [2, 2000],
    [3, 4000],
  ] as const) {
    await until(() => got.length === tries)
    await until(() => stage.time.pending === 1)
    stage.time.advance(pause - 1)
    await settle()
    assert.equal(got.length, tries)
    stage.time.advance(1)
  }
  await done
  assert.deepEqual(
    got.map(({ headers }) => headers['webhook-id']),
    ['a', 'a', 'a', 'a', 'b'],
  )
  notifier.close()
})

describe('it is given up, and said so in the log', () => {
  test('at once where the receiver says that it is wrong', async (t) => {
    for (const status of [400, 401, 403, 404, 410]) {
      const { url, got } = await receiver(t, status)
      const stage = new Stage()
      await assert.rejects(stage.open(url).notify(notice()), lost)
      assert.equal(got.length, 1)
      assert.equal(stage.lines.lines.length, 1)
      assert.match(
        stage.lines.lines[0] ?? '',
        new RegExp(`alert.raised luna-1 127.0.0.1:\\d+ status ${status}`),
      )
    }
  })

  test('after the last try', async () => {
    const stage = new Stage()
    let tries = 0
    const send = (() => {
      tries++
      return Promise.reject(new Error('refused'))
    }) as typeof fetch
    const failed = assert.rejects(
      stage.open('https://example.org', { fetch: send, limits: { maxTries: 4 } }).notify(notice()),
      lost,
    )
    for (let i = 0; i < 3; i++) {
      await until(() => stage.time.pending === 1)
      stage.time.advance(60_000)
    }
    await failed
    assert.equal(tries, 4)
  })

  test('where too many wait: the least grave and oldest of them, never the one on its way', async () => {
    const stage = new Stage()
    const answers: (() => void)[] = []
    const sent: string[] = []
    const send = ((_url: unknown, init: RequestInit) => {
      sent.push((init.headers as { 'webhook-id': string })['webhook-id'])
      return new Promise((resolve) =>
        answers.push(() => resolve(new Response(null, { status: 204 }))),
      )
    }) as typeof fetch
    const notifier = stage.open('https://example.org', { fetch: send, limits: { maxWaiting: 3 } })
    const outcomes = [
      notice('1', 'info'),
      notice('2', 'critical'),
      notice('3', 'warning'),
      notice('4', 'critical'),
      notice('5', 'info'),
    ].map((each) =>
      notifier.notify(each).then(
        () => 'told',
        () => 'lost',
      ),
    )
    for (let i = 0; i < 3; i++) {
      await until(() => answers.length > i)
      answers[i]?.()
    }
    assert.deepEqual(await Promise.all(outcomes), ['told', 'told', 'lost', 'told', 'lost'])
    assert.deepEqual(sent, ['1', '2', '4'])
  })

  test('when it is closed', async () => {
    const stage = new Stage()
    const send = (() => Promise.reject(new Error('refused'))) as typeof fetch
    const notifier = stage.open('https://example.org', { fetch: send })
    const failed = assert.rejects(notifier.notify(notice()), lost)
    await until(() => stage.time.pending === 1)
    notifier.close()
    await failed
    await settle()
    assert.equal(stage.time.pending, 0)
    await assert.rejects(notifier.notify(notice()), lost)
  })
})

test('a redirect is followed nowhere', async (t) => {
  const { url, got } = await receiver(t, 302, 302)
  const stage = new Stage()
  const failed = assert.rejects(stage.open(url, { limits: { maxTries: 2 } }).notify(notice()), lost)
  await until(() => stage.time.pending === 1)
  stage.time.advance(1000)
  await failed
  assert.equal(got.length, 2)
})

test('the secret and the token in the URL are nowhere in the log, nor in a fault', async (t) => {
  const { url } = await receiver(t, 400)
  const stage = new Stage()
  await assert.rejects(stage.open(url).notify(notice()), (error: Error) => {
    assert.ok(!`${error.message}${error.stack}`.includes('t0k'))
    return true
  })
  assert.ok(!stage.lines.lines.join().includes('t0k'))
})

test('only HTTPS will do, except for this machine, and a secret that is none is refused', () => {
  const stage = new Stage()
  for (const url of [
    'http://example.org',
    'ftp://x',
    'nonsense',
    'https://user:pass@example.org',
    'http://127.0.0.1.example.org',
  ])
    assert.throws(() => stage.open(url), isCode('hsm/bad-config'), url)
  assert.throws(
    () => stage.open('https://example.org', { secret: new Secret(new Uint8Array(15)) }),
    isCode('hsm/bad-config'),
  )
  for (const url of ['https://example.org', 'http://localhost:1/x', 'http://[::1]/'])
    stage.open(url).close()
})

test('all are told, and one that fails is not hidden by the others', async () => {
  const lines = new Lines()
  const [good, bad] = [new Told(), new Told()]
  const all = notifyAll([logNotifier(lines), bad, good])
  await all.notify(notice())
  bad.fails = true
  await assert.rejects(all.notify(notice('n2')))
  assert.equal(good.notices.length, 2)
  assert.deepEqual(
    lines.lines[0],
    'error hsm/notice alert.raised luna-1 n1 health.lost hsm/unavailable',
  )
  all.close()
  assert.ok(good.isClosed && bad.isClosed)
})
