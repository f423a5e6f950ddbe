import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { isFault, type Logger, Secret, utf8 } from '@quorate/base'
import { type Board, openConsulBoard } from '@quorate/platform'
import { freePort, silent } from '../bus/nats/server.js'
import { scratch } from '../scratch.js'
import { boardConformance } from './conformance.js'
import { consulSimulator } from './consul-simulator.js'

const CLUSTER = new Uint8Array(32).fill(7)
const FOLDER = 'quorate/0707070707070707/nodes/'
const isUnavailable = (error: unknown): boolean => isFault(error, 'platform/discovery-unavailable')

const open = (address: string, self: number, token?: string, logger: Logger = silent): Board =>
  openConsulBoard({
    address,
    cluster: CLUSTER,
    self,
    logger,
    waitMs: 50,
    ...(token !== undefined && { token: new Secret(utf8(token)) }),
  })

boardConformance('board on the consul-simulator', async (t) => {
  const { address } = await consulSimulator(t)
  return { open: async (self) => open(address, self) }
})

/** An agent in development mode of the system's Consul. */
async function realConsul(t: TestContext): Promise<string> {
  const [httpPort, dns, grpc, serf, wan, rpc] = [
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
    await freePort(),
  ]
  const agent = spawn(
    'consul',
    [
      'agent',
      '-dev',
      '-bind=127.0.0.1',
      `-data-dir=${scratch(t)}`,
      `-http-port=${httpPort}`,
      `-dns-port=${dns}`,
      `-grpc-port=${grpc}`,
      `-serf-lan-port=${serf}`,
      `-serf-wan-port=${wan}`,
      `-server-port=${rpc}`,
    ],
    { stdio: 'ignore' },
  )
  t.after(async () => {
    agent.kill('SIGKILL')
    await once(agent, 'exit')
  })
  const address = `http://127.0.0.1:${httpPort}`
  for (;;) {
    const leader = await fetch(`${address}/v1/status/leader`).then(
      (answer) => answer.text(),
      () => '',
    )
    if (leader.length > 2) return address
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

if (spawnSync('consul', ['version']).status === 0) {
  boardConformance('board on a real Consul', async (t) => {
    const address = await realConsul(t)
    return { open: async (self) => open(address, self) }
  })
  test('a real Consul sees the node as a service that passes its check', async (t) => {
    const address = await realConsul(t)
    const board = open(address, 1)
    await board.put(utf8('one'))
    const answer = await fetch(`${address}/v1/health/service/quorate?passing=true`)
    const found = (await answer.json()) as { Service: { ID: string; Tags: string[] } }[]
    assert.deepEqual(
      found.map(({ Service: { ID, Tags } }) => [ID, Tags]),
      [['quorate-0707070707070707-1', ['0707070707070707']]],
    )
    await board.close()
  })
} else test('board on a real Consul', { skip: 'consul is not installed' }, () => undefined)

test('consul: the node is a service that passes while it puts, known again after the agent forgot it', async (t) => {
  const first = await consulSimulator(t)
  const board = open(first.address, 1)
  await board.put(utf8('one'))
  assert.deepEqual(first.passing(), ['quorate-0707070707070707-1'])
  first.lie = (path) => {
    // The agent was started anew: the check is unknown, once.
    if (!path.startsWith('/v1/agent/check/pass/')) return undefined
    first.lie = undefined
    return { status: 404, body: 'Unknown check' }
  }
  await board.put(utf8('two'))
  assert.deepEqual(first.passing(), ['quorate-0707070707070707-1'])
  assert.equal(first.entries.get(`${FOLDER}1`)?.value.toString(), 'two')
})

test('consul: somebody else at the own key is overwritten and logged', async (t) => {
  const consul = await consulSimulator(t)
  const events: string[] = []
  const logger: Logger = { log: (_level, event) => void events.push(event), with: () => logger }
  const board = open(consul.address, 1, undefined, logger)
  await board.put(utf8('one'))
  assert.deepEqual(events, [])
  consul.write(`${FOLDER}1`, utf8('forged'))
  await board.put(utf8('one again'))
  assert.deepEqual(events, ['discovery.own-record-changed'])
  assert.equal(consul.entries.get(`${FOLDER}1`)?.value.toString(), 'one again')
})

test('consul: the token is sent, and a wrong one is a fault', async (t) => {
  const { address } = await consulSimulator(t, 'open sesame')
  await open(address, 1, 'open sesame').put(utf8('one'))
  const records = await open(address, 2, 'open sesame').read()
  assert.deepEqual([...records.keys()], [1])
  for (const token of ['wrong', undefined]) {
    await assert.rejects(open(address, 1, token).put(utf8('x')), isUnavailable)
    await assert.rejects(open(address, 1, token).read(), isUnavailable)
  }
})

test('consul: answers that are wrong in form, size or time are faults, and entries that are odd are left out', async (t) => {
  const consul = await consulSimulator(t)
  const board = open(consul.address, 2)
  const kv = (body: string, status = 200) => {
    consul.lie = (path) => (path.startsWith('/v1/kv/') ? { status, body } : undefined)
  }
  for (const body of ['', '{', '{"a":1}', 'null', 'x'.repeat(2_000_000)]) {
    kv(body)
    await assert.rejects(board.read(), isUnavailable)
  }
  kv('[]', 500)
  await assert.rejects(board.read(), isUnavailable)
  const entry = (Key: unknown, Value: unknown, ModifyIndex: unknown = 7) => ({
    Key,
    Value,
    ModifyIndex,
  })
  const good = Buffer.from('good').toString('base64')
  kv(
    JSON.stringify([
      null,
      7,
      {},
      entry(1, good),
      entry(`${FOLDER}3`, 5),
      entry(`${FOLDER}3`, good, 'x'),
      entry(`${FOLDER}0`, good),
      entry(`${FOLDER}51`, good),
      entry(`${FOLDER}2`, good),
      entry(`${FOLDER}x`, good),
      entry('elsewhere/of/the/same/length/1', good),
      entry(`${FOLDER}4`, Buffer.alloc(5_000).toString('base64')),
      entry(`${FOLDER}1`, good),
    ]),
  )
  assert.deepEqual(await board.read(), new Map([[1, utf8('good')]]))
})

test('consul: nobody at the address is a fault, and closing ends a read that waits', async (t) => {
  const away = open(`http://127.0.0.1:${await freePort()}`, 1)
  await assert.rejects(away.put(utf8('x')), isUnavailable)
  const { address } = await consulSimulator(t)
  const board = openConsulBoard({ address, cluster: CLUSTER, self: 1, logger: silent })
  await board.read()
  const waiting = board.read()
  await board.close()
  await assert.rejects(waiting, isUnavailable)
})
