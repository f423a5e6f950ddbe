import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Logger } from '@quorate/base'
import {
  HsmMonitor,
  type HsmProvider,
  type MonitorPorts,
  type OpenHsm,
  type ProviderHealth,
} from '@quorate/hsm'
import { ManualTime } from '@quorate/platform'
import type { HostedHsm } from '#src/host/hosted-hsm.js'
import type { HostFigures } from '#src/host/status.js'
import { Bench } from '../host/kit.ts'
import { heard } from './kit.ts'

const PERIOD_MS = 30_000
/** Where a clock of ours begins. */
const NOW_MS = new ManualTime().now()
const OK: ProviderHealth = { state: 'ok' }
const failed = (reason: string): ProviderHealth => ({ state: 'failed', reason })

/** A monitor of a device that answers what the test says, when it says so. */
class Stage {
  readonly time = new ManualTime()
  readonly lines: string[] = []
  readonly #answers: ((health: ProviderHealth) => void)[] = []
  asked = 0

  readonly #logger: Logger = {
    log: (level, event, fields = {}) =>
      void this.lines.push([level, event, ...Object.values(fields)].join(' ')),
    with: () => this.#logger,
  }

  readonly device: { -readonly [K in keyof OpenHsm]: OpenHsm[K] } = {
    provider: {
      health: () => {
        this.asked++
        return new Promise((resolve) => this.#answers.push(resolve))
      },
    } as Partial<HsmProvider> as HsmProvider,
    custody: 'software',
    hosted: undefined,
    close: () => Promise.resolve(),
  }

  async start(health: ProviderHealth, more: Partial<MonitorPorts> = {}): Promise<HsmMonitor> {
    const { time, device } = this
    const started = HsmMonitor.start(device, 'software', {
      clock: time,
      timers: time,
      logger: this.#logger,
      ...more,
    })
    await this.answer(health)
    return started
  }

  async answer(health: ProviderHealth): Promise<void> {
    this.#answers.shift()!(health)
    await new Promise((resolve) => setImmediate(resolve))
  }

  async pass(health: ProviderHealth): Promise<void> {
    this.time.advance(PERIOD_MS)
    await this.answer(health)
  }
}

test('it asks every half minute, and reports the last answer and its time', async () => {
  const stage = new Stage()
  const monitor = await stage.start(OK)
  const began = stage.time.now()
  assert.deepEqual(monitor.report, {
    component: 'software',
    custody: 'software',
    health: { state: 'ok', time: began },
  })
  stage.time.advance(PERIOD_MS - 1)
  assert.equal(stage.asked, 1)
  stage.time.advance(1)
  await stage.answer(failed('hsm/unavailable'))
  assert.deepEqual(monitor.report.health, {
    state: 'failed',
    reason: 'hsm/unavailable',
    time: began + PERIOD_MS,
  })
  await stage.pass(OK)
  assert.deepEqual(monitor.report.health, { state: 'ok', time: began + 2 * PERIOD_MS })
})

test('a change is logged, and nothing else', async () => {
  const stage = new Stage()
  await stage.start(OK)
  for (const health of [
    OK,
    failed('hsm/unavailable'),
    failed('hsm/unavailable'),
    failed('hsm/device-removed'),
    OK,
    OK,
  ])
    await stage.pass(health)
  assert.deepEqual(stage.lines, [
    'error hsm/unhealthy software hsm/unavailable',
    'error hsm/unhealthy software hsm/device-removed',
    'info hsm/healthy software',
  ])
})

test('one that is unwell from the start is logged too', async () => {
  const stage = new Stage()
  await stage.start(failed('hsm/compromised'))
  assert.deepEqual(stage.lines, ['error hsm/unhealthy software hsm/compromised'])
})

test('one that does not answer is asked once only, and again when it has', async () => {
  const stage = new Stage()
  await stage.start(OK)
  stage.time.advance(10 * PERIOD_MS)
  assert.equal(stage.asked, 2)
  await stage.answer(OK)
  await stage.pass(OK)
  assert.equal(stage.asked, 3)
})

test('once stopped it asks no more, and what still comes is neither kept nor logged', async () => {
  const stage = new Stage()
  const monitor = await stage.start(OK)
  const before = monitor.report
  stage.time.advance(PERIOD_MS)
  monitor.stop()
  await stage.answer(failed('hsm/closed'))
  assert.deepEqual(monitor.report, before)
  assert.deepEqual(stage.lines, [])
  assert.equal(stage.time.pending, 0)
})

test('what changes is an event: lost and restored, and lost from the start', async () => {
  const stage = new Stage()
  const { events, all } = heard()
  await stage.start(failed('hsm/compromised'), { events })
  for (const health of [failed('hsm/compromised'), OK, OK, failed('hsm/unavailable')])
    await stage.pass(health)
  assert.deepEqual(
    all.map(({ kind, component, time }) => [kind, component, time - NOW_MS]),
    [
      ['health.lost', 'software', 0],
      ['health.restored', 'software', 2 * PERIOD_MS],
      ['health.lost', 'software', 4 * PERIOD_MS],
    ],
  )
})

test('one that answers not before it is asked again is lost', async () => {
  const stage = new Stage()
  const { events, all } = heard()
  const monitor = await stage.start(OK, { events })
  stage.time.advance(2 * PERIOD_MS)
  assert.deepEqual(monitor.report.health.state, 'failed')
  assert.deepEqual(
    all.map(({ kind }) => kind),
    ['health.lost'],
  )
  await stage.answer(OK)
  assert.deepEqual(
    all.map(({ kind }) => kind),
    ['health.lost', 'health.restored'],
  )
})

test('it asks as often as it is told', async () => {
  const stage = new Stage()
  await stage.start(OK, { limits: { healthCheckMs: 1000 } })
  stage.time.advance(1000)
  assert.equal(stage.asked, 2)
})

describe('of a host', () => {
  const usual: HostFigures = {
    state: 'up',
    breaker: 'closed',
    pid: 1,
    restarts: 0,
    ends: { crash: 0, hang: 0, malformed: 0, device: 0, closed: 0 },
    recentEnds: 0,
    lastFault: undefined,
    pool: { open: 5, busy: 0, limit: 10, queued: 0 },
    wrongResults: 0,
    operationsPerSecond: 10,
    errorRate: 0,
    operations: new Map(),
  }
  const pool = (busy: number): Partial<HostFigures> => ({ pool: { ...usual.pool, busy } })

  /** What is told while the host goes through these figures. */
  async function told(...changes: readonly Partial<HostFigures>[]): Promise<readonly string[]> {
    const stage = new Stage()
    const { events, all } = heard()
    let figures = usual
    const status = (): object => ({ component: 'token', ...figures })
    stage.device.hosted = { status } as unknown as HostedHsm
    await stage.start(OK, { events })
    for (const change of changes) {
      figures = { ...usual, ...change }
      await stage.pass(OK)
    }
    return all.map((event) =>
      [event.kind, 'reason' in event ? event.reason : '', 'rate' in event ? event.rate : '']
        .filter(Boolean)
        .join(' '),
    )
  }

  test('trouble behind an answer is told, and its end', async () => {
    assert.deepEqual(
      await told({}, { breaker: 'open' }, { breaker: 'open' }, { breaker: 'half-open' }, {}, {}),
      ['health.degraded breaker-open', 'health.restored'],
    )
    assert.deepEqual(await told({ state: 'waiting' }, { wrongResults: 1 }, { wrongResults: 1 }), [
      'health.degraded host-waiting',
      'health.degraded wrong-result',
      'health.restored',
    ])
  })

  test('too many errors are told once, where there was enough to count, and their end once they are few', async () => {
    const rates = [0.05, 0.1, 0.5, 0.09, 0.051, 0.049, 0].map((errorRate) => ({ errorRate }))
    assert.deepEqual(await told(...rates), ['errors.high 0.1', 'errors.normal 0.049'])
    assert.deepEqual(await told({ errorRate: 1, operationsPerSecond: 0.1 }), [])
  })

  test('a pool that is nearly used up is told, and that it is not any more', async () => {
    assert.deepEqual(await told(pool(8), pool(9), pool(10), pool(5), pool(4)), [
      'limit.near',
      'limit.clear',
    ])
  })
})

test('of a hosted HSM it reports the figures under the label of the token', async (t: TestContext) => {
  const bench = new Bench(t)
  const hosted = await bench.open()
  const time = new ManualTime()
  const monitor = await HsmMonitor.start(
    { provider: hosted, custody: 'hardware', hosted, close: () => hosted.close() },
    'luna',
    { clock: time, timers: time, logger: bench.logger },
  )
  const { component, custody, health, host } = monitor.report
  assert.deepEqual([component, custody, health.state], ['fake', 'hardware', 'ok'])
  assert.equal(host?.operations.get('probe')?.done, 1)
  await hosted.random(8)
  assert.equal(monitor.report.host?.operations.get('random')?.done, 1)
  monitor.stop()
})
