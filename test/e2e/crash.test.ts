import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { WalletJson } from '@quorate/api'
import { fromHex } from '@quorate/base'
import { solanaTransfer } from '@quorate/enclave/testing'
import { placesOf } from '../chaos/places.ts'
import { ProcessCluster } from '../support/process-cluster.ts'
import type { ProcessNode } from '../support/process-node.ts'
import { until } from '../support/until.ts'

let cluster: ProcessCluster
let wallet: WalletJson
before(async () => {
  cluster = await ProcessCluster.start(3)
  for (const node of cluster.nodes) {
    await cluster.kill(node)
    // With nonces made ahead, those whose makers are alive are used first.
    node.config = { ...node.config, nonces: 0 }
    await cluster.launch(node)
  }
  await cluster.untilConnected()
  wallet = await cluster.createWallet('solana-devnet')
})
after(() => cluster.close())

const transfer = (lamports: bigint): Uint8Array =>
  solanaTransfer(fromHex(wallet.groupKey), lamports)
const walletIds = async (node: ProcessNode): Promise<string[]> =>
  (await cluster.client(node).call('listWallets', {})).items.map(({ id }) => id)

test('a node killed in the middle of a signing: the next attempt takes another', async () => {
  const [first, second, third] = cluster.nodes as [ProcessNode, ProcessNode, ProcessNode]
  // Whichever of the two others is asked first dies there; the one that is left must then do.
  for (const victim of [second, third]) {
    await cluster.kill(victim)
    await cluster.launch(victim, { QUORATE_FAILPOINTS: 'enclave/sign/before-commitments=crash' })
  }
  await cluster.untilConnected()
  // With both armed no attempt can succeed, but each costs one victim: signing is refused, not stuck.
  await assert.rejects(cluster.sign(wallet, transfer(1n)))
  await until(() =>
    Promise.resolve(second.child?.exitCode !== null || third.child?.exitCode !== null),
  )
  for (const victim of [second, third]) await cluster.kill(victim)
  // One armed, one sound: whichever is chosen first, the request succeeds.
  await cluster.launch(second, { QUORATE_FAILPOINTS: 'enclave/sign/before-commitments=crash' })
  await cluster.launch(third)
  await cluster.untilConnected()
  const isUp = (): boolean => second.child?.exitCode === null && second.child.signalCode === null
  for (let lamports = 10n; isUp() && lamports < 40n; lamports++) {
    const { result } = await cluster.sign(wallet, transfer(lamports), first)
    assert.ok(result?.kind === 'sign')
    assert.deepEqual(result.signers, [1, 3])
  }
  await until(() => Promise.resolve(!isUp()))
  await cluster.kill(second)
  await cluster.launch(second)
  await cluster.untilConnected()
})

/** Names of places in the making of a wallet, from the first change on disk to the last. */
const PLACES = placesOf('test/e2e/crash.test.ts')

test('all nodes killed at each place of key generation: the wallet is whole everywhere or nowhere', async (t) => {
  const relaunch = async (armed: string | undefined): Promise<void> => {
    await Promise.all(cluster.nodes.map((node) => cluster.kill(node)))
    const env = armed === undefined ? {} : { QUORATE_FAILPOINTS: `${armed}=crash` }
    await Promise.all(cluster.nodes.map((node) => cluster.launch(node, env)))
    await cluster.untilConnected()
  }
  await relaunch(PLACES[0])
  for (const [i, place] of PLACES.entries())
    await t.test(place, async () => {
      await assert.rejects(cluster.createWallet('bitcoin-testnet4'))
      // The next start is already armed for the next place: that matters to the next key generation only.
      await relaunch(PLACES[i + 1])
      const statusOf = (node: ProcessNode) => cluster.client(node).call('getStatus', {})
      await until(async () =>
        (await Promise.all(cluster.nodes.map(statusOf))).every(
          ({ pendingWallets }) => pendingWallets === 0,
        ),
      )
      const counts = (await Promise.all(cluster.nodes.map(statusOf))).map(({ wallets }) => wallets)
      assert.equal(new Set(counts).size, 1, `wallets by node: ${counts.join(', ')}`)
    })
  const fresh = await cluster.createWallet('solana-devnet')
  for (const node of cluster.nodes)
    await until(async () => (await walletIds(node)).includes(fresh.id))
})
