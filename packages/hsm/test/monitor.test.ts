import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Logger } from '@quorate/base'
import { HsmMonitor, type HsmProvider, type OpenHsm, type ProviderHealth } from '@quorate/hsm'
import { ManualTime } from '@quorate/platform'
import { Bench } from './host/kit.ts'

const PERIOD_MS = 30_000
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

  readonly device: OpenHsm = {
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

  async start(health: ProviderHealth): Promise<HsmMonitor> {
    const { time, device } = this
    const started = HsmMonitor.start(device, 'software', {
      clock: time,
      timers: time,
      logger: this.#logger,
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
