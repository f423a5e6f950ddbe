import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import { decodeCbor, isFault } from '@quorate/base'
import {
  decodeControl,
  solanaIntent,
  TestCluster,
  type TestNode,
  walletBody,
} from '@quorate/enclave/testing'
import { decodeManifest } from '@quorate/threshold'
import type { WalletRow } from '#src/channel/rows.js'
import { signed } from './treasury.ts'

let cluster: TestCluster
let row: WalletRow
beforeEach(async () => {
  cluster = await TestCluster.start(3)
  const { operator } = cluster.clients
  const made = await cluster.submit(
    cluster.nodes[0]!,
    await cluster.request(operator, walletBody(cluster, operator, 'solana-devnet')),
  )
  if (made.kind !== 'wallet') throw new Error('no wallet')
  row = made.value
  await cluster.settle()
})
afterEach(() => cluster.close())

/** Starts the node again as a build that speaks these versions. */
async function upgrade(node: TestNode, min: number, max: number): Promise<void> {
  cluster.kill(node)
  cluster.time.advance(1)
  node.versions = { min, max }
  await cluster.restart(node)
  await cluster.settle()
}

/** Signs at each node, and tells which version the manifests carried. */
async function versionsOfSessions(): Promise<readonly number[]> {
  const seen = new Set<number>()
  cluster.tamper = (wire) => {
    const manifest = manifestIn(wire.envelope)
    if (manifest !== undefined) seen.add(manifest.minVersion)
    return [wire]
  }
  const { signer } = cluster.clients
  for (const node of cluster.nodes)
    signed(
      await cluster.submit(node, await cluster.request(signer, solanaIntent(cluster, signer, row))),
    )
  cluster.tamper = (wire) => [wire]
  return [...seen].sort((a, b) => a - b)
}

function manifestIn(envelope: Uint8Array): ReturnType<typeof decodeManifest> | undefined {
  const outer = decodeCbor(envelope, { maxBytes: 1 << 21 }) as ReadonlyMap<number, Uint8Array>
  const header = decodeCbor(outer.get(1)!, { maxBytes: 1024 }) as ReadonlyMap<number, unknown>
  if (header.get(10) !== 'control' || header.get(8) !== 0) return undefined
  const control = decodeControl(outer.get(3)!)
  return control.kind === 'prepare' ? decodeManifest(control.value.manifest) : undefined
}

test('nodes of version k and k − 1 sign together in k − 1, all through an upgrade one by one', async () => {
  assert.deepEqual(await versionsOfSessions(), [1])
  const [first, second, third] = cluster.nodes
  await upgrade(first!, 1, 2)
  assert.ok((await versionsOfSessions()).includes(1))
  await upgrade(second!, 1, 2)
  await versionsOfSessions()
  await upgrade(third!, 1, 2)
  assert.deepEqual(await versionsOfSessions(), [2])
})

test('a node that no longer speaks what another one does takes no part with it', async () => {
  const [first, second, third] = cluster.nodes
  await upgrade(first!, 2, 2)
  const { signer } = cluster.clients
  const ask = async (node: TestNode) =>
    cluster.submit(node, await cluster.request(signer, solanaIntent(cluster, signer, row)))
  await assert.rejects(ask(first!), (error) => isFault(error, 'enclave/peers-missing'))
  // The two old ones go on without it.
  const { signers } = signed(await ask(second!))
  assert.deepEqual(signers, [2, 3])
  await upgrade(third!, 1, 2)
  assert.ok(signed(await ask(first!)).signers.includes(1))
})
