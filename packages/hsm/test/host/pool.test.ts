import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Fault, toHex } from '@quorate/base'
import { DeviceFault } from '@quorate/hsm'
import { ManualTime } from '@quorate/platform'
import { faultFrame, readyFrame, requestHead, responseFrame } from '#src/host/frames.js'
import { OPERATIONS, operationOf } from '#src/host/operations.js'
import { SessionPool } from '#src/host/pool.js'
import { POOL_LIMITS, type PoolLimits } from '#src/host/pool-limits.js'
import { Statistics } from '#src/host/statistics.js'
import { readAll } from '#src/host/wire.js'
import { isCode } from './kit.ts'

type Sent = { readonly place: number; readonly id: number; readonly name: string; value: unknown }

/** A pool over a host of which every step is made by hand. */
class Harness {
  readonly time = new ManualTime()
  readonly started: number[] = []
  readonly sent: Sent[] = []
  readonly told: string[] = []
  readonly pool: SessionPool

  constructor(limits: Partial<PoolLimits> = {}) {
    const tell =
      (what: string) =>
      (fault?: Fault): void => {
        this.told.push(fault === undefined ? what : `${what} ${fault.code}`)
      }
    this.pool = new SessionPool(
      {
        limits: { ...POOL_LIMITS, size: 1, maxOverflow: 0, ...limits },
        times: {},
        clock: this.time,
        timers: this.time,
        statistics: new Statistics(this.time, undefined, ''),
      },
      {
        opened: tell('opened'),
        refused: tell('refused'),
        hung: tell('hung'),
        pinRefused: tell('pin refused'),
        failing: tell('failing'),
        working: tell('working'),
      },
    )
  }

  /** A new host; its first session is open. */
  up(): this {
    this.attach()
    this.opened(0)
    return this
  }

  attach(): void {
    this.started.length = 0
    this.pool.attach({
      start: (place) => this.started.push(place),
      send: (place, frame) => {
        const { id, code } = requestHead(frame)
        const operation = operationOf(code)
        assert.ok(operation !== undefined)
        const name = Object.keys(OPERATIONS)[code] ?? ''
        this.sent.push({ place, id, name, value: readAll(operation.request, frame.slice(), 9) })
      },
    })
  }

  opened(place: number): void {
    this.pool.response(place, readyFrame())
  }

  /** The oldest request that was sent to a session and not taken here yet. */
  take(): Sent {
    return this.sent.shift() ?? assert.fail('nothing was sent')
  }

  /** Answers a request for random bytes. */
  answer({ place, id, value }: Sent): void {
    const bytes = new Uint8Array(value as number).fill(value as number)
    this.pool.response(place, responseFrame(id, OPERATIONS.random.response, bytes))
  }

  fail({ place, id }: Sent, fault: Fault): void {
    this.pool.response(place, faultFrame(id, fault))
  }

  async pass(ms: number): Promise<void> {
    this.time.advance(ms)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const trouble = (): Fault => new DeviceFault('hsm/unavailable', { ckr: 0x30 })
const full = (): Fault => new DeviceFault('hsm/busy', { ckr: 0xb1 })
const rejected = (code: Parameters<typeof isCode>[0], promise: Promise<unknown>): Promise<void> =>
  assert.rejects(promise, isCode(code))

describe('requests', () => {
  test('are served in their order', async () => {
    const bench = new Harness().up()
    const order: number[] = []
    const all = [3, 1, 2].map(async (length) => {
      await bench.pool.submit('random', length)
      order.push(length)
    })
    for (let i = 0; i < 3; i++) bench.answer(bench.take())
    await Promise.all(all)
    assert.deepEqual(order, [3, 1, 2])
  })

  test('get the answer to their own question', async () => {
    const bench = new Harness({ size: 2 }).up()
    bench.opened(1)
    const [one, two] = [bench.pool.submit('random', 1), bench.pool.submit('random', 2)]
    const [first, second] = [bench.take(), bench.take()]
    bench.answer(second)
    bench.answer(first)
    assert.deepEqual([toHex(await one), toHex(await two)], ['01', '0202'])
  })

  test('beyond the queue are refused at once', async () => {
    const bench = new Harness({ maxQueue: 1 }).up()
    const [one, two] = [bench.pool.submit('random', 1), bench.pool.submit('random', 2)]
    await rejected('hsm/busy', bench.pool.submit('random', 3))
    bench.answer(bench.take())
    bench.answer(bench.take())
    await Promise.all([one, two])
  })

  test('that get no session in time are refused', async () => {
    const bench = new Harness({ acquireTimeoutMs: 100 }).up()
    const one = bench.pool.submit('random', 1)
    const two = rejected('hsm/busy', bench.pool.submit('random', 2))
    await bench.pass(150)
    await two
    bench.answer(bench.take())
    await one
    assert.equal(bench.sent.length, 0)
  })

  test('fail at their deadline while the device still works, which is left to do so', async () => {
    const bench = new Harness().up()
    const late = rejected('hsm/unavailable', bench.pool.submit('random', 1, 1_000))
    await bench.pass(1_100)
    await late
    assert.deepEqual(bench.told, ['opened'])
    bench.answer(bench.take())
    const next = bench.pool.submit('random', 2)
    bench.answer(bench.take())
    assert.equal((await next).length, 2)
  })

  test('too large are refused before they are sent', async () => {
    const bench = new Harness().up()
    const key = { id: '01' as never, algorithm: 'hmac-sha256' as const }
    const message = new Uint8Array((1 << 24) + 65)
    await rejected('hsm/bad-argument', bench.pool.submit('hmac', { key, message }))
    assert.equal(bench.sent.length, 0)
  })

  test('wait while there is no host, and are served by the next', async () => {
    const bench = new Harness()
    const early = bench.pool.submit('random', 4)
    bench.up()
    bench.answer(bench.take())
    assert.equal((await early).length, 4)
  })

  test('fail without waiting while blocked, those that wait already too', async () => {
    const bench = new Harness()
    const early = rejected('hsm/pin-locked', bench.pool.submit('random', 4))
    bench.pool.block(new DeviceFault('hsm/pin-locked'))
    await early
    await rejected('hsm/pin-locked', bench.pool.submit('random', 4))
    bench.pool.block(undefined)
    const later = bench.pool.submit('random', 4)
    bench.up()
    bench.answer(bench.take())
    await later
  })
})

describe('when a host ends', () => {
  test('what may be repeated is, in its order', async () => {
    const bench = new Harness().up()
    const [one, two] = [bench.pool.submit('random', 1), bench.pool.submit('random', 2)]
    bench.take()
    bench.pool.detach()
    bench.up()
    for (const length of [1, 2]) {
      const sent = bench.take()
      assert.equal(sent.value, length)
      bench.answer(sent)
    }
    await Promise.all([one, two])
  })

  test('what may not is failed, once it was sent', async () => {
    const bench = new Harness().up()
    const request = { id: '01' as never, label: 'x' }
    const sent = rejected('hsm/unavailable', bench.pool.submit('destroy', request))
    const waiting = bench.pool.submit('destroy', request)
    bench.take()
    bench.pool.detach()
    await sent
    bench.up()
    const { place, id } = bench.take()
    bench.pool.response(place, responseFrame(id, OPERATIONS.destroy.response, undefined))
    await waiting
  })

  test('a request that many end with is given up', async () => {
    const bench = new Harness().up()
    const deadly = rejected('hsm/unavailable', bench.pool.submit('random', 1))
    for (let i = 0; i < 4; i++) {
      bench.take()
      bench.pool.detach()
      bench.up()
    }
    await deadly
    assert.equal(bench.sent.length, 0)
  })

  test('a request whose deadline has passed is not repeated', async () => {
    const bench = new Harness().up()
    const late = rejected('hsm/unavailable', bench.pool.submit('random', 1, 100))
    bench.take()
    bench.pool.detach()
    await bench.pass(200)
    await late
    bench.up()
    assert.equal(bench.sent.length, 0)
  })
})

describe('a device', () => {
  test('that takes longer than a call may hangs', async () => {
    const bench = new Harness().up()
    const hanging = bench.pool.submit('random', 1)
    await bench.pass(OPERATIONS.random.callMs - 1)
    assert.deepEqual(bench.told, ['opened'])
    await bench.pass(20)
    assert.deepEqual(bench.told, ['opened', 'hung'])
    bench.take()
    bench.pool.detach()
    bench.up()
    bench.answer(bench.take())
    await hanging
  })

  test('that opens no session in time hangs', async () => {
    const bench = new Harness()
    bench.attach()
    await bench.pass(POOL_LIMITS.openTimeoutMs + 20)
    assert.deepEqual(bench.told, ['hung'])
  })

  test('that refuses its first session is of no use', () => {
    const bench = new Harness()
    bench.attach()
    bench.pool.response(0, faultFrame(0, new DeviceFault('hsm/token-absent')))
    assert.deepEqual(bench.told, ['refused hsm/token-absent'])
  })

  test('that fails is tried again, and reported', async () => {
    const bench = new Harness().up()
    const request = bench.pool.submit('random', 1)
    bench.fail(bench.take(), trouble())
    bench.answer(bench.take())
    await request
    assert.deepEqual(bench.told, ['opened', 'failing hsm/unavailable', 'working'])
  })

  test('that always fails is given up with what it said', async () => {
    const bench = new Harness().up()
    const request = rejected('hsm/token-absent', bench.pool.submit('random', 1))
    for (let i = 0; i < 4; i++) bench.fail(bench.take(), new DeviceFault('hsm/token-absent'))
    await request
    assert.equal(bench.told.filter((what) => what.startsWith('failing')).length, 4)
  })

  test('is not asked twice for what may be done once', async () => {
    const bench = new Harness().up()
    const request = bench.pool.submit('destroy', { id: '01' as never, label: 'x' })
    bench.fail(bench.take(), trouble())
    await rejected('hsm/unavailable', request)
    assert.equal(bench.sent.length, 0)
  })

  test('that refuses a request works', async () => {
    const bench = new Harness().up()
    const request = rejected('hsm/bad-argument', bench.pool.submit('random', 1))
    bench.fail(bench.take(), new Fault('hsm/bad-argument'))
    await request
    assert.deepEqual(bench.told, ['opened', 'working'])
  })

  test('that refuses the PIN later is never asked again', async () => {
    const bench = new Harness().up()
    const request = rejected('hsm/pin-incorrect', bench.pool.submit('random', 1))
    bench.fail(bench.take(), new DeviceFault('hsm/pin-incorrect'))
    await request
    assert.deepEqual(bench.told, ['opened', 'pin refused hsm/pin-incorrect'])
  })

  test('that is busy is left alone for a moment', async () => {
    const bench = new Harness().up()
    const request = bench.pool.submit('random', 1)
    for (let i = 0; i < 6; i++) {
      bench.fail(bench.take(), new DeviceFault('hsm/busy'))
      assert.equal(bench.sent.length, 0)
      await bench.pass(60)
    }
    bench.answer(bench.take())
    await request
  })
})

describe('sessions', () => {
  test('are opened one after the other up to the size', () => {
    const bench = new Harness({ size: 3, maxOverflow: 5 }).up()
    assert.deepEqual(bench.started, [0, 1])
    bench.opened(1)
    assert.deepEqual(bench.started, [0, 1, 2])
    bench.opened(2)
    assert.deepEqual(bench.started, [0, 1, 2])
    assert.equal(bench.pool.figures.open, 3)
  })

  test('beyond the size are opened when requests wait, and end when idle', async () => {
    const bench = new Harness({ size: 1, maxOverflow: 1, idleTimeoutMs: 1_000 }).up()
    const all = [1, 2].map((length) => bench.pool.submit('random', length))
    assert.deepEqual(bench.started, [0])
    await bench.pass(30)
    assert.deepEqual(bench.started, [0, 1])
    bench.opened(1)
    bench.answer(bench.take())
    bench.answer(bench.take())
    await Promise.all(all)
    assert.equal(bench.pool.figures.open, 2)
    await bench.pass(1_010)
    const close = bench.take()
    assert.deepEqual([close.name, close.place], ['close', 1])
    bench.pool.response(1, responseFrame(close.id, OPERATIONS.close.response, undefined))
    assert.equal(bench.pool.figures.open, 1)
    await bench.pass(100_000)
    assert.equal(bench.pool.figures.open, 1)
    assert.equal(bench.sent.length, 0)
  })

  test('are never more than the token has', async () => {
    const bench = new Harness({ size: 5 })
    bench.pool.limitTo(1)
    bench.up()
    const all = [1, 2].map((length) => bench.pool.submit('random', length))
    await bench.pass(1_000)
    assert.deepEqual(bench.started, [0])
    bench.answer(bench.take())
    bench.answer(bench.take())
    await Promise.all(all)
  })

  test('that the token has no room for are asked for again later', async () => {
    const bench = new Harness({ size: 2 }).up()
    bench.pool.response(1, faultFrame(0, full()))
    assert.equal(bench.pool.figures.limit, 1)
    const busy = bench.pool.submit('random', 1)
    bench.answer(bench.take())
    await busy
    assert.deepEqual(bench.started, [0, 1])
    await bench.pass(10_000)
    const [one, two] = [bench.pool.submit('random', 1), bench.pool.submit('random', 2)]
    assert.deepEqual(bench.started, [0, 1, 1])
    bench.opened(1)
    assert.equal(bench.pool.figures.open, 2)
    bench.answer(bench.take())
    bench.answer(bench.take())
    await Promise.all([one, two])
  })

  test('that were told so in the middle of a request give way, but for the last', async () => {
    const bench = new Harness({ size: 2 }).up()
    bench.opened(1)
    const [one, two] = [bench.pool.submit('random', 1), bench.pool.submit('random', 2)]
    const [first, second] = [bench.take(), bench.take()]
    bench.fail(second, full())
    bench.answer(first)
    bench.answer(bench.take())
    await Promise.all([one, two])
    await bench.pass(60)
    const close = bench.take()
    assert.deepEqual([close.name, close.place], ['close', 1])
    const third = bench.pool.submit('random', 3)
    bench.fail(bench.take(), full())
    await bench.pass(60)
    bench.answer(bench.take())
    assert.equal((await third).length, 3)
  })
})

describe('a host that does not keep to the protocol is found out', () => {
  const isMalformed = isCode('base/malformed')
  test('by an answer to nothing', () => {
    const bench = new Harness().up()
    assert.throws(() => bench.opened(0), isMalformed)
    assert.throws(() => bench.pool.response(0, readyFrame()), isMalformed)
  })
  test('by the answer to another request', async () => {
    const bench = new Harness().up()
    const request = bench.pool.submit('random', 1)
    const sent = bench.take()
    assert.throws(() => bench.answer({ ...sent, id: sent.id + 1 }), isMalformed)
    bench.answer(sent)
    await request
  })
  test('by an answer of another form', async () => {
    const bench = new Harness().up()
    const request = bench.pool.submit('random', 1)
    const sent = bench.take()
    assert.throws(
      () => bench.pool.response(0, responseFrame(sent.id, OPERATIONS.close.response, undefined)),
      isMalformed,
    )
    bench.answer(sent)
    await request
  })
})
