import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decide, type Facts, type Limit } from '@quorate/policy'
import { allow, facts, limit, output, policyOf } from './sample.ts'

const HOUR = 3_600_000
const btc = (amount: bigint): ReadonlyMap<string, bigint> => new Map([['BTC', amount]])
const charged = (what: Limit, about: Facts) =>
  decide(policyOf({ ...allow({}), allowsIncomplete: true }, limit(what)), about)
const two = facts({ outputs: [output(), output({ to: 'bob', amount: 500n })] })
const account = { limit: 'limit', windowMs: HOUR }

test('a limit is charged what leaves, by asset, once for the request', () => {
  assert.deepEqual(charged({ windowMs: HOUR, amounts: btc(2000n), count: 9 }, two).charges, [
    { ...account, amount: 1n, cap: 9n },
    { ...account, asset: 'BTC', amount: 1500n, cap: 2000n },
  ])
})

test('an account for each recipient is charged what goes to that one', () => {
  const what = { windowMs: HOUR, amounts: btc(1000n), count: 3, perRecipient: true }
  assert.deepEqual(charged(what, two).charges, [
    { ...account, recipient: 'alice', amount: 1n, cap: 3n },
    { ...account, recipient: 'alice', asset: 'BTC', amount: 1000n, cap: 1000n },
    { ...account, recipient: 'bob', amount: 1n, cap: 3n },
    { ...account, recipient: 'bob', asset: 'BTC', amount: 500n, cap: 1000n },
  ])
})

test('fees leave, too, where the limit says so', () => {
  const what = { windowMs: HOUR, amounts: btc(2000n), includesFee: true }
  assert.equal(charged(what, facts()).charges[0]!.amount, 1200n)
  assert.equal(charged({ ...what, includesFee: false }, facts()).charges[0]!.amount, 1000n)
})

test('what cannot be charged for certain is denied', () => {
  const amounts = { windowMs: HOUR, amounts: btc(1200n) }
  const withFee = { ...amounts, includesFee: true }
  const cases: readonly (readonly [Limit, Facts, RegExp])[] = [
    [amounts, facts({ outputs: [output({ asset: 'SOL' })] }), /SOL, which the limit does not name/],
    [amounts, facts({ outputs: [output({ amount: 1201n })] }), /over the limit on its own/],
    [{ windowMs: HOUR, count: 0 }, facts(), /over the limit on its own/],
    [amounts, facts({ isComplete: false }), /not wholly understood/],
    [amounts, facts({ outputs: [output({ isClaimed: true })] }), /only claimed/],
    [amounts, facts({ outputs: [output({ amount: -1n })] }), /only claimed/],
    [{ windowMs: HOUR, count: 5, perRecipient: true }, facts({ isComplete: false }), /not wholly/],
    [withFee, facts({ fee: undefined }), /does not tell its fee/],
    [withFee, facts({ fee: { asset: 'BTC', amount: 1n, isClaimed: true } }), /fee .* only claimed/],
    [withFee, facts({ fee: { asset: 'SOL', amount: 1n, isClaimed: false } }), /SOL, which/],
    [
      { windowMs: HOUR, count: 5, perRecipient: true },
      facts({ outputs: Array.from({ length: 513 }, (_, i) => output({ to: `r${i}` })) }),
      /too many recipients/,
    ],
  ]
  for (const [what, about, because] of cases) {
    const made = charged(what, about)
    assert.deepEqual([made.decision, made.rule, made.charges], ['deny', 'limit', []])
    assert.match(made.reasons[1]!.because, because)
  }
})

test('counting requests takes no look into them', () => {
  const made = charged({ windowMs: HOUR, count: 5 }, facts({ kind: 'opaque', isComplete: false }))
  assert.deepEqual(made.charges, [{ ...account, amount: 1n, cap: 5n }])
})

test('a limit that does not apply charges nothing', () => {
  const rule = limit({ windowMs: HOUR, amounts: btc(1n) }, { isTestnet: false })
  const made = decide(policyOf(allow({}), rule), facts())
  assert.deepEqual([made.decision, made.charges, made.reasons[1]!.matched], ['allow', [], false])
})
