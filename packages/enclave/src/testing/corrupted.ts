import type { TestCluster } from './cluster.ts'
import { HostileNode } from './hostile-node.ts'

/** Puts a node that tests can make misbehave in place of node 3. It holds no share of the wallets made before. */
export async function corrupted(cluster: TestCluster): Promise<HostileNode> {
  const third = cluster.nodes[2]!
  cluster.kill(third)
  // Keys of a later epoch replace earlier ones only if their time is later.
  cluster.time.advance(1)
  const hostile = await HostileNode.open({
    hsmDirectory: third.directory,
    storeId: third.disk.storeId,
    sealedSecrets: third.disk.secrets!,
    chain: cluster.chain,
    clock: cluster.time,
    timers: cluster.time,
    send: (to, envelope) => void cluster.wires.push({ from: 3, to, envelope }),
  })
  cluster.tamper = (wire) => {
    if (wire.to !== 3) return [wire]
    void hostile.deliver(wire.envelope)
    return []
  }
  for (const { signer, epoch } of cluster.nodes.slice(0, 2)) {
    signer.peer({ record: hostile.record })
    hostile.meet(epoch)
  }
  await cluster.settle()
  return hostile
}
