/** What somebody with every right on the NATS server can do to the links of honest nodes: cost time. */
import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { test } from 'node:test'
import { type Logger, utf8 } from '@quorate/base'
import { type Bus, ManualTime, type NatsBusOptions } from '@quorate/platform'
import { decodePacket, encodePacket, type Packet } from '#src/bus/nats/packet.js'
import { joinBus } from './join.js'
import { HostileBroker, type Message } from './memory-broker.js'

const TO_ONE = 'mpc.p.0707070707070707.2.1'
const TO_TWO = 'mpc.p.0707070707070707.1.2'
const HEARTBEAT_MS = 5_000

/** Uniform numbers below 1 that are the same each time. */
function randomOf(seed: string): () => number {
  const stream = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16))
  return () => stream.update(Buffer.alloc(4)).readUInt32BE() / 2 ** 32
}

/** Lets everything happen that needs no time. */
const settled = async (): Promise<void> => {
  for (let i = 0; i < 30; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Nodes 1 and 2 on a hostile broker, their time in the hands of the test. */
class World {
  readonly broker = new HostileBroker()
  readonly time = new ManualTime()
  readonly news: string[] = []
  readonly frames: { readonly [index: number]: Uint8Array[] } = { 1: [], 2: [] }
  readonly logged: string[] = []
  readonly #processes = new Map<number, { kill(): void }>()
  readonly #logger: Logger = {
    log: (_level, event) => void this.logged.push(event),
    with: () => this.#logger,
  }

  join(self: 1 | 2, change: Partial<NatsBusOptions> = {}): Bus {
    const broker = this.broker.open()
    this.#processes.set(self, broker)
    const bus = joinBus(broker, self, {
      timers: this.time,
      peers: [3 - self],
      logger: this.#logger,
      ...change,
    })
    bus.onPeer((peer, isConnected) =>
      this.news.push(`${self} ${isConnected ? 'has' : 'lost'} ${peer}`),
    )
    bus.onMessage((_from, frame) => this.frames[self]!.push(frame))
    return bus
  }

  /** Ends the process of the node without a word. */
  kill(self: 1 | 2): void {
    this.#processes.get(self)?.kill()
  }

  /** Both nodes, connected. */
  async pair(): Promise<readonly [Bus, Bus]> {
    const buses = [this.join(1), this.join(2)] as const
    await this.run(100)
    assert.deepEqual(this.news.splice(0).sort(), ['1 has 2', '2 has 1'])
    return buses
  }

  async run(ms: number, stepMs = 50): Promise<void> {
    await settled()
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.time.advance(stepMs)
      await settled()
    }
  }

  /** Whether frames still go both ways, at once. */
  async works([one, two]: readonly [Bus, Bus]): Promise<boolean> {
    const word = utf8(`still here ${Math.round(this.time.now())}`)
    one.send(2, word)
    two.send(1, word)
    await this.run(100)
    const isWord = (frame: Uint8Array): boolean => Buffer.from(frame).equals(word)
    return this.frames[1]!.some(isWord) && this.frames[2]!.some(isWord)
  }
}

const packet = (kind: Packet['kind'], fields: { readonly [name: string]: unknown } = {}) =>
  encodePacket({ kind, value: fields } as Packet)
const filled = (length: number, byte: number): Uint8Array => new Uint8Array(length).fill(byte)

test('lost, repeated, reordered and late: every frame arrives once and in order', async () => {
  const world = new World()
  const buses = await world.pair()
  const random = randomOf('weather')
  const late: Message[] = []
  world.broker.onMessage = (message) => {
    const luck = random()
    if (luck < 0.2) return []
    if (luck < 0.35) {
      late.push(message)
      return []
    }
    const now = luck < 0.5 ? [message, message] : [message]
    return luck > 0.8 ? [...now, ...late.splice(0).reverse()] : now
  }
  const sizes = Array.from({ length: 120 }, (_, i) =>
    i % 40 === 7 ? 400_000 : 1 + ((i * 37) % 900),
  )
  const frame = (i: number): Uint8Array => filled(sizes[i]!, i)
  for (let i = 0; i < sizes.length; i++) {
    assert.ok(buses[0].send(2, frame(i)))
    assert.ok(buses[1].send(1, frame(i)))
  }
  for (let i = 0; i < 400 && world.frames[1]!.length + world.frames[2]!.length < 240; i++)
    await world.run(500, 100)
  for (const index of [1, 2]) {
    assert.equal(world.frames[index]!.length, sizes.length)
    for (const [i, each] of world.frames[index]!.entries()) assert.deepEqual(each, frame(i))
  }
})

test('garbage, oversize, forged greetings and repeated packets change nothing on a living link', async () => {
  const world = new World()
  const buses = await world.pair()
  assert.ok(await world.works(buses))
  const before = [...world.broker.seen]
  const sealed = before.filter(({ message }) => message.length > 40)
  const { link } = decodeSealed(before)
  const attacks: readonly Uint8Array[] = [
    new Uint8Array(),
    utf8('garbage'),
    filled(5_000_000, 0),
    packet('wake'),
    packet('knock', { key: filled(32, 1) }),
    packet('knock', { key: filled(32, 0) }),
    packet('answer', { key: filled(32, 1), offer: filled(32, 2) }),
    packet('hello', { key: filled(32, 1), offer: filled(32, 2), hello: utf8('I am 1') }),
    packet('welcome', { key: filled(32, 1), offer: filled(32, 2), hello: utf8('I am 2') }),
    ...[0, 1, 1_000_000, Number.MAX_SAFE_INTEGER].map((number) =>
      packet('sealed', { link, number, box: filled(64, 9) }),
    ),
    packet('sealed', { link: filled(8, 1), number: 1, box: new Uint8Array() }),
  ]
  for (let round = 0; round < 20; round++)
    for (const attack of attacks) {
      world.broker.inject(TO_ONE, attack)
      world.broker.inject(TO_TWO, attack)
    }
  for (const { subject, message } of [...sealed, ...sealed.reverse()]) {
    world.broker.inject(subject, message)
    // Sent back to who made it.
    world.broker.inject(subject === TO_ONE ? TO_TWO : TO_ONE, message)
  }
  await world.run(4 * HEARTBEAT_MS, 1_000)
  assert.deepEqual(world.news, [])
  assert.ok(await world.works(buses))
  assert.equal(world.frames[2]!.length, 2, 'nothing was delivered twice or invented')
  assert.ok(world.logged.includes('bus.packets-dropped'))
})

test('a flood of greetings costs a bounded number of signatures and checks', async () => {
  const world = new World()
  let work = 0
  const counting = {
    makeHello: () => {
      work++
      return utf8('hello')
    },
    checkHello: async () => {
      work++
      return undefined
    },
  }
  world.join(1, counting)
  world.join(2, counting)
  await settled()
  const { offer, key } = greetingKeys(world.broker.seen)
  for (let i = 0; i < 20_000; i++) {
    const fresh = Uint8Array.from({ length: 32 }, (_, at) => (i >> (8 * (at & 1))) & 0xff)
    world.broker.inject(TO_TWO, packet('hello', { key: fresh, offer, hello: utf8('me') }))
    world.broker.inject(TO_ONE, packet('answer', { key, offer: fresh }))
  }
  await settled()
  assert.ok(work > 0 && work <= 2 * 64 + 16, `${work} greetings were worked on`)
})

test('forged answers and hellos before the true ones do not keep two nodes apart', async () => {
  const world = new World()
  world.broker.onMessage = (message) => {
    const made = decodePacket(message.message)
    if (made.kind === 'answer')
      return [1, 2, 3]
        .map((byte) => ({
          subject: message.subject,
          message: packet('answer', { key: made.value.key, offer: filled(32, byte) }),
        }))
        .concat(message)
    if (made.kind === 'hello' || made.kind === 'welcome')
      return [
        {
          subject: message.subject,
          message: packet(made.kind, { ...made.value, hello: utf8('!') }),
        },
        message,
        message,
      ]
    return [message]
  }
  const buses = await world.pair()
  assert.ok(await world.works(buses))
})

test('a true hello that was held back does not push a living link aside', async () => {
  const world = new World()
  const held: Message[] = []
  world.broker.onMessage = (message) => {
    const isHello = decodePacket(message.message).kind === 'hello'
    if (isHello && held.length < 2) {
      held.push(message)
      return []
    }
    return [message]
  }
  const buses = [world.join(1), world.join(2)] as const
  await world.run(2_000)
  assert.equal(held.length, 2)
  assert.deepEqual(world.news.splice(0).sort(), ['1 has 2', '2 has 1'])
  for (const { subject, message } of held) world.broker.inject(subject, message)
  await world.run(6_000)
  assert.deepEqual(world.news, [])
  assert.ok(await world.works(buses))
})

test('everything said in an earlier life, said again, makes no link', async () => {
  const world = new World()
  const buses = await world.pair()
  await world.works(buses)
  for (const bus of buses) await bus.close()
  await settled()
  const old = [...world.broker.seen]
  world.news.length = 0
  world.frames[2]!.length = 0
  const two = world.join(2)
  for (let round = 0; round < 3; round++) {
    for (const { subject, message } of old) world.broker.inject(subject, message)
    await world.run(1_000)
  }
  assert.deepEqual([world.news, world.frames[2]], [[], []])
  const one = world.join(1)
  await world.run(12_000, 500)
  assert.ok(await world.works([one, two]))
})

test('a process that ended without a word is found again when it comes back', async () => {
  for (const back of [1, 2] as const) {
    const world = new World()
    await world.pair()
    world.kill(back)
    const again = world.join(back)
    await world.run(3_000)
    assert.ok(again.peers()[0]?.isConnected, `node ${back} is back`)
    const other = 3 - back
    assert.deepEqual(
      world.news.filter((each) => each.startsWith(`${other}`)),
      [`${other} lost ${back}`, `${other} has ${back}`],
    )
  }
})

test('silence for three heartbeats ends a link, and forged packets do not prolong it', async () => {
  const world = new World()
  await world.pair()
  const old = [...world.broker.seen]
  world.broker.onMessage = () => []
  for (let beat = 0; beat < 4; beat++) {
    for (const { subject, message } of old) world.broker.inject(subject, message)
    world.broker.inject(
      TO_ONE,
      packet('sealed', { link: filled(8, 1), number: 9, box: filled(40, 1) }),
    )
    await world.run(HEARTBEAT_MS, 1_000)
  }
  assert.deepEqual(world.news.sort(), ['1 lost 2', '2 lost 1'])
})

test('while the broker is away frames wait within bounds, and nothing else piles up', async () => {
  const world = new World()
  const buses = await world.pair()
  world.broker.setUp(false)
  const published = world.broker.seen.length
  let taken = 0
  while (taken < 5_000 && buses[0].send(2, filled(100, 1))) taken++
  assert.ok(taken < 5_000)
  await world.run(2_000)
  assert.equal(world.broker.seen.length, published)
  world.broker.setUp(true)
  await world.run(3_000)
  assert.equal(world.frames[2]!.length, taken)
  for (const bus of buses) await bus.close()
  await settled()
  assert.equal(world.time.pending, 0, 'no timer is left')
})

/** The link id of the sealed packets. */
function decodeSealed(messages: readonly Message[]): { readonly link: Uint8Array } {
  for (const { message } of messages) {
    const { kind, value } = decodePacket(message)
    if (kind === 'sealed') return value
  }
  return assert.fail('nothing sealed was seen')
}

/** The keys of the first answer. */
function greetingKeys(messages: readonly Message[]): {
  readonly key: Uint8Array
  readonly offer: Uint8Array
} {
  for (const { message } of messages) {
    const { kind, value } = decodePacket(message)
    if (kind === 'answer') return value
  }
  return assert.fail('no answer was seen')
}
