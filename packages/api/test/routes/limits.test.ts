import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Places, TokenBuckets } from '@quorate/api'
import * as fc from 'fast-check'

test('a client has its burst at once, then its rate; another one has its own', () => {
  let now = 0
  const buckets = new TokenBuckets({ ratePerSecond: 10, burst: 3 }, { monotonic: () => now })
  assert.deepEqual(
    [1, 2, 3, 4].map(() => buckets.take('a')),
    [0, 0, 0, 100],
  )
  assert.equal(buckets.take('b'), 0)
  now = 99
  assert.equal(buckets.take('a'), 1)
  now = 100
  assert.deepEqual([buckets.take('a'), buckets.take('a')], [0, 100])
  // However long it was silent, it has no more than its burst.
  now = 1e9
  assert.deepEqual(
    [1, 2, 3, 4].map(() => buckets.take('a')),
    [0, 0, 0, 100],
  )
})

test('in no span of time are there more calls than burst and rate allow', () => {
  const calls = fc.array(fc.nat(40), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      calls,
      (ratePerSecond, burst, gaps) => {
        let now = 0
        const buckets = new TokenBuckets({ ratePerSecond, burst }, { monotonic: () => now })
        const taken: number[] = []
        for (const gap of gaps) {
          now += gap
          if (buckets.take('a') === 0) taken.push(now)
        }
        for (const [i, from] of taken.entries())
          for (const [j, to] of taken.slice(i).entries())
            assert.ok(j + 1 <= burst + ((to - from) * ratePerSecond) / 1000 + 1e-6)
      },
    ),
    { numRuns: 50 },
  )
})

test('places are taken up to the bound under each name, and given back once', () => {
  const places = new Places(2)
  const [first, second] = [places.take('a'), places.take('a')]
  assert.ok(first && second)
  assert.equal(places.take('a'), undefined)
  assert.ok(places.take('b'))
  assert.equal(places.taken, 3)
  first()
  first()
  assert.equal(places.taken, 2)
  assert.ok(places.take('a'))
  assert.equal(places.take('a'), undefined)
})
