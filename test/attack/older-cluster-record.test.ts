import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeClusterRecord, decodeSignedRecord } from '@quorate/auth'
import { joinCluster, openLocal } from '@quorate/node'
import { assertUnharmed } from '../support/attack.ts'
import { type MemoryWorld, memoryWorld } from '../support/memory-world.ts'
import { silent } from '../support/process-cluster.ts'
import { processWorld } from '../support/process-world.ts'
import { nextRecord } from '../support/records.ts'
import { replaceChain, storedChain } from '../support/stored-chain.ts'
import { worldWithout } from '../support/without-guard.ts'

type Chain = readonly [Uint8Array, Uint8Array, Uint8Array]

/** Two more records on top of the first: the second changes nothing, the third revokes the entry of a client. */
async function revoke(
  first: Uint8Array,
  revoked: string,
  admin: Parameters<typeof nextRecord>[2],
): Promise<Chain> {
  const { clients } = decodeClusterRecord(decodeSignedRecord(first).record)
  const second = await nextRecord([first], {}, admin)
  const left = clients.filter(({ id }) => id !== revoked)
  return [first, second, await nextRecord([first, second], { clients: left }, admin)]
}

const revokeOperator = ({ cluster }: MemoryWorld): Promise<Chain> =>
  revoke(cluster.chain[0]!, cluster.clients.operator.id, cluster.admin)

test('in memory: no older record comes back into force, and no other one beside it', async () => {
  await using world = await memoryWorld()
  const [first, second, third] = await revokeOperator(world)
  const { signer } = world.cluster.nodes[0]!
  const beside = await nextRecord(
    [first, second],
    { defaultPolicy: 'treasury' },
    world.cluster.admin,
  )
  signer.join({ chain: [first, second, third] })
  for (const [chain, code] of [
    [[first, second, third, second], 'auth/record-not-newer'],
    [[first, second, third, first], 'auth/record-not-newer'],
    [[first, second, third, third], 'auth/record-not-newer'],
    [[first, second], 'auth/record-not-newer'],
    [[first, second, third, beside], 'auth/record-forked'],
    [[first, third], 'auth/record-gap'],
    [[second, third], 'auth/record-gap'],
  ] as const)
    assert.throws(() => signer.join({ chain: [...chain] }), { code })
  await assertUnharmed(world)

  // The client whose entry the third record revoked is nobody to a node that starts with it.
  world.cluster.chain = [first, second, third]
  await world.snapshot(1).restore()
  await assert.rejects(world.createWallet(), { code: 'auth/unauthenticated' })
})

test('running processes: a node takes no older record, nor starts with one on top of its store', async () => {
  await using world = await processWorld()
  const { cluster } = world
  const node = world.process(1)
  const { auditor } = cluster.keys
  await cluster.stop(node)
  const [genuine] = await storedChain(node)
  const [first, second, third] = await revoke(genuine!, auditor.client, cluster.admin)
  const local = await openLocal({ ...node.config, logger: silent })
  for (const record of [second, third]) await joinCluster(local, record)
  for (const record of [first, second, third])
    await assert.rejects(joinCluster(local, record), { code: 'auth/record-not-newer' })
  await local.close()

  await replaceChain(node, [first, second, third, second])
  await assert.rejects(cluster.launch(node), /auth\/record-not-newer/)
  await replaceChain(node, [first, second, third])
  await world.relaunch(1)
  assert.equal((await cluster.client(node).call('getCluster', {})).number, 3)
  await assert.rejects(cluster.client(node).call('listAudit', {}), { code: 'auth/unauthenticated' })
  await assertUnharmed(world)
})

test('without the check of the succession a revoked client has its power back', async () => {
  await using world = await worldWithout({
    file: 'auth/dist/src/record-chain.js',
    guard: 'checkSuccession(current, value, hash);',
    instead: ';',
  })
  const [first, second, third] = await revokeOperator(world)
  world.cluster.chain = [first, second, third, second]
  await world.snapshot(1).restore()
  await world.createWallet()
  assert.equal((await world.wallets(1)).length, 1)
})
