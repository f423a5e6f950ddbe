import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, type FaultCode, isFault } from '@quorate/base'
import * as fc from 'fast-check'
import { retryAfterMs } from '#src/reply.js'
import { isPassing, PATIENT, pause, pauseMs } from '#src/retry.js'

const byte = (value: number) => ({ bytes: () => Uint8Array.of(value) })

test('what may be otherwise in a while is tried again, and nothing else', () => {
  const passing: readonly FaultCode[] = [
    'sdk/unreachable',
    'sdk/timeout',
    'node/overloaded',
    'node/rate-limited',
    'platform/overloaded',
  ]
  for (const code of passing) assert.ok(isPassing(new Fault(code)), code)
  const lasting: readonly FaultCode[] = [
    'policy/denied',
    'auth/unauthenticated',
    'node/idempotency-conflict',
    'sdk/bad-receipts',
    'sdk/cancelled',
  ]
  for (const code of lasting) assert.ok(!isPassing(new Fault(code)), code)
  assert.ok(!isPassing(new TypeError('x')))
})

test('endpoints that were not asked yet are asked at once; each round waits twice as long', () => {
  const pauses = [1, 2, 3, 4, 5, 6, 9, 30].map((n) => pauseMs(n, 3, 0, PATIENT, byte(255)))
  assert.deepEqual(pauses, [0, 0, 100, 0, 0, 200, 400, 5000])
  assert.deepEqual(
    [1, 2, 3].map((n) => pauseMs(n, 1, 0, PATIENT, byte(0))),
    [50, 100, 200],
  )
})

test('a pause is never shorter than the server asks for, nor than half its bound', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.nat(10_000),
      fc.nat(255),
      (attempt, serverMs, value) => {
        const ms = pauseMs(attempt, 1, serverMs, PATIENT, byte(value))
        const bound = Math.min(PATIENT.maxMs, PATIENT.firstMs * 2 ** (attempt - 1))
        assert.ok(ms >= serverMs && ms >= bound / 2 && ms <= Math.max(serverMs, bound))
      },
    ),
  )
})

test('Retry-After is read in seconds', () => {
  assert.deepEqual(['1', '0', '17'].map(retryAfterMs), [1000, 0, 17_000])
  for (const text of [undefined, '', '-1', '1.5', 'Wed, 21 Oct 2015 07:28:00 GMT', '999999'])
    assert.equal(retryAfterMs(text), 0)
})

test('a pause ends with its signal', async () => {
  const forever = () => new Promise<void>(() => {})
  const controller = new AbortController()
  const waiting = pause(forever, 1000, controller.signal)
  controller.abort()
  await assert.rejects(waiting, (error) => isFault(error, 'sdk/cancelled'))
  await assert.rejects(pause(forever, 0, controller.signal), (error) =>
    isFault(error, 'sdk/cancelled'),
  )
  await pause(forever, 0, undefined)
})
