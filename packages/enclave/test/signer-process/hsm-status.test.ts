import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { decode, encode, isFault } from '@quorate/base'
import { TestCluster, type TestNode } from '@quorate/enclave/testing'
import { signerCalls } from '#src/channel/calls.js'

const PERIOD_MS = 30_000

async function opened(t: TestContext): Promise<{ cluster: TestCluster; node: TestNode }> {
  const cluster = new TestCluster(1)
  t.after(() => cluster.close())
  const node = cluster.nodes[0]!
  await cluster.boot(node)
  return { cluster, node }
}

test('the signer tells how its HSM is, as bytes that cross to the daemon', async (t) => {
  const { cluster, node } = await opened(t)
  const { response } = signerCalls.hsmStatus
  const report = decode(response, encode(response, node.signer.hsmStatus()), { maxBytes: 10_000 })
  assert.deepEqual(report, {
    component: 'simulated',
    custody: 'software',
    health: { state: 'ok', time: cluster.time.now() },
  })
})

test('it looks every half minute, and says once that the HSM is gone', async (t) => {
  const { cluster, node } = await opened(t)
  rmSync(node.directory, { recursive: true })
  assert.equal(node.signer.hsmStatus().health.state, 'ok')
  for (let checks = 1; checks <= 3; checks++) {
    cluster.time.advance(PERIOD_MS)
    const now = cluster.time.now()
    for (let turn = 0; node.signer.hsmStatus().health.time !== now; turn++) {
      assert.ok(turn < 100_000, 'it did not look')
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.equal(node.signer.hsmStatus().health.state, 'failed')
  }
  assert.deepEqual(
    node.log.map(({ level, event }) => `${level} ${event}`),
    ['error hsm/unhealthy'],
  )
})

test('sealed, it looks no more and tells nothing', async (t) => {
  const { cluster, node } = await opened(t)
  await node.signer.seal()
  assert.equal(cluster.time.pending, 0)
  assert.throws(
    () => node.signer.hsmStatus(),
    (error) => isFault(error, 'enclave/not-joined'),
  )
})
