/** What every engine behind the request queue must do. */
import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { isFault, utf8 } from '@quorate/base'
import { MAX_FRAME_BYTES, type QueuedRequest, type RequestQueue } from '@quorate/platform'

export type QueueFixture = {
  /** An end of the queue, as a node or a client has one. */
  open(): Promise<RequestQueue>
}
/** What fixtures set: two unsettled at most, 300 ms until one comes again, 3 that wait. */
export const LIMITS = { maxUnsettled: 2, settleMs: 300, maxRequests: 3 } as const

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

/** Requests one after another, as they come. */
export function taking(queue: RequestQueue, kind: 'keygen' | 'sign' | 'reshare', atOnce = 8) {
  const come: QueuedRequest[] = []
  const waiting: ((request: QueuedRequest) => void)[] = []
  const stop = queue.consume(kind, atOnce, async (request) => {
    const next = waiting.shift()
    if (next === undefined) come.push(request)
    else next(request)
  })
  return {
    stop,
    come,
    next: (): Promise<QueuedRequest> => {
      const request = come.shift()
      return request === undefined
        ? new Promise((resolve) => waiting.push(resolve))
        : Promise.resolve(request)
    },
  }
}

export function queueConformance(
  name: string,
  make: (t: TestContext) => Promise<QueueFixture>,
): void {
  test(`${name}: a request is taken once, of its kind, until it is done`, async (t) => {
    const fixture = await make(t)
    const [client, one, two] = [await fixture.open(), await fixture.open(), await fixture.open()]
    const kinds = { keygen: taking(one, 'keygen'), sign: taking(one, 'sign') }
    const others = taking(two, 'sign')
    assert.equal(await client.publish('sign', 'a', utf8('A')), 'queued')
    assert.equal(await client.publish('keygen', 'b', utf8('B')), 'queued')
    const signed = await Promise.race([kinds.sign.next(), others.next()])
    const made = await kinds.keygen.next()
    assert.deepEqual(
      [signed, made].map(({ kind, request, delivery }) => [kind, text(request), delivery]),
      [
        ['sign', 'A', 1],
        ['keygen', 'B', 1],
      ],
    )
    await signed.done()
    await made.done()
    assert.equal(await client.publish('sign', 'c', utf8('C')), 'queued')
    const next = await Promise.race([kinds.sign.next(), others.next()])
    assert.equal(text(next.request), 'C')
    await next.done()
    for (const queue of [client, one, two]) await queue.close()
  })

  test(`${name}: an id is queued once, also when it is done already`, async (t) => {
    const queue = await (await make(t)).open()
    t.after(() => queue.close())
    const requests = taking(queue, 'sign')
    assert.equal(await queue.publish('sign', 'same', utf8('1')), 'queued')
    assert.equal(await queue.publish('sign', 'same', utf8('1')), 'known')
    await (await requests.next()).done()
    assert.equal(await queue.publish('sign', 'same', utf8('1')), 'known')
    assert.equal(await queue.publish('sign', 'other', utf8('2')), 'queued')
    const next = await requests.next()
    assert.equal(text(next.request), '2')
    await next.done()
  })

  test(`${name}: what nobody settles comes again, counted; what is worked on does not`, async (t) => {
    const queue = await (await make(t)).open()
    t.after(() => queue.close())
    const requests = taking(queue, 'sign')
    await queue.publish('sign', 'x', utf8('X'))
    assert.equal((await requests.next()).delivery, 1)
    const second = await requests.next()
    assert.equal(second.delivery, 2)
    second.later(1)
    const third = await requests.next()
    assert.equal(third.delivery, 3)
    const beats = setInterval(() => third.working(), LIMITS.settleMs / 5)
    await queue.publish('sign', 'y', utf8('Y'))
    let again = await requests.next()
    // Y comes again twice while X, which is worked on, does not.
    for (let times = 1; times <= 2; times++) {
      assert.deepEqual([text(again.request), again.delivery], ['Y', times])
      again = await requests.next()
    }
    clearInterval(beats)
    assert.equal(text(again.request), 'Y')
    await Promise.all([third.done(), again.done()])
  })

  test(`${name}: what is refused never comes again`, async (t) => {
    const queue = await (await make(t)).open()
    t.after(() => queue.close())
    const requests = taking(queue, 'reshare')
    await queue.publish('reshare', 'bad', utf8('garbage'))
    ;(await requests.next()).refuse()
    await queue.publish('reshare', 'slow', utf8('1'))
    assert.deepEqual(text((await requests.next()).request), '1')
    // A whole period later it is still only the other one.
    const again = await requests.next()
    assert.deepEqual([text(again.request), again.delivery], ['1', 2])
    await again.done()
  })

  test(`${name}: no more are unsettled than allowed, none more wait than allowed`, async (t) => {
    const queue = await (await make(t)).open()
    t.after(() => queue.close())
    for (const id of ['1', '2', '3']) await queue.publish('sign', id, utf8(id))
    await assert.rejects(queue.publish('sign', '4', utf8('4')), (error) =>
      isFault(error, 'platform/queue-full'),
    )
    const requests = taking(queue, 'sign')
    const [one, two] = [await requests.next(), await requests.next()]
    assert.deepEqual([text(one.request), text(two.request)], ['1', '2'])
    const third = requests.next()
    let isThird = false
    void third.then(() => {
      isThird = true
    })
    one.working()
    two.working()
    await queue.respond('keygen', 'a', utf8('a round trip, so that a third would have come'))
    assert.equal(isThird, false)
    await one.done()
    assert.equal(text((await third).request), '3')
    await Promise.all([two.done(), (await third).done()])
  })

  test(`${name}: one consumer takes no more than it asked for`, async (t) => {
    const queue = await (await make(t)).open()
    t.after(() => queue.close())
    const order: string[] = []
    let finish: () => void = () => {}
    const both = new Promise<void>((resolve) => {
      queue.consume('sign', 1, async (request) => {
        order.push(`${text(request.request)} begins`)
        if (order.length === 1)
          await new Promise<void>((done) => {
            finish = done
          })
        order.push(`${text(request.request)} ends`)
        await request.done()
        if (order.length === 4) resolve()
      })
    })
    await queue.publish('sign', '1', utf8('1'))
    await queue.publish('sign', '2', utf8('2'))
    while (order.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await queue.respond('keygen', 'a', utf8('a round trip'))
    assert.deepEqual(order, ['1 begins'])
    finish()
    await both
    assert.deepEqual(order, ['1 begins', '1 ends', '2 begins', '2 ends'])
  })

  test(`${name}: results reach those who wait, before and after, each once a publication`, async (t) => {
    const fixture = await make(t)
    const [client, node] = [await fixture.open(), await fixture.open()]
    t.after(() => Promise.all([client.close(), node.close()]))
    const results = (id: string, count: number): Promise<string[]> =>
      new Promise((resolve) => {
        const seen = new Set<string>()
        client.onResponse('sign', id, (result) => {
          seen.add(text(result))
          if (seen.size === count) resolve([...seen].sort())
        })
      })
    const early = results('r1', 2)
    await node.respond('sign', 'r1', utf8('one'))
    await node.respond('sign', 'r1', utf8('one'))
    await node.respond('sign', 'r2', utf8('of another'))
    await node.respond('sign', 'r1', utf8('two'))
    assert.deepEqual(await early, ['one', 'two'])
    assert.deepEqual(await results('r1', 2), ['one', 'two'])
  })

  test(`${name}: too much is refused where it is sent`, async (t) => {
    const queue = await (await make(t)).open()
    t.after(() => queue.close())
    const large = new Uint8Array(MAX_FRAME_BYTES + 1)
    for (const attempt of [
      queue.publish('sign', 'large', large),
      queue.respond('sign', 'large', large),
    ])
      await assert.rejects(attempt, (error) => isFault(error, 'platform/frame-too-large'))
  })
}
