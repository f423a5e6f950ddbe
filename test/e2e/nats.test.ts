/** Three node processes over a real NATS server: the bus, the request queue, discovery. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  encodeRequest,
  type OperationJson,
  type RequestBody,
  requestHash,
  signRequest,
} from '@quorate/api'
import { fromHex, toHex, utf8 } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import { solanaTransfer } from '@quorate/enclave/testing'
import type { NodeConfig } from '@quorate/node'
import {
  openBroker,
  openJetStreamQueue,
  type QueueKind,
  type RequestQueue,
  systemRandom,
  systemTimers,
} from '@quorate/platform'
import { NatsServer, noNatsServer } from '../support/nats-server.ts'
import { ProcessCluster, silent } from '../support/process-cluster.ts'
import { until } from '../support/until.ts'

type Transport = NonNullable<NodeConfig['transport']>

/** Nodes that know no address of each other. */
async function clusterOf(
  t: TestContext,
  server: NatsServer,
  change: Partial<Transport>,
  isTls = false,
): Promise<ProcessCluster> {
  const cluster = await ProcessCluster.start(3, { leaveOut: [1, 2, 3], isTls })
  t.after(() => cluster.close())
  for (const node of cluster.nodes) {
    const nats = { urls: [server.url], prefix: 'mpc' }
    const mesh = { ...node.config.mesh, peers: [] }
    node.config = {
      ...node.config,
      mesh,
      transport: { bus: 'mesh', discovery: 'static', nats, ...change },
    }
  }
  await Promise.all(cluster.nodes.map((node) => cluster.launch(node)))
  await cluster.untilConnected()
  return cluster
}

async function clientQueue(t: TestContext, server: NatsServer): Promise<RequestQueue> {
  const ports = { timers: systemTimers, random: systemRandom, logger: silent }
  const broker = await openBroker({ ...ports, servers: [server.url], name: 'client' })
  await broker.connection()
  const queue = await openJetStreamQueue({ ...ports, broker, prefix: 'mpc' })
  t.after(async () => {
    await queue.close()
    await broker.close()
  })
  return queue
}

/** Asks by the queue and waits for the operation that comes back. */
async function ask(
  cluster: ProcessCluster,
  queue: RequestQueue,
  kind: QueueKind,
  body: RequestBody,
): Promise<OperationJson> {
  const { client, signer } = cluster.keys[kind === 'sign' ? 'signer' : 'operator']
  const request = await signRequest(signer, cluster.cluster, client, body)
  const id = toHex(requestHash(request))
  assert.equal(await queue.publish(kind, id, encodeRequest(request)), 'queued')
  return new Promise((resolve) => {
    queue.onResponse(kind, id, (result) =>
      resolve(JSON.parse(Buffer.from(result).toString()) as OperationJson),
    )
  })
}

if (noNatsServer) test('a cluster over NATS', { skip: noNatsServer }, () => undefined)
else {
  test('a cluster over NATS takes requests from the queue, through a restart of the server', async (t) => {
    const server = await NatsServer.start()
    t.after(() => server.close())
    const nats = { urls: [server.url], prefix: 'mpc', queue: { keygen: 2, sign: 8 } }
    const cluster = await clusterOf(t, server, { bus: 'nats', nats })
    const queue = await clientQueue(t, server)

    const made = await ask(cluster, queue, 'keygen', cluster.walletBody('solana-devnet'))
    assert.ok(made.result?.kind === 'createWallet', JSON.stringify(made))
    assert.equal(made.result.receipts.length, 3)
    const { wallet } = made.result
    const signs = async (lamports: bigint): Promise<void> => {
      const unsigned = solanaTransfer(fromHex(wallet.groupKey), lamports)
      const signed = await ask(cluster, queue, 'sign', cluster.signBody(wallet, unsigned))
      assert.ok(signed.result?.kind === 'sign', JSON.stringify(signed))
      const [item] = signed.result.signatures
      const adapter = findAdapter('solana-devnet')
      const { publicKey, message, signature } = item!
      assert.ok(adapter.verifySignature(fromHex(publicKey), fromHex(message), fromHex(signature)))
      assert.equal(signed.result.receipts.length, 2)
    }
    await signs(1n)

    for (const [i, garbage] of [
      utf8('garbage'),
      new Uint8Array(),
      new Uint8Array(900_000),
    ].entries())
      await queue.publish('sign', `garbage-${i}`, garbage)
    await until(async () => {
      const lines = cluster.nodes.flatMap(({ log }) => log)
      return lines.filter((line) => line.includes('queue.request-refused')).length === 3
    })

    await server.kill()
    await server.start()
    await until(() => signs(2n).then(() => true))
    await cluster.untilConnected()
  })

  test('nodes that know no addresses find each other by what they signed, and meet over TLS', async (t) => {
    const server = await NatsServer.start()
    t.after(() => server.close())
    const cluster = await clusterOf(t, server, { discovery: 'nats' }, true)
    const wallet = await cluster.createWallet('solana-devnet')
    assert.equal(wallet.parties, 3)
  })
}
