/** The port itself: documents in, verified documents out, whichever place the key is in. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { WalletJson } from '@quorate/api'
import { type FaultCode, fromHex, isFault, toHex } from '@quorate/base'
import {
  buildEvmTransfer,
  buildSolanaTransfer,
  findAdapter,
  personalMessage,
} from '@quorate/chains'
import { deriveChild, secp256k1 } from '@quorate/math'
import { clusterWallet, hsmKey, keySigner, localKey } from '@quorate/sdk'
import { type FakeCluster, startCluster, WALLET } from './fake-cluster.js'
import { FakeHsm } from './fake-hsm.js'
import { SECRET, sourcesFor, suiteOf } from './sources.js'

const fails =
  (code: FaultCode) =>
  (error: unknown): boolean =>
    isFault(error, code)

const PAYEE = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const payment = buildEvmTransfer({
  network: 'ethereum-sepolia',
  to: PAYEE,
  amount: 5n,
  nonce: 1n,
  fees: { maxFeePerGas: 2_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n },
}).unsigned

for (const { name, signer } of sourcesFor('ethereum-sepolia', 'ecdsa-secp256k1'))
  test(`${name} signs a payment, and says who it is`, async () => {
    const { address, publicKey, network, scheme, sign } = await signer()
    assert.equal(network, 'ethereum-sepolia')
    const adapter = findAdapter(network)
    const key = { scheme, publicKey }
    assert.equal(address, adapter.address(key))
    const { bytes, txid } = await sign(payment)
    const tx = adapter.parse({ unsigned: payment, context: new Uint8Array(0), key })
    assert.deepEqual(tx.verify(bytes), [])
    assert.match(txid!, /^0x[0-9a-f]{64}$/)
    await assert.rejects(sign(payment, { format: 'psbt' }), fails('chains/unknown-format'))
    await assert.rejects(sign(payment.slice(1)), /./)
  })

test('a device is given the hash that the network signs, or the whole message', async () => {
  const hsm = new FakeHsm()
  const evm = keySigner('ethereum-sepolia', await hsmKey(hsm, hsm.add('ecdsa-secp256k1', SECRET)))
  await evm.sign(payment)
  assert.equal('digest' in hsm.inputs[0]! && hsm.inputs[0].digest.length, 32)
  const solana = keySigner('solana-devnet', await hsmKey(hsm, hsm.add('ed25519', SECRET)))
  const { unsigned } = buildSolanaTransfer({
    from: solana.address,
    to: solana.address,
    lamports: 1n,
    lifetime: { blockhash: solana.address },
  })
  await solana.sign(unsigned)
  assert.equal('message' in hsm.inputs[1]! && hsm.inputs[1].message.length, unsigned.length - 65)
})

test('a key of another kind than the network has is refused', async () => {
  const hsm = new FakeHsm()
  await assert.rejects(hsmKey(hsm, hsm.add('p256', SECRET)), fails('sdk/unsupported-key'))
  assert.throws(
    () => keySigner('ethereum', localKey('ed25519', SECRET)),
    fails('sdk/unsupported-key'),
  )
  assert.throws(
    () => keySigner('solana', localKey('ecdsa-secp256k1', SECRET)),
    fails('sdk/unsupported-key'),
  )
  assert.throws(
    () => keySigner('nowhere', localKey('ed25519', SECRET)),
    fails('chains/unknown-network'),
  )
})

const NETWORK = 'ethereum-sepolia'
const key = localKey('ecdsa-secp256k1', SECRET)
let cluster: FakeCluster
let honest: WalletJson
before(async () => {
  cluster = await startCluster(key, NETWORK, suiteOf(NETWORK, 'ecdsa-secp256k1'))
  honest = cluster.wallet
})
after(() => cluster.close())

const open = () =>
  clusterWallet({ client: cluster.client, wallet: WALLET, address: honest.address })

test('a node that shows another wallet is not believed', async () => {
  const other = localKey('ecdsa-secp256k1', new Uint8Array(32).fill(9))
  const lie = { ...honest, groupKey: toHex(other.publicKey) }
  cluster.wallet = lie
  await assert.rejects(open(), fails('sdk/other-wallet'))
  cluster.wallet = honest
  const signer = await open()
  cluster.wallet = lie
  await assert.rejects(signer.sign(payment), fails('sdk/other-wallet'))
  cluster.wallet = honest
})

test('a refreshed wallet is asked for in its new generation', async () => {
  const signer = await open()
  cluster.wallet = { ...honest, generation: 7 }
  await signer.sign(payment)
  assert.equal(cluster.asked.at(-1)!.generation, 7)
  cluster.wallet = honest
})

test('signatures that do not fit or do not verify are not returned', async () => {
  const signer = await open()
  const message = toHex(personalMessage(SECRET))
  const cases: readonly [FakeCluster['tamper'], FaultCode][] = [
    [() => [], 'sdk/does-not-verify'],
    [([only]) => [only!, only!], 'sdk/does-not-verify'],
    [([only]) => [{ ...only!, message }], 'sdk/does-not-verify'],
    [([only]) => [{ ...only!, signature: '11'.repeat(64) }], 'chains/bad-signature'],
  ]
  for (const [tamper, code] of cases) {
    cluster.tamper = tamper
    await assert.rejects(signer.sign(payment), fails(code))
  }
  cluster.tamper = (all) => all
  await signer.sign(payment)
})

test('a key below that of the wallet', async () => {
  const chainCode = '07'.repeat(32)
  cluster.wallet = { ...honest, chainCode }
  const path = [0, 5]
  const child = deriveChild(secp256k1.decode(key.publicKey), fromHex(chainCode), path)
  const publicKey = secp256k1.encode(child.publicKey)
  const address = findAdapter(NETWORK).address({ scheme: 'ecdsa-secp256k1', publicKey })
  const signer = await clusterWallet({ client: cluster.client, wallet: WALLET, address, path })
  assert.deepEqual([signer.address, signer.publicKey], [address, publicKey])
  // The cluster of this test has only one key, so its signature is of the wrong one.
  await assert.rejects(signer.sign(payment), fails('chains/bad-signature'))
  assert.deepEqual(cluster.asked.at(-1)!.path, path)
  cluster.wallet = honest
  await assert.rejects(
    clusterWallet({ client: cluster.client, wallet: WALLET, address, path }),
    fails('sdk/unsupported-key'),
  )
})
