/** What bitcoinjs-lib makes, our adapter signs; what our adapter writes, bitcoinjs-lib and libsecp256k1 accept. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex } from '@quorate/base'
import { findAdapter, type SignItem, type UnsignedTx } from '@quorate/chains'
import {
  type BitcoinTransfer,
  checkBitcoin,
  makeBitcoinPsbt,
  sampleCoins,
  samplePayee,
} from '@quorate/referee'
import { crypto, Psbt, Transaction } from 'bitcoinjs-lib'
import { pointFromScalar, privateAdd, privateNegate, signSchnorr } from 'tiny-secp256k1'

/** One plain key that signs with libsecp256k1, so that no code of ours or noble's makes the signature. */
function plainWallet(secretKey: Uint8Array) {
  const publicKey = pointFromScalar(secretKey, true)!
  const even = publicKey[0] === 2 ? secretKey : privateNegate(secretKey)
  const tweaked = privateAdd(even, crypto.taggedHash('TapTweak', publicKey.slice(1)))!
  return {
    key: { scheme: 'bip340-secp256k1', publicKey } as const,
    sign: (item: SignItem): Uint8Array => signSchnorr(item.message, tweaked),
  }
}

const odd = plainWallet(new Uint8Array(32).fill(4))
const even = plainWallet(new Uint8Array(32).fill(9))

function transferOf(wallet: typeof odd, network: string, coins = 3): BitcoinTransfer {
  const address = findAdapter(network).address(wallet.key)
  return {
    address,
    xOnlyInternalKey: toHex(wallet.key.publicKey.slice(1)),
    coins: sampleCoins(address, coins),
    to: samplePayee(address),
    amount: '15000',
    feeRate: 2.5,
    change: address,
  }
}

const parse = (psbt: string, wallet: typeof odd, network: string): UnsignedTx =>
  findAdapter(network).parse({
    unsigned: fromHex(psbt),
    context: new Uint8Array(0),
    key: wallet.key,
  })
const signed = (tx: UnsignedTx, wallet: typeof odd) =>
  tx.attach(new Map(tx.prepare().map((item) => [item.id, wallet.sign(item)])))

for (const [parity, wallet] of [
  ['odd', odd],
  ['even', even],
] as const)
  for (const network of ['bitcoin', 'bitcoin-testnet4', 'bitcoin-regtest'])
    test(`several coins, change and fee on ${network}, group key with ${parity} y`, () => {
      const transfer = transferOf(wallet, network)
      const made = makeBitcoinPsbt(transfer)
      const tx = parse(made.psbt, wallet, network)

      const view = tx.view()
      assert.deepEqual(view.from, [transfer.address])
      assert.deepEqual(
        view.outputs.map(({ to, amount, isChange }) => [to, String(amount), isChange]),
        [
          [transfer.to, '15000', false],
          [transfer.address, made.changeAmount, true],
        ],
      )
      assert.equal(String(view.fee!.amount), made.fee)
      assert.equal(view.isComplete, true)
      assert.deepEqual(view.warnings, [])
      assert.ok(view.notes.some((note) => note.endsWith('2.5 sat/vB')))

      const { bytes, txid } = signed(tx, wallet).serialise('raw')
      const verdict = checkBitcoin({ psbtUnsigned: made.psbt, signedRaw: toHex(bytes) })
      assert.deepEqual(verdict.reasons, [])
      assert.equal(verdict.isValid, true)
      assert.equal(verdict.txid, txid)
      assert.deepEqual(
        verdict.inputs.map(({ message, publicKey }) => [message, publicKey]),
        tx.prepare().map(({ message, publicKey }) => [toHex(message), toHex(publicKey)]),
      )
    })

test('both libraries write the same bytes: signed PSBT, final PSBT extracted, raw transaction', () => {
  const { psbt } = makeBitcoinPsbt(transferOf(odd, 'bitcoin-signet'))
  const tx = parse(psbt, odd, 'bitcoin-signet')
  const result = signed(tx, odd)
  const theirs = Psbt.fromHex(psbt)
  tx.prepare().forEach((item, i) => {
    const { tapKeySig } = Psbt.fromBuffer(result.serialise('psbt').bytes).data.inputs[i]!
    theirs.updateInput(i, { tapKeySig: tapKeySig! })
    assert.equal(item.id, `input-${i}`)
  })
  assert.equal(toHex(result.serialise('psbt').bytes), theirs.toHex())
  theirs.finalizeAllInputs()
  assert.equal(toHex(result.serialise('raw').bytes), theirs.extractTransaction().toHex())
})

test('the referee finds every fault it is there to find', () => {
  const transfer = transferOf(odd, 'bitcoin-testnet4')
  const { psbt } = makeBitcoinPsbt(transfer)
  const raw = toHex(signed(parse(psbt, odd, 'bitcoin-testnet4'), odd).serialise().bytes)
  const check = (signedRaw: string) => checkBitcoin({ psbtUnsigned: psbt, signedRaw })

  const otherAmount = makeBitcoinPsbt({ ...transfer, amount: '15001' }).psbt
  const other = toHex(signed(parse(otherAmount, odd, 'bitcoin-testnet4'), odd).serialise().bytes)
  assert.match(check(other).reasons[0]!, /another transaction/)

  const forged = Transaction.fromHex(raw)
  forged.ins[1]!.witness[0]![10]! ^= 1
  assert.deepEqual(check(forged.toHex()).reasons, ['the signature of input 1 does not verify'])

  const swapped = Transaction.fromHex(raw)
  const [first, second] = swapped.ins.map(({ witness }) => witness)
  swapped.ins[0]!.witness = second!
  swapped.ins[1]!.witness = first!
  assert.equal(check(swapped.toHex()).reasons.length, 2)

  const bare = Transaction.fromHex(raw)
  bare.ins[2]!.witness = []
  assert.match(check(bare.toHex()).reasons[0]!, /input 2 is not a Taproot key spend/)
  assert.deepEqual(check(raw).reasons, [])
})

test('samples stay the same for one address and differ between addresses', () => {
  const [mine, theirs] = [transferOf(odd, 'bitcoin-testnet4'), transferOf(even, 'bitcoin-testnet4')]
  assert.deepEqual(sampleCoins(mine.address), mine.coins)
  assert.notDeepEqual(mine.coins, theirs.coins)
  assert.equal(new Set(mine.coins.map(({ txid }) => txid)).size, 3)
  assert.throws(() => makeBitcoinPsbt({ ...mine, amount: '99999999' }), /do not cover/)
  assert.throws(
    () => makeBitcoinPsbt({ ...mine, xOnlyInternalKey: theirs.xOnlyInternalKey }),
    /not that of/,
  )
})
