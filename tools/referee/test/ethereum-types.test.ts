/**
 * Every type of transaction, message and user operation against viem and @ethereumjs/tx: what they
 * make, our adapter signs; what our adapter signs, they accept.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex, utf8 } from '@quorate/base'
import {
  buildEvmTokenTransfer,
  buildEvmTransfer,
  encodeAuthorization,
  encodeTypedData,
  findAdapter,
  NETWORKS,
  personalMessage,
  type UnsignedTx,
} from '@quorate/chains'
import { checkEthereum } from '@quorate/referee'
import { getBytes, TypedDataEncoder } from 'ethers'
import fc from 'fast-check'
import { pointFromScalar, sign } from 'tiny-secp256k1'
import {
  encodeFunctionData,
  type Hex,
  hashMessage,
  hashTypedData,
  hexToBytes,
  keccak256,
  parseAbi,
  parseTransaction,
  recoverAddress,
  serializeTransaction,
  toHex as toHexOf,
} from 'viem'
import { privateKeyToAccount } from 'viem/accounts'
import * as viemChains from 'viem/chains'
import { hashAuthorization, recoverAuthorizationAddress } from 'viem/utils'

const secretKey = new Uint8Array(32).fill(7)
const key = { scheme: 'ecdsa-secp256k1', publicKey: pointFromScalar(secretKey, true)! } as const
const account = privateKeyToAccount(toHexOf(secretKey))
const from = findAdapter('ethereum').address(key)
const CHAIN = 11_155_111
const TO = `0x${'ab'.repeat(20)}` as const

const parse = (unsigned: Uint8Array, network = 'ethereum-sepolia'): UnsignedTx =>
  findAdapter(network).parse({ unsigned, context: new Uint8Array(0), key })

/** Signed with libsecp256k1 over the hash that viem makes of the preimage. */
function signed(tx: UnsignedTx): { readonly bytes: Uint8Array; readonly txid: string | undefined } {
  const [item] = tx.prepare()
  const hash = keccak256(item!.message, 'bytes')
  return tx.attach(new Map([[item!.id, sign(hash, secretKey)]])).serialise()
}

const common = { chainId: CHAIN, nonce: 7, gas: 90_000n, to: TO, value: 10n ** 17n } as const
const market = { maxFeePerGas: 30n * 10n ** 9n, maxPriorityFeePerGas: 10n ** 9n } as const
const accessList = [{ address: TO, storageKeys: [`0x${'11'.repeat(32)}`] }] as const
const blobs = { maxFeePerBlobGas: 5n, blobVersionedHashes: [`0x01${'22'.repeat(31)}`] } as const

test('every type of transaction: viem’s bytes are ours, and both libraries accept the signed one', async () => {
  const authorization = await account.signAuthorization({
    chainId: CHAIN,
    contractAddress: TO,
    nonce: 3,
  })
  const shapes = [
    { ...common, type: 'legacy', gasPrice: 2n * 10n ** 10n },
    { ...common, type: 'legacy', gasPrice: 1n, data: `0x${'00ff'.repeat(40)}` },
    { ...common, type: 'eip2930', gasPrice: 2n * 10n ** 10n, accessList },
    { ...common, type: 'eip1559', ...market, accessList },
    { ...common, type: 'eip4844', ...market, ...blobs },
    { ...common, type: 'eip7702', ...market, authorizationList: [authorization] },
  ] as const
  for (const shape of shapes) {
    const unsigned = hexToBytes(serializeTransaction(shape as never))
    const tx = parse(unsigned)
    assert.deepEqual(tx.prepare()[0]!.message, unsigned)
    const { bytes, txid } = signed(tx)
    const theirs = await account.signTransaction(shape as never)
    assert.equal(toHexOf(bytes), theirs, shape.type)
    assert.equal(txid, keccak256(theirs))
    assert.deepEqual(tx.verify(hexToBytes(theirs)), [])
    assert.equal(parseTransaction(toHexOf(bytes)).type, shape.type)
    const verdict = checkEthereum({
      chainId: CHAIN,
      from,
      unsigned: toHex(unsigned),
      signed: toHex(bytes),
    })
    assert.deepEqual(verdict.reasons, [], shape.type)
    assert.equal(verdict.txid, txid)
  }
})

test('what the builders make on every network, its own library accepts', () => {
  for (const network of NETWORKS) {
    if (network.adapter !== 'evm') continue
    const chainId = Number(network.chainId)
    const transfer = { network: network.slug, to: from, amount: 5n, nonce: 0n }
    const fees = { maxFeePerGas: 9n, maxPriorityFeePerGas: 3n }
    for (const { unsigned } of [
      buildEvmTransfer({ ...transfer, fees }),
      buildEvmTransfer({ ...transfer, fees: { gasPrice: 9n } }),
      buildEvmTokenTransfer({ ...transfer, fees, token: TO }),
    ]) {
      const { bytes } = signed(parse(unsigned, network.slug))
      const verdict = checkEthereum({
        chainId,
        from,
        unsigned: toHex(unsigned),
        signed: toHex(bytes),
      })
      assert.deepEqual(verdict.reasons, [], network.slug)
    }
  }
})

test('chain ids and coins are those of viem', () => {
  const theirs = new Map(Object.values(viemChains).map((chain) => [chain.id as number, chain]))
  const unlisted: string[] = []
  for (const network of NETWORKS) {
    if (network.adapter !== 'evm') continue
    const chain = theirs.get(Number(network.chainId))
    if (chain === undefined) {
      unlisted.push(network.slug)
      continue
    }
    assert.equal(chain.nativeCurrency.decimals, 18)
    const symbol = chain.nativeCurrency.symbol.replace(/^t(?=BNB)/, '').toUpperCase()
    assert.equal(symbol, network.asset.toUpperCase(), network.slug)
    assert.equal((chain as { testnet?: boolean }).testnet ?? false, network.isTestnet, network.slug)
  }
  assert.deepEqual(unlisted, ['lux', 'lux-testnet'])
})

test('authorizations are viem’s, both ways', async () => {
  for (const chainId of [0, CHAIN])
    for (const nonce of [0, 300]) {
      const unsigned = encodeAuthorization({
        chainId: BigInt(chainId),
        delegate: fromHex('ab'.repeat(20)),
        nonce: BigInt(nonce),
      })
      assert.equal(keccak256(unsigned), hashAuthorization({ chainId, address: TO, nonce }))
      const item = signed(parse(unsigned)).bytes
      const theirs = await account.signAuthorization({ chainId, contractAddress: TO, nonce })
      const carried = serializeTransaction({
        ...common,
        type: 'eip7702',
        ...market,
        authorizationList: [theirs],
      } as never)
      assert.ok(carried.includes(toHex(item)))
      assert.equal(await recoverAuthorizationAddress({ authorization: theirs }), from)
    }
})

test('personal messages are viem’s', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (message) => {
      const tx = parse(personalMessage(message))
      assert.equal(keccak256(tx.prepare()[0]!.message), hashMessage({ raw: message }))
      const { bytes } = signed(tx)
      assert.equal(toHexOf(bytes), await account.signMessage({ message: { raw: message } }))
    }),
    { numRuns: 15 },
  )
  assert.equal(keccak256(personalMessage(utf8('hé'))), hashMessage('hé'))
})

const address = fc.uint8Array({ minLength: 20, maxLength: 20 }).map((bytes) => toHexOf(bytes))
const uint = fc.bigInt({ min: 0n, max: 2n ** 256n - 1n })
const person = fc.record({
  name: fc.string({ unit: 'grapheme' }),
  wallet: address,
  tags: fc.array(
    fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => toHexOf(bytes)),
    { maxLength: 3 },
  ),
})
const mail = fc.record({
  from: person,
  to: fc.array(person, { maxLength: 3 }),
  grid: fc.array(
    fc.tuple(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.bigInt({ min: -1n, max: 1n }),
    ),
    { maxLength: 2 },
  ),
  amount: uint,
  isUrgent: fc.boolean(),
  data: fc.uint8Array({ maxLength: 40 }).map((bytes) => toHexOf(bytes)),
})
const TYPES = {
  Mail: [
    { name: 'from', type: 'Person' },
    { name: 'to', type: 'Person[]' },
    { name: 'grid', type: 'int64[2][]' },
    { name: 'amount', type: 'uint256' },
    { name: 'isUrgent', type: 'bool' },
    { name: 'data', type: 'bytes' },
  ],
  Person: [
    { name: 'name', type: 'string' },
    { name: 'wallet', type: 'address' },
    { name: 'tags', type: 'bytes4[]' },
  ],
}

test('typed data hash as in viem and ethers, whatever is in them', async () => {
  await fc.assert(
    fc.asyncProperty(
      mail,
      fc.subarray(['name', 'version', 'verifyingContract', 'salt'] as const),
      async (message, present) => {
        const all = {
          name: 'Post',
          version: '2',
          verifyingContract: TO,
          salt: `0x${'5a'.repeat(32)}`,
        } as const
        const domain = {
          chainId: CHAIN,
          ...Object.fromEntries(present.map((name) => [name, all[name]])),
        }
        const typed = { types: TYPES, primaryType: 'Mail', domain, message } as const
        const tx = parse(encodeTypedData(typed))
        const hash = keccak256(tx.prepare()[0]!.message)
        assert.equal(hash, hashTypedData(typed as never))
        assert.equal(hash, TypedDataEncoder.hash(domain, TYPES, message))
        const signature = toHexOf(signed(tx).bytes)
        assert.equal(signature, await account.signTypedData(typed as never))
        assert.equal(await recoverAddress({ hash, signature }), from)
      },
    ),
    { numRuns: 25 },
  )
})

test('calls that viem encodes are read', () => {
  const erc20 = parseAbi([
    'function approve(address spender, uint256 amount)',
    'function transfer(address to, uint256 amount)',
  ])
  const approve = encodeFunctionData({
    abi: erc20,
    functionName: 'approve',
    args: [TO, 2n ** 256n - 1n],
  })
  const transfer = encodeFunctionData({ abi: erc20, functionName: 'transfer', args: [TO, 5n] })
  const batches: readonly Hex[] = [
    encodeFunctionData({
      abi: parseAbi([
        'function aggregate3((address target, bool allowFailure, bytes callData)[] calls)',
      ]),
      args: [[{ target: TO, allowFailure: false, callData: approve }]],
    }),
    encodeFunctionData({
      abi: parseAbi(['function multicall(bytes[] data)']),
      args: [[transfer, approve]],
    }),
    encodeFunctionData({
      abi: parseAbi(['function execute(bytes32 mode, bytes executionCalldata)']),
      args: [
        `0x01${'00'.repeat(31)}`,
        `0x${encodeFunctionData({
          abi: parseAbi(['function x((address target, uint256 value, bytes data)[] calls)']),
          args: [[{ target: TO, value: 3n, data: approve }]],
        }).slice(10)}`,
      ],
    }),
    encodeFunctionData({
      abi: parseAbi(['function executeBatch((address target, uint256 value, bytes data)[] calls)']),
      args: [[{ target: TO, value: 3n, data: approve }]],
    }),
  ]
  for (const data of batches) {
    const unsigned = serializeTransaction({ ...common, type: 'eip1559', ...market, data } as never)
    const view = parse(getBytes(unsigned)).view()
    assert.equal(view.isComplete, false)
    assert.ok(
      view.warnings.some((line) => line.includes('take any amount of the token')),
      data,
    )
  }
})
