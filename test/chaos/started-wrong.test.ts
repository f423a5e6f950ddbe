/** A machine that starts before it knows the time: with its clock right, and started again, it takes part like any other. */
import { test } from 'node:test'
import { ProcessCluster } from '../support/process-cluster.ts'
import { until } from '../support/until.ts'
import { assertSound, ProcessLoad } from './process-storm.ts'
import { Chance } from './random.ts'
import { WallClock } from './wall-clock.ts'

const RESUME_MS = 30_000
const HOUR_S = 3600

test('a node that was started an hour ahead signs once its clock is right and it is started again', async (t) => {
  const cluster = await ProcessCluster.start(3)
  t.after(() => cluster.close())
  const [first, second, third] = cluster.nodes
  const wallet = await cluster.createWallet('solana-devnet')
  const load = new ProcessLoad(cluster, [wallet], new Chance(2))
  const clock = new WallClock(t)
  await cluster.kill(third!)
  clock.set(HOUR_S)
  await cluster.launch(third!, {}, clock.nodeOptions)
  await load.signOnce(first)
  clock.set(0)
  await cluster.kill(third!)
  await cluster.launch(third!)
  await cluster.untilConnected()
  await cluster.kill(second!)
  const begin = performance.now()
  await until(() => load.signOnce(first).then(() => true), RESUME_MS)
  t.diagnostic(`${(performance.now() - begin).toFixed(0)} ms`)
  await cluster.launch(second!)
  await cluster.untilConnected()
  await assertSound(load)
})
