/** The world of real processes: nodes 1 and 2 run, and the test plays node 3 on its sockets. */
import { join } from 'node:path'
import { type RequestBody, signRequest, type WalletJson } from '@quorate/api'
import { acceptChain, checkHello, decodeSignedRecord } from '@quorate/auth'
import { fromHex, type Id } from '@quorate/base'
import { verifyEd25519 } from '@quorate/enclave'
import { HostileNode, solanaTransfer } from '@quorate/enclave/testing'
import { MIGRATIONS, Store } from '@quorate/node/testing'
import { openMesh, openSql, systemClock, systemRandom, systemTimers } from '@quorate/platform'
import { ProcessCluster, silent } from './process-cluster.ts'
import type { ProcessNode } from './process-node.ts'
import { until } from './until.ts'
import { HONEST, type Honest, type TestWallet, type World } from './world.ts'

export type ProcessWorld = World & {
  readonly cluster: ProcessCluster
  process(node: Honest): ProcessNode
  /** Starts a node that was stopped. @throws with the code that it ended with */
  relaunch(node: Honest): Promise<void>
}

type Line = { readonly event: string; readonly code?: string; readonly culprits?: string }

export async function processWorld(): Promise<ProcessWorld> {
  const cluster = await ProcessCluster.start(3, { leaveOut: [1, 2, 3] })
  const process = (node: Honest): ProcessNode => cluster.nodes[node - 1]!
  // It listens before the others dial, so that nobody waits for a second try.
  const { hostile, leave } = await playNode(cluster.nodes[2]!)
  await Promise.all(HONEST.map((node) => cluster.launch(process(node))))
  const connected = (): Promise<void> =>
    until(async () => {
      const seen = await Promise.all(
        HONEST.map((node) => cluster.client(process(node)).call('getStatus', {})),
      )
      return (
        seen.every(({ peers }) => peers.every(({ state }) => state === 'connected')) &&
        hostile.peers.present.length === 3
      )
    })
  await connected()

  const relaunch = async (node: Honest): Promise<void> => {
    await cluster.launch(process(node))
    await connected()
  }
  const lines = (node: Honest): Line[] => process(node).log.map((line) => JSON.parse(line) as Line)
  const made = new Map<string, WalletJson>()
  let lamports = 1n
  const signBody = (wallet: TestWallet): RequestBody =>
    cluster.signBody(made.get(wallet.wallet)!, solanaTransfer(wallet.groupKey, lamports++))

  return {
    hostile,
    cluster,
    process,
    relaunch,
    signBody,
    walletBody: (threshold = 2) => cluster.walletBody('solana-devnet', { threshold }),
    request(body) {
      const { signer, client } = cluster.keys[body.kind === 'sign' ? 'signer' : 'operator']
      return signRequest(signer, cluster.cluster, client, body)
    },
    async createWallet({ threshold = 2, at = 1 } = {}) {
      const client = cluster.client(process(at))
      const { result } = await client.carryOut(
        'createWallet',
        cluster.walletBody('solana-devnet', { threshold }),
      )
      if (result?.kind !== 'createWallet') throw new Error('no wallet')
      const { id, generation, policyHash, groupKey } = result.wallet
      made.set(id, result.wallet)
      return {
        wallet: id as Id<'wal'>,
        generation,
        policyHash: fromHex(policyHash),
        groupKey: fromHex(groupKey),
      }
    },
    async sign(wallet, { at = 1 } = {}) {
      const { result } = await cluster
        .client(process(at))
        .carryOut('signTransaction', signBody(wallet))
      if (result?.kind !== 'sign') throw new Error('no transaction')
      return result
    },
    verdicts: (node) =>
      lines(node).flatMap(({ event, code, culprits }) =>
        event === 'session.failed'
          ? [{ code: code!, culprits: (culprits || undefined)?.split(',').map(Number) ?? [] }]
          : [],
      ),
    refusals: (node) =>
      lines(node).flatMap(({ event, code }) => (event.endsWith('.refused') ? [code!] : [])),
    warnings: (node) => process(node).log.filter((line) => !/"level":"(info|debug)"/.test(line)),
    forget() {
      for (const node of HONEST) process(node).log = []
    },
    async wallets(node) {
      const { items } = await cluster.client(process(node)).call('listWallets', {})
      return items.map(({ id }) => id)
    },
    eventually: (is) => until(async () => is()),
    snapshot(node) {
      const putBack = cluster.snapshot(process(node))
      return {
        async restore() {
          await cluster.kill(process(node))
          putBack()
          await relaunch(node)
        },
      }
    },
    async [Symbol.asyncDispose]() {
      await leave()
      await cluster.close()
    },
  }
}

/** Opens the directory of a node that does not run, and joins the mesh in its place. */
async function playNode({
  directory,
  config,
}: ProcessNode): Promise<{ hostile: HostileNode; leave(): Promise<void> }> {
  const sql = await openSql({
    path: join(directory, 'node.db'),
    migrations: MIGRATIONS,
    clock: systemClock,
    random: systemRandom,
  })
  const { storeId } = sql
  const store = new Store(sql)
  const chain = await store.clusterChain()
  const sealedSecrets = (await store.setting('node-secrets'))!
  await sql.close()

  const hostile = await HostileNode.open({
    hsmDirectory: join(directory, 'hsm'),
    storeId,
    sealedSecrets,
    chain,
    clock: systemClock,
    timers: systemTimers,
    send: (to, envelope) => void bus.send(to, envelope),
  })
  const cluster = acceptChain(chain.map(decodeSignedRecord), { verify: verifyEd25519 })
  const records = new Map<number, Uint8Array>()
  const bus = await openMesh({
    self: hostile.index,
    listen: config.mesh.listen,
    peers: config.mesh.peers,
    timers: systemTimers,
    random: systemRandom,
    logger: silent,
    makeHello: (connection) => hostile.hello(connection),
    checkHello(hello, connection) {
      const now = systemClock.now()
      const { epoch, signedEpoch } = checkHello(hello, {
        cluster,
        now,
        verify: verifyEd25519,
        connection,
      })
      records.set(epoch.nodeIndex, signedEpoch)
      return epoch.nodeIndex
    },
  })
  bus.onMessage((_, envelope) => void hostile.deliver(envelope))
  bus.onPeer((peer, isConnected) => {
    if (isConnected) hostile.meet(records.get(peer)!)
  })
  return {
    hostile,
    async leave() {
      await bus.close()
      await hostile.close()
    },
  }
}
