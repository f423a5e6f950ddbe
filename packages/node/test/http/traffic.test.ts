import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogFields, Logger } from '@quorate/base'
import { Registry } from '@quorate/platform'
import { Traffic } from '#src/http/traffic.js'

test('answers are counted by route, method and status, and every line is logged as it was', () => {
  const lines: [string, LogFields | undefined][] = []
  const inner: Logger = {
    log: (_level, event, fields) => lines.push([event, fields]),
    with: () => inner,
  }
  const registry = new Registry('acme_')
  const traffic = new Traffic(registry)
  const logger = traffic.counting(inner)
  const answer = { method: 'GET', route: '/api/v1/wallets/:id', status: 200, ms: 3 }
  logger.log('info', 'http.request', answer)
  logger.with({ more: 1 }).log('info', 'http.request', answer)
  logger.log('info', 'http.request', { ...answer, status: 404 })
  logger.log('warn', 'something.else', { route: '/x' })
  traffic.rateLimited.add({}, 2)
  traffic.streams = () => 5

  assert.equal(lines.length, 4)
  assert.deepEqual(lines[0], ['http.request', answer])
  const text = registry.render()
  const route = 'route="/api/v1/wallets/{id}",method="GET"'
  assert.ok(text.includes(`acme_http_requests_total{${route},status="200"} 2\n`))
  assert.ok(text.includes(`acme_http_requests_total{${route},status="404"} 1\n`))
  assert.ok(
    text.includes('acme_http_request_seconds_bucket{route="/api/v1/wallets/{id}",le="0.005"} 3'),
  )
  assert.match(text, /^acme_http_rate_limited_total 2$/m)
  assert.match(text, /^acme_http_overloaded_total 0$/m)
  assert.match(text, /^acme_http_streams 5$/m)
  assert.doesNotMatch(text, /route="\/x"/)
  assert.ok(text.endsWith('\n'))
})
