import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplayGuard } from '@quorate/auth'
import { isFault } from '@quorate/base'
import fc from 'fast-check'
import { NOW } from './kit.ts'

const nonce = (n: number): Uint8Array =>
  Uint8Array.from({ length: 16 }, (_, i) => (i < 2 ? n >> (8 * i) : 0))
const isReplay = (error: unknown): boolean => isFault(error, 'auth/replayed')

test('nothing is admitted twice, however clocks move between', () => {
  const steps = fc.array(
    fc.record({
      nonce: fc.integer({ min: 0, max: 20 }),
      advance: fc.integer({ min: -90_000, max: 90_000 }),
      skew: fc.integer({ min: -30_000, max: 30_000 }),
    }),
    { maxLength: 60 },
  )
  fc.assert(
    fc.property(steps, (run) => {
      const guard = new ReplayGuard()
      // A request is its nonce and its time: the signature covers both.
      const admitted = new Map<number, number>()
      let now = NOW
      for (const step of run) {
        now += step.advance
        const time = admitted.get(step.nonce) ?? now + step.skew
        if (Math.abs(now - time) > 30_000) continue
        try {
          guard.admit({ client: 'a', nonce: nonce(step.nonce), time, now })
        } catch (error) {
          assert.ok(isReplay(error))
          continue
        }
        assert.ok(!admitted.has(step.nonce), 'admitted twice')
        admitted.set(step.nonce, time)
      }
    }),
  )
})

test('a replay is refused at every moment at which its time would still pass', () => {
  for (const skew of [-30_000, 0, 30_000])
    for (let later = 0; later <= 60_000; later += 5_000) {
      const guard = new ReplayGuard()
      guard.admit({ client: 'a', nonce: nonce(9), time: NOW, now: NOW })
      guard.admit({ client: 'a', nonce: nonce(1), time: NOW + 59_000 + skew, now: NOW + 59_000 })
      const now = NOW + 59_000 + later
      if (Math.abs(now - (NOW + 59_000 + skew)) > 30_000) continue
      guard.admit({ client: 'a', nonce: nonce(2), time: now, now })
      assert.throws(
        () => guard.admit({ client: 'a', nonce: nonce(1), time: NOW + 59_000 + skew, now }),
        isReplay,
      )
    }
})

test('a clock set back opens nothing again', () => {
  const guard = new ReplayGuard()
  guard.admit({ client: 'a', nonce: nonce(1), time: NOW, now: NOW })
  for (const now of [NOW + 61_000, NOW + 130_000])
    guard.admit({ client: 'a', nonce: nonce(now % 251), time: now, now })
  assert.throws(() => guard.admit({ client: 'a', nonce: nonce(1), time: NOW, now: NOW }), isReplay)
})

test('a restart opens nothing again when the caller kept the latest time', () => {
  const before = new ReplayGuard()
  assert.equal(before.latest, -1)
  before.admit({ client: 'a', nonce: nonce(1), time: NOW + 10, now: NOW })
  before.admit({ client: 'a', nonce: nonce(2), time: NOW - 10, now: NOW })
  assert.equal(before.latest, NOW + 10)
  const restarted = new ReplayGuard({ refuseUntil: before.latest })
  assert.throws(
    () => restarted.admit({ client: 'a', nonce: nonce(1), time: NOW + 10, now: NOW + 20 }),
    isReplay,
  )
  restarted.admit({ client: 'a', nonce: nonce(3), time: NOW + 11, now: NOW + 20 })
})

test('one client cannot crowd out another, and room comes back with time', () => {
  const guard = new ReplayGuard({ maxPerClient: 3 })
  const admit = (client: string, n: number, now: number): void =>
    guard.admit({ client, nonce: nonce(n), time: now, now })
  for (let n = 0; n < 3; n++) admit('a', n, NOW)
  assert.throws(
    () => admit('a', 3, NOW),
    (error) => isFault(error, 'auth/too-many-requests'),
  )
  admit('b', 3, NOW)
  admit('a', 4, NOW + 60_001)
})

test('all clients together are bounded too', () => {
  const guard = new ReplayGuard({ maxTotal: 2 })
  const admit = (client: string, now: number): void =>
    guard.admit({ client, nonce: nonce(1), time: now, now })
  admit('a', NOW)
  admit('b', NOW)
  assert.throws(
    () => admit('c', NOW),
    (error) => isFault(error, 'auth/too-many-requests'),
  )
  admit('c', NOW + 60_001)
})
