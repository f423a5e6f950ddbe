import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault, isFault } from '@quorate/base'
import type { HsmReport } from '@quorate/hsm'
import { type HttpRequest, loadConfig, ManualTime, Registry } from '@quorate/platform'
import { NODE_SETTINGS, nodeConfig } from '#src/config.js'
import { metricsRoute } from '#src/http/metrics.js'
import { directory } from '../scratch.ts'

const REPORT: HsmReport = {
  component: 'simulated',
  custody: 'software',
  health: { state: 'ok', time: 5_000 },
}

function stage(answer: () => Promise<HsmReport>, prefix = 'quorate_') {
  const time = new ManualTime()
  let asked = 0
  const route = metricsRoute<never>({
    hsmStatus: () => {
      asked++
      return answer()
    },
    signerStatus: () => Promise.resolve({ sessions: 3, pools: { shelves: [], totals: [] } }),
    look: () => Promise.resolve(),
    registry: new Registry(prefix),
    clock: time,
    prefix,
  })
  const get = async () => (await route.handle({} as HttpRequest<never>)).text
  return { time, route, get, asked: () => asked }
}

test('the figures are text of Prometheus, under the prefix that is configured', async () => {
  const { route, get } = stage(() => Promise.resolve(REPORT), 'acme_')
  assert.deepEqual([route.method, route.path, route.isPublic], ['GET', '/metrics', true])
  const text = await get()
  assert.equal(text?.type, 'text/plain; version=0.0.4; charset=utf-8')
  assert.match(text.content, /^acme_hsm_component_health\{component="simulated"\} 1$/m)
  assert.match(text.content, /^# TYPE acme_hsm_operations_per_second gauge$/m)
  assert.match(text.content, /^acme_sessions_running 3$/m)
  assert.doesNotMatch(text.content, /quorate_/)
  assert.ok(text.content.endsWith('\n'))
})

test('the signer is asked at most once a second, however many ask', async () => {
  let health: HsmReport['health'] = REPORT.health
  const { time, get, asked } = stage(() => Promise.resolve({ ...REPORT, health }))
  const [first, second] = await Promise.all([get(), get()])
  assert.deepEqual(first, second)
  health = { state: 'failed', reason: 'hsm/unavailable', time: 6_000 }
  time.advance(999)
  assert.deepEqual(await get(), first)
  assert.equal(asked(), 1)
  time.advance(1)
  assert.match((await get())?.content ?? '', /hsm_component_health\{component="simulated"\} 0/)
  assert.equal(asked(), 2)
})

test('a signer that cannot tell is asked no more often', async () => {
  const { time, get, asked } = stage(() => Promise.reject(new Fault('enclave/channel-closed')))
  for (let i = 0; i < 3; i++)
    await assert.rejects(get(), (error) => isFault(error, 'enclave/channel-closed'))
  assert.equal(asked(), 1)
  time.advance(1_000)
  await assert.rejects(get())
  assert.equal(asked(), 2)
})

test('the prefix is a setting, and must be able to begin a name', (t) => {
  const data = directory(t)
  const prefixOf = (env: { readonly [name: string]: string }): string | undefined => {
    const values = loadConfig(NODE_SETTINGS, {
      flags: { environment: 'development', data, 'mesh.listen': `unix:${join(data, 'mesh')}` },
      env,
    })
    return nodeConfig(values, {}).metricsPrefix
  }
  assert.equal(prefixOf({}), 'quorate_')
  assert.equal(prefixOf({ QUORATE_METRICS_PREFIX: 'acme_' }), 'acme_')
  for (const bad of ['9_', 'a-b', 'a{', 'x'.repeat(65)])
    assert.throws(
      () => prefixOf({ QUORATE_METRICS_PREFIX: bad }),
      (error) => isFault(error, 'platform/bad-setting'),
      bad,
    )
})
