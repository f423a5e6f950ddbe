import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decode, encode, type Meter } from '@quorate/base'
import { hsmReportCodec } from '@quorate/hsm'
import { ManualTime } from '@quorate/platform'
import { LATENCY_BOUNDS, Statistics } from '#src/host/statistics.js'
import { type HostFigures, type HsmReport, renderHsmMetrics } from '#src/host/status.js'
import { Bench } from './kit.ts'

describe('statistics', () => {
  test('count what was done, what failed and how long it took', () => {
    const time = new ManualTime()
    const statistics = new Statistics(time, undefined, '')
    statistics.record('sign', 'done', 0, 2)
    statistics.record('sign', 'failed', 0, 20_000)
    statistics.record('sign', 'refused', 0, 0.05)
    const figures = statistics.operations.get('sign')
    assert.deepEqual(
      [figures?.done, figures?.failed, figures?.refused, figures?.seconds],
      [1, 1, 1, 20.00205],
    )
    const expected = Array.from({ length: LATENCY_BOUNDS.length + 1 }, () => 0)
    expected[0] = 1
    expected[LATENCY_BOUNDS.indexOf(0.0025)] = 1
    expected[LATENCY_BOUNDS.length] = 1
    assert.deepEqual(figures?.buckets, expected)
  })

  test('rates are those of the last minute', () => {
    const time = new ManualTime()
    const statistics = new Statistics(time, undefined, '')
    assert.deepEqual(statistics.rates, { operationsPerSecond: 0, errorRate: 0 })
    const record = (outcome: 'done' | 'failed', count: number): void => {
      for (let i = 0; i < count; i++)
        statistics.record('sign', outcome, time.monotonic(), time.monotonic())
    }
    record('done', 30)
    record('failed', 10)
    time.advance(10_000)
    assert.deepEqual(statistics.rates, { operationsPerSecond: 4, errorRate: 0.25 })
    time.advance(40_000)
    record('done', 60)
    time.advance(30_000)
    assert.deepEqual(statistics.rates, { operationsPerSecond: 1, errorRate: 0 })
    time.advance(600_000)
    assert.deepEqual(statistics.rates, { operationsPerSecond: 0, errorRate: 0 })
  })

  test('are told to a meter too', () => {
    const told: unknown[] = []
    const meter: Meter = {
      count: (...args) => told.push(args),
      observe: (...args) => told.push(args),
    }
    const statistics = new Statistics(new ManualTime(), meter, 'my_')
    statistics.record('hmac', 'done', 0, 500)
    statistics.event('crash')
    assert.deepEqual(told, [
      ['my_hsm_operations_total', 1, { operation: 'hmac', outcome: 'done' }],
      ['my_hsm_operation_seconds', 0.5, { operation: 'hmac' }],
      ['my_hsm_host_events_total', 1, { event: 'crash' }],
    ])
  })
})

const figures: HostFigures = {
  state: 'up',
  breaker: 'closed',
  pid: 1,
  restarts: 2,
  ends: { crash: 1, hang: 1, malformed: 0, device: 0, closed: 0 },
  recentEnds: 0,
  lastFault: undefined,
  pool: { open: 5, busy: 3, limit: 15, queued: 4 },
  wrongResults: 1,
  operationsPerSecond: 12.5,
  errorRate: 0.25,
  operations: new Map([
    [
      'sign',
      {
        done: 2,
        failed: 1,
        refused: 0,
        seconds: 0.5,
        buckets: [1, 1, ...Array.from({ length: LATENCY_BOUNDS.length - 2 }, () => 0), 1],
      },
    ],
  ]),
}

const report = (changes: Partial<HsmReport> = {}): HsmReport => ({
  component: 'main "token"\n',
  custody: 'hardware',
  health: { state: 'ok', time: 1_700_000_000_500 },
  host: figures,
  ...changes,
})

describe('the metrics', () => {
  const lines = renderHsmMetrics([
    report(),
    report({ component: 'b', host: { ...figures, state: 'waiting' } }),
  ]).split('\n')
  const component = 'component="main \\"token\\"\\n"'

  test('have the names of the specification', () => {
    for (const line of [
      `quorate_hsm_component_health{${component}} 1`,
      'quorate_hsm_component_health{component="b"} 0',
      `quorate_hsm_component_checked_seconds{${component}} 1700000000.5`,
      `quorate_hsm_component_custody{${component},level="hardware"} 1`,
      `quorate_hsm_operations_per_second{${component}} 12.5`,
      `quorate_hsm_error_rate{${component}} 0.25`,
      `quorate_hsm_operations_total{${component},operation="sign",outcome="failed"} 1`,
      `quorate_hsm_pool_sessions{${component},state="busy"} 3`,
      `quorate_hsm_pool_queue{${component}} 4`,
      `quorate_hsm_host_restarts_total{${component}} 2`,
      `quorate_hsm_host_ends_total{${component},reason="hang"} 1`,
      `quorate_hsm_breaker_open{${component}} 0`,
      `quorate_hsm_wrong_results_total{${component}} 1`,
    ])
      assert.ok(lines.includes(line), line)
  })

  test('have buckets that add up', () => {
    const bucket = (le: string): string =>
      `quorate_hsm_operation_seconds_bucket{${component},operation="sign",le="${le}"}`
    for (const line of [
      `${bucket('0.0001')} 1`,
      `${bucket('0.00025')} 2`,
      `${bucket('5')} 2`,
      `${bucket('+Inf')} 3`,
      `quorate_hsm_operation_seconds_sum{${component},operation="sign"} 0.5`,
      `quorate_hsm_operation_seconds_count{${component},operation="sign"} 3`,
    ])
      assert.ok(lines.includes(line), line)
  })

  test('are each announced once, under the prefix that is wanted', () => {
    const announced = renderHsmMetrics([report(), report()], 'my_')
      .split('\n')
      .filter((line) => line.startsWith('# TYPE'))
    assert.equal(new Set(announced).size, announced.length)
    assert.ok(announced.every((line) => line.startsWith('# TYPE my_hsm_')))
  })

  test('of an HSM at work tell what it did', async (t) => {
    const hsm = await new Bench(t).open()
    await hsm.random(8)
    await assert.rejects(hsm.find({ label: 'none' }))
    const { component, ...host } = hsm.status()
    const text = renderHsmMetrics([report({ component, host })])
    assert.match(text, /quorate_hsm_component_health\{component="fake"\} 1/)
    assert.match(
      text,
      /hsm_operations_total\{component="fake",operation="random",outcome="done"\} 1/,
    )
    assert.match(text, /operation="find",outcome="refused"\} 1/)
    assert.equal(hsm.status().errorRate, 0)
  })

  test('call what does not answer, or is not even tried, unhealthy', () => {
    const health = (changes: Partial<HsmReport>): string | undefined =>
      /^quorate_hsm_component_health.* (.)$/m.exec(renderHsmMetrics([report(changes)]))?.[1]
    const failed = { state: 'failed', reason: 'hsm/device-removed', time: 1 } as const
    assert.equal(health({}), '1')
    assert.equal(health({ health: failed }), '0')
    assert.equal(health({ host: { ...figures, breaker: 'open' } }), '0')
    assert.equal(health({ host: undefined }), '1')
    assert.equal(health({ host: undefined, health: failed }), '0')
  })

  test('of keys in files are those that need no host', () => {
    const samples = renderHsmMetrics([report({ component: 'software', host: undefined })])
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
    assert.deepEqual(samples, [
      'quorate_hsm_component_health{component="software"} 1',
      'quorate_hsm_component_checked_seconds{component="software"} 1700000000.5',
      'quorate_hsm_component_custody{component="software",level="hardware"} 1',
    ])
  })
})

describe('a report', () => {
  const crossed = (value: HsmReport): HsmReport =>
    decode(hsmReportCodec, encode(hsmReportCodec, value), { maxBytes: 10_000 })

  test('crosses to another process whole', () => {
    const failed = { state: 'failed', reason: 'hsm/unavailable', time: 2 } as const
    const lastFault = { code: 'hsm/unavailable', time: 1 }
    for (const value of [
      report(),
      report({ health: failed, host: { ...figures, pid: undefined, lastFault } }),
      report({ host: { ...figures, operations: new Map(), errorRate: 1 / 3 } }),
    ])
      assert.deepEqual(crossed(value), value)
    const { host: _, ...ofFiles } = report()
    assert.deepEqual(crossed(ofFiles), ofFiles)
  })

  test('crosses whatever a token calls itself', () => {
    assert.equal(crossed(report({ component: 'e\u0301' })).component, '\u00e9')
    const long = '\u{1d160}'.repeat(64)
    assert.equal(crossed(report({ component: long })).component, long.normalize('NFC'))
  })
})
