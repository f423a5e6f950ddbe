import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { Fault, isFault } from '@quorate/base'
import { ManualTime } from '@quorate/platform'
import { Lifecycle } from '#src/lifecycle.js'

const settle = async (): Promise<void> => {
  for (let i = 0; i < 5; i++) await turn()
}

function stage(patienceMs = 10_000) {
  const time = new ManualTime()
  const lifecycle = new Lifecycle()
  let finish: () => void = () => undefined
  const operations = new Promise<void>((resolve) => {
    finish = resolve
  })
  let sessions = 0
  let isBusy = true
  let drained: boolean | undefined
  const drain = (): void => {
    lifecycle.beginStop()
    void lifecycle
      .drain({
        drained: () => operations,
        isBusy: () => isBusy,
        sessions: () => Promise.resolve(sessions),
        patienceMs,
        clock: time,
        timers: time,
      })
      .then((is) => {
        drained = is
      })
  }
  return {
    time,
    lifecycle,
    finish: () => finish(),
    drain,
    drained: () => drained,
    idle: () => {
      isBusy = false
    },
    setSessions: (n: number) => {
      sessions = n
    },
    pass: async (ms: number): Promise<void> => {
      for (let i = 0; i < ms; i += 50) {
        time.advance(50)
        await settle()
      }
    },
  }
}

test('once it stops nothing new is taken on, and what was is waited for', async () => {
  const { lifecycle, drain, drained, finish, pass } = stage()
  let answer: () => void = () => undefined
  const call = lifecycle.take(
    () =>
      new Promise<void>((resolve) => {
        answer = resolve
      }),
  )
  drain()
  await assert.rejects(
    lifecycle.take(() => Promise.resolve()),
    (error) => isFault(error, 'node/stopping') && error.retryable,
  )
  finish()
  // The call may still begin an operation.
  await pass(2_000)
  assert.equal(drained(), undefined)
  answer()
  await call
  // Long enough that whoever looks at an operation sees its end.
  await pass(500)
  assert.equal(drained(), undefined)
  await pass(500)
  assert.equal(drained(), true)
})

test('an idle node goes at once, or when the sessions of others have had a second', async () => {
  const idle = stage()
  idle.idle()
  idle.finish()
  idle.drain()
  await settle()
  assert.equal(idle.drained(), true)

  const other = stage()
  other.idle()
  other.finish()
  other.setSessions(1)
  other.drain()
  await other.pass(900)
  assert.equal(other.drained(), undefined)
  await other.pass(200)
  assert.equal(other.drained(), true)
})

test('what the death of the signer cut short may be asked again as well', () => {
  const { lifecycle } = stage()
  const reason = lifecycle.reasonOf(new Fault('enclave/channel-closed'))
  assert.ok(isFault(reason, 'node/interrupted') && reason.retryable)
})

test('patience ends, and what is cut off then says that it may be asked again', async () => {
  const { lifecycle, drain, drained, pass } = stage(3_000)
  const failure = new Fault('policy/denied')
  assert.equal(lifecycle.reasonOf(failure), failure)
  drain()
  await pass(2_900)
  assert.equal(drained(), undefined)
  assert.equal(lifecycle.reasonOf(failure), failure)
  await pass(1_200)
  assert.equal(drained(), false)
  lifecycle.cutOff()
  const reason = lifecycle.reasonOf(new Fault('enclave/peers-missing'))
  assert.ok(isFault(reason, 'node/interrupted') && reason.retryable)
})
