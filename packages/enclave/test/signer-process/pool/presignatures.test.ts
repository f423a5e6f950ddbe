import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { intentOf, sepoliaTransfer, TestCluster, walletBody } from '@quorate/enclave/testing'
import type { SignedTransaction } from '#src/channel/outcomes.js'
import type { WalletRow } from '#src/channel/rows.js'
import { verifyEvidenceFile } from '#src/evidence-file.js'
import { EcdsaCluster } from '../../ecdsa-cluster.js'
import { ShareWatch } from './share-watch.js'

const PRESIGNATURES = 2

/** Lets refilling go on for as long as it has anything to do. */
async function fillPools(cluster: TestCluster): Promise<void> {
  for (let i = 0; i < 4; i++) {
    cluster.time.advance(1_000)
    await cluster.settle()
  }
}

describe('presignatures made ahead', () => {
  let cluster: TestCluster
  let watch: ShareWatch
  let row: WalletRow
  before(async () => {
    cluster = await TestCluster.start(3, { nonces: 0, presignatures: PRESIGNATURES })
    watch = new ShareWatch(cluster)
    cluster.tamper = (wire) => {
      watch.see(wire)
      return [wire]
    }
    const { operator } = cluster.clients
    const body = walletBody(cluster, operator, 'ethereum-sepolia')
    const made = await cluster.submit(cluster.nodes[0]!, await cluster.request(operator, body))
    assert.ok(made.kind === 'wallet')
    row = made.value
    await cluster.settle()
  })
  after(() => cluster.close())

  async function sign(wei: bigint, path: readonly number[] = []): Promise<SignedTransaction> {
    const { signer } = cluster.clients
    const intent = { network: 'ethereum-sepolia', unsigned: sepoliaTransfer(wei), path }
    const request = await cluster.request(signer, intentOf(cluster, signer, row, intent))
    const outcome = await cluster.submit(cluster.nodes[0]!, request)
    assert.ok(outcome.kind === 'transaction')
    return outcome.value
  }

  const fill = (): Promise<void> => fillPools(cluster)

  test('sign for the wallet and for any key below it, in one round', async () => {
    await sign(1n)
    await fill()
    const { shelves } = cluster.nodes[0]!.signer.status().pools
    assert.deepEqual(
      shelves.map(({ kind, signers, free }) => ({ kind, signers, free })),
      [
        { kind: 'presignatures', signers: [1, 2], free: PRESIGNATURES },
        { kind: 'presignatures', signers: [1, 3], free: PRESIGNATURES },
      ],
    )
    for (const path of [[], [44, 60, 7]]) {
      const before = cluster.sent
      const { attempts, receipts } = await sign(2n, path)
      assert.deepEqual([attempts, receipts.length], [1, 2])
      // Proposal and share, share and receipt; the rest is what fills the pools again.
      assert.ok(cluster.sent - before >= 2)
    }
    assert.equal(watch.pooled.length, 2)
    assert.equal(watch.spent, 4)
    await fill()
  })
})

test('a wrong share made from a presignature convicts its signer, and what it alone completed is the result', async () => {
  const world = await EcdsaCluster.start({ nonces: 0, presignatures: 1 })
  const hostile = await world.corrupt()
  const row = await world.createWallet({ threshold: 3 })
  const task = { network: 'ethereum-sepolia', unsigned: sepoliaTransfer(1n) }
  await world.sign(row, task)
  await fillPools(world.cluster)
  hostile.outgoing = (said) => {
    const isShare = said.kind === 'broadcast' && hostile.manifestOf(said.sid)?.pooled !== undefined
    if (!isShare) return [said]
    hostile.behave()
    const body = said.body.slice()
    body[body.length - 1]! ^= 1
    return [{ ...said, body }]
  }
  const { signers } = await world.sign(row, task)
  assert.deepEqual(signers, [1, 2, 3])
  const [kept] = world.nodes[0].evidence
  assert.ok(kept !== undefined)
  const verdict = verifyEvidenceFile(kept.file, world.record)
  assert.deepEqual(
    [verdict.purpose, verdict.claim, verdict.culprits.map(({ party }) => party)],
    ['sign', 'threshold/invalid-share', [3]],
  )
  await hostile.close()
  world.cluster.close()
})
