/** Processes on a real NATS server whose every message runs through somebody else's hands. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { NatsServer, noNatsServer } from '../support/nats-server.ts'
import { ProcessCluster } from '../support/process-cluster.ts'
import { until } from '../support/until.ts'
import { NatsProxy } from './nats-proxy.ts'
import { assertSound, ProcessLoad } from './process-storm.ts'
import { Chance } from './random.ts'
import { CALM, type Odds } from './storm.ts'

const SEED = 11
const RESUME_MS = 30_000
const ODDS: Odds = { lose: 0.05, repeat: 0.08, delay: 0.08, alter: 0.05, replay: 0.08 }

test('NATS with every right in strange hands, and restarted: signing comes back', {
  skip: noNatsServer,
}, async (t) => {
  const chance = new Chance(SEED)
  const server = await NatsServer.start()
  t.after(() => server.close())
  const proxy = await NatsProxy.before(server.url, chance, CALM)
  t.after(() => proxy.close())
  const cluster = await ProcessCluster.start(3, { leaveOut: [1, 2, 3] })
  t.after(() => cluster.close())
  const nats = { urls: [proxy.url], prefix: 'mpc', queue: { keygen: 2, sign: 8 } }
  for (const node of cluster.nodes)
    node.config = {
      ...node.config,
      mesh: { ...node.config.mesh, peers: [] },
      transport: { bus: 'nats', discovery: 'nats', nats },
    }
  await Promise.all(cluster.nodes.map((node) => cluster.launch(node)))
  await cluster.untilConnected()
  const wallet = await cluster.createWallet('solana-devnet')
  const load = new ProcessLoad(cluster, [wallet], chance)
  load.begin()
  await until(async () => load.signed.length > 3)

  proxy.storm.odds = ODDS
  const inStorm = load.signed.length
  await sleep(5_000)
  proxy.calm()
  const signedInStorm = load.signed.length - inStorm
  const afterStormMs = await load.untilSigned()

  await server.kill()
  await sleep(1_000)
  await server.start()
  const afterRestartMs = await load.untilSigned()

  proxy.down()
  await sleep(1_000)
  proxy.up()
  const afterCutMs = await load.untilSigned()
  await load.end()
  await cluster.untilConnected()
  const report = await assertSound(load)
  const resumed = { afterStormMs, afterRestartMs, afterCutMs, signedInStorm }
  t.diagnostic(JSON.stringify({ ...resumed, ...report, subjects: proxy.subjects.size }))
  t.diagnostic(JSON.stringify(proxy.storm.tally))
  for (const ms of [afterStormMs, afterRestartMs, afterCutMs]) assert.ok(ms < RESUME_MS, `${ms} ms`)
  assert.ok(report.shares > 0)
})
