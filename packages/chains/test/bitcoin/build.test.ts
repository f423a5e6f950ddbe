import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FaultCode, isFault } from '@quorate/base'
import {
  type BitcoinTransfer,
  buildBitcoinTransfer,
  findAdapter,
  type KeyRef,
  type UnsignedTx,
  type Utxo,
} from '@quorate/chains'
import fc from 'fast-check'
import { INPUT } from '#src/bitcoin/psbt-fields.js'
import { readMaps } from '#src/bitcoin/psbt-maps.js'
import { erin, frank, previousTx, SUITE, txidOf } from '../ecdsa-wallets.js'
import { alice, bob, NO_CONTEXT, signaturesFor, type Wallet } from '../wallets.js'
import { FORMS, type Form, outputOf } from './coins.js'

const paidAt = (form: Form, wallet: Wallet, i: number, amount: bigint): Utxo => {
  const previous = previousTx(outputOf(form, wallet), i, amount)
  return { txid: txidOf(previous), vout: i, previousTx: previous }
}
const tapCoin = (i: number, amount: bigint): Utxo => ({
  txid: (i + 1).toString(16).padStart(2, '0').repeat(32),
  vout: i,
  amount,
})
const addressOf = (network: string, { key }: Wallet): string => {
  const suite = key.scheme === 'ecdsa-secp256k1' ? SUITE : undefined
  return findAdapter(network, suite).address(key)
}
const parse = (network: string, unsigned: Uint8Array, key: KeyRef): UnsignedTx =>
  findAdapter(network, key.scheme === 'ecdsa-secp256k1' ? SUITE : undefined).parse({
    unsigned,
    context: NO_CONTEXT,
    key,
  })
const has = (lines: readonly string[], text: string): boolean =>
  lines.some((line) => line.includes(text))

const BASE: BitcoinTransfer = {
  network: 'bitcoin',
  key: erin.key,
  coins: [
    paidAt('p2wpkh', erin, 0, 20_000n),
    paidAt('p2pkh', erin, 1, 50_000n),
    paidAt('p2sh-p2wpkh', erin, 2, 30_000n),
  ],
  to: [{ address: addressOf('bitcoin', frank), amount: 60_000n }],
  feeRate: 3,
}

function refuses(more: Partial<BitcoinTransfer>, code: FaultCode): void {
  assert.throws(
    () => buildBitcoinTransfer({ ...BASE, ...more }),
    (error) => isFault(error, code),
    code,
  )
}

test('the largest coins first, change to the usual address, a fee of the given rate', () => {
  const built = buildBitcoinTransfer(BASE)
  assert.deepEqual(
    built.coins.map(({ vout }) => vout),
    [1, 2],
  )
  assert.equal(built.context.length, 0)
  // BIP-174: an output alone stands only beside inputs that have a witness.
  assert.deepEqual(
    readMaps(built.unsigned, 9)
      .slice(1, 3)
      .map((map) => map.map(({ type }) => type)),
    [
      [INPUT.previousTx.type],
      [INPUT.previousTx.type, INPUT.witnessUtxo.type, INPUT.redeemScript.type],
    ],
  )
  const tx = parse('bitcoin', built.unsigned, erin.key)
  const view = tx.view()
  assert.deepEqual(
    view.outputs.map(({ to, amount, isChange }) => [to, amount, isChange]),
    [
      [addressOf('bitcoin', frank), 60_000n, false],
      [addressOf('bitcoin', erin), built.change, true],
    ],
  )
  assert.equal(view.fee!.amount, built.fee)
  assert.deepEqual([view.isComplete, view.warnings, view.fee!.isClaimed], [true, [], false])
  assert.ok(has(view.notes, 'at least 3 sat/vB') && has(view.notes, 'BIP-125'))
  const { bytes } = tx.attach(signaturesFor(tx, erin)).serialise()
  assert.deepEqual(tx.verify(bytes), [])
})

test('change that would be dust goes to the fee', () => {
  const { change, fee } = buildBitcoinTransfer({
    ...BASE,
    to: [{ address: addressOf('bitcoin', frank), amount: 49_300n }],
  })
  assert.deepEqual([change, fee], [0n, 700n])
})

test('on every network, for every kind of wallet and both versions of PSBT, what is built is signed', () => {
  for (const network of ['bitcoin-signet', 'litecoin', 'dogecoin', 'bitcoin-cash'])
    for (const psbtVersion of [0, 2] as const) {
      const { unsigned, change } = buildBitcoinTransfer({
        network,
        key: erin.key,
        coins: [paidAt('p2pkh', erin, 0, 900_000_000n)],
        to: [{ address: addressOf(network, frank), amount: 800_000_000n }],
        feeRate: 10,
        lockTime: 850_000,
        psbtVersion,
      })
      const tx = parse(network, unsigned, erin.key)
      assert.deepEqual(tx.view().warnings, [])
      assert.equal(tx.view().outputs[1]!.amount, change)
      assert.ok(has(tx.view().notes, 'before block 850000'))
      const signed = tx.attach(signaturesFor(tx, erin))
      assert.deepEqual(tx.verify(signed.serialise().bytes), [])
      assert.deepEqual(tx.verify(signed.serialise('psbt').bytes), [])
    }
  for (const network of ['bitcoin-regtest', 'litecoin-testnet']) {
    const { unsigned } = buildBitcoinTransfer({
      network,
      key: alice.key,
      coins: [tapCoin(0, 70_000n), tapCoin(1, 40_000n)],
      to: [{ address: addressOf(network, bob), amount: 90_000n }],
      feeRate: 2.5,
    })
    const tx = parse(network, unsigned, alice.key)
    assert.deepEqual(tx.view().warnings, [])
    assert.ok(has(tx.view().notes, '2.5'))
    assert.deepEqual(tx.verify(tx.attach(signaturesFor(tx, alice)).serialise().bytes), [])
  }
})

test('coins that cannot be spent, and payments that cannot be made', () => {
  const { previousTx: _, ...bare } = BASE.coins[0]!
  refuses({ coins: [bare] }, 'chains/missing-utxo')
  refuses({ coins: [{ ...bare, amount: 90_000n }] }, 'chains/missing-previous-transaction')
  refuses({ coins: [{ ...BASE.coins[0]!, amount: 5n }] }, 'chains/bad-amount')
  refuses({ coins: [{ ...BASE.coins[0]!, vout: 7 }] }, 'chains/malformed-transaction')
  refuses({ coins: [{ ...BASE.coins[0]!, txid: '11'.repeat(32) }] }, 'chains/malformed-transaction')
  refuses({ coins: [paidAt('p2wpkh', frank, 0, 90_000n)] }, 'chains/not-our-key')
  refuses({ key: alice.key, coins: [tapCoin(0, 1n << 63n)] }, 'chains/bad-amount')
  refuses({ coins: [] }, 'chains/insufficient-funds')
  refuses(
    { coins: BASE.coins.slice(0, 2), to: [{ ...BASE.to[0]!, amount: 69_800n }] },
    'chains/insufficient-funds',
  )
  refuses({ to: [] }, 'chains/bad-amount')
  refuses({ to: [{ ...BASE.to[0]!, amount: 293n }] }, 'chains/dust')
  refuses({ to: [{ ...BASE.to[0]!, amount: -1n }] }, 'chains/bad-amount')
  refuses(
    { to: [{ address: addressOf('litecoin', frank), amount: 9_000n }] },
    'chains/wrong-network',
  )
  for (const feeRate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    refuses({ feeRate }, 'chains/bad-fee-rate')
  refuses({ network: 'ethereum' }, 'chains/wrong-network')
  refuses({ network: 'dogecoin', key: alice.key }, 'chains/wrong-scheme')
})

test('whatever the coins are, nothing is lost and the fee is close to what was asked', () => {
  const coin = fc.tuple(fc.constantFrom(...FORMS), fc.integer({ min: 600, max: 100_000 }))
  fc.assert(
    fc.property(
      fc.array(coin, { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 600, max: 200_000 }),
      fc.integer({ min: 1, max: 40 }),
      (coins, amount, feeRate) => {
        const utxos = coins.map(([form, value], i) => paidAt(form, erin, i, BigInt(value)))
        const to = [{ address: addressOf('bitcoin', frank), amount: BigInt(amount) }]
        let built: ReturnType<typeof buildBitcoinTransfer>
        try {
          built = buildBitcoinTransfer({ ...BASE, coins: utxos, to, feeRate })
        } catch (error) {
          assert.ok(isFault(error, 'chains/insufficient-funds'))
          return
        }
        const spent = built.coins.reduce((sum, { vout }) => sum + BigInt(coins[vout]![1]), 0n)
        assert.equal(spent, BigInt(amount) + built.fee + built.change)
        const { fee } = parse('bitcoin', built.unsigned, erin.key).view()
        assert.equal(fee!.amount, built.fee)
        const most = BigInt(feeRate * (11 + 34 + 31 + 149 * built.coins.length)) + 294n
        assert.ok(built.fee <= most, `${built.fee} of at most ${most}`)
      },
    ),
    { numRuns: 60 },
  )
})
