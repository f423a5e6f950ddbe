/** One node dies in the making of a wallet while the others stay up and connected: the wallet comes to nothing everywhere. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ProcessCluster } from '../support/process-cluster.ts'
import { until } from '../support/until.ts'
import { untilWhole } from './stage.ts'

test('a node killed before it writes its share leaves no wallet pending at the others', async (t) => {
  const cluster = await ProcessCluster.start(3)
  t.after(() => cluster.close())
  const second = cluster.nodes[1]!
  await cluster.kill(second)
  await cluster.launch(second, { QUORATE_FAILPOINTS: 'enclave/keygen/before-pending=crash' })
  await cluster.untilConnected()
  const made = assert.rejects(cluster.createWallet('solana-devnet'))
  await until(async () => second.child?.exitCode !== null || second.child.signalCode !== null)
  await cluster.kill(second)
  await cluster.launch(second)
  await cluster.untilConnected()
  await made
  await untilWhole(cluster, 30_000)
})
