import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concatBytes, fromHex, isFault, toHex } from '@quorate/base'
import { findAdapter, type UnsignedTx } from '@quorate/chains'
import { Transaction } from '@scure/btc-signer'
import { RawPSBTV2 } from '@scure/btc-signer/psbt.js'
import { readTx, writeTx } from '#src/bitcoin/raw-transaction.js'
import {
  alice,
  bob,
  coinOf,
  NO_CONTEXT,
  PAYEE_SCRIPT,
  psbtOf,
  SAMPLE,
  signaturesFor,
  type Wallet,
} from '../wallets.js'

const adapter = findAdapter('bitcoin-testnet4')
const parse = (unsigned: Uint8Array, wallet: Wallet = alice): UnsignedTx =>
  adapter.parse({ unsigned, context: NO_CONTEXT, key: wallet.key })
const sample = psbtOf(SAMPLE)

test('signed, it is final, and verifies in both formats', () => {
  const tx = parse(sample)
  const signed = tx.attach(signaturesFor(tx, alice))
  const raw = signed.serialise()
  const psbt = signed.serialise('psbt')
  assert.equal(raw.txid, psbt.txid)
  assert.equal(raw.txid, Transaction.fromPSBT(sample).id)
  assert.deepEqual(signed.serialise('raw'), raw)
  const reread = Transaction.fromRaw(raw.bytes)
  assert.equal(reread.id, raw.txid)
  assert.deepEqual(tx.verify(raw.bytes), [])
  assert.deepEqual(tx.verify(psbt.bytes), [])
  const finished = Transaction.fromPSBT(psbt.bytes)
  finished.finalize()
  assert.deepEqual(finished.extract(), raw.bytes)
})

test('the estimate of the size is the size', () => {
  for (const sighashType of [undefined, 1]) {
    const more = sighashType === undefined ? {} : { sighashType }
    for (const inputs of [1, 2, 3].map((n) =>
      Array.from({ length: n }, (_, i) => coinOf(alice, i, 80_000n, more)),
    )) {
      const unsigned = psbtOf({ inputs, outputs: [{ script: PAYEE_SCRIPT, amount: 1_000n }] })
      const tx = parse(unsigned)
      const { bytes } = tx.attach(signaturesFor(tx, alice)).serialise()
      const size = BigInt(Transaction.fromRaw(bytes).vsize)
      const { amount } = tx.view().fee!
      const tenths = (amount * 10n) / size
      assert.ok(
        tx.view().notes.some((note) => note === `fee ${amount} sat, ${Number(tenths) / 10} sat/vB`),
      )
    }
  }
})

test('missing, foreign, swapped and malformed signatures are refused', () => {
  const tx = parse(sample)
  const good = signaturesFor(tx, alice)
  const missing = (error: unknown): boolean => isFault(error, 'chains/missing-signature')
  const bad = (error: unknown): boolean => isFault(error, 'chains/bad-signature')
  assert.throws(() => tx.attach(new Map()), missing)
  assert.throws(() => tx.attach(new Map([['input-0', good.get('input-0')!]])), missing)
  assert.throws(() => tx.attach(signaturesFor(tx, bob)), bad)
  assert.throws(
    () =>
      tx.attach(
        new Map([
          ['input-0', good.get('input-1')!],
          ['input-1', good.get('input-0')!],
        ]),
      ),
    bad,
  )
  for (const length of [0, 63, 65])
    assert.throws(() => tx.attach(new Map([...good, ['input-0', new Uint8Array(length)]])), bad)
})

test('with coins of others there is a PSBT, and a raw transaction once they have signed', () => {
  const unsigned = psbtOf({
    ...SAMPLE,
    inputs: [coinOf(bob, 0, 50_000n), coinOf(alice, 1, 70_000n)],
  })
  const tx = parse(unsigned)
  assert.deepEqual(
    tx.prepare().map(({ id }) => id),
    ['input-1'],
  )
  const signed = tx.attach(signaturesFor(tx, alice))
  assert.throws(
    () => signed.serialise(),
    (error) => isFault(error, 'chains/others-unsigned'),
  )
  const half = signed.serialise('psbt')

  const second = parse(half.bytes, bob)
  const whole = second.attach(signaturesFor(second, bob)).serialise('psbt')
  assert.equal(whole.txid, half.txid)
  assert.deepEqual(tx.verify(whole.bytes), [])
  const done = Transaction.fromPSBT(whole.bytes)
  done.finalize()
  assert.equal(done.id, half.txid)
  assert.deepEqual(tx.verify(done.extract()), [])

  // The other has finished its own input first, as wallets that finalise at once do.
  const early = Transaction.fromPSBT(unsigned)
  const othersSide = parse(unsigned, bob)
  const [item] = othersSide.prepare()
  early.updateInput(0, { tapKeySig: bob.sign(item!) })
  early.finalizeIdx(0)
  const last = parse(early.toPSBT())
  const { bytes, txid } = last.attach(signaturesFor(last, alice)).serialise()
  assert.equal(txid, half.txid)
  assert.equal(Transaction.fromRaw(bytes).isFinal, true)
})

test('while a legacy input of others can still change the id, there is none', () => {
  const legacy = coinOf(bob, 0, 50_000n, {
    witnessUtxo: { script: fromHex(`76a914${'11'.repeat(20)}88ac`), amount: 50_000n },
  })
  delete legacy.tapInternalKey
  const tx = parse(psbtOf({ ...SAMPLE, inputs: [legacy, coinOf(alice, 1, 70_000n)] }))
  const { txid } = tx.attach(signaturesFor(tx, alice)).serialise('psbt')
  assert.equal(txid, undefined)
})

test('version 2 comes back as version 2, closed to changes', () => {
  const unsigned = psbtOf({ ...SAMPLE, version: 2 })
  const tx = parse(unsigned)
  const signed = tx.attach(signaturesFor(tx, alice))
  const { bytes } = signed.serialise('psbt')
  const { global } = RawPSBTV2.decode(bytes)
  assert.equal(global.version, 2)
  assert.equal(RawPSBTV2.decode(unsigned).global.txModifiable, 0b011)
  assert.equal(global.txModifiable, 0)
  assert.deepEqual(tx.verify(bytes), [])
  const sibling = parse(sample)
  assert.deepEqual(
    signed.serialise().bytes,
    sibling.attach(signaturesFor(sibling, alice)).serialise().bytes,
  )
})

test('verify names what is wrong with a signed transaction', () => {
  const tx = parse(sample)
  const { bytes } = tx.attach(signaturesFor(tx, alice)).serialise()
  assert.match(tx.verify(new Uint8Array(3))[0]!, /neither/)
  assert.match(tx.verify(new Uint8Array(400_001))[0]!, /larger/)
  assert.match(tx.verify(sample)[0]!, /input 0 is not signed/)
  const raw = readTx(bytes)
  const withWitness = (...witness: readonly Uint8Array[]): readonly string[] =>
    tx.verify(writeTx({ ...raw, inputs: [raw.inputs[0]!, { ...raw.inputs[1]!, witness }] }))
  assert.deepEqual(withWitness(), ['input 1 is not signed'])
  assert.deepEqual(withWitness(...raw.inputs[1]!.witness, Uint8Array.of(0x50)), [
    'the signature of input 1 does not verify',
  ])
  assert.throws(
    () => tx.attach(signaturesFor(tx, alice)).serialise('hex' as 'raw'),
    (error) => isFault(error, 'chains/unknown-format'),
  )
  const other = parse(psbtOf({ ...SAMPLE, outputs: [{ script: PAYEE_SCRIPT, amount: 60_000n }] }))
  assert.match(other.verify(bytes)[0]!, /another transaction/)
  const signature = toHex(signaturesFor(tx, alice).get('input-1')!)
  const forged = fromHex(toHex(bytes).replace(signature, `00${signature.slice(2)}`))
  assert.deepEqual(tx.verify(forged), ['the signature of input 1 does not verify'])
  // SIGHASH_ALL covers the same, yet it is not what was asked for.
  const typed = fromHex(toHex(bytes).replace(`40${signature}`, `41${signature}01`))
  assert.deepEqual(tx.verify(typed), ['the signature of input 1 does not verify'])
  assert.notDeepEqual(tx.verify(concatBytes(bytes, Uint8Array.of(0))), [])
})
