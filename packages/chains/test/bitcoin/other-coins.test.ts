/** Litecoin, Dogecoin and Bitcoin Cash: what differs from Bitcoin. Addresses and the transaction are Trust Wallet Core's. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { concatBytes, fromHex, isFault, toHex } from '@quorate/base'
import { type ChainAdapter, findAdapter, suitesOf, type UnsignedTx } from '@quorate/chains'
import { SigHash, Transaction } from '@scure/btc-signer'
import { scriptOfAddress } from '#src/bitcoin/address.js'
import { BITCOIN_NETWORKS } from '#src/bitcoin/networks.js'
import { readTx, writeTx } from '#src/bitcoin/raw-transaction.js'
import { preimagesOf } from '#src/bitcoin/sighash.js'
import { digestOf, verifyEcdsa } from '#src/ecdsa.js'
import { ecdsaWallet, erin, frank, SUITE } from '../ecdsa-wallets.js'
import { alice, NO_CONTEXT, psbtOf, signaturesFor, type Wallet } from '../wallets.js'
import { formCoin, formSample, outputOf } from './coins.js'

const addressesOf = (slug: string, { key }: Wallet): readonly string[] =>
  findAdapter(slug, SUITE).addresses!(key).map(({ address }) => address)
const walletOf = (secret: string): Wallet => ecdsaWallet(fromHex(secret))
const keyOf = (publicKey: string) =>
  ({ scheme: 'ecdsa-secp256k1', publicKey: fromHex(publicKey) }) as const
const parse = (adapter: ChainAdapter, unsigned: Uint8Array, { key } = erin): UnsignedTx =>
  adapter.parse({ unsigned, context: NO_CONTEXT, key })
const has = (lines: readonly string[], text: string): boolean =>
  lines.some((line) => line.includes(text))

test('addresses of keys', () => {
  const [, , legacy] = addressesOf(
    'litecoin',
    walletOf('a22ddec5c567b4488bb00f69b6146c50da2ee883e2c096db098726394d585730'),
  )
  assert.equal(legacy, 'LV7LV7Z4bWDEjYkfx9dQo6k6RjGbXsg6hS')
  const litecoin = findAdapter('litecoin', SUITE)
  for (const [publicKey, address] of [
    [
      '030fc2fdd1a0b5d43b31227a4b1cd57e7d35a6edc93fb12f9315e67762abeb8be0',
      'ltc1q3m3ujh350qrqdl33pv7pjw0d0m9qnm6qjcjpga',
    ],
  ] as const)
    assert.equal(litecoin.address(keyOf(publicKey)), address)
  assert.deepEqual(
    addressesOf(
      'bitcoin-cash',
      walletOf('28071bf4e2b0340db41b807ed8a5514139e5d6427ff9d58dbd22b7ed187103a4'),
    ),
    ['bitcoincash:qruxj7zq6yzpdx8dld0e9hfvt7u47zrw9gfr5hy0vh'],
  )
  assert.match(findAdapter('litecoin').address(alice.key), /^ltc1p/)
  assert.match(addressesOf('litecoin-testnet', erin).join(), /^tltc1q\w+,Q\w+,[mn]\w+$/)
  assert.match(addressesOf('dogecoin-testnet', erin).join(), /^n\w+$/)
})

test('addresses and the scripts that they stand for', () => {
  for (const [slug, address, script] of [
    [
      'dogecoin',
      'DLSSSUS3ex7YNDACJDxMER1ZMW579Vy8Zy',
      '76a914a7d191ec42aa113e28cd858cceaa7c733ba2f77788ac',
    ],
    [
      'dogecoin',
      'AETZJzedcmLM2rxCM6VqCGF3YEMUjA3jMw',
      'a914f191149f72f235548746654f5b473c58258f7fb687',
    ],
    [
      'litecoin',
      'MHhghmmCTASDnuwpgsPUNJVPTFaj61GzaG',
      'a9146b85b3dac9340f36b9d32bbacf2ffcb0851ef17987',
    ],
    [
      'litecoin',
      'LgKiekick9Ka7gYoYzAWGrEq8rFBJzYiyf',
      '76a914e771c6695c5dd189ccc4ef00cd0f3db3096d79bd88ac',
    ],
    [
      'litecoin',
      'ltc1qs32zgdhe2tpzcnz55r7d9jvhce33063sfht3q0',
      '001484542436f952c22c4c54a0fcd2c997c66317ea30',
    ],
    [
      'bitcoin-cash',
      'bitcoincash:qpk05r5kcd8uuzwqunn8rlx5xvuvzjqju5rch3tc0u',
      '76a9146cfa0e96c34fce09c0e4e671fcd43338c14812e588ac',
    ],
    [
      'bitcoin-cash',
      'bitcoincash:pzukqjmcyzrkh3gsqzdcy3e3d39cqxhl3g0f405k5l',
      'a914b9604b7820876bc510009b8247316c4b801aff8a87',
    ],
  ] as const) {
    const network = BITCOIN_NETWORKS.find((each) => each.slug === slug)!
    assert.equal(toHex(scriptOfAddress(network, address)), script)
    assert.equal(findAdapter(slug, SUITE).parseAddress(address), address)
    for (const other of ['bitcoin', 'dogecoin', 'litecoin', 'bitcoin-cash'])
      if (other !== slug)
        assert.throws(
          () => findAdapter(other).parseAddress(address),
          (error) =>
            isFault(error, 'chains/wrong-network') && error.detail!.includes(`of ${slug},`),
        )
  }
})

test('where there is no segwit there are neither its addresses nor Taproot wallets', () => {
  for (const slug of ['dogecoin', 'dogecoin-testnet', 'bitcoin-cash', 'bitcoin-cash-chipnet']) {
    assert.deepEqual(suitesOf(slug), [SUITE, 'CGGMP24-secp256k1-SHA256-112-v1'])
    assert.equal(addressesOf(slug, erin).length, 1)
    const adapter = findAdapter(slug)
    assert.throws(
      () => parse(adapter, psbtOf(formSample('p2wpkh', erin))),
      (error) => isFault(error, 'chains/not-our-key'),
    )
    const { outputs, isComplete } = parse(adapter, psbtOf(formSample('p2pkh', erin))).view()
    assert.ok(outputs[0]!.to.startsWith('script:'), 'a witness program is not spent by a key there')
    assert.equal(isComplete, false)
  }
})

test('a transaction of Bitcoin Cash that was mined: message, key and signature', () => {
  // 96ee20002b34e468f9d3c5ee54f6a8ddaa61c118889c4f35395c2cd93ba5bbb4
  const signed = fromHex(
    '0100000001e28c2b955293159898e34c6840d99bf4d390e2ee1c6f606939f18ee1e2000d05020000006b483045022100b70d158b43cbcded60e6977e93f9a84966bc0cec6f2dfd1463d1223a90563f0d02207548d081069de570a494d0967ba388ff02641d91cadb060587ead95a98d4e3534121038eab72ec78e639d02758e7860cdec018b49498c307791f785aa3019622f4ea5bffffffff0258020000000000001976a914769bdff96a02f9135a1d19b749db6a78fe07dc9088ace5100000000000001976a9149e089b6889e032d46e3b915a3392edfd616fb1c488ac00000000',
  )
  const tx = readTx(signed)
  assert.deepEqual(writeTx(tx), signed)
  const wallet = walletOf('7fdafb9db5bc501f2096e7d13d331dc7a75d9594af3d251313ba8b6200f4e384')
  const code = fromHex('76a914aff1e0789e5fe316b729577665aa0a04d5b0f8c788ac')
  const message = preimagesOf(tx).segwit(0, code, 5_151n, 0x41)
  const { scriptSig } = tx.inputs[0]!
  const signature = secp256k1.Signature.fromBytes(scriptSig.slice(1, 72), 'der').toBytes('compact')
  assert.equal(scriptSig[72], 0x41)
  assert.ok(verifyEcdsa(wallet.key.publicKey, 'sha256d', message, signature))
})

test('Bitcoin Cash: BIP-143 for legacy scripts, its own signature type, and no signature is Bitcoin’s', () => {
  const adapter = findAdapter('bitcoin-cash-testnet4')
  const unsigned = psbtOf(formSample('p2pkh', erin))
  const tx = parse(adapter, unsigned)
  const code = outputOf('p2pkh', erin)
  const theirs = Transaction.fromPSBT(unsigned)
  tx.prepare().forEach(({ message }, i) => {
    // Of another implementation, for the plain type: of the two preimages only the last four bytes differ.
    const plain = concatBytes(message.slice(0, -4), Uint8Array.of(1, 0, 0, 0))
    const amount = [70_000n, 30_000n][i]!
    assert.deepEqual(
      digestOf('sha256d', plain),
      theirs.preimageWitnessV0(i, code, SigHash.ALL, amount),
    )
    assert.ok(toHex(message).endsWith('41000000'))
  })
  const { bytes } = tx.attach(signaturesFor(tx, erin)).serialise()
  assert.deepEqual(tx.verify(bytes), [])
  const bitcoin = parse(findAdapter('bitcoin', SUITE), unsigned)
  assert.deepEqual(bitcoin.verify(bytes), [
    'the signature of input 0 does not verify',
    'the signature of input 1 does not verify',
  ])
  const view = tx.view()
  assert.equal(view.fee!.asset, 'BCH')
  assert.ok(!has(view.notes, 'BIP-125'))
  const coin = (sighashType: number) => formCoin('p2pkh', erin, 0, 100_000n, { sighashType })
  const typed = (type: number) => psbtOf({ ...formSample('p2pkh', erin), inputs: [coin(type)] })
  assert.ok(parse(adapter, typed(0x41)))
  for (const type of [1, 0x42, 0x43, 0xc1, 0x61])
    assert.throws(
      () => parse(adapter, typed(type)),
      (error) => isFault(error, 'chains/sighash-type'),
    )
})

test('Bitcoin Cash: an output with tokens is neither understood nor ours', () => {
  const adapter = findAdapter('bitcoin-cash')
  // CHIP-2022-02: a prefix of category and amount stands before the script of the key.
  const token = concatBytes(
    Uint8Array.of(0xef),
    new Uint8Array(32).fill(9),
    Uint8Array.of(0x10, 5),
    outputOf('p2pkh', erin),
  )
  const outputs = [{ script: token, amount: 90_000n }]
  const view = parse(adapter, psbtOf({ ...formSample('p2pkh', erin), outputs })).view()
  assert.deepEqual([view.isComplete, view.outputs[0]!.isChange], [false, false])
})

test('dust, high fees and units are those of each coin', () => {
  const pay = (slug: string, coin: bigint, amount: bigint) => {
    const outputs = [{ script: outputOf('p2pkh', frank), amount }]
    const inputs = [formCoin('p2pkh', erin, 0, coin)]
    return parse(findAdapter(slug, SUITE), psbtOf({ inputs, outputs })).view()
  }
  for (const [slug, limit, unit] of [
    ['bitcoin', 546n, 'sat'],
    ['litecoin', 5_460n, 'litoshi'],
    ['dogecoin', 1_000_000n, 'koinu'],
    ['bitcoin-cash', 546n, 'sat'],
  ] as const) {
    const least = pay(slug, limit + 500n, limit)
    assert.ok(!has(least.warnings, 'dust'), slug)
    assert.ok(has(pay(slug, limit + 500n, limit - 1n).warnings, `${limit - 1n} ${unit} is dust`))
    assert.ok(has(least.notes, `fee 500 ${unit}`))
  }
  const usual = pay('dogecoin', 10_100_000_000n, 10_000_000_000n)
  assert.deepEqual(usual.warnings, [])
  assert.ok(has(pay('dogecoin', 20_000_000_000n, 2_000_000_000n).warnings, 'more than 10 %'))
  assert.ok(has(pay('bitcoin-cash', 10_100_000n, 10_000_000n).warnings, 'above 100 sat/vB'))
  const rich = 30_000_000n * 100_000_000n
  assert.equal(pay('litecoin', rich, rich).outputs[0]!.amount, rich)
  assert.throws(
    () => pay('bitcoin', rich, rich),
    (error) => isFault(error, 'chains/bad-amount'),
  )
})
