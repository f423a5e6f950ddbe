import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CheckedApproval } from '@quorate/api'
import { isFault } from '@quorate/base'
import {
  type ApprovalNeed,
  checkStanding,
  type Decision,
  missingApprovals,
  standingOf,
} from '@quorate/policy'
import fc from 'fast-check'
import { NOW } from './sample.ts'

/** As `checkApproval` makes them; here they are made by hand. */
const vote = (
  value: string,
  groups: readonly string[],
  decision: 'approve' | 'reject' = 'approve',
): CheckedApproval =>
  ({
    approver: { kind: 'client', value },
    decision,
    groups,
    expiresAt: NOW + 1,
  }) as unknown as CheckedApproval

const need = (group: string, count: number, allowsSelfApproval = false): ApprovalNeed => ({
  group,
  need: count,
  allowsSelfApproval,
})

const decision = (change: Partial<Decision> = {}): Decision => ({
  decision: 'approve',
  rule: 'large',
  reasons: [],
  approvals: [need('ops', 2)],
  delayMs: 0,
  vetoes: ['ops'],
  charges: [],
  ...change,
})

const facts = (...approvals: readonly CheckedApproval[]) => ({
  approvals,
  initiator: 'cli_x',
  since: NOW,
  now: NOW,
})

test('approvals count by person, by group and not of the one who asks', () => {
  const missing = (...approvals: CheckedApproval[]): number => {
    const standing = standingOf(decision(), facts(...approvals))
    return standing.state === 'waiting' ? 2 - standing.missing[0]!.given : 0
  }
  assert.equal(missing(), 2)
  assert.equal(missing(vote('a', ['ops'])), 1)
  assert.equal(missing(vote('a', ['ops']), vote('a', ['ops'])), 1)
  assert.equal(missing(vote('a', ['board']), vote('b', ['ops'])), 1)
  assert.equal(missing(vote('cli_x', ['ops']), vote('b', ['ops'])), 1)
  assert.equal(missing(vote('a', ['ops']), vote('b', ['board', 'ops'])), 0)
})

test('the one who asks counts where every rule lets it', () => {
  const self = facts(vote('cli_x', ['ops']), vote('b', ['ops']))
  const open = decision({ approvals: [need('ops', 2, true)] })
  assert.equal(standingOf(open, self).state, 'ready')
})

test('an administrator of the same label as the client that asks is somebody else', () => {
  const admin = {
    ...vote('cli_x', ['admins']),
    approver: { kind: 'admin', value: 'cli_x' },
  } as unknown as CheckedApproval
  assert.deepEqual(missingApprovals([need('admins', 1)], [admin], 'cli_x'), [])
})

test('a rejection by somebody who may veto ends it, by anybody else it does nothing', () => {
  const enough = [vote('a', ['ops']), vote('b', ['ops'])]
  const ended = standingOf(decision(), facts(...enough, vote('c', ['ops'], 'reject')))
  assert.deepEqual(ended, { state: 'rejected', by: { kind: 'client', value: 'c' } })
  const other = standingOf(decision(), facts(...enough, vote('c', ['board'], 'reject')))
  assert.equal(other.state, 'ready')
})

test('a delay is over at its end, not before, and approvals do not shorten it', () => {
  const delayed = decision({ delayMs: 1000 })
  const enough = facts(vote('a', ['ops']), vote('b', ['ops']))
  assert.deepEqual(standingOf(delayed, { ...enough, now: NOW + 999 }), {
    state: 'waiting',
    missing: [],
    notBefore: NOW + 1000,
  })
  assert.equal(standingOf(delayed, { ...enough, now: NOW + 1000 }).state, 'ready')
})

test('each state that is not ready is an error of its own', () => {
  const cases = [
    [decision({ decision: 'deny' }), facts(), 'policy/denied'],
    [decision(), facts(), 'policy/not-approved'],
    [decision({ approvals: [], delayMs: 1 }), facts(), 'policy/delayed'],
    [decision(), facts(vote('c', ['ops'], 'reject')), 'policy/rejected'],
  ] as const
  for (const [made, about, code] of cases)
    assert.throws(
      () => checkStanding(made, about),
      (error) => isFault(error, code),
    )
  checkStanding(decision({ approvals: [], decision: 'allow' }), facts())
})

/** Tries every way to give approvals to places: the most that can be filled at once. */
function most(needs: readonly ApprovalNeed[], votes: readonly CheckedApproval[]): number {
  const [first, ...rest] = votes
  if (first === undefined) return 0
  const without = most(needs, rest)
  const taken = needs.map((each, i) =>
    each.need > 0 && first.groups.includes(each.group)
      ? 1 + most(needs.with(i, { ...each, need: each.need - 1 }), rest)
      : 0,
  )
  return Math.max(without, ...taken)
}

test('one person fills one place, and places are filled as well as they can be', () => {
  const group = fc.constantFrom('a', 'b', 'c')
  const needs = fc
    .uniqueArray(fc.tuple(group, fc.integer({ min: 1, max: 3 })), { selector: ([name]) => name })
    .map((pairs) => pairs.map(([name, count]) => need(name, count)))
  const votes = fc
    .array(fc.uniqueArray(group, { maxLength: 3 }), { maxLength: 6 })
    .map((all) => all.map((groups, i) => vote(`v${i}`, groups)))
  fc.assert(
    fc.property(needs, votes, (wanted, given) => {
      const total = wanted.reduce((sum, each) => sum + each.need, 0)
      const missing = missingApprovals(wanted, given, 'nobody')
      const short = missing.reduce((sum, each) => sum + each.need - each.given, 0)
      assert.equal(total - short, most(wanted, given))
    }),
    { numRuns: 300 },
  )
})
