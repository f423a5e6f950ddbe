/** What every engine behind the bus port must do. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { isFault, utf8 } from '@quorate/base'
import { type Bus, MAX_FRAME_BYTES } from '@quorate/platform'

/** Three members, 1 to 3; each call joins as that member, also again after it was closed. */
export type Fixture = { join(index: number): Promise<Bus> }

const text = (frame: Uint8Array): string => Buffer.from(frame).toString()

/** Resolves with the first `count` messages, as "from:text". */
function messages(bus: Bus, count: number): Promise<string[]> {
  const seen: string[] = []
  return new Promise((resolve) => {
    bus.onMessage((from, frame) => {
      seen.push(`${from}:${text(frame)}`)
      if (seen.length === count) resolve(seen)
    })
  })
}

const waiting = new WeakMap<Bus, Set<() => void>>()

/** Resolves once the peer is connected, or not; takes the place of the handler of the bus. */
export function connected(bus: Bus, peer: number, expected = true): Promise<void> {
  const checks = waiting.get(bus) ?? new Set()
  waiting.set(bus, checks)
  bus.onPeer(() => {
    for (const check of checks) check()
  })
  return new Promise((resolve) => {
    const check = (): void => {
      if (!bus.peers().some((each) => each.peer === peer && each.isConnected === expected)) return
      checks.delete(check)
      resolve()
    }
    checks.add(check)
    check()
  })
}

export function busConformance(name: string, make: (t: TestContext) => Promise<Fixture>): void {
  const three = async (t: TestContext) => {
    const fixture = await make(t)
    const buses = [await fixture.join(1), await fixture.join(2), await fixture.join(3)] as const
    t.after(() => Promise.all(buses.map((bus) => bus.close())))
    return { fixture, buses }
  }

  test(`${name}: everybody reaches everybody, in order`, async (t) => {
    const { buses } = await three(t)
    const arrived = buses.map((bus) => messages(bus, 20))
    for (let i = 0; i < 10; i++)
      buses.forEach((bus, at) => {
        for (const to of [1, 2, 3])
          if (to !== at + 1) assert.equal(bus.send(to, utf8(`${i}`)), true)
      })
    for (const [at, list] of (await Promise.all(arrived)).entries())
      for (const from of [1, 2, 3])
        if (from !== at + 1)
          assert.deepEqual(
            list.filter((each) => each.startsWith(`${from}:`)),
            Array.from({ length: 10 }, (_, i) => `${from}:${i}`),
          )
  })

  test(`${name}: frames of every size, up to the largest`, async (t) => {
    const { buses } = await three(t)
    const frames = [1, 3, 4, 4095, 4096, 65_536, MAX_FRAME_BYTES].map((length) =>
      Uint8Array.from({ length }, (_, i) => (i * 31 + length) & 0xff),
    )
    const arrived = new Promise<Uint8Array[]>((resolve) => {
      const seen: Uint8Array[] = []
      buses[2].onMessage((_from, frame) => {
        if (seen.push(frame) === frames.length) resolve(seen)
      })
    })
    for (const frame of frames) {
      const mine = frame.slice()
      assert.ok(buses[0].send(3, mine))
      mine.fill(0)
    }
    assert.ok((await arrived).every((frame, i) => Buffer.from(frame).equals(frames[i]!)))
    for (const length of [0, MAX_FRAME_BYTES + 1])
      assert.throws(
        () => buses[0].send(2, new Uint8Array(length)),
        (error) => isFault(error, 'platform/frame-too-large'),
      )
  })

  test(`${name}: only the configured others are peers`, async (t) => {
    const { buses } = await three(t)
    for (const to of [0, 1, 4, -1, 1.5])
      assert.throws(
        () => buses[0].send(to, utf8('x')),
        (error) => isFault(error, 'platform/unknown-peer'),
      )
    assert.deepEqual(
      buses[0].peers().map(({ peer }) => peer),
      [2, 3],
    )
  })

  test(`${name}: what was sent before the peer came waits for it, within bounds`, async (t) => {
    const fixture = await make(t)
    const one = await fixture.join(1)
    t.after(() => one.close())
    let taken = 0
    while (taken < 100_000 && one.send(2, utf8(`${taken}`))) taken++
    assert.ok(taken > 0 && taken < 100_000, 'the queue is bounded')
    assert.deepEqual(
      one.peers().find(({ peer }) => peer === 2),
      { peer: 2, isConnected: false, queued: taken },
    )
    const two = await fixture.join(2)
    t.after(() => two.close())
    const list = await messages(two, taken)
    assert.equal(list[0], '1:0')
    assert.equal(list.at(-1), `1:${taken - 1}`)
  })

  test(`${name}: a member that restarts is found again, from both sides`, async (t) => {
    const { fixture, buses } = await three(t)
    await Promise.all([connected(buses[0], 2), connected(buses[2], 2)])
    const lost = Promise.all([connected(buses[0], 2, false), connected(buses[2], 2, false)])
    await buses[1].close()
    assert.equal(buses[1].send(1, utf8('too late')), false)
    await lost
    const again = await fixture.join(2)
    t.after(() => again.close())
    await Promise.all([
      connected(buses[0], 2),
      connected(buses[2], 2),
      connected(again, 1),
      connected(again, 3),
    ])
    const arrived = [messages(buses[0], 1), messages(again, 1)]
    again.send(1, utf8('back'))
    buses[2].send(2, utf8('welcome'))
    assert.deepEqual(await Promise.all(arrived), [['2:back'], ['3:welcome']])
  })

  test(`${name}: a receiver that throws loses nothing but that frame`, async (t) => {
    const { buses } = await three(t)
    const second = new Promise<string>((resolve) => {
      buses[1].onMessage((_from, frame) => {
        if (text(frame) === 'bad') throw new Error('receiver')
        resolve(text(frame))
      })
    })
    buses[0].send(2, utf8('bad'))
    buses[0].send(2, utf8('good'))
    assert.equal(await second, 'good')
  })
}
