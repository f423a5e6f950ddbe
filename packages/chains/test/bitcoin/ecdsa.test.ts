import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, type FaultCode, fromHex, isFault, toHex } from '@quorate/base'
import { findAdapter, type UnsignedTx } from '@quorate/chains'
import { OutScript, SigHash, Transaction } from '@scure/btc-signer'
import type { TransactionInputUpdate } from '@scure/btc-signer/psbt.js'
import { NOTHING, type RawInput, readTx, writeTx } from '#src/bitcoin/raw-transaction.js'
import { digestOf } from '#src/ecdsa.js'
import {
  erin,
  frank,
  keyHash,
  PAID_SAMPLE,
  p2wpkhOutput,
  paidCoin,
  previousTx,
  SUITE,
  txidOf,
} from '../ecdsa-wallets.js'
import {
  alice,
  bob,
  coinOf,
  NO_CONTEXT,
  PAYEE_SCRIPT,
  type PsbtParts,
  psbtOf,
  signaturesFor,
  type Wallet,
  xOnly,
} from '../wallets.js'
import { FORMS, formCoin, formSample, outputOf } from './coins.js'

const adapter = findAdapter('bitcoin-testnet4', SUITE)
const parse = (unsigned: Uint8Array, wallet: Wallet = erin): UnsignedTx =>
  adapter.parse({ unsigned, context: NO_CONTEXT, key: wallet.key })
const sample = psbtOf(PAID_SAMPLE)
const withInputs = (...inputs: PsbtParts['inputs']): Uint8Array =>
  psbtOf({ ...PAID_SAMPLE, inputs })
const big = (more: TransactionInputUpdate): Uint8Array =>
  withInputs(paidCoin(erin, 0, 100_000n, more))
const has = (lines: readonly string[], text: string): boolean =>
  lines.some((line) => line.includes(text))

function refuses(unsigned: Uint8Array, code: FaultCode, detail = ''): void {
  assert.throws(
    () => parse(unsigned),
    (error) => isFault(error, code) && (error.detail ?? '').includes(detail),
    code,
  )
}

test('the address of the first BIP-84 key, and of what network it is', () => {
  // BIP-84, test vectors: account 0, first receiving address.
  const publicKey = fromHex('0330d54fd0dd420a6e5f8d3624f5f3482cae350f79d5f0753bf5beef9c2d91af3c')
  const key = { scheme: 'ecdsa-secp256k1', publicKey } as const
  const address = 'bc1qcr8te4kr609gcawutmrza0j4xv80jy8z306fyu'
  assert.equal(findAdapter('bitcoin', SUITE).address(key), address)
  assert.equal(findAdapter('bitcoin').parseAddress(address), address)
  assert.match(findAdapter('bitcoin-regtest', SUITE).address(key), /^bcrt1q/)
  assert.throws(
    () => findAdapter('bitcoin', SUITE).addressKey(address),
    (error) => isFault(error, 'chains/no-key-in-address'),
  )
})

test('one key has three addresses, the usual one first, and a signature of it proves each', () => {
  const { addresses, addressItem, addressVerifier, parseAddress } = findAdapter('bitcoin', SUITE)
  // BIP-49, test vectors (its public key); BIP-44 wallets show the same key as 1….
  const publicKey = fromHex('03a1af804ac108a8a51782198c2d034b28bf90c8803f5a53f76276fa69a4eae77f')
  const key = { scheme: 'ecdsa-secp256k1', publicKey } as const
  assert.equal(
    findAdapter('bitcoin-testnet4', SUITE).addresses!(key)[1]!.address,
    '2Mww8dCYPUpKHofjgcXcBCEGmniw9CoaiD2',
  )
  const all = addresses!(erin.key)
  assert.deepEqual(
    all.map(({ form, address }) => [form, parseAddress(address)]),
    FORMS.map((form, i) => [form, all[i]!.address]),
  )
  assert.equal(all[0]!.address, findAdapter('bitcoin', SUITE).address(erin.key))
  const message = new Uint8Array(32).fill(1)
  const item = addressItem(erin.key, message)
  for (const { address } of all) {
    const verifies = addressVerifier(address)!
    assert.equal(verifies(item.message, erin.sign(item)), true, address)
    assert.equal(verifies(item.message, frank.sign(item)), false, address)
    assert.equal(verifies(message, erin.sign(item)), false, address)
  }
  const { verifySignature } = findAdapter('bitcoin', SUITE)
  assert.equal(verifySignature(erin.key.publicKey, item.message, erin.sign(item)), true)
  assert.equal(verifySignature(frank.key.publicKey, item.message, erin.sign(item)), false)
  const taproot = findAdapter('bitcoin').address(alice.key)
  assert.equal(addressVerifier(taproot), undefined)
})

for (const form of FORMS)
  test(`coins at ${form} addresses: signed, final, and the same with another program to finish`, () => {
    const unsigned = psbtOf(formSample(form, erin))
    const tx = parse(unsigned)
    assert.deepEqual(tx.view().from, [
      adapter.addresses!(erin.key).find((each) => each.form === form)!.address,
    ])
    assert.deepEqual(
      tx.view().outputs.map(({ isChange }) => isChange),
      [false, true],
    )
    const signed = tx.attach(signaturesFor(tx, erin))
    const raw = signed.serialise()
    const psbt = signed.serialise('psbt')
    assert.equal(raw.txid, psbt.txid)
    assert.deepEqual(tx.verify(raw.bytes), [])
    assert.deepEqual(tx.verify(psbt.bytes), [])
    const finished = Transaction.fromPSBT(psbt.bytes)
    finished.finalize()
    assert.deepEqual(finished.extract(), raw.bytes)
    assert.equal(finished.id, raw.txid)
    assert.deepEqual(tx.verify(finished.toPSBT()), [])
    for (const at of [raw.bytes.length - 30, 60]) {
      const broken = raw.bytes.slice()
      broken[at]! ^= 1
      assert.notDeepEqual(tx.verify(broken), [])
    }
  })

test('coins at all three addresses in one transaction, with the redeem script left out', () => {
  const { redeemScript: _, ...nested } = formCoin('p2sh-p2wpkh', erin, 1, 40_000n)
  const parts = {
    inputs: [formCoin('p2pkh', erin, 0, 40_000n), nested, formCoin('p2wpkh', erin, 2, 40_000n)],
    outputs: [{ script: PAYEE_SCRIPT, amount: 119_000n }],
  }
  for (const version of [0, 2] as const) {
    const tx = parse(psbtOf({ ...parts, version }))
    assert.equal(new Set(tx.view().from).size, 3)
    const { bytes, txid } = tx.attach(signaturesFor(tx, erin)).serialise('psbt')
    const finished = Transaction.fromPSBT(bytes)
    assert.equal(finished.opts.PSBTVersion, version)
    finished.finalize()
    assert.equal(finished.id, txid)
    assert.deepEqual(tx.verify(finished.extract()), [])
  }
})

test('signed, it is final, and verifies in both formats', () => {
  const tx = parse(sample)
  const signed = tx.attach(signaturesFor(tx, erin))
  const raw = signed.serialise()
  const psbt = signed.serialise('psbt')
  assert.equal(raw.txid, psbt.txid)
  assert.equal(raw.txid, Transaction.fromPSBT(sample).id)
  assert.equal(Transaction.fromRaw(raw.bytes).id, raw.txid)
  assert.deepEqual(tx.verify(raw.bytes), [])
  assert.deepEqual(tx.verify(psbt.bytes), [])
  const finished = Transaction.fromPSBT(psbt.bytes)
  finished.finalize()
  assert.deepEqual(finished.extract(), raw.bytes)
  const [signature, key] = Transaction.fromRaw(raw.bytes).getInput(0).finalScriptWitness!
  assert.deepEqual(key, erin.key.publicKey)
  assert.equal(signature!.at(-1), 1)
})

test('the preimage is that of an independent implementation, for every input', () => {
  const items = parse(sample).prepare()
  assert.deepEqual(
    items.map(({ id, hash }) => [id, hash]),
    [
      ['input-0', 'sha256d'],
      ['input-1', 'sha256d'],
    ],
  )
  const code = OutScript.encode({ type: 'pkh', hash: keyHash(erin) })
  const theirs = Transaction.fromPSBT(sample)
  for (const [i, amount] of [70_000n, 30_000n].entries())
    assert.deepEqual(
      digestOf('sha256d', items[i]!.message),
      theirs.preimageWitnessV0(i, code, SigHash.ALL, amount),
    )
})

test('who pays, to whom, how much, change and fee', () => {
  const view = parse(sample).view()
  const own = adapter.address(erin.key)
  assert.deepEqual(view.from, [own])
  assert.deepEqual(
    view.outputs.map(({ amount, isChange }) => [amount, isChange]),
    [
      [60_000n, false],
      [39_700n, true],
    ],
  )
  assert.deepEqual(view.fee, { asset: 'BTC', amount: 300n, isClaimed: false })
  assert.deepEqual(view.notes, [
    'spends 2 coins of this wallet, 0.001 BTC together',
    'fee 300 sat, at least 1.4 sat/vB',
  ])
  assert.deepEqual(view.warnings, [])
})

test('change is what goes to an address whose coins this wallet signs for, and nothing else', () => {
  const isChange = (script: Uint8Array): boolean =>
    parse(psbtOf({ ...PAID_SAMPLE, outputs: [{ script, amount: 90_000n }] })).view().outputs[0]!
      .isChange
  for (const form of FORMS) {
    assert.equal(isChange(outputOf(form, erin)), true)
    assert.equal(isChange(outputOf(form, frank)), false)
  }
  assert.equal(isChange(OutScript.encode({ type: 'tr', pubkey: xOnly(erin) })), false)
  const shared = concatBytes(Uint8Array.of(0x21), erin.key.publicKey, Uint8Array.of(0xac))
  assert.equal(isChange(OutScript.encode({ type: 'wsh', hash: sha256(shared) })), false)
})

test('without the whole previous transaction nothing of ours is signed', () => {
  const { nonWitnessUtxo: _, ...light } = paidCoin(erin, 0, 100_000n)
  refuses(withInputs(light), 'chains/missing-previous-transaction', 'input 0')
  const { witnessUtxo: __, ...whole } = paidCoin(erin, 0, 100_000n)
  assert.deepEqual(parse(withInputs(whole)).prepare(), parse(big({})).prepare())
  const { nonWitnessUtxo: ___, ...bare } = whole
  refuses(withInputs(bare), 'chains/missing-utxo', 'input 0')
  refuses(
    withInputs(paidCoin(erin, 0, 50_000n), { ...light, index: 3 }),
    'chains/missing-previous-transaction',
    'input 1',
  )
})

test('an amount that the previous transaction contradicts is refused', () => {
  const script = p2wpkhOutput(erin)
  const honest = paidCoin(erin, 0, 100_000n)
  // The library that makes the sample refuses it too, so the lie is put into the finished bytes.
  const lie = toHex(withInputs(honest)).replace(
    `01011f${'a086010000000000'}16${toHex(script)}`,
    `01011f${'9f86010000000000'}16${toHex(script)}`,
  )
  assert.notEqual(lie, toHex(withInputs(honest)))
  refuses(fromHex(lie), 'chains/malformed-transaction')
  const other = toHex(withInputs(honest)).replace(
    toHex(previousTx(script, 0, 100_000n)),
    toHex(previousTx(script, 0, 100_001n)),
  )
  refuses(fromHex(other), 'chains/malformed-transaction')
  // A legacy input has no second place for the amount: the id of what it comes with must be the right one.
  const legacy = toHex(psbtOf({ ...PAID_SAMPLE, inputs: [formCoin('p2pkh', erin, 0, 100_000n)] }))
  const paid = outputOf('p2pkh', erin)
  const lower = legacy.replace(
    toHex(previousTx(paid, 0, 100_000n)),
    toHex(previousTx(paid, 0, 100_001n)),
  )
  assert.notEqual(lower, legacy)
  refuses(fromHex(lower), 'chains/malformed-transaction', 'another transaction')
})

test('the fee is a claim while an input of others comes without its transaction', () => {
  const lightly = parse(withInputs(...PAID_SAMPLE.inputs, coinOf(bob, 5, 1_000n))).view()
  assert.deepEqual(lightly.fee, { asset: 'BTC', amount: 1_300n, isClaimed: true })
  assert.ok(has(lightly.warnings, 'what 1 coin of others hold is only claimed'))
  const wholly = parse(withInputs(...PAID_SAMPLE.inputs, paidCoin(frank, 5, 1_000n))).view()
  assert.equal(wholly.fee!.isClaimed, false)
  assert.ok(!has(wholly.warnings, 'claimed'))
})

test('nothing of ours, or ours by another script', () => {
  refuses(withInputs(paidCoin(frank, 0, 100_000n)), 'chains/not-our-key')
  refuses(withInputs(coinOf(alice, 0, 100_000n)), 'chains/not-our-key')
  const der = { fingerprint: 7, path: [84] }
  const named = paidCoin(frank, 0, 100_000n, { bip32Derivation: [[erin.key.publicKey, der]] })
  refuses(withInputs(named), 'chains/key-mismatch', 'input 0')
  const shared = concatBytes(Uint8Array.of(0x21), erin.key.publicKey, Uint8Array.of(0xac))
  refuses(withInputs(paidCoin(frank, 0, 100_000n, { witnessScript: shared })), 'chains/script-path')
  refuses(big({ witnessScript: shared }), 'chains/script-path')
  refuses(big({ redeemScript: p2wpkhOutput(erin) }), 'chains/script-path')
  const nested = formCoin('p2sh-p2wpkh', erin, 0, 100_000n)
  const wrong = { ...nested, redeemScript: p2wpkhOutput(frank) }
  refuses(psbtOf({ ...PAID_SAMPLE, inputs: [wrong] }), 'chains/script-path')
})

test('signature types other than ALL', () => {
  for (const sighashType of [0, 2, 3, 0x81, 0x82, 0x83, 4, 0x101])
    refuses(big({ sighashType }), 'chains/sighash-type', 'input 0')
  assert.deepEqual(
    parse(big({ sighashType: 1 })).prepare()[0]!.message,
    parse(big({})).prepare()[0]!.message,
  )
})

test('what is signed or final already', () => {
  const der = concatBytes(
    new secp256k1.Signature(5n, 5n).toBytes('der'),
    Uint8Array.of(SigHash.ALL),
  )
  refuses(big({ partialSig: [[erin.key.publicKey, der]] }), 'chains/already-signed')
  refuses(big({ finalScriptWitness: [der, erin.key.publicKey] }), 'chains/already-signed')
})

test('missing, foreign, swapped, high and malformed signatures are refused', () => {
  const tx = parse(sample)
  const good = signaturesFor(tx, erin)
  const bad = (detail: string) => (error: unknown) =>
    isFault(error, 'chains/bad-signature') && error.detail!.includes(detail)
  assert.throws(
    () => tx.attach(new Map([['input-0', good.get('input-0')!]])),
    (error) => isFault(error, 'chains/missing-signature'),
  )
  assert.throws(
    () => tx.attach(signaturesFor(tx, frank)),
    bad('input-0: it is not one of this key'),
  )
  const [first, second] = [good.get('input-0')!, good.get('input-1')!]
  const replaced = (signature: Uint8Array) => new Map([...good, ['input-0', signature]])
  assert.throws(() => tx.attach(replaced(second)), bad('not one of this key'))
  const { r, s } = secp256k1.Signature.fromBytes(first, 'compact')
  const high = new secp256k1.Signature(r, secp256k1.Point.Fn.neg(s)).toBytes('compact')
  assert.throws(() => tx.attach(replaced(high)), bad('upper half'))
  for (const length of [0, 63, 65])
    assert.throws(() => tx.attach(replaced(new Uint8Array(length))), bad('64 bytes'))
})

test('two wallets of different forms sign one transaction', () => {
  const unsigned = withInputs(paidCoin(erin, 0, 50_000n), coinOf(alice, 1, 70_000n))
  const tx = parse(unsigned)
  assert.deepEqual(
    tx.prepare().map(({ id }) => id),
    ['input-0'],
  )
  const half = tx.attach(signaturesFor(tx, erin))
  assert.throws(
    () => half.serialise(),
    (error) => isFault(error, 'chains/others-unsigned'),
  )
  const { bytes, txid } = half.serialise('psbt')
  const second = findAdapter('bitcoin-testnet4').parse({
    unsigned: bytes,
    context: NO_CONTEXT,
    key: alice.key,
  })
  const whole = second.attach(signaturesFor(second, alice)).serialise('psbt')
  assert.equal(whole.txid, txid)
  assert.deepEqual(tx.verify(whole.bytes), [])
  const done = Transaction.fromPSBT(whole.bytes)
  done.finalize()
  assert.deepEqual(tx.verify(done.extract()), [])
  assert.deepEqual(second.verify(done.extract()), [])
})

test('verify names what is wrong with a signed transaction', () => {
  const tx = parse(sample)
  const { bytes } = tx.attach(signaturesFor(tx, erin)).serialise()
  assert.deepEqual(tx.verify(sample), ['input 0 is not signed', 'input 1 is not signed'])
  const other = parse(psbtOf({ ...PAID_SAMPLE, outputs: [{ script: PAYEE_SCRIPT, amount: 5n }] }))
  assert.match(other.verify(bytes)[0]!, /another transaction/)
  const signed = Transaction.fromRaw(bytes)
  const witness = signed.getInput(1).finalScriptWitness!
  const withWitness = (...items: readonly Uint8Array[]): readonly string[] => {
    const changed = Transaction.fromRaw(bytes)
    changed.updateInput(1, { finalScriptWitness: [...items] }, true)
    return tx.verify(changed.toBytes(true, true))
  }
  const [signature, key] = witness as [Uint8Array, Uint8Array]
  assert.deepEqual(withWitness(signature, key), [])
  const wrong = ['the signature of input 1 does not verify']
  const { r, s } = secp256k1.Signature.fromBytes(signature.slice(0, -1), 'der')
  const high = new secp256k1.Signature(r, secp256k1.Point.Fn.neg(s)).toBytes('der')
  assert.deepEqual(withWitness(concatBytes(high, Uint8Array.of(1)), key), wrong)
  assert.deepEqual(withWitness(concatBytes(signature.slice(0, -1), Uint8Array.of(3)), key), wrong)
  assert.deepEqual(withWitness(signature, frank.key.publicKey), wrong)
  assert.deepEqual(withWitness(signature, key, key), wrong)
  assert.deepEqual(withWitness(signature), wrong)
  assert.deepEqual(withWitness(Uint8Array.of(0x30, 1), key), wrong)
})

test('verify reads inputs of every form as strictly', () => {
  for (const form of FORMS) {
    const tx = parse(psbtOf(formSample(form, erin)))
    const { bytes } = tx.attach(signaturesFor(tx, erin)).serialise()
    const raw = readTx(bytes)
    const withInput = (changed: Partial<RawInput>): readonly string[] =>
      tx.verify(writeTx({ ...raw, inputs: [{ ...raw.inputs[0]!, ...changed }, raw.inputs[1]!] }))
    const { scriptSig, witness } = raw.inputs[0]!
    assert.deepEqual(withInput({}), [])
    const wrong = ['the signature of input 0 does not verify']
    assert.deepEqual(withInput({ scriptSig: concatBytes(scriptSig, Uint8Array.of(0x51)) }), wrong)
    assert.deepEqual(withInput({ witness: [...witness, Uint8Array.of(1)] }), wrong)
    assert.deepEqual(
      withInput({ scriptSig: NOTHING.scriptSig, witness: [erin.key.publicKey] }),
      wrong,
    )
    assert.deepEqual(withInput({ scriptSig: Uint8Array.of(0x51), witness: [] }), wrong)
    assert.deepEqual(withInput(NOTHING), ['input 0 is not signed'])
  }
})

test('verify reads signatures in a PSBT as strictly', () => {
  const tx = parse(sample)
  const { bytes } = tx.attach(signaturesFor(tx, erin)).serialise('psbt')
  const changed = Transaction.fromPSBT(bytes)
  const [[key, signature]] = changed.getInput(0).partialSig! as [[Uint8Array, Uint8Array]]
  const typed = concatBytes(signature.slice(0, -1), Uint8Array.of(3))
  const other = fromHex(toHex(bytes).replace(toHex(signature), toHex(typed)))
  assert.deepEqual(tx.verify(other), ['the signature of input 0 does not verify'])
  assert.deepEqual(key, erin.key.publicKey)
})

test('too many coins of the oldest kind in one large transaction are refused before they are hashed', () => {
  const script = outputOf('p2pkh', erin)
  const coin = (i: number): TransactionInputUpdate => {
    const previous = previousTx(script, 0, 10_000n + BigInt(i))
    return { txid: txidOf(previous), index: 0, nonWitnessUtxo: previous }
  }
  const inputs = Array.from({ length: 256 }, (_, i) => coin(i))
  const paying = (bytes: number): Uint8Array =>
    psbtOf({
      inputs,
      outputs: [
        { script: PAYEE_SCRIPT, amount: 90_000n },
        { script: concatBytes(Uint8Array.of(0x6a), new Uint8Array(bytes)), amount: 0n },
      ],
    })
  assert.equal(parse(paying(100)).prepare().length, 256)
  refuses(paying(6_000), 'chains/transaction-too-large', 'oldest kind')
})

test('witnesses of a previous transaction are a hint: no signature covers them', () => {
  const previous = Transaction.fromRaw(previousTx(p2wpkhOutput(erin), 0, 100_000n), {
    allowUnknownInputs: true,
    disableScriptCheck: true,
  })
  const notes = (byte: number): readonly string[] => {
    previous.updateInput(0, { finalScriptWitness: [Uint8Array.of(byte)] }, true)
    return parse(big({ nonWitnessUtxo: previous.toBytes(true, true) })).view().notes
  }
  assert.ok(has(notes(1), 'hints that no signature covers'))
  assert.notDeepEqual(notes(1), notes(2))
  assert.ok(!has(parse(big({})).view().notes, 'hints'))
})
