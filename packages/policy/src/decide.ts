/**
 * The decision: a rule that denies and matches wins, else a rule that allows must match, else the
 * answer is deny. Every rule gives its reason, whether it matched or not.
 */
import { Fault } from '@quorate/base'
import { type Facts, type Finding, findingsOf, isComplete } from './condition.ts'
import type { Policy, Rule } from './model.ts'

export type Reason = {
  readonly rule: string
  readonly matched: boolean
  /** A plain sentence. */
  readonly because: string
}

export type Decision = {
  readonly decision: 'allow' | 'deny'
  /** The rule that decided, the first where several would have; absent where no rule allows it. */
  readonly rule: string | undefined
  /** One for each rule, in the order of the policy. */
  readonly reasons: readonly Reason[]
}

/** What the policy says to the transaction. Pure: the same facts always give the same answer. */
export function decide(policy: Policy, facts: Facts): Decision {
  const reasons = policy.rules.map((rule) => reasonOf(rule, facts))
  const first = (action: Rule['action']): string | undefined =>
    policy.rules.find((rule, i) => rule.action === action && reasons[i]!.matched)?.id
  const denying = first('deny')
  const allowing = first('allow')
  const isAllowed = denying === undefined && allowing !== undefined
  return { decision: isAllowed ? 'allow' : 'deny', rule: denying ?? allowing, reasons }
}

/** @throws policy/denied naming the rule, unless the decision is to allow */
export function checkAllowed({ decision, rule }: Decision): void {
  if (decision !== 'allow')
    throw new Fault('policy/denied', {
      detail: rule === undefined ? 'no rule allows it' : `the rule ${rule} denies it`,
    })
}

/** A decision as lines of text: the outcome, then one line for each rule. */
export function explain({ decision, rule, reasons }: Decision): readonly string[] {
  const outcome = decision === 'allow' ? 'allowed' : 'denied'
  const by = rule === undefined ? ': no rule allows it' : ` by the rule ${rule}`
  return [`${outcome}${by}`, ...reasons.map(({ rule, because }) => `  ${rule}: ${because}`)]
}

function reasonOf(rule: Rule, facts: Facts): Reason {
  const findings = findingsOf(rule.when, facts)
  return rule.action === 'allow' ? allowReason(rule, findings, facts) : denyReason(rule, findings)
}

function allowReason(rule: Rule, findings: readonly Finding[], { view }: Facts): Reason {
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

function denyReason(rule: Rule, findings: readonly Finding[]): Reason {
  const against = findings.filter(({ holds }) => holds === 'no').map(({ because }) => because)
  return against.length === 0
    ? { rule: rule.id, matched: true, because: `It is denied, as it ${clauses(findings)}.` }
    : {
        rule: rule.id,
        matched: false,
        because: `It is not denied by this rule, as it ${join(against)}.`,
      }
}

const clauses = (findings: readonly Finding[]): string =>
  findings.length === 0 ? 'meets a rule without conditions' : join(findings.map((f) => f.because))

const join = (parts: readonly string[]): string => [...new Set(parts)].join('; ')
