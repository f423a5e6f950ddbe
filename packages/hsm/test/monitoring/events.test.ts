import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EVENT_KINDS, type HsmEvent, hsmEvents, SEVERITY_OF } from '@quorate/hsm'
import { fact, heard, Lines } from './kit.ts'

test('every listener hears every event, with the severity of its kind, until it stops', () => {
  const events = hsmEvents()
  const [first, second]: [HsmEvent[], HsmEvent[]] = [[], []]
  const stop = events.on((event) => first.push(event))
  events.on((event) => second.push(event))
  events.emit(fact({ kind: 'tamper.detected', channel: '1' }))
  stop()
  stop()
  events.emit(fact({ kind: 'health.restored' }))
  assert.deepEqual(first, [
    { ...fact({ kind: 'tamper.detected', channel: '1' }), severity: 'critical' },
  ])
  assert.deepEqual(
    second.map(({ kind, severity }) => [kind, severity]),
    [
      ['tamper.detected', 'critical'],
      ['health.restored', 'info'],
    ],
  )
})

test('one and the same listener may listen twice, and stops once for each', () => {
  const events = hsmEvents()
  let count = 0
  const listener = (): void => void count++
  const stop = events.on(listener)
  events.on(listener)
  events.emit(fact({ kind: 'breaker.closed' }))
  stop()
  events.emit(fact({ kind: 'breaker.closed' }))
  assert.equal(count, 3)
})

test('a listener that throws is logged, and harms neither the others nor whoever emits', () => {
  const lines = new Lines()
  const events = hsmEvents(lines)
  let count = 0
  events.on(() => {
    throw new TypeError('mine')
  })
  events.on(() => void count++)
  events.emit(fact({ kind: 'health.lost', reason: 'hsm/unavailable' }))
  assert.equal(count, 1)
  assert.deepEqual(lines.lines, ['error hsm/event-listener-failed health.lost TypeError'])
})

test('no caller makes an event sound less grave than its kind', () => {
  const { events, all } = heard()
  events.emit({ ...fact({ kind: 'tamper.detected', channel: '0' }), severity: 'info' } as never)
  assert.equal(all[0]?.severity, 'critical')
  assert.deepEqual([...EVENT_KINDS].sort(), Object.keys(SEVERITY_OF).sort())
})
