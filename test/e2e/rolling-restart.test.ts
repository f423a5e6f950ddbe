/**
 * Three nodes are stopped and started again one after the other while clients sign: an upgrade as an
 * operator does it. What happens between builds of different protocol versions is tested where versions can be
 * chosen (packages/enclave/test/versions.test.ts).
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { fromHex, isFault } from '@quorate/base'
import { solanaTransfer } from '@quorate/enclave/testing'
import { PATIENT, QuorateClient, readClusterChain, type VerifiedWallet } from '@quorate/sdk'
import { getText } from '../support/get-text.ts'
import { ProcessCluster } from '../support/process-cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'
import { until } from '../support/until.ts'

let cluster: ProcessCluster
before(async () => {
  cluster = await ProcessCluster.start(3)
})
after(() => cluster.close())

const socketOf = ({ config }: ProcessNode): string => config.http.socketPath!

/** A client that knows all nodes and begins with `first`. */
function clientOf(first: number): QuorateClient {
  const sockets = cluster.nodes.map(socketOf)
  const [one, ...others] = [...sockets.slice(first), ...sockets.slice(0, first)]
  return new QuorateClient({
    endpoints: [{ socketPath: one! }, ...others.map((socketPath) => ({ socketPath }))],
    cluster: readClusterChain(cluster.chain),
    credentials: (['operator', 'signer'] as const).map((role) => ({
      ...cluster.keys[role],
      role,
      project: cluster.project,
    })),
    retry: { ...PATIENT, attempts: 12 },
  })
}

const ready = async (node: ProcessNode): Promise<{ status: number | undefined; text: string }> =>
  getText(socketOf(node), '/ready')

test('no client of several nodes sees a failure while each node in turn is restarted', async () => {
  const made = await cluster.createWallet('solana-devnet')
  const loads = [0, 1, 2].map((first) => ({ client: clientOf(first), signed: 0 }))
  let isOver = false
  const failures: unknown[] = []
  const wallet: VerifiedWallet = await loads[0]!.client.wallet(made.id)
  const running = loads.map(async (load, i) => {
    for (let n = 1; !isOver; n++) {
      const lamports = BigInt(i * 1_000_000 + n)
      const unsigned = solanaTransfer(fromHex(made.groupKey), lamports)
      try {
        // Verified by the client: signature, and receipts of its signers.
        await load.client.sign(wallet, { network: 'solana-devnet', unsigned })
        load.signed++
      } catch (error) {
        failures.push(error)
      }
    }
  })
  const signed = (): number => loads.reduce((sum, each) => sum + each.signed, 0)
  await until(async () => signed() >= 6)

  for (const node of cluster.nodes) {
    assert.equal((await ready(node)).status, 200)
    const before = signed()
    await cluster.stop(node)
    const stopped = node.log.map((line) => JSON.parse(line) as { event: string })
    assert.ok(stopped.some(({ event }) => event === 'node.stopping'))
    assert.ok(!stopped.some(({ event }) => event === 'node.cut-off'))
    // Two of three go on.
    await until(async () => signed() >= before + 6)
    await cluster.launch(node)
    await cluster.untilConnected()
    await until(async () => (await ready(node)).status === 200)
  }
  const last = signed()
  await until(async () => signed() >= last + 6)
  isOver = true
  await Promise.all(running)
  assert.deepEqual(failures, [])
})

test('a node that stops says so, refuses what is new, and shows what it has begun', async () => {
  const [node] = cluster.nodes as [ProcessNode]
  const client = cluster.client(node)
  // Takes a while: three nodes, and a proof of address.
  const body = cluster.walletBody('bitcoin-testnet4')
  const making = client.carryOut('createWallet', body)
  const answered = making.catch((error: unknown) => error)
  await until(async () => (await client.call('getStatus', {})).runningOperations > 0, 10_000)
  const gone = cluster.stop(node)
  const seen: string[] = []
  await until(async () => {
    const { status, text } = await ready(node).catch(() => ({ status: 503, text: '{}' }))
    seen.push(text)
    return status === 503
  })
  if (seen.at(-1) !== '{}')
    assert.match((JSON.parse(seen.at(-1)!) as { detail: string }).detail, /^serving/)
  const refused = await client
    .carryOut('createWallet', cluster.walletBody('bitcoin-testnet4'))
    .catch((error: unknown) => error)
  assert.ok(
    isFault(refused, 'node/stopping') || isFault(refused, 'sdk/unreachable'),
    String(refused),
  )
  const done = await answered
  assert.ok((done as { state?: string }).state === 'done', String(done))
  await gone
  await cluster.launch(node)
  await cluster.untilConnected()
  const { items } = await cluster.client(node).call('listWallets', { query: {} })
  assert.ok(items.some(({ label }) => body.kind === 'createWallet' && label === body.value.label))
})
