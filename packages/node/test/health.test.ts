import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Fault, isFault } from '@quorate/base'
import { type HttpRequest, ManualTime } from '@quorate/platform'
import { CHECKS, ClockCheck, type Probes, Readiness, readyRoute } from '#src/health.js'

const fine = (): boolean => true
const ALL_FINE = Object.fromEntries(CHECKS.map((name) => [name, fine])) as Probes

function stage(probes: Partial<Probes>) {
  const time = new ManualTime()
  const readiness = new Readiness({
    probes: { ...ALL_FINE, ...probes },
    clock: time,
    timers: time,
  })
  const get = async () => readyRoute<never>(readiness).handle({} as HttpRequest<never>)
  return { time, readiness, get }
}

test('a node is ready when every check holds', async () => {
  const { get } = stage({})
  const { body } = await get()
  assert.deepEqual(body, {
    status: 'ready',
    checks: Object.fromEntries(CHECKS.map((name) => [name, true])),
  })
})

test('what fails is named, and why is not told', async () => {
  const { get, readiness } = stage({
    store: () => Promise.reject(new Fault('platform/disk-full', { detail: '/secret/place' })),
    hsm: () => false,
  })
  await assert.rejects(
    get(),
    (error) =>
      isFault(error, 'node/not-ready') &&
      error.detail === 'store, hsm' &&
      !error.message.includes('place'),
  )
  assert.deepEqual([readiness.known?.store, readiness.known?.peers], [false, true])
})

test('what does not answer in two seconds fails', async () => {
  const { time, get } = stage({ signer: () => new Promise(() => undefined) })
  const answer = get()
  // The others answer first.
  await turn()
  time.advance(2_000)
  await assert.rejects(answer, (error) => isFault(error) && error.detail === 'signer')
})

test('it looks once a second, but that the node stops shows at once', async () => {
  let looks = 0
  let isServing = true
  const { time, get } = stage({
    serving: () => isServing,
    peers: () => {
      looks++
      return true
    },
  })
  await Promise.all([get(), get()])
  time.advance(999)
  await get()
  assert.equal(looks, 1)
  isServing = false
  await assert.rejects(get(), (error) => isFault(error) && error.detail === 'serving')
  isServing = true
  time.advance(1)
  await get()
  assert.equal(looks, 2)
})

test('a clock is held for wrong for a minute after it was found so, and before this program was made', () => {
  const time = new ManualTime(Date.UTC(2026, 0, 1))
  const check = new ClockCheck(time)
  check.heard('enclave/busy')
  assert.ok(check.isSane)
  check.heard('node/clock-skew')
  assert.ok(!check.isSane)
  time.advance(59_999)
  assert.ok(!check.isSane)
  time.advance(1)
  assert.ok(check.isSane)
  assert.ok(!new ClockCheck(new ManualTime(0)).isSane)
})
