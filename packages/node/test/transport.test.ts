import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { AcceptedRecord } from '@quorate/auth'
import { utf8 } from '@quorate/base'
import type { Bus } from '@quorate/platform'
import type { NodeConfig } from '#src/config.js'
import { openTransport } from '#src/transport.js'
import { directory } from './scratch.js'

const BINARY = process.env['NATS_SERVER'] ?? 'nats-server'
const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` }
const skip =
  spawnSync(BINARY, ['--version'], { env }).status === 0 ? false : 'nats-server is not installed'

type Undo = (() => unknown)[]

async function natsServer(t: TestContext, undo: Undo): Promise<string> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as { port: number }
  probe.close()
  await once(probe, 'close')
  const options = ['-a', '127.0.0.1', '-p', String(port), '-js', '-sd', directory(t)]
  const child: ChildProcess = spawn(BINARY, options, { stdio: ['ignore', 'ignore', 'pipe'], env })
  undo.push(() => {
    child.kill('SIGKILL')
    return once(child, 'exit')
  })
  let log = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr!.on('data', (part: Buffer) => {
      log += part.toString()
      if (log.includes('Server is ready')) resolve()
    })
    child.once('exit', () => reject(new Error(log)))
  })
  return `nats://127.0.0.1:${port}`
}

const cluster = {
  cluster: new Uint8Array(32).fill(9),
  record: { name: 'test', nodes: [{ index: 1 }, { index: 2 }] },
} as unknown as AcceptedRecord

/** Opens the transport of a node whose queue takes a while; what it has heard from the other by then or later. */
async function openNode(undo: Undo, self: number, url: string): Promise<string> {
  const nats = { urls: [url], prefix: 'test', queue: { keygen: 1, sign: 1 } }
  const config = {
    mesh: { listen: { host: '127.0.0.1', port: 0 }, peers: [] },
    transport: { bus: 'nats', nats, discovery: 'static' },
  } as unknown as NodeConfig
  let hear: (words: string) => void = () => {}
  const heard = new Promise<string>((resolve) => {
    hear = resolve
  })
  const transport = await openTransport({
    config,
    cluster,
    self,
    tls: undefined,
    logger: { log: () => {}, with: () => ({ log: () => {} }) as never },
    makeHello: () => Promise.resolve(Uint8Array.of(self)),
    checkHello: (hello) => hello[0],
    ready(bus: Bus) {
      bus.onMessage((from, frame) => hear(`${from}: ${Buffer.from(frame).toString()}`))
      bus.onPeer((peer, isConnected) => {
        if (isConnected) bus.send(peer, utf8('hello'))
      })
    },
  })
  undo.push(() => transport.close())
  return heard
}

test('a peer that is there before the queue is, and what it says first, is heard', {
  skip,
}, async (t) => {
  // The product's own timers and connections keep no process alive.
  const alive = setInterval(() => {}, 1_000)
  const undo: Undo = [() => clearInterval(alive)]
  t.after(async () => {
    for (const step of undo.reverse()) await step()
  })
  const url = await natsServer(t, undo)
  const heard = await Promise.all([openNode(undo, 1, url), openNode(undo, 2, url)])
  assert.deepEqual(heard, ['2: hello', '1: hello'])
})
