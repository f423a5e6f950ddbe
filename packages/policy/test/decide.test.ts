import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TxView } from '@quorate/api'
import { isFault } from '@quorate/base'
import { type Conditions, checkAllowed, decide, explain, type Facts } from '@quorate/policy'
import fc from 'fast-check'
import {
  allow,
  anyConditions,
  anyFacts,
  anyPolicy,
  anyRule,
  deny,
  facts,
  NOW,
  output,
  policyOf,
} from './sample.ts'

const isAllowed = (policy: Parameters<typeof decide>[0], about: Facts): boolean =>
  decide(policy, about).decision === 'allow'

test('a policy without rules, or without a rule that allows, denies everything', () => {
  fc.assert(
    fc.property(anyPolicy, anyFacts, (policy, about) => {
      assert.equal(decide(policyOf(), about).decision, 'deny')
      const denials = policy.rules.filter(({ action }) => action === 'deny')
      assert.equal(decide(policyOf(...denials), about).decision, 'deny')
    }),
  )
})

test('one more rule that denies never turns deny into allow', () => {
  fc.assert(
    fc.property(anyPolicy, anyConditions, anyFacts, fc.nat(6), (policy, when, about, at) => {
      const more = policyOf(...policy.rules.toSpliced(at, 0, deny(when, 'more')))
      if (isAllowed(more, about)) assert.ok(isAllowed(policy, about))
    }),
    { numRuns: 500 },
  )
})

test('one more rule that allows never turns allow into deny', () => {
  fc.assert(
    fc.property(anyPolicy, anyConditions, anyFacts, (policy, when, about) => {
      const more = policyOf(...policy.rules, allow(when, 'more'))
      if (isAllowed(policy, about)) assert.ok(isAllowed(more, about))
    }),
    { numRuns: 500 },
  )
})

test('the order of the rules does not change the decision', () => {
  const shuffled = anyPolicy.chain((policy) =>
    fc.tuple(
      fc.constant(policy),
      fc.shuffledSubarray([...policy.rules], {
        minLength: policy.rules.length,
        maxLength: policy.rules.length,
      }),
    ),
  )
  fc.assert(
    fc.property(shuffled, anyFacts, ([policy, rules], about) => {
      assert.equal(isAllowed(policy, about), isAllowed(policyOf(...rules), about))
    }),
    { numRuns: 500 },
  )
})

const LIMITS: readonly Conditions[] = [
  {
    maxAmount: new Map([
      ['BTC', 10n ** 12n],
      ['SOL', 10n ** 12n],
    ]),
  },
  { onlyRecipients: ['alice', 'bob', 'me', 'eve'] },
]
const MAX_FEE: Conditions = {
  maxFee: new Map([
    ['BTC', 10n ** 12n],
    ['SOL', 10n ** 12n],
  ]),
}

test('a claimed value never passes a limit, even one that nothing reaches', () => {
  fc.assert(
    fc.property(anyFacts, fc.nat(3), (about, at) => {
      const claimed = { ...output({ isClaimed: true }), isChange: at % 2 === 0 }
      const outputs = about.view.outputs.toSpliced(at, 0, claimed)
      const isAny = { ...about, view: { ...about.view, outputs } }
      for (const when of LIMITS) assert.equal(isAllowed(policyOf(allow(when)), isAny), false)
      const fee = { asset: 'BTC', amount: 0n, isClaimed: true }
      const withFee = { ...about, view: { ...about.view, fee } }
      assert.equal(isAllowed(policyOf(allow(MAX_FEE)), withFee), false)
    }),
  )
})

test('making a value claimed, or a view incomplete, never turns deny into allow', () => {
  const weaken = (view: TxView, how: number): TxView =>
    how === 0
      ? { ...view, isComplete: false }
      : how === 1
        ? { ...view, fee: view.fee && { ...view.fee, isClaimed: true } }
        : {
            ...view,
            outputs: view.outputs.map((each, i) =>
              i === how - 2 ? { ...each, isClaimed: true } : each,
            ),
          }
  fc.assert(
    fc.property(anyPolicy, anyFacts, fc.nat(5), (policy, about, how) => {
      const weaker = { ...about, view: weaken(about.view, how) }
      if (isAllowed(policy, weaker)) assert.ok(isAllowed(policy, about))
    }),
    { numRuns: 2000 },
  )
})

test('the reasons say exactly which rules matched, and the decision follows from them', () => {
  fc.assert(
    fc.property(fc.array(anyRule, { maxLength: 5 }), anyFacts, (rules, about) => {
      const policy = policyOf(...rules.map((rule, i) => ({ ...rule, id: `rule-${i}` })))
      const { decision, rule, reasons } = decide(policy, about)
      assert.deepEqual(
        reasons.map((each) => each.rule),
        policy.rules.map(({ id }) => id),
      )
      const matched = policy.rules.filter((_, i) => reasons[i]!.matched)
      const decisive = matched.find(({ action }) => action === 'deny') ?? matched[0]
      assert.equal(rule, decisive?.id)
      assert.equal(decision, decisive?.action ?? 'deny')
      for (const { because } of reasons) assert.match(because, /^It is .+\.$/)
    }),
    { numRuns: 500 },
  )
})

/** Each condition: facts for which it holds, does not, and cannot be told. */
type Row = readonly [name: string, when: Conditions, holds: Facts, not: Facts, unknown?: Facts]
const btc = (amount: bigint): ReadonlyMap<string, bigint> => new Map([['BTC', amount]])
const claimedOutput = facts({ outputs: [output({ isClaimed: true })] })
const noFee = facts({ fee: undefined })
const ROWS: readonly Row[] = [
  ['networks', { networks: ['bitcoin-testnet4'] }, facts(), facts({ network: 'bitcoin' })],
  ['isTestnet', { isTestnet: true }, facts(), facts({}, { isTestnet: false })],
  ['isTestnet false', { isTestnet: false }, facts({}, { isTestnet: false }), facts()],
  ['kinds', { kinds: ['transfer'] }, facts(), facts({ kind: 'call' })],
  ['wallets', { wallets: ['wal_a'] }, facts(), facts({}, { wallet: 'wal_b' })],
  ['initiators', { initiators: ['cli_a'] }, facts(), facts({}, { initiator: 'cli_b' })],
  [
    'onlyRecipients',
    { onlyRecipients: ['alice'] },
    facts(),
    facts({ outputs: [output(), output({ to: 'eve', amount: 0n })] }),
    claimedOutput,
  ],
  [
    'anyRecipient',
    { anyRecipient: ['alice'] },
    facts(),
    facts({ outputs: [output({ to: 'eve' })] }),
    claimedOutput,
  ],
  [
    'maxAmount',
    { maxAmount: btc(1000n) },
    facts(),
    facts({ outputs: [output(), output({ amount: 1n })] }),
    claimedOutput,
  ],
  [
    'maxAmount of another asset',
    { maxAmount: btc(1000n) },
    facts(),
    facts({ outputs: [output({ asset: 'SOL', amount: 0n })] }),
  ],
  [
    'maxAmount, negative amount',
    { maxAmount: btc(1000n) },
    facts(),
    facts({ outputs: [output({ amount: 1001n })] }),
    facts({ outputs: [output(), output({ amount: -5n })] }),
  ],
  [
    'amountAbove',
    { amountAbove: btc(999n) },
    facts(),
    facts({ outputs: [output({ amount: 999n })] }),
    claimedOutput,
  ],
  [
    'maxFee',
    { maxFee: btc(200n) },
    facts(),
    facts({ fee: { asset: 'BTC', amount: 201n, isClaimed: false } }),
    noFee,
  ],
  [
    'maxFee of another asset',
    { maxFee: btc(200n) },
    facts(),
    facts({ fee: { asset: 'SOL', amount: 1n, isClaimed: false } }),
  ],
  [
    'maxFee, claimed',
    { maxFee: btc(200n) },
    facts(),
    facts({ fee: { asset: 'BTC', amount: 201n, isClaimed: false } }),
    facts({ fee: { asset: 'BTC', amount: 1n, isClaimed: true } }),
  ],
  [
    'feeAbove',
    { feeAbove: btc(199n) },
    facts(),
    facts({ fee: { asset: 'BTC', amount: 199n, isClaimed: false } }),
    noFee,
  ],
  ['notBefore', { notBefore: NOW }, facts(), facts({}, { now: NOW - 1 })],
  ['notAfter', { notAfter: NOW }, facts(), facts({}, { now: NOW + 1 })],
]

for (const [name, when, holds, not, unknown] of ROWS)
  test(`condition ${name}: allow needs it to hold, deny needs it not to be ruled out`, () => {
    const allows = (about: Facts): boolean => isAllowed(policyOf(allow(when)), about)
    const denies = (about: Facts): boolean =>
      !isAllowed(policyOf({ ...allow({}), allowsIncomplete: true }, deny(when)), about)
    assert.deepEqual([allows(holds), denies(holds)], [true, true])
    assert.deepEqual([allows(not), denies(not)], [false, false])
    if (unknown !== undefined) assert.deepEqual([allows(unknown), denies(unknown)], [false, true])
  })

test('change does not count as a payment, unless it is only claimed', () => {
  const limit = policyOf(allow({ maxAmount: btc(1000n), onlyRecipients: ['alice'] }))
  assert.ok(isAllowed(limit, facts()))
  const outputs = [output(), output({ to: 'me', amount: 9000n, isChange: true, isClaimed: true })]
  assert.equal(isAllowed(limit, facts({ outputs })), false)
})

test('what is not wholly understood is allowed only by a rule that says so', () => {
  const open = policyOf({ ...allow({}), allowsIncomplete: true })
  for (const about of [facts({ isComplete: false }), facts({ kind: 'opaque' })]) {
    assert.equal(isAllowed(policyOf(allow({})), about), false)
    assert.ok(isAllowed(open, about))
    assert.equal(
      isAllowed(policyOf({ ...allow(LIMITS[0]!), allowsIncomplete: true }), about),
      false,
    )
  }
})

test('an explanation is plain text: the outcome, then a line for each rule', () => {
  const policy = policyOf(
    deny({ isTestnet: false }, 'no-mainnet'),
    allow({ maxFee: btc(150n) }, 'cheap'),
  )
  assert.deepEqual(explain(decide(policy, facts())), [
    'denied: no rule allows it',
    '  no-mainnet: It is not denied by this rule, as it is on a testnet.',
    '  cheap: It is not allowed by this rule, as it pays a fee of 200 (smallest units of BTC), more than 150.',
  ])
  assert.deepEqual(explain(decide(policyOf(allow({ maxAmount: btc(5000n) })), facts())), [
    'allowed by the rule ok',
    '  ok: It is allowed, as it sends no more than the limit.',
  ])
  assert.deepEqual(explain(decide(policyOf(allow(LIMITS[0]!)), claimedOutput)).slice(1), [
    '  ok: It is not allowed by this rule, as it has a value that is only claimed, not bound by the signed bytes.',
  ])
})

test('a denial as an error names the rule and nothing of the transaction', () => {
  const about = facts({ outputs: [output({ to: 'eve' })] })
  const outcomes = [
    [policyOf(deny({ anyRecipient: ['eve'] })), 'the rule no denies it'],
    [policyOf(), 'no rule allows it'],
  ] as const
  for (const [policy, detail] of outcomes)
    assert.throws(
      () => checkAllowed(decide(policy, about)),
      (error) => isFault(error, 'policy/denied') && error.detail === detail,
    )
  assert.doesNotThrow(() => checkAllowed(decide(policyOf(allow({})), about)))
})
