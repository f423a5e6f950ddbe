import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { once } from 'node:events'
import { statSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import tls from 'node:tls'
import { concatBytes, equalBytes, isFault, type Logger, utf8 } from '@quorate/base'
import {
  type Address,
  type HelloContext,
  ManualTime,
  type Mesh,
  type MeshOptions,
  openMesh,
  systemRandom,
  systemTimers,
  type TlsIdentity,
} from '@quorate/platform'
import { selfSignedLeaf } from '@quorate/trust'
import { scratch } from '../scratch.js'
import { busConformance, connected } from './conformance.js'

const silent: Logger = { log: () => {}, with: () => silent }

/** Stands in for signatures: names the peer and repeats what a real one would sign. */
const OTHER = { dialler: 'listener', listener: 'dialler' } as const
const words = (index: number, c: HelloContext): Uint8Array =>
  concatBytes(Uint8Array.of(index), utf8(c.role), c.ownCertificate, c.peerCertificate, c.channel)
const greeter = (self: number) => ({
  makeHello: (context: HelloContext) => words(self, context),
  checkHello: async (
    hello: Uint8Array,
    { role, ownCertificate, peerCertificate, channel }: HelloContext,
  ) => {
    const theirs = {
      role: OTHER[role],
      ownCertificate: peerCertificate,
      peerCertificate: ownCertificate,
      channel,
    }
    return equalBytes(hello, words(hello[0] ?? 0, theirs)) ? hello[0] : undefined
  },
})

async function identity(): Promise<TlsIdentity> {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const certificate = await selfSignedLeaf({
    publicKey: new Uint8Array(publicKey.export({ type: 'spki', format: 'der' }).subarray(12)),
    subject: 'quorate',
    notBefore: Date.UTC(2024, 0, 1),
    notAfter: Date.UTC(2124, 0, 1),
    serial: systemRandom.bytes(16),
    sign: (tbs) => new Uint8Array(sign(null, tbs, privateKey)),
  })
  return { certificate, privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

const TIMES = { backoffMinMs: 5, backoffMaxMs: 20 }
const base = { timers: systemTimers, random: systemRandom, logger: silent, times: TIMES }

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function addresses(
  t: Pick<TestContext, 'after'>,
  kind: 'unix' | 'tls',
): Promise<readonly [Address, Address, Address]> {
  const directory = scratch(t)
  const one = async (index: number): Promise<Address> =>
    kind === 'unix'
      ? { path: join(directory, `${index}.sock`) }
      : { host: '127.0.0.1', port: await freePort() }
  return [await one(1), await one(2), await one(3)]
}

async function optionsOf(
  self: number,
  all: readonly Address[],
  kind: 'unix' | 'tls',
): Promise<MeshOptions> {
  return {
    ...base,
    ...greeter(self),
    self,
    listen: all[self - 1]!,
    peers: all
      .map((address, at) => ({ index: at + 1, address }))
      .filter(({ index }) => index !== self),
    ...(kind === 'tls' ? { tls: await identity() } : {}),
  }
}

for (const kind of ['unix', 'tls'] as const)
  busConformance(`mesh over ${kind}`, async (t) => {
    const all = await addresses(t, kind)
    return { join: async (index) => openMesh(await optionsOf(index, all, kind)) }
  })

/** Node 2 of three; the others are played by the test. */
async function victim(
  t: Pick<TestContext, 'after'>,
  kind: 'unix' | 'tls',
  change: Partial<MeshOptions> = {},
): Promise<Mesh> {
  const all = await addresses(t, kind)
  const mesh = await openMesh({ ...(await optionsOf(2, all, kind)), ...change })
  // Noted and not thrown: the bus swallows what its handlers throw.
  const crossings: string[] = []
  mesh.onMessage((from) => crossings.push(`a frame from ${from}`))
  mesh.onPeer((peer) => crossings.push(`${peer} became a peer`))
  t.after(async () => {
    await mesh.close()
    assert.deepEqual(crossings, [])
  })
  return mesh
}

const closed = (socket: net.Socket): Promise<void> =>
  new Promise((resolve) => {
    socket.on('error', () => {})
    socket.on('close', () => resolve())
    socket.resume()
    if (socket.closed) resolve()
  })
const portOf = ({ address }: Mesh): number =>
  'port' in address ? address.port : assert.fail('a TCP address')
const pathOf = ({ address }: Mesh): string =>
  'path' in address ? address.path : assert.fail('a unix socket')

const greeting = (hello: Uint8Array): Uint8Array => {
  const head = new Uint8Array(4)
  new DataView(head.buffer).setUint32(0, hello.length)
  return concatBytes(head, hello)
}

test('hostile strangers are cut off: garbage, oversize, refused hello, wrong index', async (t) => {
  const mesh = await victim(t, 'unix')
  const none = new Uint8Array()
  const context: HelloContext = {
    role: 'dialler',
    ownCertificate: none,
    peerCertificate: none,
    channel: none,
  }
  const attacks = {
    garbage: utf8('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    'length of 4 GiB': Uint8Array.of(255, 255, 255, 255),
    'hello over 64 KiB': Uint8Array.of(0, 1, 0, 1),
    'empty hello': greeting(none),
    'hello that does not check': greeting(utf8('?')),
    'hello of a listener': greeting(words(1, { ...context, role: 'listener' })),
    'hello of the victim itself': greeting(words(2, context)),
    'hello of a peer that must not dial': greeting(words(3, context)),
    'hello of an unknown index': greeting(words(4, context)),
  }
  for (const [name, bytes] of Object.entries(attacks)) {
    const socket = net.connect({ path: pathOf(mesh) })
    socket.write(bytes)
    await t.test(name, () => closed(socket))
  }
  assert.ok(mesh.peers().every(({ isConnected }) => !isConnected))
})

test('a good peer at the address of another is refused', async (t) => {
  const [one, two, three] = await addresses(t, 'unix')
  const third = await openMesh(await optionsOf(3, [one, two, three], 'unix'))
  t.after(() => third.close())
  const refused = new Promise<void>((resolve) => {
    third.onPeer((peer, isConnected) => {
      if (peer === 1 && !isConnected) resolve()
    })
  })
  const first = await openMesh({
    ...(await optionsOf(1, [one, two, three], 'unix')),
    peers: [{ index: 2, address: three }],
  })
  t.after(() => first.close())
  const taken: number[] = []
  first.onPeer((peer) => taken.push(peer))
  await refused
  assert.deepEqual(taken, [])
})

test('an oversize frame ends the connection of a peer, and it may come again', async (t) => {
  const all = await addresses(t, 'unix')
  const mesh = await openMesh(await optionsOf(2, all.slice(0, 2), 'unix'))
  t.after(() => mesh.close())
  const none = new Uint8Array()
  for (let round = 0; round < 2; round++) {
    const socket = net.connect({ path: pathOf(mesh) })
    socket.write(
      greeting(
        words(1, { role: 'dialler', ownCertificate: none, peerCertificate: none, channel: none }),
      ),
    )
    await connected(mesh, 1)
    socket.write(Uint8Array.of(0, 0x40, 0, 1))
    await Promise.all([closed(socket), connected(mesh, 1, false)])
  }
})

test('a stranger who says nothing, or drips, is cut off at the deadline', async (t) => {
  const time = new ManualTime()
  let accepted = 0
  const mesh = await victim(t, 'unix', {
    // It dials nobody, so every timer counted is of a stranger.
    peers: [{ index: 1, address: { path: '/nowhere' } }],
    timers: {
      every: (ms, run) => time.every(ms, run),
      after: (ms, run) => {
        accepted++
        return time.after(ms, run)
      },
    },
  })
  const [mute, dripping] = [
    net.connect({ path: pathOf(mesh) }),
    net.connect({ path: pathOf(mesh) }),
  ]
  dripping.write(Uint8Array.of(0, 0, 1, 0, 7))
  const gone = Promise.all([closed(mute), closed(dripping)])
  while (accepted < 2) await new Promise((resolve) => setImmediate(resolve))
  time.advance(4_999)
  assert.equal(mute.closed || dripping.closed, false)
  time.advance(1)
  await gone
})

test('a peer that falls silent is dropped after three heartbeats', async (t) => {
  const time = new ManualTime()
  const all = await addresses(t, 'unix')
  const mesh = await openMesh({ ...(await optionsOf(2, all.slice(0, 2), 'unix')), timers: time })
  t.after(() => mesh.close())
  const socket = net.connect({ path: pathOf(mesh) })
  const none = new Uint8Array()
  socket.write(
    greeting(
      words(1, { role: 'dialler', ownCertificate: none, peerCertificate: none, channel: none }),
    ),
  )
  await connected(mesh, 1)
  time.advance(15_000)
  assert.equal(mesh.peers()[0]?.isConnected, true)
  time.advance(5_000)
  assert.equal(mesh.peers()[0]?.isConnected, false)
  await closed(socket)
})

test('TLS: no certificate, old TLS, a stolen hello and a man in the middle all fail', async (t) => {
  const mesh = await victim(t, 'tls', { times: { ...TIMES, handshakeMs: 300 } })
  const port = portOf(mesh)
  const mine = await identity()
  const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(mine.certificate).toString('base64')}\n-----END CERTIFICATE-----\n`
  const options = { host: '127.0.0.1', port, rejectUnauthorized: false }

  await t.test('plain bytes instead of a handshake', () => {
    const socket = net.connect({ host: '127.0.0.1', port })
    socket.write('hello\n\n\n\n\n\n')
    return closed(socket)
  })
  await t.test('a handshake that never begins', () =>
    closed(net.connect({ host: '127.0.0.1', port })),
  )
  await t.test('no client certificate, even if the hello were believed', async (inner) => {
    const credulous = await victim(inner, 'tls', { checkHello: () => 1 })
    const socket = tls.connect({ ...options, port: portOf(credulous) })
    socket.write(greeting(utf8('x')))
    await closed(socket)
  })
  await t.test('TLS 1.2', async () => {
    const socket = tls.connect({
      ...options,
      maxVersion: 'TLSv1.2',
      key: mine.privateKey,
      cert: pem,
    })
    const [error] = await once(socket, 'error').catch((error: unknown) => [error])
    assert.equal((error as NodeJS.ErrnoException).code, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
  })
  await t.test('a hello made for another connection', async () => {
    const old = {
      role: 'dialler',
      ownCertificate: new Uint8Array(32),
      peerCertificate: new Uint8Array(32),
      channel: new Uint8Array(32),
    } as const
    const socket = tls.connect({ ...options, key: mine.privateKey, cert: pem })
    await once(socket, 'secureConnect')
    socket.write(greeting(words(1, old)))
    await closed(socket)
  })
  await t.test('an honest hello passed on by somebody in the middle', async (inner) => {
    const middle = tls.createServer({
      key: mine.privateKey,
      cert: pem,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
    })
    middle.listen(0, '127.0.0.1')
    await once(middle, 'listening')
    const passed = new Promise<void>((resolve) => {
      middle.once('secureConnection', (client) => {
        const onward = tls.connect({ ...options, key: mine.privateKey, cert: pem })
        client.on('error', () => {}).pipe(onward)
        onward.pipe(client)
        void closed(onward).then(resolve)
      })
    })
    const all: Address[] = [
      { host: '127.0.0.1', port: 0 },
      { host: '127.0.0.1', port: (middle.address() as net.AddressInfo).port },
    ]
    const honest = await openMesh(await optionsOf(1, all, 'tls'))
    inner.after(async () => {
      await honest.close()
      middle.close()
    })
    const taken: number[] = []
    honest.onPeer((peer) => taken.push(peer))
    await passed
    assert.deepEqual(taken, [])
  })
})

test('closing does not wait for a stranger in the middle of a handshake', async (t) => {
  const mesh = await victim(t, 'tls')
  const socket = net.connect({ host: '127.0.0.1', port: portOf(mesh) })
  await once(socket, 'connect')
  const gone = closed(socket)
  await mesh.close()
  await gone
})

test('a renewed leaf is what later connections see', async (t) => {
  const all = (await addresses(t, 'tls')).slice(0, 2)
  const seen: Uint8Array[] = []
  const one = await optionsOf(1, all, 'tls')
  const two = await openMesh(await optionsOf(2, all, 'tls'))
  t.after(() => two.close())
  for (let round = 0; round < 2; round++) {
    const dialler = await openMesh({
      ...one,
      makeHello: (context) => {
        seen.push(context.peerCertificate)
        return greeter(1).makeHello(context)
      },
    })
    await connected(dialler, 2)
    await dialler.close()
    two.renewTls(await identity())
  }
  assert.equal(seen.length, 2)
  assert.equal(equalBytes(seen[0]!, seen[1]!), false)
})

test('an address in use is refused; the socket of a dead process is replaced', async (t) => {
  const all = (await addresses(t, 'unix')).slice(0, 2)
  const first = await openMesh(await optionsOf(2, all, 'unix'))
  assert.equal(statSync(pathOf(first)).mode & 0o777, 0o600)
  await assert.rejects(openMesh(await optionsOf(2, all, 'unix')), (error) =>
    isFault(error, 'platform/port-taken'),
  )
  await first.close()
  writeFileSync(pathOf(first), '')
  const second = await openMesh(await optionsOf(2, all, 'unix'))
  await second.close()
  const mixed = { ...(await optionsOf(1, [{ host: '127.0.0.1', port: 0 }], 'unix')) }
  await assert.rejects(openMesh(mixed), (error) => isFault(error, 'platform/cannot-listen'))
  const long = { path: `/tmp/${'x'.repeat(120)}` }
  await assert.rejects(openMesh({ ...mixed, listen: long }), (error) =>
    isFault(error, 'platform/cannot-listen'),
  )
})

test('a peer without an address is dialled once it has one, and again where it moves to', async (t) => {
  const [one, two, elsewhere] = await addresses(t, 'unix')
  const first = await openMesh({
    ...(await optionsOf(1, [one, two], 'unix')),
    peers: [{ index: 2 }],
  })
  t.after(() => first.close())
  const second = await openMesh(await optionsOf(2, [one, two], 'unix'))
  assert.throws(
    () => first.moveTo(3, two),
    (error) => isFault(error, 'platform/unknown-peer'),
  )
  first.moveTo(2, { host: '127.0.0.1', port: 9 })
  first.moveTo(2, two)
  await connected(first, 2)
  // A living connection stays.
  first.moveTo(2, elsewhere)
  assert.equal(first.peers()[0]?.isConnected, true)
  await Promise.all([second.close(), connected(first, 2, false)])
  const moved = await openMesh(await optionsOf(2, [one, elsewhere], 'unix'))
  t.after(() => moved.close())
  await connected(first, 2)
})
