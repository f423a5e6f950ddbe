import assert from 'node:assert/strict'
import test from 'node:test'
import { isFault } from '@quorate/base'
import { Lockout, RateLimiter, retryAfterOf } from '#src/domains/access/throttle.js'
import { prj, startAccess } from './harness.js'

const waitOf = (work: () => void): number | undefined => {
  try {
    work()
    return 0
  } catch (error) {
    assert.ok(isFault(error, 'kms/rate-limited'))
    return retryAfterOf(error)
  }
}

test('a bucket empties, says how long to wait, and fills again; others have their own', () => {
  const limiter = new RateLimiter({ perSecond: 0.5, burst: 3 })
  for (let i = 0; i < 3; i++)
    assert.equal(
      waitOf(() => limiter.take('a', 0)),
      0,
    )
  assert.equal(
    waitOf(() => limiter.take('a', 0)),
    2,
  )
  assert.equal(
    waitOf(() => limiter.take('a', 1000)),
    1,
  )
  assert.equal(
    waitOf(() => limiter.take('b', 1000)),
    0,
  )
  assert.equal(
    waitOf(() => limiter.take('a', 2000)),
    0,
  )
  assert.equal(
    waitOf(() => limiter.take('a', 2000)),
    2,
  )
})

test('a flood of keys forgets the oldest and none of those in use', () => {
  const limiter = new RateLimiter({ perSecond: 0.001, burst: 2 })
  limiter.take('mine', 0)
  limiter.take('mine', 0)
  for (let i = 0; i < 19_999; i++) limiter.take(`flood-${i}`, 0)
  assert.equal(
    waitOf(() => limiter.take('mine', 0)),
    1000,
  )
})

test('the pause doubles up to a quarter of an hour, and ends with a success', () => {
  const lockout = new Lockout()
  const pauses: (number | undefined)[] = []
  let now = 0
  for (let i = 0; i < 18; i++) {
    const wait = waitOf(() => lockout.check('a', now)) ?? 0
    pauses.push(wait)
    now += wait * 1000
    lockout.failed('a', now)
  }
  assert.deepEqual(pauses.slice(0, 9), [0, 0, 0, 0, 0, 1, 2, 4, 8])
  assert.equal(pauses.at(-1), 900)
  assert.equal(
    waitOf(() => lockout.check('b', now)),
    0,
  )
  lockout.succeeded('a')
  assert.equal(
    waitOf(() => lockout.check('a', now)),
    0,
  )
})

test('one identity at its limit does not slow another, and strangers not those with tokens', async (t) => {
  const server = await startAccess(t, {
    settings: {
      identityRate: { perSecond: 1, burst: 4 },
      addressRate: { perSecond: 0.1, burst: 3 },
    },
  })
  const { token: admin } = await server.administrator()
  const machine = await server.identity(admin, { name: 'm', project: prj('1') })
  const self = (token: string | undefined) => server.call('GET', '/api/v1/self', { token })
  for (let i = 0; i < 4; i++) assert.equal((await self(machine.token)).status, 200)
  const limited = await self(machine.token)
  assert.deepEqual(
    [limited.status, limited.body.code, limited.headers.has('retry-after')],
    [429, 'kms/rate-limited', true],
  )
  assert.equal((await self(admin)).status, 200)
  // Two of the address's three went to the bootstrap and to the first use of each token.
  const strangers: number[] = []
  for (let i = 0; i < 5; i++) strangers.push((await self(undefined)).status)
  assert.ok(
    strangers.includes(429) && strangers.every((status) => status === 401 || status === 429),
  )
  assert.equal((await self(admin)).status, 200)
  server.time.advance(1_000)
  assert.equal((await self(machine.token)).status, 200)
})
