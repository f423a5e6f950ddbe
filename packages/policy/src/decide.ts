/**
 * The decision. Only a rule to allow opens anything; every other rule takes something away:
 *
 *   deny     one that matches denies, whatever else is said
 *   allow    at least one must match
 *   approve  what all matching ones ask for is added up
 *   delay    so are the delays
 *   limit    each matching one charges its budget; what it cannot charge for certain is denied
 *
 * A rule to allow matches only where its conditions hold for certain. The others match unless one of
 * their conditions does not hold for certain. Every rule gives its reason, whether it matched or not.
 */
import { Fault } from '@quorate/base'
import { type Finding, findingsOf } from './condition.ts'
import type { ApprovalNeed, Decision, Reason } from './decision.ts'
import { type Facts, isComplete } from './facts.ts'
import type { Charge } from './ledger.ts'
import { type Levy, levy } from './limit.ts'
import { ADMINS, type AllowRule, type ApproveRule, type Policy, type Rule } from './model.ts'

/** What the policy says to the transaction. Pure: the same facts always give the same answer. */
export function decide(policy: Policy, facts: Facts): Decision {
  const outcomes = policy.rules.map((rule) => outcomeOf(rule, facts))
  const reasons = outcomes.map(({ reason }) => reason)
  const denying = outcomes.find(({ denies }) => denies)?.reason.rule
  const effective = policy.rules.filter((_, i) => outcomes[i]!.reason.matched)
  const allowing = effective.find(({ action }) => action === 'allow')?.id
  if (denying !== undefined || allowing === undefined)
    return { decision: 'deny', rule: denying, reasons, ...NOTHING }

  const approving = effective.filter((rule) => rule.action === 'approve')
  const delaying = effective.filter((rule) => rule.action === 'delay')
  const approvals = addUp(approving)
  const delayMs = delaying.reduce((sum, rule) => sum + rule.delayMs, 0)
  const vetoes = [
    ...approvals.map(({ group }) => group),
    ...delaying.map(({ veto }) => veto ?? ADMINS),
  ]
  const decision = approvals.length > 0 ? 'approve' : delayMs > 0 ? 'delay' : 'allow'
  return {
    decision,
    rule: (approving[0] ?? delaying[0])?.id ?? allowing,
    reasons,
    approvals,
    delayMs,
    vetoes: [...new Set(vetoes)].sort(),
    charges: outcomes.flatMap(({ charges }) => charges),
  }
}

const NOTHING = { approvals: [], delayMs: 0, vetoes: [], charges: [] } as const

/** @throws policy/denied, policy/not-approved, policy/delayed naming the rule, unless the decision is to allow at once */
export function checkAllowed({ decision, rule }: Decision): void {
  if (decision === 'allow') return
  const detail = rule === undefined ? 'no rule allows it' : `by the rule ${rule}`
  throw new Fault(FAULTS[decision], { detail })
}

const FAULTS = {
  deny: 'policy/denied',
  approve: 'policy/not-approved',
  delay: 'policy/delayed',
} as const

const OUTCOMES: { readonly [D in Decision['decision']]: string } = {
  allow: 'allowed',
  deny: 'denied',
  approve: 'to be approved',
  delay: 'to be delayed',
}

/** A decision as lines of text: the outcome, then one line for each rule. */
export function explain({
  decision,
  rule,
  reasons,
}: Pick<Decision, 'decision' | 'rule' | 'reasons'>): readonly string[] {
  const by = rule === undefined ? ': no rule allows it' : ` by the rule ${rule}`
  return [`${OUTCOMES[decision]}${by}`, ...reasons.map((each) => `  ${each.rule}: ${each.because}`)]
}

type Outcome = {
  readonly reason: Reason
  readonly denies: boolean
  readonly charges: readonly Charge[]
}

function outcomeOf(rule: Rule, facts: Facts): Outcome {
  const findings = findingsOf(rule.when, facts)
  if (rule.action === 'allow')
    return { reason: allowReason(rule, findings, facts), denies: false, charges: [] }
  const against = findings.filter(({ holds }) => holds === 'no').map(({ because }) => because)
  if (against.length > 0) {
    const because = `It is ${NOT_BY[rule.action]} by this rule, as it ${join(against)}.`
    return { reason: { rule: rule.id, matched: false, because }, denies: false, charges: [] }
  }
  const result: Levy = rule.action === 'limit' ? levy(rule, facts) : { charges: [] }
  const isRefused = 'refused' in result
  const effect = isRefused ? `denied by this limit, as it ${result.refused}` : effectOf(rule)
  const because = `It is ${effect}${isRefused ? '; it' : ', as it'} ${clauses(findings)}.`
  return {
    reason: { rule: rule.id, matched: true, because },
    denies: rule.action === 'deny' || isRefused,
    charges: isRefused ? [] : result.charges,
  }
}

const NOT_BY: { readonly [A in Exclude<Rule['action'], 'allow'>]: string } = {
  deny: 'not denied',
  approve: 'not to be approved',
  delay: 'not delayed',
  limit: 'not limited',
}

function effectOf(rule: Exclude<Rule, AllowRule>): string {
  switch (rule.action) {
    case 'deny':
      return 'denied'
    case 'approve':
      return `to be approved by ${rule.approvals.map(({ group, need }) => `${need} of ${group}`).join(' and ')}`
    case 'delay':
      return `to be delayed by ${rule.delayMs} ms`
    case 'limit':
      return 'charged to this limit'
  }
}

function allowReason(rule: AllowRule, findings: readonly Finding[], { view }: Facts): Reason {
  const against = findings.filter(({ holds }) => holds !== 'yes').map(({ because }) => because)
  if (!isComplete(view) && rule.allowsIncomplete !== true) against.push('is not wholly understood')
  return against.length === 0
    ? { rule: rule.id, matched: true, because: `It is allowed, as it ${clauses(findings)}.` }
    : {
        rule: rule.id,
        matched: false,
        because: `It is not allowed by this rule, as it ${join(against)}.`,
      }
}

/** One need for each group, in the order of their names. */
function addUp(rules: readonly ApproveRule[]): readonly ApprovalNeed[] {
  const needs = new Map<string, ApprovalNeed>()
  for (const { approvals, allowsSelfApproval = false } of rules)
    for (const { group, need } of approvals) {
      const known = needs.get(group) ?? { group, need: 0, allowsSelfApproval: true }
      needs.set(group, {
        group,
        need: known.need + need,
        allowsSelfApproval: known.allowsSelfApproval && allowsSelfApproval,
      })
    }
  return [...needs.values()].sort((a, b) => (a.group < b.group ? -1 : 1))
}

const clauses = (findings: readonly Finding[]): string =>
  findings.length === 0 ? 'meets a rule without conditions' : join(findings.map((f) => f.because))

const join = (parts: readonly string[]): string => [...new Set(parts)].join('; ')
