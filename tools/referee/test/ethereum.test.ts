/** What @ethereumjs/tx makes, our adapter signs; what our adapter writes, it and libsecp256k1 accept. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCustomCommon, Mainnet } from '@ethereumjs/common'
import { createFeeMarket1559Tx, createFeeMarket1559TxFromRLP } from '@ethereumjs/tx'
import { fromHex, toHex } from '@quorate/base'
import { findAdapter, type SignedTx, type UnsignedTx } from '@quorate/chains'
import { checkEthereum, makeEthereumTransfer, sampleEthereumPayee } from '@quorate/referee'
import { pointFromScalar, sign } from 'tiny-secp256k1'

const CHAINS = [
  ['ethereum', 1],
  ['ethereum-sepolia', 11_155_111],
  ['ethereum-hoodi', 560_048],
] as const
const secretKey = new Uint8Array(32).fill(7)
const key = { scheme: 'ecdsa-secp256k1', publicKey: pointFromScalar(secretKey, true)! } as const
const from = findAdapter('ethereum').address(key)
const common = (chainId: number) => createCustomCommon({ chainId }, Mainnet)

const parse = (unsigned: Uint8Array, network: string): UnsignedTx =>
  findAdapter(network).parse({ unsigned, context: new Uint8Array(0), key })

/** The hash is @ethereumjs/tx's own and the signature libsecp256k1's: nothing of ours has a part in them. */
function signed(tx: UnsignedTx, hash: Uint8Array): SignedTx {
  const [item] = tx.prepare()
  return tx.attach(new Map([[item!.id, sign(hash, secretKey)]]))
}

const transferHex = (chainId: number, wei: string): string =>
  makeEthereumTransfer({
    chainId,
    to: sampleEthereumPayee(from),
    wei,
    nonce: '3',
    maxFeePerGas: '30000000000',
    maxPriorityFeePerGas: '1000000000',
  })

const hashOf = (unsigned: string, chainId: number): Uint8Array =>
  createFeeMarket1559TxFromRLP(fromHex(unsigned), {
    common: common(chainId),
  }).getHashedMessageToSign()

for (const [network, chainId] of CHAINS)
  test(`a transfer on ${network}: viewed, signed, accepted`, () => {
    const unsigned = transferHex(chainId, '1500000000000000000')
    const tx = parse(fromHex(unsigned), network)
    const view = tx.view()
    assert.deepEqual(view.from, [from])
    assert.deepEqual(
      view.outputs.map(({ to, amount }) => [to, amount]),
      [[sampleEthereumPayee(from), 1_500_000_000_000_000_000n]],
    )
    assert.equal(view.fee!.amount, 630_000_000_000_000n)
    assert.deepEqual([view.isComplete, view.warnings], [true, []])

    const { bytes, txid } = signed(tx, hashOf(unsigned, chainId)).serialise()
    const verdict = checkEthereum({ chainId, from, unsigned, signed: toHex(bytes) })
    assert.deepEqual(verdict.reasons, [])
    assert.equal(verdict.isValid, true)
    assert.equal(verdict.sender, from)
    assert.equal(verdict.txid, txid)
    assert.equal(verdict.message, toHex(tx.prepare()[0]!.message))
  })

test('calls, creations and access lists of every shape come out as the library signs them', () => {
  const [, [network, chainId]] = CHAINS
  const to = `0x${'ab'.repeat(20)}`
  const shapes = [
    { to, data: '0xdeadbeef' },
    { to, data: `0x${'00ff'.repeat(400)}` },
    { data: '0x6000', gasLimit: 200_000 },
    { to, accessList: [{ address: to, storageKeys: [`0x${'11'.repeat(32)}`] }] },
    { to, accessList: [{ address: to, storageKeys: [] }], value: 2n ** 130n, nonce: 2n ** 63n },
  ] as const
  for (const shape of shapes) {
    const theirs = createFeeMarket1559Tx(
      { chainId, gasLimit: 100_000, maxFeePerGas: 9, maxPriorityFeePerGas: 9, ...shape } as never,
      { common: common(chainId) },
    )
    const tx = parse(theirs.getMessageToSign(), network)
    const { bytes, txid } = signed(tx, theirs.getHashedMessageToSign()).serialise()
    const own = theirs.sign(secretKey)
    assert.deepEqual(bytes, own.serialize())
    assert.equal(txid, `0x${toHex(own.hash())}`)
    assert.deepEqual(tx.verify(own.serialize()), [])
  }
})

test('the referee finds every fault it is there to find', () => {
  const [, [network, chainId]] = CHAINS
  const unsigned = transferHex(chainId, '5')
  const good = toHex(
    signed(parse(fromHex(unsigned), network), hashOf(unsigned, chainId)).serialise().bytes,
  )
  const check = (given: { readonly from?: string; readonly signed?: string }) =>
    checkEthereum({ chainId, from, unsigned, signed: good, ...given }).reasons
  assert.deepEqual(check({}), [])
  assert.match(check({ from: sampleEthereumPayee(from) })[0]!, /does not lead to the sender/)
  const otherUnsigned = transferHex(chainId, '6')
  const other = signed(parse(fromHex(otherUnsigned), network), hashOf(otherUnsigned, chainId))
  assert.deepEqual(check({ signed: toHex(other.serialise().bytes) }), ['it is another transaction'])
  const forged = fromHex(good)
  forged[forged.length - 3]! ^= 1
  assert.match(check({ signed: toHex(forged) }).at(-1)!, /does not lead to the sender/)
  assert.throws(() => check({ signed: unsigned.slice(0, -2) }))
})
