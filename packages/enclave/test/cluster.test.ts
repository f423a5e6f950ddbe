import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { RequestBody } from '@quorate/api'
import { type FaultCode, isFault, newId } from '@quorate/base'
import { addressProof, findAdapter, proveAddress } from '@quorate/chains'
import { systemRandom } from '@quorate/platform'
import { chooseTemplate } from '@quorate/policy'
import type { Outcome, WalletRow } from '#src/channel/calls.js'
import { decodeWallet } from '#src/wallet-record.js'
import { type Client, TestCluster } from './support/cluster.ts'

const isCode = (code: FaultCode) => (error: unknown) => isFault(error, code)

export const SUITES = {
  'bitcoin-testnet4': 'FROST-secp256k1-SHA256-TR-v1',
  'solana-devnet': 'FROST-ED25519-SHA512-v1',
} as const

export function walletBody(
  cluster: TestCluster,
  client: Client,
  network: keyof typeof SUITES,
  o: { label?: string; threshold?: number } = {},
): RequestBody {
  const now = cluster.time.now()
  return {
    kind: 'createWallet',
    value: {
      v: 1,
      requestId: newId('req', now, systemRandom),
      project: client.project,
      label: o.label ?? `wallet-${systemRandom.bytes(4).join('')}`,
      protocol: 'frost',
      suite: SUITES[network],
      network,
      threshold: o.threshold ?? 2,
      parties: cluster.nodes.length,
      policy: chooseTemplate('testnet-open', {}),
      unsafeThreshold: false,
      createdAt: now,
      expiresAt: now + 60_000,
    },
  }
}

async function createWallet(cluster: TestCluster, network: keyof typeof SUITES): Promise<WalletRow> {
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
