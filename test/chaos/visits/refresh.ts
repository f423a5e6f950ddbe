/** Nodes that die while an ECDSA wallet is refreshed, which takes new auxiliary information and primes. */
import assert from 'node:assert/strict'
import type { RequestBody, WalletJson } from '@quorate/api'
import { type Id, newId } from '@quorate/base'
import { sepoliaTransfer } from '@quorate/enclave/testing'
import { systemRandom } from '@quorate/platform'
import type { ProcessNode } from '../../support/process-node.ts'
import { until } from '../../support/until.ts'
import type { Stage } from '../stage.ts'

const LIFETIME_MS = 240_000

/** All nodes hold shares of one generation afterwards, with which they sign and refresh again. */
export async function visitRefresh(
  stage: Stage,
  victim: ProcessNode,
  place: string,
): Promise<void> {
  const { cluster } = stage.mesh
  const { id } = await cluster.createEcdsaWallet(victim)
  const look = (node: ProcessNode): Promise<WalletJson> =>
    cluster.client(node).call('getWallet', { params: { id } })
  await stage.dieAt(victim, place, async () =>
    cluster
      .client(victim)
      .carryOut('refreshWallet', refreshOf(cluster.project, await look(victim))),
  )
  await stage.revive(victim)
  await stage.untilWhole()
  const { generation } = await look(victim)
  for (const node of stage.nodes) assert.equal((await look(node)).generation, generation)
  await cluster
    .client(victim)
    .carryOut('refreshWallet', refreshOf(cluster.project, await look(victim)))
  for (const node of stage.nodes)
    await until(async () => (await look(node)).generation === generation + 1)
  await stage.sameAtAll(cluster.signBody(await look(victim), sepoliaTransfer(9n), LIFETIME_MS))
}

function refreshOf(project: Id<'prj'>, { id, generation }: WalletJson): RequestBody {
  const now = Date.now()
  return {
    kind: 'refresh',
    value: {
      v: 1,
      requestId: newId('req', now, systemRandom),
      project,
      wallet: id as Id<'wal'>,
      generation,
      createdAt: now,
      expiresAt: now + LIFETIME_MS,
    },
  }
}
