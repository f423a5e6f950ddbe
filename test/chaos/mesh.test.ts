/** Processes on a mesh whose every connection runs through somebody else's hands. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { assertSound, ProcessLoad } from './process-storm.ts'
import { Chance } from './random.ts'
import { readMesh } from './read-mesh.ts'
import type { Odds } from './storm.ts'

const SEED = 7
/** On a machine that does much else besides. By the clock of a quiet one it is to be ten seconds. */
const RESUME_MS = 30_000
const ODDS: Odds = { lose: 0.02, repeat: 0.05, delay: 0.05, alter: 0.02, replay: 0.05 }

test('a mesh read, cut, delayed, repeated and rewritten: signing comes back, nothing is used twice', async (t) => {
  const chance = new Chance(SEED)
  const { cluster, proxy, witness } = await readMesh(t, 3, chance)
  await Promise.all(cluster.nodes.map((node) => cluster.launch(node)))
  await cluster.untilConnected()
  const wallet = await cluster.createWallet('solana-devnet')
  const load = new ProcessLoad(cluster, [wallet], chance)
  load.begin()

  proxy.storm.odds = ODDS
  const keygen = cluster.createWallet('solana-devnet').catch(() => undefined)
  for (let i = 0; i < 6; i++) {
    proxy.breakOne()
    await sleep(500)
  }
  proxy.cut(1, 2)
  await sleep(1_000)
  // Node 1 alone.
  proxy.cut(1, 3)
  await sleep(1_000)
  proxy.calm()
  const resumedMs = await load.untilSigned()
  await keygen
  await load.end()
  await cluster.untilConnected()
  witness.check()
  const report = await assertSound(load)
  const { commitments, pooledUses, seen } = witness
  t.diagnostic(JSON.stringify({ resumedMs, seen, commitments, pooledUses, ...report }))
  t.diagnostic(JSON.stringify(proxy.storm.tally))
  assert.ok(resumedMs < RESUME_MS, `${resumedMs} ms`)
  assert.ok(report.shares > 0 && pooledUses > 0)
})
