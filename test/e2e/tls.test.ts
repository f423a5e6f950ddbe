import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { connect } from 'node:tls'
import { fromHex } from '@quorate/base'
import { solanaTransfer } from '@quorate/enclave/testing'
import { ProcessCluster } from '../support/process-cluster.ts'

let cluster: ProcessCluster
before(async () => {
  cluster = await ProcessCluster.start(3, { isTls: true })
})
after(() => cluster.close())

test('nodes meet over TLS 1.3 with certificates of their own, make a wallet and sign', async () => {
  const wallet = await cluster.createWallet('solana-devnet')
  const { result } = await cluster.sign(wallet, solanaTransfer(fromHex(wallet.groupKey), 3n))
  assert.ok(result?.kind === 'sign')
})

test('a stranger without a certificate gets no further than the handshake', async () => {
  const { listen } = cluster.nodes[0]!.config.mesh
  assert.ok('port' in listen)
  const socket = connect({ ...listen, rejectUnauthorized: false, minVersion: 'TLSv1.3' })
  socket.on('error', () => undefined)
  await once(socket, 'close')
  const { peers } = await cluster.client(cluster.nodes[0]!).call('getStatus', {})
  assert.equal(peers.filter(({ state }) => state === 'connected').length, 2)
})

test('a restarted node shows a new certificate, and its peers take it from its new epoch record', async () => {
  const node = cluster.nodes[2]!
  await cluster.kill(node)
  await cluster.launch(node)
  await cluster.untilConnected()
})
