import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TxView } from '@quorate/api'
import { isFault } from '@quorate/base'
import {
  type Conditions,
  checkAllowed,
  decide,
  explain,
  type Facts,
  type Rule,
} from '@quorate/policy'
import fc from 'fast-check'
import {
  allow,
  anyConditions,
  anyFacts,
  anyPolicy,
  deny,
  facts,
  output,
  policyOf,
} from './sample.ts'

/** Whether it may be signed, at once or on conditions. */
const isAllowed = (policy: Parameters<typeof decide>[0], about: Facts): boolean =>
  decide(policy, about).decision !== 'deny'

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
      // A rule may ask for completeness itself, as one that limits what is wholly understood and nothing else.
      fc.pre(policy.rules.every(({ when }) => when.isComplete === undefined))
      const weaker = { ...about, view: weaken(about.view, how) }
      if (isAllowed(policy, weaker)) assert.ok(isAllowed(policy, about))
    }),
    { numRuns: 2000 },
  )
})

test('the reasons say exactly which rules matched, and the decision follows from them', () => {
  fc.assert(
    fc.property(anyPolicy, anyFacts, (policy, about) => {
      const { decision, rule, reasons, approvals, delayMs } = decide(policy, about)
      assert.deepEqual(
        reasons.map((each) => each.rule),
        policy.rules.map(({ id }) => id),
      )
      const matched = (action: Rule['action']): readonly string[] =>
        policy.rules
          .filter((each, i) => each.action === action && reasons[i]!.matched)
          .map(({ id }) => id)
      if (matched('deny').length > 0) assert.equal(decision, 'deny')
      if (matched('allow').length === 0) assert.equal(decision, 'deny')
      if (decision === 'deny') {
        const refused = reasons.filter(({ because }) => because.startsWith('It is denied'))
        assert.equal(rule, refused[0]?.rule)
        assert.deepEqual([approvals, delayMs], [[], 0])
      } else {
        assert.equal(approvals.length > 0, matched('approve').length > 0)
        assert.equal(delayMs > 0, matched('delay').length > 0)
        const expected =
          approvals.length > 0 ? 'approve' : delayMs > 0 ? 'delay' : ('allow' as const)
        assert.equal(decision, expected)
        assert.equal(rule, [...matched('approve'), ...matched('delay'), ...matched('allow')][0])
      }
      for (const { because } of reasons) assert.match(because, /^It is .+\.$/)
    }),
    { numRuns: 500 },
  )
})

const btc = (amount: bigint): ReadonlyMap<string, bigint> => new Map([['BTC', amount]])
const claimedOutput = facts({ outputs: [output({ isClaimed: true })] })

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
    [policyOf(deny({ anyRecipient: ['eve'] })), 'by the rule no'],
    [policyOf(), 'no rule allows it'],
  ] as const
  for (const [policy, detail] of outcomes)
    assert.throws(
      () => checkAllowed(decide(policy, about)),
      (error) => isFault(error, 'policy/denied') && error.detail === detail,
    )
  assert.doesNotThrow(() => checkAllowed(decide(policyOf(allow({})), about)))
})

test('approvals and delays of all rules that match add up', () => {
  const ask = (id: string, group: string, need: number, allowsSelfApproval?: boolean): Rule => ({
    id,
    action: 'approve',
    when: { isTestnet: true },
    approvals: [{ group, need }],
    allowsSelfApproval,
  })
  const wait = (id: string, delayMs: number, veto?: string): Rule => ({
    id,
    action: 'delay',
    when: {},
    delayMs,
    veto,
  })
  const made = decide(
    policyOf(
      allow({}),
      ask('one', 'ops', 1, true),
      ask('two', 'ops', 2),
      ask('three', 'board', 1, true),
      wait('short', 1000),
      wait('long', 5000, 'ops'),
    ),
    facts(),
  )
  assert.deepEqual(
    [made.decision, made.rule, made.approvals, made.delayMs, made.vetoes],
    [
      'approve',
      'one',
      [
        { group: 'board', need: 1, allowsSelfApproval: true },
        { group: 'ops', need: 3, allowsSelfApproval: false },
      ],
      6000,
      ['admins', 'board', 'ops'],
    ],
  )
  const asked = [ask('one', 'ops', 1, true), ask('two', 'ops', 1)]
  for (const rules of [asked, asked.toReversed()])
    assert.equal(
      decide(policyOf(allow({}), ...rules), facts()).approvals[0]!.allowsSelfApproval,
      false,
    )
  const denied = decide(policyOf(allow({}), ask('one', 'ops', 1), deny({})), facts())
  assert.deepEqual([denied.decision, denied.approvals, denied.vetoes], ['deny', [], []])
  assert.equal(decide(policyOf(ask('one', 'ops', 1)), facts()).decision, 'deny')
  assert.equal(decide(policyOf(allow({}), wait('short', 1)), facts()).decision, 'delay')
})

test('what is not to be signed at once is an error of its own kind', () => {
  const outcomes = [
    [
      { id: 'a', action: 'approve', when: {}, approvals: [{ group: 'ops', need: 1 }] },
      'policy/not-approved',
    ],
    [{ id: 'd', action: 'delay', when: {}, delayMs: 1 }, 'policy/delayed'],
  ] as const
  for (const [rule, code] of outcomes)
    assert.throws(
      () => checkAllowed(decide(policyOf(allow({}), rule), facts())),
      (error) => isFault(error, code) && error.detail === `by the rule ${rule.id}`,
    )
})
