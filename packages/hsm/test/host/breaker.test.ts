import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ManualTime } from '@quorate/platform'
import { BREAKER_LIMITS, Breaker } from '#src/host/breaker.js'

describe('the breaker', () => {
  test('starts anew at once, then with growing pauses, then not at all', () => {
    const breaker = new Breaker(new ManualTime(), BREAKER_LIMITS)
    const pauses = Array.from({ length: 4 }, () => breaker.ended())
    assert.deepEqual(pauses, [0, 100, 200, 400])
    assert.equal(breaker.state, 'closed')
    assert.equal(breaker.ended(), 1_000)
    assert.equal(breaker.state, 'open')
  })

  test('never pauses longer than it may', () => {
    const breaker = new Breaker(new ManualTime(), { ...BREAKER_LIMITS, maxFailures: 99 })
    const pauses = Array.from({ length: 12 }, () => breaker.ended())
    assert.equal(Math.max(...pauses), BREAKER_LIMITS.maxPauseMs)
  })

  test('forgets failures once a host works', () => {
    const breaker = new Breaker(new ManualTime(), BREAKER_LIMITS)
    for (let i = 0; i < 15; i++) {
      assert.equal(breaker.ended(), 0)
      breaker.succeeded()
    }
    assert.equal(breaker.state, 'closed')
  })

  test('opens for hosts that work but end too often, and not once that is long ago', () => {
    const time = new ManualTime()
    const breaker = new Breaker(time, BREAKER_LIMITS)
    for (let i = 0; i < BREAKER_LIMITS.maxEnds - 1; i++) {
      breaker.ended()
      breaker.succeeded()
    }
    assert.equal(breaker.recentEnds, 19)
    breaker.ended()
    assert.equal(breaker.state, 'open')
    breaker.reset()
    assert.equal(breaker.recentEnds, 0)
    for (let i = 0; i < 100; i++) {
      time.advance(1_000)
      breaker.ended()
      breaker.succeeded()
    }
    assert.equal(breaker.state, 'closed')
    assert.equal(breaker.recentEnds, 11)
  })

  test('stays open longer with each probe that fails, and closes with one that holds', () => {
    const breaker = new Breaker(new ManualTime(), BREAKER_LIMITS)
    for (let i = 0; i < 5; i++) breaker.ended()
    for (const expected of [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
      breaker.starting()
      assert.equal(breaker.state, 'half-open')
      assert.equal(breaker.ended(), expected)
      assert.equal(breaker.state, 'open')
    }
    breaker.starting()
    breaker.admitted()
    assert.equal(breaker.state, 'closed')
    // A session was all that this one was good for.
    assert.equal(breaker.ended(), 60_000)
    breaker.starting()
    breaker.admitted()
    breaker.succeeded()
    assert.equal(breaker.ended(), 0)
  })
})
