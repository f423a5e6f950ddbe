import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isFault, utf8 } from '@quorate/base'
import type { Bus } from '@quorate/platform'
import { scratch } from '../../scratch.js'
import { busConformance, connected } from '../conformance.js'
import { joinBus } from './join.js'
import { natsServer, noServer } from './server.js'

/** Resolves with `count` frames that came to the bus. */
const frames = (bus: Bus, count: number): Promise<Uint8Array[]> =>
  new Promise((resolve) => {
    const seen: Uint8Array[] = []
    bus.onMessage((_from, frame) => {
      if (seen.push(frame) === count) resolve(seen)
    })
  })

if (noServer) test('nats', { skip: noServer }, () => undefined)
else {
  busConformance('nats', async (t) => {
    const server = await natsServer(t)
    return { join: async (index) => joinBus(await server.broker(), index) }
  })

  test('nats: a server that restarts costs no frame, and no peer where it is quick', async (t) => {
    const server = await natsServer(t)
    const buses = [joinBus(await server.broker(), 1), joinBus(await server.broker(), 2)] as const
    t.after(() => Promise.all(buses.map((bus) => bus.close())))
    await Promise.all([connected(buses[0], 2), connected(buses[1], 1)])
    const news: boolean[] = []
    for (const bus of buses) bus.onPeer((_peer, isConnected) => news.push(isConnected))
    const arrived = frames(buses[1], 60)
    for (let i = 0; i < 20; i++) buses[0].send(2, Uint8Array.of(i))
    await server.kill()
    for (let i = 20; i < 40; i++) buses[0].send(2, Uint8Array.of(i))
    await server.start()
    for (let i = 40; i < 60; i++) buses[0].send(2, Uint8Array.of(i))
    assert.deepEqual(
      (await arrived).map(([i]) => i),
      Array.from({ length: 60 }, (_, i) => i),
    )
    assert.deepEqual(news, [])
  })

  test('nats: nodes that start before their server meet when it is there', async (t) => {
    const server = await natsServer(t)
    await server.kill()
    const buses = [joinBus(await server.broker(), 1), joinBus(await server.broker(), 2)] as const
    t.after(() => Promise.all(buses.map((bus) => bus.close())))
    const met = Promise.all([connected(buses[0], 2), connected(buses[1], 1)])
    const arrived = frames(buses[1], 1)
    buses[0].send(2, utf8('early'))
    await server.start()
    await met
    assert.deepEqual(await arrived, [utf8('early')])
  })

  test('nats: a server that takes little gets frames in small pieces', async (t) => {
    const server = await natsServer(t, 'max_payload: 4096')
    const buses = [joinBus(await server.broker(), 1), joinBus(await server.broker(), 2)] as const
    t.after(() => Promise.all(buses.map((bus) => bus.close())))
    const large = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) & 0xff)
    const arrived = frames(buses[0], 1)
    buses[1].send(1, large)
    assert.deepEqual((await arrived)[0], large)
  })

  test("nats: what arrives is the receiver's own, and no Buffer", async (t) => {
    const server = await natsServer(t)
    const [one, two] = [await server.broker(), await server.broker()]
    await Promise.all([one.connection(), two.connection()])
    const arrived = new Promise<Uint8Array>((resolve) => {
      two.subscribe('x', (_subject, message) => resolve(message))
    })
    await (await two.connection()).flush()
    one.publish('x', utf8('abc'))
    const message = await arrived
    assert.equal(Object.getPrototypeOf(message), Uint8Array.prototype)
    assert.equal(message.buffer.byteLength, 3)
  })

  test('nats: credentials that are none, or open to others, are refused at the start', async (t) => {
    const server = await natsServer(t)
    const credentialsFile = `${server.directory}/node.nk`
    writeFileSync(credentialsFile, 'SUNOSEED', { mode: 0o600 })
    await assert.rejects(server.broker({ credentialsFile }), (error) =>
      isFault(error, 'platform/bad-credentials'),
    )
    const open = `${server.directory}/open.nk`
    writeFileSync(open, 'SU', { mode: 0o644 })
    await assert.rejects(server.broker({ credentialsFile: open }), (error) =>
      isFault(error, 'platform/file-unreadable'),
    )
  })

  test('nats: a server is known by the certificate that was given, and by no other', async (t) => {
    const directory = scratch(t)
    const certificate = (name: string): string => {
      const args = [
        'req',
        '-x509',
        '-newkey',
        'ed25519',
        '-nodes',
        '-subj',
        '/CN=nats',
        '-days',
        '2',
      ]
      const files = ['-keyout', join(directory, `${name}.key`), '-out', join(directory, name)]
      const san = ['-addext', 'subjectAltName=DNS:localhost']
      assert.equal(spawnSync('openssl', [...args, ...files, ...san]).status, 0)
      return join(directory, name)
    }
    const [own, other] = [certificate('own'), certificate('other')]
    const server = await natsServer(t, `tls { cert_file: "${own}", key_file: "${own}.key" }`)
    const servers = [server.url.replace('nats://127.0.0.1', 'tls://localhost')]
    const broker = await server.broker({ servers, caFile: own })
    await broker.connection()
    assert.equal(broker.isUp, true)
    const { promise, logger } = firstEvent('broker.unreachable')
    const wrong = await server.broker({ servers, caFile: other, logger })
    await promise
    assert.equal(wrong.isUp, false)
  })

  test('nats: tls:// is never answered in the clear', async (t) => {
    const server = await natsServer(t)
    const { promise, logger } = firstEvent('broker.unreachable')
    const broker = await server.broker({ servers: [server.url.replace('nats:', 'tls:')], logger })
    await promise
    assert.equal(broker.isUp, false)
  })
}

function firstEvent(name: string) {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  const logger = {
    log: (_level: string, event: string) => {
      if (event === name) resolve()
    },
    with: () => logger,
  }
  return { promise, logger }
}
