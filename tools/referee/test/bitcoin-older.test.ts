/** P2PKH and P2WPKH within P2SH, on Bitcoin, Litecoin and Dogecoin: judged by bitcoinjs-lib and libsecp256k1. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex, toHex } from '@quorate/base'
import { buildBitcoinTransfer, findAdapter, type SignItem, type UnsignedTx } from '@quorate/chains'
import {
  checkBitcoin,
  makeOlderPsbt,
  olderAddresses,
  type P2wpkhTransfer,
  samplePaidCoins,
  samplePayee,
} from '@quorate/referee'
import { crypto, Psbt, payments, script, Transaction } from 'bitcoinjs-lib'
import { pointFromScalar, sign, verify } from 'tiny-secp256k1'

const SUITE = 'CGGMP24-secp256k1-SHA256-128-v1'
const secretKey = new Uint8Array(32).fill(4)
const publicKey = pointFromScalar(secretKey, true)!
const key = { scheme: 'ecdsa-secp256k1', publicKey } as const

/** Hashed by bitcoinjs-lib and signed by libsecp256k1, so that no code of ours or noble's makes the signature. */
const signItem = ({ message }: SignItem): Uint8Array => sign(crypto.hash256(message), secretKey)

const addressAt = (network: string, form: string): string =>
  findAdapter(network, SUITE).addresses!(key).find((each) => each.form === form)!.address

function transferOf(network: string, form: string): P2wpkhTransfer {
  const address = addressAt(network, form)
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
  findAdapter(network, SUITE).parse({ unsigned: fromHex(psbt), context: new Uint8Array(0), key })
const signed = (tx: UnsignedTx) =>
  tx.attach(new Map(tx.prepare().map((item) => [item.id, signItem(item)])))

const CASES = [
  ['bitcoin', 'p2pkh'],
  ['bitcoin', 'p2sh-p2wpkh'],
  ['bitcoin-testnet4', 'p2pkh'],
  ['bitcoin-testnet4', 'p2sh-p2wpkh'],
  ['litecoin', 'p2pkh'],
  ['litecoin', 'p2sh-p2wpkh'],
  ['dogecoin', 'p2pkh'],
] as const

for (const [network, form] of CASES)
  test(`several coins, change and fee at ${form} of ${network}`, () => {
    const transfer = transferOf(network, form)
    const { p2pkh, nested } = olderAddresses(transfer.publicKey, transfer.address)
    assert.equal(transfer.address, form === 'p2pkh' ? p2pkh : nested)
    const made = makeOlderPsbt(transfer)
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
    assert.deepEqual([String(view.fee!.amount), view.fee!.isClaimed], [made.fee, false])
    assert.equal(view.isComplete, true)
    assert.ok(view.notes.some((note) => /at least 2\.[45] \w+\/vB$/.test(note)))

    const { bytes, txid } = signed(tx).serialise('raw')
    const verdict = checkBitcoin({ psbtUnsigned: made.psbt, signedRaw: toHex(bytes) })
    assert.deepEqual(verdict.reasons, [])
    assert.equal(verdict.txid, txid)
    assert.deepEqual(
      verdict.inputs.map(({ message, signature }) => [message, signature]),
      tx.prepare().map((item) => [toHex(crypto.hash256(item.message)), toHex(signItem(item))]),
    )
  })

for (const form of ['p2pkh', 'p2sh-p2wpkh'])
  test(`both libraries write the same bytes at ${form}`, () => {
    const { psbt } = makeOlderPsbt(transferOf('bitcoin', form))
    const result = signed(parse(psbt, 'bitcoin'))
    const theirs = Psbt.fromHex(psbt)
    theirs.signAllInputs({ publicKey, sign: (hash: Uint8Array) => sign(hash, secretKey) })
    assert.equal(toHex(result.serialise('psbt').bytes), theirs.toHex())
    theirs.finalizeAllInputs()
    const { bytes } = result.serialise('raw')
    assert.equal(toHex(bytes), theirs.extractTransaction().toHex())
    assert.deepEqual(parse(psbt, 'bitcoin').verify(Uint8Array.from(theirs.toBuffer())), [])
  })

test('a PSBT that we build, with coins at all three addresses, is signed alike by bitcoinjs-lib', () => {
  const network = 'bitcoin-testnet4'
  const coins = ['p2pkh', 'p2sh-p2wpkh', 'p2wpkh'].map((form) => {
    const [coin] = samplePaidCoins(addressAt(network, form), 1)
    const { txid, vout, amount, previousTx } = coin!
    return { txid, vout, amount: BigInt(amount), previousTx: fromHex(previousTx) }
  })
  const most = coins.reduce((sum, { amount }) => sum + amount, 0n)
  const to = samplePayee(addressAt(network, 'p2wpkh'))
  const { unsigned } = buildBitcoinTransfer({
    network,
    key,
    coins,
    to: [{ address: to, amount: most - 3_000n }],
    feeRate: 1,
  })
  const tx = parse(toHex(unsigned), network)
  assert.equal(tx.prepare().length, 3)
  const theirs = Psbt.fromBuffer(unsigned)
  theirs.signAllInputs({ publicKey, sign: (hash: Uint8Array) => sign(hash, secretKey) })
  theirs.finalizeAllInputs()
  const raw = toHex(signed(tx).serialise().bytes)
  assert.equal(raw, theirs.extractTransaction().toHex())
  assert.deepEqual(checkBitcoin({ psbtUnsigned: toHex(unsigned), signedRaw: raw }).reasons, [])
})

test('the referee finds faults in older inputs too', () => {
  for (const [form, name] of [
    ['p2pkh', 'P2PKH'],
    ['p2sh-p2wpkh', 'P2SH-P2WPKH'],
  ] as const) {
    const { psbt } = makeOlderPsbt(transferOf('bitcoin', form))
    const raw = toHex(signed(parse(psbt, 'bitcoin')).serialise().bytes)
    const check = (change: (tx: Transaction) => void): readonly string[] => {
      const tx = Transaction.fromHex(raw)
      change(tx)
      return checkBitcoin({ psbtUnsigned: psbt, signedRaw: tx.toHex() }).reasons
    }
    assert.deepEqual(
      check(() => undefined),
      [],
    )
    const stranger = pointFromScalar(new Uint8Array(32).fill(5), true)!
    const forge = ({ ins }: Transaction): void => {
      const input = ins[1]!
      if (form === 'p2pkh') input.script.set(stranger, input.script.length - 33)
      else input.witness[1] = stranger
    }
    assert.deepEqual(check(forge), ['the signature of input 1 does not verify'])
    const bare = check(({ ins }) => {
      ins[2]!.script = new Uint8Array(0)
      ins[2]!.witness = []
    })
    assert.deepEqual(bare, [`input 2 is not a ${name} key spend`])
  }
  const transfer = transferOf('bitcoin', 'p2pkh')
  assert.throws(
    () =>
      makeOlderPsbt({
        ...transfer,
        publicKey: toHex(pointFromScalar(new Uint8Array(32).fill(5), true)!),
      }),
    /not that of the key/,
  )
})

test('Bitcoin Cash: the message is what bitcoinjs-lib computes for BIP-143 with type 0x41', () => {
  const output = payments.p2pkh({ pubkey: publicKey }).output!
  const previous = new Transaction()
  previous.version = 2
  previous.addInput(new Uint8Array(32).fill(7), 0)
  previous.addOutput(output, 90_000n)
  previous.addOutput(output, 40_000n)
  const coin = (vout: number) => ({
    txid: previous.getId(),
    vout,
    previousTx: Uint8Array.from(previous.toBuffer()),
  })
  const adapter = findAdapter('bitcoin-cash')
  const { unsigned } = buildBitcoinTransfer({
    network: 'bitcoin-cash',
    key,
    coins: [coin(0), coin(1)],
    to: [{ address: 'bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a', amount: 110_000n }],
    feeRate: 1,
  })
  const tx = adapter.parse({ unsigned, context: new Uint8Array(0), key })
  const theirs = Transaction.fromBuffer(signed(tx).serialise().bytes)
  tx.prepare().forEach((item, i) => {
    const hash = theirs.hashForWitnessV0(i, output, [90_000n, 40_000n][i]!, 0x41)
    assert.deepEqual(crypto.hash256(item.message), hash)
    const [written, pushed] = script.decompile(theirs.ins[i]!.script) as [Uint8Array, Uint8Array]
    assert.deepEqual(pushed, publicKey)
    assert.equal(written.at(-1), 0x41)
    const der = Uint8Array.of(...written.subarray(0, -1), 1)
    assert.ok(verify(hash, publicKey, script.signature.decode(der).signature, true))
  })
})
