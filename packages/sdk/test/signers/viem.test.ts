/** Against viem itself: its verifiers, and its own account with the same key. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault, toHex } from '@quorate/base'
import { viemSource } from '@quorate/sdk'
import * as viem from 'viem'
import { privateKeyToAccount, toAccount } from 'viem/accounts'
import { SECRET, sourcesFor } from './sources.js'

const NETWORK = 'ethereum-sepolia'
const CHAIN_ID = 11_155_111
const reference = privateKeyToAccount(`0x${toHex(SECRET)}`)
const to = '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed'
const HASH = `0x01${'22'.repeat(31)}` as const
const gas = 50_000n
const fees = { maxFeePerGas: 2_000_000_000n, maxPriorityFeePerGas: 1_000_000_000n, gas }
const common = { chainId: CHAIN_ID, nonce: 3, to, value: 7n } as const
const accessList = [{ address: to, storageKeys: [`0x${'05'.repeat(32)}`] }] as const

const TRANSACTIONS: { readonly [name: string]: viem.TransactionSerializable } = {
  legacy: { ...common, type: 'legacy', gasPrice: 5n, gas },
  'EIP-2930': { ...common, type: 'eip2930', gasPrice: 5n, gas, accessList },
  'EIP-1559': { ...common, ...fees, type: 'eip1559', data: '0x1234' },
  'EIP-1559 without a type': { ...common, ...fees },
  'EIP-1559 that creates a contract': { ...fees, chainId: CHAIN_ID, nonce: 0, data: '0x6000' },
  'EIP-4844 without its blobs': {
    ...common,
    ...fees,
    type: 'eip4844',
    maxFeePerBlobGas: 9n,
    blobVersionedHashes: [HASH],
    sidecars: false,
  },
  'EIP-4844 with its blobs': {
    ...common,
    ...fees,
    type: 'eip4844',
    maxFeePerBlobGas: 9n,
    blobVersionedHashes: [HASH],
    sidecars: [{ blob: '0x11', commitment: `0x${'0c'.repeat(48)}`, proof: `0x${'0d'.repeat(48)}` }],
  },
}

const TYPED = {
  domain: { name: 'Ether Mail', version: '1', chainId: CHAIN_ID, verifyingContract: to },
  types: {
    Person: [
      { name: 'name', type: 'string' },
      { name: 'wallet', type: 'address' },
    ],
    Mail: [
      { name: 'from', type: 'Person' },
      { name: 'amounts', type: 'uint256[]' },
      { name: 'data', type: 'bytes' },
      { name: 'isUrgent', type: 'bool' },
    ],
  },
  primaryType: 'Mail',
  message: {
    from: { name: 'Cow', wallet: '0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826' },
    amounts: [1n, 2n ** 255n],
    data: '0xABCD',
    isUrgent: true,
  },
} as const

for (const { name, signer } of sourcesFor(NETWORK, 'ecdsa-secp256k1')) {
  const account = async () => toAccount(viemSource(viem, await signer()))

  test(`${name}: transactions of every type`, async () => {
    const own = await account()
    assert.equal(own.address, reference.address)
    for (const [type, transaction] of Object.entries(TRANSACTIONS)) {
      const signed = await own.signTransaction(transaction)
      // Both sign with nonces of RFC 6979, so the bytes are the same.
      assert.equal(signed, await reference.signTransaction(transaction), type)
      if (!type.includes('with its blobs'))
        assert.equal(
          await viem.recoverTransactionAddress({ serializedTransaction: signed as never }),
          reference.address,
        )
    }
  })

  test(`${name}: messages and typed data`, async () => {
    const own = await account()
    const { address } = own
    for (const message of ['hello', 'Grüezi 😀', '', { raw: '0xABcd' }, { raw: SECRET }] as const) {
      const signature = await own.signMessage({ message })
      assert.ok(await viem.verifyMessage({ address, message, signature }))
      assert.equal(signature, await reference.signMessage({ message }))
    }
    const signature = await own.signTypedData(TYPED)
    assert.ok(await viem.verifyTypedData({ ...TYPED, address, signature }))
    const { domain: _, ...without } = TYPED
    const bare = await own.signTypedData(without)
    assert.equal(bare, await reference.signTypedData(without))
  })

  test(`${name}: a wallet client sends with it`, async () => {
    const sent: unknown[] = []
    const transport = viem.custom({
      request: ({ method, params }: { method: string; params: unknown[] }) => {
        if (method === 'eth_chainId') return Promise.resolve(viem.toHex(CHAIN_ID))
        if (method !== 'eth_sendRawTransaction') return Promise.reject(new Error(method))
        sent.push(params[0])
        return Promise.resolve(viem.keccak256(params[0] as viem.Hex))
      },
    })
    const client = viem.createWalletClient({ account: await account(), transport })
    const hash = await client.sendTransaction({ ...common, ...fees, chain: null, type: 'eip1559' })
    const expected = await reference.signTransaction({ ...common, ...fees, type: 'eip1559' })
    assert.deepEqual([sent, hash], [[expected], viem.keccak256(expected)])
  })

  test(`${name}: a transaction for another chain is refused, and hashes are not signed`, async () => {
    const own = await account()
    await assert.rejects(own.signTransaction({ ...common, ...fees, chainId: 1 }), (error) =>
      isFault(error, 'chains/other-chain'),
    )
    assert.equal(own.sign, undefined)
  })
}
