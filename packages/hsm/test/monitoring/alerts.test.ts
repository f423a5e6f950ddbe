import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  type Alert,
  AlertBook,
  alertStateOf,
  type HsmEventFact,
  type HsmState,
  hsmEvents,
  listAlerts,
  MAX_ALERTS,
  type MemoryState,
  memoryHsmState,
} from '@quorate/hsm'
import { ManualTime } from '@quorate/platform'
import fc from 'fast-check'
import { isCode, NOW } from '../kit.ts'
import { fact, Lines, Told } from './kit.ts'

class Stage {
  readonly time = new ManualTime(NOW)
  readonly lines = new Lines()
  readonly events = hsmEvents()
  state: MemoryState
  told = new Told()
  book: AlertBook

  constructor(state: MemoryState = memoryHsmState()) {
    this.state = state
    this.book = this.#open()
  }

  #open(): AlertBook {
    const { state, time: clock, lines: logger, told: notifier } = this
    const book = new AlertBook({ state, clock, logger, notifier })
    book.listen(this.events)
    return book
  }

  async hear(...facts: readonly HsmEventFact[]): Promise<readonly Alert[]> {
    for (const each of facts) this.events.emit(each)
    await this.book.settled()
    return this.book.list()
  }

  /** What a process finds that starts after this one was killed. */
  async restarted(): Promise<Stage> {
    const next = new Stage(memoryHsmState(this.state.contents()))
    await next.book.settled()
    return next
  }
}

const lost = fact({ kind: 'health.lost', reason: 'hsm/unavailable' })
const restored = fact({ kind: 'health.restored' })
const states = (alerts: readonly Alert[]): readonly string[] =>
  alerts.map((alert) => `${alert.kind} ${alert.component} ${alertStateOf(alert)} ${alert.count}`)

test('trouble raises an alert that people are told of once, and its end resolves it', async () => {
  const stage = new Stage()
  const [alert] = await stage.hear(lost)
  assert.deepEqual(
    { ...alert },
    {
      id: 1,
      kind: 'health.lost',
      severity: 'critical',
      component: 'luna-1',
      subject: '',
      details: { reason: 'hsm/unavailable' },
      raisedAt: NOW,
      lastAt: NOW,
      count: 1,
      isTold: true,
    },
  )
  await stage.hear({ ...lost, time: NOW + 30_000 }, { ...lost, time: NOW + 60_000 })
  stage.time.advance(90_000)
  const [ended] = await stage.hear(restored)
  assert.deepEqual(
    [ended?.count, ended?.lastAt, ended?.resolved],
    [3, NOW + 60_000, { by: 'system', at: NOW + 90_000 }],
  )
  assert.deepEqual(
    stage.told.notices.map(({ id, kind, severity, time, details }) => [
      id,
      kind,
      severity,
      time,
      details['event'],
      details['alert'],
    ]),
    [
      [`alert-raised-1-${NOW}`, 'alert.raised', 'critical', NOW, 'health.lost', 1],
      [`alert-resolved-1-${NOW}`, 'alert.resolved', 'info', NOW + 90_000, 'health.lost', 1],
    ],
  )
  assert.deepEqual(states(await stage.hear(lost)), [
    'health.lost luna-1 open 1',
    'health.lost luna-1 resolved 3',
  ])
})

test('alerts of other parts, roles and limits are others', async () => {
  const stage = new Stage()
  const near = (role: string) => fact({ kind: 'limit.near', limit: 'rate', used: 9, max: 10, role })
  await stage.hear(
    lost,
    fact({ kind: 'health.lost', reason: 'hsm/closed' }, 'luna-2'),
    near('admin'),
    near('validator'),
    near('admin'),
  )
  assert.deepEqual(states(stage.book.list()).toReversed(), [
    'health.lost luna-1 open 1',
    'health.lost luna-2 open 1',
    'limit.near luna-1 open 2',
    'limit.near luna-1 open 1',
  ])
  await stage.hear(restored, fact({ kind: 'limit.clear', limit: 'rate', role: 'admin' }))
  assert.deepEqual(
    stage.book.list({ state: 'open' }).map(({ component, subject }) => [component, subject]),
    [
      ['luna-1', 'validator rate'],
      ['luna-2', ''],
    ],
  )
  assert.equal(stage.book.list({ severity: 'warning', component: 'luna-1' }).length, 2)
  assert.equal(stage.book.list({ component: 'luna-3' }).length, 0)
})

test('somebody acknowledges it, once; who and when stay', async () => {
  const stage = new Stage()
  await stage.hear(lost)
  stage.time.advance(1000)
  const alert = await stage.book.acknowledge(1, 'ada')
  assert.deepEqual(alert.acknowledged, { by: 'ada', at: NOW + 1000 })
  assert.equal(alertStateOf(alert), 'acknowledged')
  stage.time.advance(1000)
  assert.equal((await stage.book.acknowledge(1, 'bob')).acknowledged?.by, 'ada')
  assert.deepEqual(states(await stage.hear(lost)), ['health.lost luna-1 acknowledged 2'])
  assert.equal(stage.told.notices.length, 1)
  const resolved = await stage.book.resolve(1, 'bob')
  assert.deepEqual(resolved.resolved, { by: 'bob', at: NOW + 2000 })
  await assert.rejects(stage.book.acknowledge(2, 'ada'), isCode('hsm/alert-not-found'))
  await assert.rejects(stage.book.resolve(2, 'ada'), isCode('hsm/alert-not-found'))
})

test('tampering is resolved by nobody but a person', async () => {
  const stage = new Stage()
  await stage.hear(
    fact({ kind: 'tamper.detected', channel: '1: perimeter' }),
    restored,
    fact({ kind: 'signing.unlocked', role: 'every role', by: 'ada' }),
  )
  assert.deepEqual(states(stage.book.list({ state: 'open' })), ['tamper.detected luna-1 open 1'])
  await stage.book.resolve(1, 'ada')
  assert.deepEqual(stage.book.list({ state: 'open' }), [])
})

test('what is no trouble raises nothing', async () => {
  const stage = new Stage()
  await stage.hear(
    restored,
    fact({ kind: 'rotation.started', role: 'admin' }),
    fact({ kind: 'backup.made', location: '/backup' }),
  )
  assert.deepEqual(stage.book.list(), [])
  assert.deepEqual(stage.told.notices, [])
})

describe('a restart', () => {
  test('loses no alert, and tells again what nobody was told', async () => {
    const stage = new Stage()
    stage.told.fails = true
    await stage.hear(lost, fact({ kind: 'config.changed', what: 'policy' }))
    assert.equal(stage.book.list().length, 2)
    assert.ok(stage.book.list().every(({ isTold }) => !isTold))
    assert.deepEqual(stage.lines.lines, [
      'error hsm/alert-trouble unknown',
      'error hsm/alert-trouble unknown',
    ])
    const next = await stage.restarted()
    assert.deepEqual(
      next.told.notices.map(({ details }) => details['event']),
      ['config.changed', 'health.lost'],
    )
    const last = await next.restarted()
    assert.deepEqual(last.told.notices, [])
    assert.deepEqual(states(await last.hear(lost)), [
      'config.changed luna-1 open 1',
      'health.lost luna-1 open 2',
    ])
  })

  test('finds the same alerts after any events, as a book that was never closed', async () => {
    const events = fc.oneof(
      fc.constantFrom(
        lost,
        restored,
        fact({ kind: 'breaker.opened', reason: 'x' }),
        fact({ kind: 'breaker.closed' }),
      ),
      fc
        .constantFrom('admin', 'validator')
        .map((role) => fact({ kind: 'rotation.failed', role, reason: 'x' })),
      fc
        .constantFrom('admin', 'validator')
        .map((role) => fact({ kind: 'rotation.completed', role, from: 'a', to: 'b' })),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(events, fc.boolean()), { maxLength: 12 }),
        async (steps) => {
          const whole = new Stage()
          let broken = new Stage()
          for (const [event, restarts] of steps) {
            await whole.hear(event)
            await broken.hear(event)
            if (restarts) broken = await broken.restarted()
          }
          assert.deepEqual(broken.book.list(), whole.book.list())
          // Of one trouble of one part there is never more than one alert.
          const open = whole.book.list().filter(({ resolved }) => resolved === undefined)
          assert.equal(
            new Set(open.map(({ kind, component, subject }) => `${kind} ${component} ${subject}`))
              .size,
            open.length,
          )
        },
      ),
      { numRuns: 60 },
    )
  })
})

test('the book is bounded: what was resolved goes first, then what is least grave', async () => {
  const stage = new Stage()
  const many = (
    kind: 'health.lost' | 'backup.failed',
    from: number,
    count: number,
  ): readonly HsmEventFact[] =>
    Array.from({ length: count }, (_, i) => fact({ kind, reason: 'x' }, `device-${from + i}`))
  await stage.hear(...many('health.lost', 0, 10), ...many('backup.failed', 0, MAX_ALERTS - 10))
  await stage.hear(fact({ kind: 'health.restored' }, 'device-3'))
  await stage.hear(...many('health.lost', 100, 1))
  assert.equal(stage.book.list().length, MAX_ALERTS)
  assert.deepEqual(
    stage.book.list({ component: 'device-3' }).map(({ kind }) => kind),
    ['backup.failed'],
  )
  await stage.hear(...many('health.lost', 200, 5))
  assert.equal(stage.book.list({ severity: 'warning' }).length, MAX_ALERTS - 15)
  assert.equal(stage.book.list({ severity: 'critical' }).length, 15)
})

test('details of any event fit, whatever their names and lengths', async () => {
  const stage = new Stage()
  const [alert] = await stage.hear(
    fact(
      {
        kind: 'emergency.entered',
        limits: { maxTransactions: 1000, maxTimeSeconds: 3600, allowedOperations: ['sign'] },
      },
      'x'.repeat(500),
    ),
  )
  assert.deepEqual(alert?.details, {
    maxTransactions: 1000,
    maxTimeSeconds: 3600,
    allowedOperations: 'sign',
  })
  assert.equal(alert?.component.length, 200)
  const [rate] = await stage.hear(fact({ kind: 'errors.high', rate: 0.25 }))
  assert.deepEqual(rate?.details, { rate: '0.25' })
})

test('whoever only reads needs no book', async () => {
  const stage = new Stage()
  await stage.hear(lost)
  assert.deepEqual(listAlerts(stage.state as HsmState), stage.book.list())
})
