/** That t shares are needed and enough is shown by the shares themselves, not by what anybody configured. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeWallet, type WalletRow } from '@quorate/enclave'
import {
  readShare,
  solanaIntent,
  TestCluster,
  type TestNode,
  walletBody,
} from '@quorate/enclave/testing'
import { ed25519 as group, interpolate } from '@quorate/math'
import { systemRandom } from '@quorate/platform'

const SHAPES = [
  [2, 3],
  [3, 4],
  [3, 5],
] as const

async function shareOf(node: TestNode, row: WalletRow): Promise<bigint> {
  const { directory, index, disk } = node
  const held = disk.rows.values().next().value
  assert.ok(held !== undefined && held.wallet === row.wallet)
  const bytes = await readShare(
    {
      hsmDirectory: directory,
      storeId: disk.storeId,
      sealedSecrets: disk.secrets!,
      row: held,
      self: index,
    },
    systemRandom,
  )
  return group.decodeScalar(bytes)
}

for (const [threshold, size] of SHAPES)
  test(`${threshold} of ${size}: no ${threshold - 1} shares are the key, any ${threshold} are, and sign`, async (t) => {
    const cluster = await TestCluster.start(size)
    t.after(() => cluster.close())
    const { operator, signer } = cluster.clients
    const body = walletBody(cluster, operator, 'solana-devnet', { threshold })
    const made = await cluster.submit(cluster.nodes[0]!, await cluster.request(operator, body))
    assert.ok(made.kind === 'wallet')
    await cluster.settle()
    const { key } = decodeWallet(made.value.public)
    assert.equal(key.threshold, threshold)
    const shares = await Promise.all(cluster.nodes.map((node) => shareOf(node, made.value)))
    const isKey = (parties: readonly number[]): boolean => {
      const values = parties.map((party) => shares[party - 1]!)
      const secret = interpolate(parties.map(BigInt), values, group.order)
      return group.equals(group.mulBase(secret), group.decode(key.groupKey))
    }
    const parties = cluster.nodes.map(({ index }) => index)
    for (const few of subsets(parties, threshold - 1)) assert.ok(!isKey(few), few.join())
    for (const enough of subsets(parties, threshold)) assert.ok(isKey(enough), enough.join())

    const sign = async (): Promise<string> => {
      const intent = solanaIntent(cluster, signer, made.value)
      const outcome = await cluster.submit(cluster.nodes[0]!, await cluster.request(signer, intent))
      return outcome.kind
    }
    for (const node of cluster.nodes.slice(threshold)) cluster.kill(node)
    assert.equal(await sign(), 'transaction')
    cluster.kill(cluster.nodes[threshold - 1]!)
    await assert.rejects(sign(), { code: 'enclave/peers-missing' })
  })

function subsets(list: readonly number[], size: number): readonly (readonly number[])[] {
  if (size === 0) return [[]]
  return list.flatMap((first, i) =>
    subsets(list.slice(i + 1), size - 1).map((rest) => [first, ...rest]),
  )
}
