import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { WalletJson } from '@quorate/api'
import { fromHex } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import { solanaTransfer } from '@quorate/enclave/testing'
import { getText } from '../support/get-text.ts'
import { ProcessCluster } from '../support/process-cluster.ts'
import { until } from '../support/until.ts'

let cluster: ProcessCluster
let wallet: WalletJson
before(async () => {
  cluster = await ProcessCluster.start(3)
})
after(() => cluster.close())

test('three processes make a wallet that every one of them shows alike', async () => {
  wallet = await cluster.createWallet('solana-devnet')
  for (const node of cluster.nodes) {
    // A node that did not sign the proof of address shows the wallet once the proof has reached it.
    await until(async () => (await cluster.client(node).call('listWallets', {})).items.length === 1)
    assert.deepEqual(
      await cluster.client(node).call('getWallet', { params: { id: wallet.id } }),
      wallet,
    )
  }
})

test('a transaction signed by two of them verifies under the key of the address', async () => {
  const { result } = await cluster.sign(wallet, solanaTransfer(fromHex(wallet.groupKey), 1000n))
  assert.ok(result?.kind === 'sign')
  const [item] = result.signatures
  const adapter = findAdapter('solana-devnet')
  assert.deepEqual(adapter.addressKey(wallet.address), fromHex(item!.publicKey))
  assert.ok(
    adapter.verifySignature(
      fromHex(item!.publicKey),
      fromHex(item!.message),
      fromHex(item!.signature),
    ),
  )
  assert.equal(result.receipts.length, 2)
})

test('each node shows the figures of its HSM to whoever reaches it', async () => {
  for (const { config } of cluster.nodes) {
    const { status, type, text } = await getText(config.http.socketPath!, '/metrics')
    assert.deepEqual([status, type], [200, 'text/plain; version=0.0.4; charset=utf-8'])
    assert.match(text, /^quorate_hsm_component_health\{component="simulated"\} 1$/m)
    assert.match(
      text,
      /^quorate_hsm_component_custody\{component="simulated",level="software"\} 1$/m,
    )
    for (const secret of [wallet.id, wallet.address, cluster.project])
      assert.ok(!text.includes(secret))
  }
})
