import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Fault, type FaultCode, isFault, newId } from '@quorate/base'
import { addressProof, findAdapter, proveAddress } from '@quorate/chains'
import { solanaIntent, TestCluster, walletBody } from '@quorate/enclave/testing'
import { systemRandom } from '@quorate/platform'
import type { Outcome } from '#src/channel/outcomes.js'
import type { WalletRow } from '#src/channel/rows.js'
import { decodeWallet } from '#src/wallet-record.js'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)

async function createWallet(
  cluster: TestCluster,
  network: 'bitcoin-testnet4' | 'solana-devnet',
): Promise<WalletRow> {
  const { operator } = cluster.clients
  const request = await cluster.request(operator, walletBody(cluster, operator, network))
  const outcome = await cluster.submit(cluster.nodes[0]!, request)
  assert.equal(outcome.kind, 'wallet')
  return (outcome as Extract<Outcome, { kind: 'wallet' }>).value
}

let cluster: TestCluster
before(async () => {
  cluster = await TestCluster.start(3)
})
after(() => cluster.close())

for (const network of ['bitcoin-testnet4', 'solana-devnet'] as const)
  test(`${network}: three nodes make a wallet that all hold and none of them knows`, async () => {
    const row = await createWallet(cluster, network)
    await cluster.settle()
    assert.equal(row.receipts.length, 3)
    for (const { disk } of cluster.nodes) {
      const own = [...disk.rows.values()].find(({ wallet }) => wallet === row.wallet)!
      assert.equal(own.state, 'active')
      assert.deepEqual(own.public, row.public)
      assert.notEqual(own.proof, null)
    }
    const record = decodeWallet(row.public)
    const { scheme } = findAdapter(network)
    const { address, item } = addressProof(network, { scheme, publicKey: record.key.groupKey })
    proveAddress(network, address, item.message, row.proof!)
  })

test('a wallet that one node could not keep comes to nothing at the others, who were connected all along', async (t) => {
  const third = cluster.nodes[2]!
  t.after(() => {
    third.beforePersist = () => undefined
  })
  third.beforePersist = (changes) => {
    if (changes.some(({ kind }) => kind === 'putPending')) throw new Fault('platform/disk-full')
  }
  const states = (): readonly string[] =>
    cluster.nodes.flatMap(({ disk }) => [...disk.rows.values()].map(({ state }) => state))
  const made = states().length
  await assert.rejects(createWallet(cluster, 'solana-devnet'), isCode('enclave/receipts-missing'))
  for (let turn = 0; turn < 20 && states().includes('pending'); turn++) {
    cluster.time.advance(1_000)
    await cluster.settle()
  }
  assert.deepEqual(states(), Array(made).fill('active'))
})

test('a transaction is signed by any two nodes, with a receipt of each', async () => {
  const row = await createWallet(cluster, 'solana-devnet')
  const { signer } = cluster.clients
  for (const node of cluster.nodes) {
    const request = await cluster.request(signer, solanaIntent(cluster, signer, row))
    const outcome = await cluster.submit(node, request)
    assert.equal(outcome.kind, 'transaction')
    const { value } = outcome as Extract<Outcome, { kind: 'transaction' }>
    assert.equal(value.items.length, 1)
    assert.equal(value.receipts.length, 2)
    assert.equal(value.attempts, 1)
    const [item] = value.items
    assert.ok(
      findAdapter('solana-devnet').verifySignature(item!.publicKey, item!.message, item!.signature),
    )
  }
})

test('a refresh gives every node a new share of the same key, and the old ones are gone', async () => {
  const row = await createWallet(cluster, 'bitcoin-testnet4')
  const { operator } = cluster.clients
  const before = decodeWallet(row.public)
  const now = cluster.time.now()
  const request = await cluster.request(operator, {
    kind: 'refresh',
    value: {
      v: 1,
      requestId: newId('req', now, systemRandom),
      project: operator.project,
      wallet: before.key.wallet,
      generation: 1,
      createdAt: now,
      expiresAt: now + 60_000,
    },
  })
  const outcome = await cluster.submit(cluster.nodes[1]!, request)
  const fresh = (outcome as Extract<Outcome, { kind: 'wallet' }>).value
  const record = decodeWallet(fresh.public)
  assert.equal(record.key.generation, 2)
  assert.deepEqual(record.key.groupKey, before.key.groupKey)
  assert.notDeepEqual(record.key.verifyingShares, before.key.verifyingShares)
  assert.deepEqual(fresh.proof, row.proof)
  await cluster.settle()
  for (const { disk } of cluster.nodes) {
    const rows = [...disk.rows.values()].filter(({ wallet }) => wallet === row.wallet)
    assert.deepEqual(
      rows.map(({ generation, state }) => ({ generation, state })),
      [{ generation: 2, state: 'active' }],
    )
  }
  await assert.rejects(
    cluster.submit(cluster.nodes[0]!, request),
    isCode('enclave/other-generation'),
  )
})
