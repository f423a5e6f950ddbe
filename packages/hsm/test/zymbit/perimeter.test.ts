/** Breaches of the perimeter, and what nobody can undo. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isFault, utf8 } from '@quorate/base'
import { confirmations, hasCapability, type TamperEvent } from '@quorate/hsm'
import { until } from '../host/kit.ts'
import { isCode } from '../kit.ts'
import { type Bench, benchFor, skip } from './kit.ts'

const NOW = 1_800_000_000
const NOTIFY = { notify: true, selfDestruct: false } as const

/** A bench whose watch is up, with what it hears and when. */
async function watched(bench: Bench): Promise<{
  readonly heard: (TamperEvent & { readonly at: number })[]
  readonly stop: () => void
}> {
  const { hsm, simulator, device } = bench
  await device.setPerimeterAction(0, NOTIFY)
  await device.setPerimeterAction(1, NOTIFY)
  const heard: (TamperEvent & { readonly at: number })[] = []
  assert.ok(hasCapability(hsm, 'tamper'))
  const stop = hsm.onTamper((event) => heard.push({ ...event, at: performance.now() }))
  await until(() => simulator.calls('zkWaitForPerimeterEvent') > 0, 'a watch')
  return { heard, stop }
}

describe('a breach', { skip }, () => {
  test('is heard within a second, with its time and channel, once', async (t) => {
    const bench = await benchFor(t)
    const { heard, stop } = await watched(bench)
    const since = performance.now()
    bench.simulator.breach(1, NOW)
    await until(() => heard.length > 0, 'the event')
    const [event] = heard
    assert.ok(event !== undefined && event.at - since < 1_000)
    assert.deepEqual(
      { time: event.time, channel: event.channel, what: event.what },
      { time: NOW * 1000, channel: 1, what: 'perimeter channel 1 was breached' },
    )
    bench.simulator.breach(0, NOW + 1)
    await until(() => heard.length > 1, 'the second event')
    assert.deepEqual(
      heard.map(({ channel }) => channel),
      [1, 0],
    )
    assert.equal((await bench.hsm.tamperEvents!()).length, 2)
    await bench.device.clearPerimeter()
    assert.deepEqual(await bench.hsm.tamperEvents!(), [])
    stop()
  })

  test('is heard while a command hangs and its process is killed', async (t) => {
    const bench = await benchFor(t, { times: { random: { callMs: 2_000, deadlineMs: 20_000 } } })
    const { heard } = await watched(bench)
    bench.simulator.fail('zkGetRandBytes', { kind: 'hang' })
    const random = bench.hsm.random(8)
    await until(() => bench.simulator.calls('zkGetRandBytes') > 0, 'the hanging call')
    const since = performance.now()
    bench.simulator.breach(0, NOW)
    await until(() => heard.length > 0, 'the event')
    assert.ok(heard[0]!.at - since < 1_000)
    assert.equal((await random).length, 8)
    assert.equal(bench.hsm.status().ends.hang, 1)
  })

  test('before anybody listens is told to each who begins to, and no more to who has ended', async (t) => {
    const bench = await benchFor(t)
    bench.simulator.breach(0, NOW)
    const { heard, stop } = await watched(bench)
    await until(() => heard.length > 0, 'the first listener')
    const later: TamperEvent[] = []
    const end = bench.hsm.onTamper!((event) => later.push(event))
    await until(() => later.length > 0, 'the second listener')
    assert.equal(heard.length, 1)
    stop()
    bench.simulator.breach(1, NOW + 5)
    await until(() => later.length > 1, 'the second event')
    assert.equal(heard.length, 1)
    end()
  })

  test('of a channel that does not notify is seen at the next look', async (t) => {
    const { hsm, simulator } = await benchFor(t)
    const heard: TamperEvent[] = []
    hsm.onTamper!((event) => heard.push(event))
    await until(() => simulator.calls('zkWaitForPerimeterEvent') > 0, 'a watch')
    simulator.breach(0, NOW)
    await until(() => heard.length > 0, 'the event')
    assert.equal(heard[0]?.channel, 0)
  })

  test('is heard by a watch that had crashed', async (t) => {
    const bench = await benchFor(t)
    const { heard } = await watched(bench)
    const calls = bench.simulator.calls('zkWaitForPerimeterEvent')
    bench.simulator.fail('zkWaitForPerimeterEvent', { kind: 'crash' })
    await until(() => bench.simulator.calls('zkWaitForPerimeterEvent') > calls + 1, 'a new watch')
    bench.simulator.breach(0, NOW)
    await until(() => heard.length > 0, 'the event')
    assert.equal(bench.hsm.status().ends.crash, 0, 'the keys were in another process')
  })
})

test('a watch that is lost makes the device unhealthy', { skip }, async (t) => {
  let ahead = 0
  const clock = { now: () => Date.now(), monotonic: () => performance.now() + ahead }
  const bench = await benchFor(t, { clock })
  const { heard } = await watched(bench)
  assert.deepEqual(await bench.hsm.health(), { state: 'ok' })
  bench.simulator.fail('zkGetPerimeterDetectInfo', { kind: 'answer', value: -5, times: 1_000_000 })
  await until(() => bench.simulator.calls('zkGetPerimeterDetectInfo') > 3, 'failing calls')
  ahead = 60_000
  assert.deepEqual(await bench.hsm.health(), { state: 'failed', reason: 'hsm/watch-lost' })
  assert.deepEqual(heard, [])
})

describe('what nobody can undo', { skip }, () => {
  test('is done for the exact text with the serial number only', async (t) => {
    const { device, simulator, hsm } = await benchFor(t)
    const { serial } = await hsm.info()
    simulator.set({ isLocked: false })
    const arm = { notify: true, selfDestruct: true }
    for (const typed of ['', 'yes', serial, `${confirmations.lockBinding(serial)} `]) {
      await assert.rejects(device.lockBinding(typed), (error) => {
        assert.ok(isFault(error, 'hsm/confirmation-mismatch'))
        assert.ok(error.message.includes(confirmations.lockBinding(serial)))
        return true
      })
      await assert.rejects(
        device.setPerimeterAction(0, arm, typed),
        isCode('hsm/confirmation-mismatch'),
      )
    }
    await assert.rejects(
      device.setPerimeterAction(0, arm, confirmations.selfDestruct(serial, 1)),
      isCode('hsm/confirmation-mismatch'),
    )
    assert.ok(!simulator.isBindingLocked)
    assert.equal(simulator.actions(0), 0)
    await device.setPerimeterAction(0, arm, confirmations.selfDestruct(serial, 0))
    await device.lockBinding(confirmations.lockBinding(serial))
    assert.ok(simulator.isBindingLocked)
    assert.equal(simulator.actions(0), 3)
    await assert.rejects(device.setPerimeterAction(2 as 0, NOTIFY), isCode('hsm/bad-argument'))
  })

  test('self-destruction leaves no key, and a node does not go on with another', async (t) => {
    const { device, simulator, hsm } = await benchFor(t)
    const { serial } = await hsm.info()
    const { id } = await hsm.generateKey({ label: 'k', algorithm: 'p256' })
    const arm = { notify: true, selfDestruct: true }
    await device.setPerimeterAction(1, arm, confirmations.selfDestruct(serial, 1))
    simulator.breach(1, NOW)
    await assert.rejects(hsm.sign(id, { message: utf8('m') }), isCode('hsm/key-not-found'))
    assert.deepEqual(await hsm.list(), [])
  })
})

test('the device says how it is, and locks data for itself alone', { skip }, async (t) => {
  const { device, simulator } = await benchFor(t)
  simulator.set({ battery: 2.4, celsius: 51.5, isBound: true, isLocked: false })
  simulator.breach(0, NOW)
  const { slots, batteryVolts, cpuCelsius, breaches, isBound, isBindingLocked, model } =
    await device.state()
  assert.deepEqual(slots, { taken: 0, free: 512, unlabelled: 0 })
  assert.deepEqual([batteryVolts, cpuCelsius, breaches], [2.4, 51.5, [NOW, 0]])
  assert.deepEqual([isBound, isBindingLocked, model], [true, false, 'HSM6-SIMULATED'])
  const plaintext = utf8('a share')
  const locked = await device.lock(plaintext)
  assert.deepEqual(await device.unlock(locked), plaintext)
  locked[20]! ^= 1
  await assert.rejects(device.unlock(locked), isCode('hsm/cannot-open'))
  for (const length of [0, 65_537])
    await assert.rejects(device.lock(new Uint8Array(length)), isCode('hsm/bad-argument'))
  simulator.fail('zkUnlockDataB2B', { kind: 'answer', value: -5, times: 1_000 })
  await assert.rejects(device.unlock(locked), isCode('hsm/unavailable'))
})
