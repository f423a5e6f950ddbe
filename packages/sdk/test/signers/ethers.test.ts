/** Against ethers itself: its verifiers, and its own wallet with the same key. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault, toHex } from '@quorate/base'
import { ethersSigner } from '@quorate/sdk'
import * as ethers from 'ethers'
import { SECRET, sourcesFor } from './sources.js'

const CHAIN_ID = 11_155_111
const reference = new ethers.Wallet(`0x${toHex(SECRET)}`)
const to = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const common = { chainId: CHAIN_ID, nonce: 3, to, value: 7n, gasLimit: 50_000n }
const fees = { maxFeePerGas: 2_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n }

const TRANSACTIONS: { readonly [name: string]: ethers.TransactionRequest } = {
  legacy: { ...common, type: 0, gasPrice: 5n },
  'EIP-2930': { ...common, type: 1, gasPrice: 5n, accessList: { [to]: [`0x${'05'.repeat(32)}`] } },
  'EIP-1559': { ...common, ...fees, type: 2, data: '0x1234' },
  'a contract': { ...common, ...fees, type: 2, to: null, data: '0x6000' },
}
const DOMAIN = { name: 'Ether Mail', version: '1', chainId: CHAIN_ID, verifyingContract: to }
const TYPES = {
  Person: [
    { name: 'name', type: 'string' },
    { name: 'wallet', type: 'address' },
  ],
  Mail: [
    { name: 'from', type: 'Person' },
    { name: 'amounts', type: 'uint256[]' },
    { name: 'data', type: 'bytes' },
  ],
}
const MAIL = {
  from: { name: 'Cow', wallet: '0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826' },
  amounts: [1n, 2n ** 255n],
  data: '0xABCD',
}

/** A node as far as sending one transaction goes. */
class OneNode extends ethers.AbstractProvider {
  readonly sent: string[] = []

  override _detectNetwork(): Promise<ethers.Network> {
    return Promise.resolve(ethers.Network.from(CHAIN_ID))
  }

  override _perform<T>(request: ethers.PerformActionRequest): Promise<T> {
    const answers: { readonly [method: string]: unknown } = {
      getBlockNumber: 1,
      getTransactionCount: 3,
      estimateGas: 50_000n,
      call: '0x',
    }
    if (request.method === 'broadcastTransaction') {
      this.sent.push(request.signedTransaction)
      return Promise.resolve(ethers.Transaction.from(request.signedTransaction).hash as T)
    }
    return Promise.resolve(answers[request.method] as T)
  }
}

for (const { name, signer } of sourcesFor('ethereum-sepolia', 'ecdsa-secp256k1')) {
  const open = async (provider?: ethers.Provider) => ethersSigner(ethers, await signer(), provider)

  test(`${name}: transactions of every type`, async () => {
    const own = await open()
    assert.ok(own instanceof ethers.AbstractSigner)
    assert.equal(await own.getAddress(), reference.address)
    for (const [type, transaction] of Object.entries(TRANSACTIONS)) {
      const signed = await own.signTransaction(transaction)
      assert.equal(signed, await reference.signTransaction(transaction), type)
      assert.equal(ethers.Transaction.from(signed).from, reference.address)
    }
    const named = { ...common, ...fees, from: reference.address, type: 2 }
    assert.equal(await own.signTransaction(named), await reference.signTransaction(named))
    await assert.rejects(own.signTransaction({ ...named, from: to }), (error) =>
      isFault(error, 'sdk/other-address'),
    )
    await assert.rejects(own.signTransaction({ ...named, chainId: 1 }), (error) =>
      isFault(error, 'chains/other-chain'),
    )
  })

  test(`${name}: messages and typed data`, async () => {
    const own = await open()
    for (const message of ['hello', 'Grüezi 😀', SECRET]) {
      const signature = await own.signMessage(message)
      assert.equal(ethers.verifyMessage(message, signature), reference.address)
      assert.equal(signature, await reference.signMessage(message))
    }
    const signature = await own.signTypedData(DOMAIN, TYPES, MAIL)
    assert.equal(ethers.verifyTypedData(DOMAIN, TYPES, MAIL, signature), reference.address)
    assert.equal(signature, await reference.signTypedData(DOMAIN, TYPES, MAIL))
  })

  test(`${name}: sends through a provider, as a contract call does`, async () => {
    const provider = new OneNode(CHAIN_ID)
    const own = (await open()).connect(provider)
    assert.equal(own.provider, provider)
    const token = new ethers.Contract(
      to,
      ['function transfer(address,uint256) returns (bool)'],
      own,
    )
    const { hash } = await (
      token['transfer'] as (...given: unknown[]) => Promise<ethers.TransactionResponse>
    )(to, 5n, { ...fees, type: 2 })
    const [sent] = provider.sent
    const read = ethers.Transaction.from(sent!)
    assert.deepEqual([read.from, read.hash, read.nonce], [reference.address, hash, 3])
    provider.destroy()
  })
}
