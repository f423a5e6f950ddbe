import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault, utf8 } from '@quorate/base'
import { type Board, openNatsBoard } from '@quorate/platform'
import { natsServer, noServer, type TestServer } from '../bus/nats/server.js'
import { boardConformance } from './conformance.js'

const CLUSTER = new Uint8Array(32).fill(7)

async function open(server: TestServer, self: number, isMaker = true): Promise<Board> {
  const broker = await server.broker()
  await broker.connection()
  const peers = [1, 2, 3].filter((index) => index !== self)
  return openNatsBoard({ broker, prefix: 'mpc', cluster: CLUSTER, self, peers, isMaker })
}

if (noServer) test('nats board', { skip: noServer }, () => undefined)
else {
  boardConformance('nats board', async (t) => {
    const server = await natsServer(t)
    return { open: (self) => open(server, self) }
  })

  test('nats board: garbage of any size on a key is read as it is or not at all', async (t) => {
    const server = await natsServer(t)
    const board = await open(server, 1)
    await board.put(utf8('one'))
    const hostile = await (await server.broker()).connection()
    hostile.publish('$KV.mpc_nodes.0707070707070707.2', new Uint8Array(4_000).fill(1))
    hostile.publish('$KV.mpc_nodes.0707070707070707.3', new Uint8Array(500_000))
    hostile.publish('$KV.mpc_nodes.0707070707070707.9', utf8('no such node'))
    hostile.publish('$KV.mpc_nodes.nonsense', utf8('?'))
    await hostile.flush()
    const records = await board.read()
    assert.equal(records.get(2)?.length, 4_000)
    assert.deepEqual([...records.keys()], [2])
  })

  test('nats board: a server that is away, or without the bucket, is a fault that passes', async (t) => {
    const server = await natsServer(t)
    const isUnavailable = (error: unknown): boolean =>
      isFault(error, 'platform/discovery-unavailable')
    const board = await open(server, 1, false)
    await assert.rejects(board.put(utf8('x')), isUnavailable)
    await open(server, 2).then((maker) => maker.put(utf8('two')))
    await board.put(utf8('one'))
    assert.deepEqual(await board.read(), new Map([[2, utf8('two')]]))
    await server.kill()
    await assert.rejects(board.read(), isUnavailable)
  })
}
