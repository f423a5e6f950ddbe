import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { HsmAuditRecord, HsmState, Tamper, TamperEvent } from '@quorate/hsm'
import { memoryHsmState, type RoleCustody, unlockPhrase, watchTamper } from '@quorate/hsm'
import { ManualTime, systemClock } from '@quorate/platform'
import { until } from '../audit/kit.ts'
import { isCode, NOW } from '../kit.ts'
import { Bench } from '../roles/kit.ts'
import { benchFor, skip } from '../zymbit/kit.ts'
import { heard, Lines } from './kit.ts'

/** A device that reports what the test says, those that it knows already first. */
class Device implements Tamper {
  readonly known: TamperEvent[] = []
  readonly #listeners = new Set<(event: TamperEvent) => void>()

  tamperEvents(): Promise<readonly TamperEvent[]> {
    return Promise.resolve(this.known)
  }
  onTamper(listener: (event: TamperEvent) => void): () => void {
    this.#listeners.add(listener)
    for (const event of this.known) listener(event)
    return () => void this.#listeners.delete(listener)
  }
  report(event: TamperEvent): void {
    this.known.push(event)
    for (const listener of this.#listeners) listener(event)
  }
}

const breach = (channel = 1, time = NOW): TamperEvent => ({ time, channel, what: 'perimeter' })
const locked = isCode('hsm/signing-locked')
const MESSAGE = { message: Uint8Array.of(1, 2, 3) }

class Stage {
  readonly device: Device
  readonly time = new ManualTime(NOW)
  readonly lines = new Lines()
  readonly state: HsmState
  readonly records: HsmAuditRecord[] = []
  readonly locks: string[] = []
  readonly ears = heard()
  lockFails = false

  constructor(state: HsmState = memoryHsmState(), device = new Device()) {
    this.state = state
    this.device = device
  }

  watch(): ReturnType<typeof watchTamper> {
    return watchTamper(this.device, 'zymbit-1', {
      clock: this.time,
      logger: this.lines,
      state: this.state,
      events: this.ears.events,
      locks: {
        lock: (reason) => {
          this.locks.push(reason)
          return this.lockFails ? Promise.reject(new Error('disk full')) : Promise.resolve()
        },
      },
      audit: {
        append: (record) => {
          this.records.push(record)
          return Promise.resolve()
        },
      },
    })
  }
}

test('a breach locks signing before the report returns, is told, and is written down', async () => {
  const stage = new Stage()
  const watch = stage.watch()
  stage.device.report(breach())
  assert.deepEqual(stage.locks, ['tamper on zymbit-1, 1: perimeter'])
  assert.deepEqual(
    stage.ears.all.map(({ kind, severity, component }) => [kind, severity, component]),
    [['tamper.detected', 'critical', 'zymbit-1']],
  )
  await watch.settled()
  assert.deepEqual(stage.records, [
    { time: NOW, operation: 'tamper.detected', device: 'zymbit-1', result: 'done' },
  ])
  stage.device.report(breach(0))
  stage.device.report(breach(1, NOW + 1000))
  assert.equal(stage.locks.length, 3)
  watch.stop()
  stage.device.report(breach(1, NOW + 2000))
  assert.equal(stage.locks.length, 3)
})

test('one that was dealt with does not lock again after a restart; one from before the start does', async () => {
  const state = memoryHsmState()
  const device = new Device()
  device.known.push(breach())
  const first = new Stage(state, device)
  const watch = first.watch()
  assert.equal(first.locks.length, 1)
  await watch.settled()
  watch.stop()
  const second = new Stage(memoryHsmState(state.contents()), device)
  second.watch()
  assert.deepEqual(second.locks, [])
  device.report(breach(1, NOW + 1))
  assert.equal(second.locks.length, 1)
})

test('one whose lock did not reach the disk is not remembered as dealt with', async () => {
  const state = memoryHsmState()
  const stage = new Stage(state)
  stage.lockFails = true
  const watch = stage.watch()
  stage.device.report(breach())
  await watch.settled()
  assert.deepEqual(stage.lines.lines, ['error hsm/tamper-trouble zymbit-1 lock unknown'])
  const next = new Stage(memoryHsmState(state.contents()), stage.device)
  next.watch()
  assert.equal(next.locks.length, 1)
})

describe('of a custody of roles', () => {
  const signing = async (custody: RoleCustody): Promise<() => Promise<unknown>> => {
    await custody.makeKey('validator', { label: 'k', algorithm: 'ed25519' })
    return () => custody.signer('validator').sign(MESSAGE)
  }

  test('nothing is signed any more until a person unlocks it, through a restart too', async (t) => {
    const bench = new Bench(t)
    const provider = await bench.software()
    const custody = await bench.open([bench.slot('a', provider)])
    const sign = await signing(custody)
    await sign()
    const stage = new Stage(bench.state)
    const ports = {
      clock: bench.time,
      logger: stage.lines,
      state: bench.state,
      events: stage.ears.events,
      locks: custody.locks,
    }
    const watch = watchTamper(stage.device, 'zymbit-1', ports)
    const pending = sign()
    stage.device.report(breach())
    // Also what had begun: its result does not leave.
    await assert.rejects(pending, (error: Error) => /zymbit-1, 1: perimeter/.test(error.message))
    await assert.rejects(sign(), locked)
    await watch.settled()
    await custody.close()
    bench.restart()
    const again = await bench.open([bench.slot('a', provider)])
    const signAgain = () => again.signer('validator').sign(MESSAGE)
    await assert.rejects(signAgain(), locked)
    watchTamper(stage.device, 'zymbit-1', { ...ports, state: bench.state, locks: again.locks })
    await again.locks.unlock(unlockPhrase(), 'ada')
    // Its rate of before is not known any more, so a moment has to pass.
    bench.time.advance(2000)
    await signAgain()
  })

  test('a simulated Zymbit locks it within a second', { skip }, async (t) => {
    const { hsm, simulator, device } = await benchFor(t)
    const bench = new Bench(t)
    const custody = await bench.open([bench.slot('a', await bench.software())])
    const sign = await signing(custody)
    await device.setPerimeterAction(1, { notify: true, selfDestruct: false })
    const stage = new Stage(bench.state)
    const watch = watchTamper(hsm as unknown as Tamper, 'zymbit-1', {
      clock: systemClock,
      logger: stage.lines,
      state: bench.state,
      events: stage.ears.events,
      locks: custody.locks,
    })
    t.after(() => watch.stop())
    await until(() => simulator.calls('zkWaitForPerimeterEvent') > 0)
    await sign()
    const since = performance.now()
    simulator.breach(1, 1_800_000_000)
    await until(() => custody.locks.reasonFor('validator') !== undefined)
    assert.ok(performance.now() - since < 1000)
    await assert.rejects(sign(), locked)
    assert.equal(stage.ears.all[0]?.kind, 'tamper.detected')
  })
})
