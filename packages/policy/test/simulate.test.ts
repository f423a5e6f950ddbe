import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compare, type PastRequest, simulate } from '@quorate/policy'
import { allow, deny, facts, limit, NOW, output, policyOf } from './sample.ts'

const HOUR = 3_600_000
const past = (id: string, hours: number, amount: bigint): PastRequest => ({
  id,
  facts: facts({ outputs: [output({ amount })] }, { now: NOW + hours * HOUR }),
  outcome: 'signed',
})
const daily = (cap: bigint) => limit({ windowMs: 24 * HOUR, amounts: new Map([['BTC', cap]]) })

test('past requests are judged in the order of their times, and fill the budgets', () => {
  const requests = [
    past('c', 30, 600n),
    past('a', 0, 600n),
    past('b', 1, 600n),
    past('d', 31, 9000n),
  ]
  const verdicts = simulate(policyOf(allow({}), daily(1000n)), requests)
  assert.deepEqual(
    verdicts.map(({ id, verdict, over }) => [id, verdict, over]),
    [
      ['a', 'allow', []],
      ['b', 'over', ['limit']],
      ['c', 'allow', []],
      ['d', 'deny', []],
    ],
  )
})

test('what is denied or over charges nothing, what is to be approved does', () => {
  const approve = {
    id: 'large',
    action: 'approve',
    when: { amountAbove: new Map([['BTC', 500n]]) },
    approvals: [{ group: 'ops', need: 1 }],
  } as const
  const policy = policyOf(allow({}), daily(1000n), approve, deny({ anyRecipient: ['eve'] }))
  const eve = { ...past('eve', 0, 900n) }
  const toEve = { ...eve, facts: facts({ outputs: [output({ to: 'eve', amount: 900n })] }) }
  const verdicts = simulate(policy, [
    toEve,
    past('b', 1, 600n),
    past('c', 2, 500n),
    past('d', 3, 400n),
  ])
  assert.deepEqual(
    verdicts.map(({ verdict }) => verdict),
    ['deny', 'approve', 'over', 'allow'],
  )
})

test('two policies differ where the outcome does, or what it asks for', () => {
  const requests = [past('a', 0, 600n), past('b', 1, 300n), past('c', 2, 300n)]
  const wide = policyOf(allow({}), daily(2000n))
  const narrow = policyOf(allow({}), daily(1000n))
  assert.deepEqual(
    compare(wide, narrow, requests).map(({ id, before, after }) => [
      id,
      before.verdict,
      after.verdict,
    ]),
    [['c', 'allow', 'over']],
  )
  assert.deepEqual(compare(wide, wide, requests), [])
  const slow = policyOf(allow({}), { id: 'wait', action: 'delay', when: {}, delayMs: 5 })
  const slower = policyOf(allow({}), { id: 'wait', action: 'delay', when: {}, delayMs: 6 })
  assert.equal(compare(slow, slower, requests).length, 3)
})
