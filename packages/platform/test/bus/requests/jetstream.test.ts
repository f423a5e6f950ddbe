import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault, utf8 } from '@quorate/base'
import { openJetStreamQueue, type RequestQueue, systemTimers } from '@quorate/platform'
import { natsServer, noServer, silent, type TestServer } from '../nats/server.js'
import { LIMITS, queueConformance, taking } from './conformance.js'

const open = async (server: TestServer): Promise<RequestQueue> => {
  const broker = await server.broker()
  await broker.connection()
  return openJetStreamQueue({
    broker,
    prefix: 'mpc',
    timers: systemTimers,
    logger: silent,
    limits: LIMITS,
    isMaker: true,
  })
}

if (noServer) test('jetstream', { skip: noServer }, () => undefined)
else {
  queueConformance('jetstream', async (t) => {
    const server = await natsServer(t)
    return { open: () => open(server) }
  })

  test('jetstream: what is queued outlives the server, and consumers find it again', async (t) => {
    const server = await natsServer(t)
    const queue = await open(server)
    t.after(() => queue.close())
    const requests = taking(queue, 'sign')
    await queue.publish('sign', 'before', utf8('before'))
    const first = await requests.next()
    await server.kill()
    await assert.rejects(queue.publish('sign', 'during', utf8('during')), (error) =>
      isFault(error, 'platform/broker-unavailable'),
    )
    await server.start()
    const again = await requests.next()
    assert.deepEqual([again.request, again.delivery > 1], [first.request, true])
    await again.done()
  })

  test('jetstream: a stream of another kind under our name is refused', async (t) => {
    const server = await natsServer(t)
    const broker = await server.broker()
    const { jetstreamManager } = await import('@nats-io/jetstream')
    const manager = await jetstreamManager(await broker.connection())
    await manager.streams.add({ name: 'mpc_requests', subjects: ['mpc.*.request'] })
    const queue = await open(server)
    await assert.rejects(queue.publish('sign', 'x', utf8('x')), (error) =>
      isFault(error, 'platform/queue-mismatch'),
    )
  })
}
