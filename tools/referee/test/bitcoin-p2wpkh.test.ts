/** P2WPKH: what bitcoinjs-lib makes, our adapter signs; what our adapter writes, it and libsecp256k1 accept. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex } from '@quorate/base'
import { findAdapter, type SignItem, type UnsignedTx } from '@quorate/chains'
import {
  checkBitcoin,
  makeP2wpkhPsbt,
  type P2wpkhTransfer,
  samplePaidCoins,
  samplePayee,
} from '@quorate/referee'
import { crypto, Psbt, Transaction } from 'bitcoinjs-lib'
import { pointFromScalar, sign } from 'tiny-secp256k1'

const SUITE = 'CGGMP24-secp256k1-SHA256-128-v1'
const secretKey = new Uint8Array(32).fill(4)
const publicKey = pointFromScalar(secretKey, true)!
const key = { scheme: 'ecdsa-secp256k1', publicKey } as const

/** Hashed by bitcoinjs-lib and signed by libsecp256k1, so that no code of ours or noble's makes the signature. */
const signItem = ({ message }: SignItem): Uint8Array => sign(crypto.hash256(message), secretKey)

function transferOf(network: string): P2wpkhTransfer {
  const address = findAdapter(network, SUITE).address(key)
  return {
    address,
    publicKey: toHex(publicKey),
    coins: samplePaidCoins(address),
    to: samplePayee(address),
    amount: '15000',
    feeRate: 2.5,
    change: address,
  }
}

const parse = (psbt: string, network: string): UnsignedTx =>
  findAdapter(network, SUITE).parse({
    unsigned: fromHex(psbt),
    context: new Uint8Array(0),
    key,
  })
const signed = (tx: UnsignedTx) =>
  tx.attach(new Map(tx.prepare().map((item) => [item.id, signItem(item)])))

for (const network of ['bitcoin', 'bitcoin-testnet4', 'bitcoin-regtest'])
  test(`several coins, change and fee on ${network}`, () => {
    const transfer = transferOf(network)
    const made = makeP2wpkhPsbt(transfer)
    const tx = parse(made.psbt, network)

    const view = tx.view()
    assert.deepEqual(view.from, [transfer.address])
    assert.deepEqual(
      view.outputs.map(({ to, amount, isChange }) => [to, String(amount), isChange]),
      [
        [transfer.to, '15000', false],
        [transfer.address, made.changeAmount, true],
      ],
    )
    assert.deepEqual(view.fee, { asset: 'BTC', amount: BigInt(made.fee), isClaimed: false })
    assert.deepEqual([view.isComplete, view.warnings], [true, []])
    assert.ok(view.notes.some((note) => note.endsWith('at least 2.4 sat/vB')))

    const { bytes, txid } = signed(tx).serialise('raw')
    const verdict = checkBitcoin({ psbtUnsigned: made.psbt, signedRaw: toHex(bytes) })
    assert.deepEqual(verdict.reasons, [])
    assert.equal(verdict.isValid, true)
    assert.equal(verdict.txid, txid)
    assert.deepEqual(
      verdict.inputs.map(({ message }) => message),
      tx.prepare().map(({ message }) => toHex(crypto.hash256(message))),
    )
    assert.deepEqual(
      verdict.inputs.map(({ signature }) => signature),
      tx.prepare().map((item) => toHex(signItem(item))),
    )
  })

test('both libraries write the same bytes: signed PSBT, final PSBT extracted, raw transaction', () => {
  const { psbt } = makeP2wpkhPsbt(transferOf('bitcoin-signet'))
  const result = signed(parse(psbt, 'bitcoin-signet'))
  const theirs = Psbt.fromHex(psbt)
  theirs.signAllInputs({
    publicKey,
    sign: (hash: Uint8Array) => sign(hash, secretKey),
  })
  assert.equal(toHex(result.serialise('psbt').bytes), theirs.toHex())
  theirs.finalizeAllInputs()
  assert.equal(toHex(result.serialise('raw').bytes), theirs.extractTransaction().toHex())
})

test('the referee finds every fault it is there to find', () => {
  const { psbt } = makeP2wpkhPsbt(transferOf('bitcoin-testnet4'))
  const raw = toHex(signed(parse(psbt, 'bitcoin-testnet4')).serialise().bytes)
  const check = (change: (tx: Transaction) => void) => {
    const tx = Transaction.fromHex(raw)
    change(tx)
    return checkBitcoin({ psbtUnsigned: psbt, signedRaw: tx.toHex() }).reasons
  }
  assert.deepEqual(
    check(() => undefined),
    [],
  )
  const forged = ['the signature of input 1 does not verify']
  assert.deepEqual(
    check(({ ins }) => (ins[1]!.witness[0]![20]! ^= 1)),
    forged,
  )
  assert.deepEqual(
    check(({ ins }) => (ins[1]!.witness[1] = pointFromScalar(new Uint8Array(32).fill(5), true)!)),
    forged,
  )
  assert.match(check(({ ins }) => (ins[2]!.witness = []))[0]!, /input 2 is not a P2WPKH/)
  assert.match(check(({ outs }) => (outs[0]!.value += 1n))[0]!, /another transaction/)
})

test('a coin’s amount is that of the transaction that it comes with', () => {
  const transfer = transferOf('bitcoin-testnet4')
  const [first, ...rest] = transfer.coins
  const richer = { ...first!, amount: String(BigInt(first!.amount) + 1n) }
  const { psbt } = makeP2wpkhPsbt({ ...transfer, coins: [richer, ...rest] })
  assert.throws(() => parse(psbt, 'bitcoin-testnet4'))
  assert.deepEqual(samplePaidCoins(transfer.address), transfer.coins)
  assert.throws(
    () => makeP2wpkhPsbt({ ...transfer, publicKey: `02${'79'.repeat(32)}` }),
    /not that of the key|point/i,
  )
})
