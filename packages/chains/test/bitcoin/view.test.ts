import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TxView } from '@quorate/api'
import { concatBytes, fromHex } from '@quorate/base'
import { findAdapter } from '@quorate/chains'
import {
  alice,
  bob,
  coinOf,
  NO_CONTEXT,
  PAYEE_SCRIPT,
  type PsbtParts,
  psbtOf,
  SAMPLE,
  taprootOutput,
} from '../wallets.js'

const adapter = findAdapter('bitcoin-testnet4')
const viewOf = (parts: Partial<PsbtParts>): TxView =>
  adapter
    .parse({ unsigned: psbtOf({ ...SAMPLE, ...parts }), context: NO_CONTEXT, key: alice.key })
    .view()
const has = (lines: readonly string[], text: string): boolean =>
  lines.some((line) => line.includes(text))
const pay = (script: Uint8Array, amount: bigint) => ({ script, amount })

test('who pays, to whom, how much, change and fee', () => {
  const view = viewOf({})
  const own = adapter.address(alice.key)
  assert.deepEqual(view, {
    network: 'bitcoin-testnet4',
    caip2: 'bip122:00000000da84f2bafbbc53dee25a72ae',
    kind: 'transfer',
    from: [own],
    outputs: [
      {
        to: 'tb1qtfd95kj6tfd95kj6tfd95kj6tfd95kj6ztdh83',
        asset: 'BTC',
        amount: 60_000n,
        isChange: false,
        isClaimed: false,
      },
      { to: own, asset: 'BTC', amount: 39_700n, isChange: true, isClaimed: false },
    ],
    fee: { asset: 'BTC', amount: 300n, isClaimed: false },
    calls: [],
    allowances: [],
    isComplete: true,
    notes: ['spends 2 coins of this wallet, 0.001 BTC together', 'fee 300 sat, 1.5 sat/vB'],
    warnings: [],
  } satisfies TxView)
})

test('money to another wallet is never change', () => {
  const view = viewOf({ outputs: [pay(taprootOutput(bob), 99_000n)] })
  assert.deepEqual(
    view.outputs.map(({ isChange }) => isChange),
    [false],
  )
})

test('a high fee is called out: by part of the amount, or by rate', () => {
  const spend = (sent: bigint): TxView =>
    viewOf({ inputs: [coinOf(alice, 0, 300_000n)], outputs: [pay(PAYEE_SCRIPT, sent)] })
  const part = 'more than 10 % of the amount sent'
  assert.ok(has(spend(30_000n).warnings, part))
  assert.ok(has(spend(272_000n).warnings, part))
  assert.ok(!has(spend(273_000n).warnings, part))
  const small = viewOf({
    inputs: [coinOf(alice, 0, 12_000n)],
    outputs: [pay(PAYEE_SCRIPT, 2_000n)],
  })
  assert.ok(!has(small.warnings, part), 'ten thousand satoshi or less are not called out')
  const rate = 'above 1000 sat/vB'
  assert.ok(has(spend(1_000n).warnings, rate))
  assert.ok(!has(spend(290_000n).warnings, rate))
})

test('a fee of nine tenths is called out by part and by rate, and so is one that takes everything', () => {
  for (const sent of [100_000n, 1_000n]) {
    const { warnings, fee } = viewOf({
      inputs: [coinOf(alice, 0, 1_000_000n)],
      outputs: [pay(PAYEE_SCRIPT, sent)],
    })
    assert.equal(fee!.amount, 1_000_000n - sent)
    assert.ok(has(warnings, 'more than 10 %') && has(warnings, 'above 1000 sat/vB'))
  }
})

test('the fee of a move within the wallet is measured by what is moved', () => {
  const outputs = [pay(taprootOutput(alice), 80_000n)]
  assert.ok(has(viewOf({ outputs }).warnings, 'more than 10 %'))
  assert.deepEqual(viewOf({ outputs: [pay(taprootOutput(alice), 99_700n)] }).warnings, [])
})

test('dust by kind of output', () => {
  const kinds: readonly (readonly [string, bigint])[] = [
    [`76a914${'00'.repeat(20)}88ac`, 546n],
    [`a914${'00'.repeat(20)}87`, 540n],
    [`0014${'00'.repeat(20)}`, 294n],
    [`0020${'00'.repeat(32)}`, 330n],
    ['51024e73', 240n],
  ]
  for (const [script, limit] of kinds) {
    const warnings = (amount: bigint): readonly string[] =>
      viewOf({ outputs: [pay(fromHex(script), amount), pay(taprootOutput(alice), 90_000n)] })
        .warnings
    assert.ok(has(warnings(limit - 1n), `output 0 of ${limit - 1n} sat is dust`), script)
    assert.ok(!has(warnings(limit), 'dust'), script)
  }
})

test('data outputs are shown, and money in them is lost', () => {
  const script = fromHex('6a0568656c6c6f')
  const view = viewOf({ outputs: [pay(script, 0n), pay(taprootOutput(alice), 99_700n)] })
  assert.equal(view.outputs[0]!.to, 'op_return:0568656c6c6f')
  assert.equal(view.isComplete, true)
  assert.deepEqual(view.warnings, [])
  assert.ok(has(viewOf({ outputs: [pay(script, 5_000n)] }).warnings, 'destroys 0.00005 BTC'))
})

test('scripts without an address are not passed off as understood', () => {
  const program = new Uint8Array(32).fill(3)
  for (const script of [
    Uint8Array.of(0x51),
    new Uint8Array(0),
    // Pushed the long way it is no witness program, and anybody could take the money.
    concatBytes(Uint8Array.of(0x51, 0x4c, 0x20), taprootOutput(alice).slice(2)),
    concatBytes(Uint8Array.of(0x52, 0x20), program),
    // A longer script hash, which Bitcoin Cash alone knows.
    concatBytes(Uint8Array.of(0xaa, 0x20), program, Uint8Array.of(0x87)),
    concatBytes(Uint8Array.of(0x21, 2), program, Uint8Array.of(0xac)),
  ]) {
    const view = viewOf({ outputs: [pay(script, 99_000n)] })
    assert.equal(view.isComplete, false)
    assert.ok(view.outputs[0]!.to.startsWith('script:'))
    assert.equal(view.outputs[0]!.isChange, false)
    assert.ok(has(view.warnings, 'no address'))
  }
})

test('coins of others are called out and leave the fee rate open', () => {
  const view = viewOf({ inputs: [...SAMPLE.inputs, coinOf(bob, 5, 1_000n)] })
  assert.deepEqual(view.from, [adapter.address(alice.key), adapter.address(bob.key)])
  assert.equal(view.fee!.amount, 1_300n)
  assert.ok(has(view.warnings, '1 coin of others, 0.00001 BTC together'))
  assert.ok(has(view.notes, 'depends on the signatures of others'))
})

test('times: replaceable, lock time, age of coins', () => {
  const at = (sequence: number, lockTime: number): readonly string[] =>
    viewOf({ inputs: [coinOf(alice, 0, 100_000n, { sequence })], lockTime }).notes
  assert.ok(has(at(0xfffffffd, 0), 'BIP-125'))
  assert.ok(!has(at(0xfffffffe, 0), 'BIP-125'))
  assert.ok(has(at(0xfffffffe, 850_000), 'before block 850000'))
  assert.ok(has(at(0xfffffffe, 1_700_000_000), 'before Unix time 1700000000'))
  assert.ok(has(at(0xffffffff, 850_000), 'has no effect'))
  assert.ok(has(at(144, 0), 'coin 0 is 144 blocks old'))
  assert.ok(has(at((1 << 22) | 2, 0), 'coin 0 is 1024 seconds old'))
})

test('a transaction of the first version knows no age of coins', () => {
  const first = psbtOf({ ...SAMPLE, inputs: [coinOf(alice, 0, 100_000n, { sequence: 144 })] })
  const at = first.findIndex((byte, i) => byte === 2 && i > 5)
  first[at] = 1
  const tx = adapter.parse({ unsigned: first, context: NO_CONTEXT, key: alice.key })
  assert.ok(!has(tx.view().notes, 'blocks old'))
})

test('hints that nothing covers are mentioned and told apart', () => {
  const notes = (last: number): readonly string[] =>
    viewOf({
      inputs: [
        coinOf(alice, 0, 100_000n, {
          tapBip32Derivation: [
            [
              alice.key.publicKey.slice(1),
              { hashes: [], der: { fingerprint: 7, path: [86, last] } },
            ],
          ],
        }),
      ],
    }).notes
  assert.ok(has(notes(1), 'hints that no signature covers'))
  assert.notDeepEqual(notes(1), notes(2))
  assert.ok(!has(viewOf({}).notes, 'hints'))
  // The flags of version 2 that allow to add inputs, and the internal key of an output.
  assert.ok(has(viewOf({ version: 2 }).notes, 'hints'))
  const [output] = SAMPLE.outputs
  const named = { ...output!, tapInternalKey: alice.key.publicKey.slice(1) }
  assert.ok(has(viewOf({ outputs: [named] }).notes, 'hints'))
})
