/** One machine's clock is an hour wrong, and then right again: it takes no part meanwhile, and nobody is blamed. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ProcessCluster } from '../support/process-cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'
import { until } from '../support/until.ts'
import { assertSound, ProcessLoad } from './process-storm.ts'
import { Chance } from './random.ts'
import { WallClock } from './wall-clock.ts'

const RESUME_MS = 30_000
const HOUR_S = 3600

async function start(t: TestContext, offset: number) {
  const cluster = await ProcessCluster.start(3, { leaveOut: [3] })
  t.after(() => cluster.close())
  const clock = new WallClock(t)
  clock.set(offset)
  const third = cluster.nodes[2]!
  await cluster.launch(third, {}, clock.nodeOptions)
  return { cluster, clock, third }
}

/** How long until a node and node 1 sign, when there is nobody else. */
async function untilSignsWith(load: ProcessLoad, absent: ProcessNode): Promise<number> {
  const begin = performance.now()
  await load.cluster.kill(absent)
  await until(() => load.signOnce(load.cluster.nodes[0]).then(() => true))
  return performance.now() - begin
}

for (const offset of [HOUR_S, -HOUR_S])
  test(`a clock set ${offset} seconds wrong and right again`, async (t) => {
    const { cluster, clock, third } = await start(t, 0)
    await cluster.untilConnected()
    const wallet = await cluster.createWallet('solana-devnet')
    const load = new ProcessLoad(cluster, [wallet], new Chance(1))
    await load.signOnce(cluster.nodes[0])

    clock.set(offset)
    const during: string[] = []
    for (let i = 0; i < 4; i++) {
      const { signers } = await load.signOnce(cluster.nodes[i % 2])
      during.push(signers.join('-'))
    }
    await assert.rejects(load.signOnce(third))

    clock.set(0)
    const resumedMs = await untilSignsWith(load, cluster.nodes[1]!)
    await cluster.launch(cluster.nodes[1]!)
    await cluster.untilConnected()
    const report = await assertSound(load)
    t.diagnostic(JSON.stringify({ resumedMs, during, ...report }))
    assert.ok(resumedMs < RESUME_MS, `${resumedMs} ms`)
  })
