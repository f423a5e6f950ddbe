/** A policy in lines of text. */
import type { PolicyJson, PolicyRuleJson } from '@quorate/api'

/** One line for each rule, and who may change it. */
export const describePolicy = ({ rules, change }: PolicyJson): readonly string[] => [
  ...rules.map(describeRule),
  'What no rule allows is denied.',
  change === undefined
    ? "Changed by the cluster's administrators."
    : `Changed by ${change.need} of ${change.group}.`,
]

function describeRule(rule: PolicyRuleJson): string {
  const conditions = Object.entries(rule.when).map(
    ([name, value]) => `${name} ${JSON.stringify(value)}`,
  )
  const when = conditions.length === 0 ? '' : ` when ${conditions.join(' and ')}`
  return `  ${rule.action} "${rule.id}"${effect(rule)}${when}`
}

function effect({
  approvals,
  allowsSelfApproval,
  delay,
  veto,
  limit,
  allowsIncomplete,
}: PolicyRuleJson): string {
  const parts = [
    ...(approvals ?? []).map(({ group, need }) => `by ${need} of ${group}`),
    ...(allowsSelfApproval === true ? ['the one who asks included'] : []),
    ...(delay === undefined ? [] : [`by ${delay}, with a veto of ${veto ?? 'admins'}`]),
    ...(limit === undefined ? [] : [`to ${JSON.stringify(limit)}`]),
    ...(allowsIncomplete === true ? ['even if it is not wholly understood'] : []),
  ]
  return parts.length === 0 ? '' : ` ${parts.join(', ')}`
}
