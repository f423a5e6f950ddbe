/** policy show, why and templates. */
import type { ExplanationJson, PolicyRuleJson } from '@quorate/api'
import { listTemplates } from '@quorate/policy'
import { accountOf, choiceOf } from '../account.ts'
import type { Run } from '../command.ts'
import { connect } from '../connection.ts'
import { readTransaction } from '../files.ts'
import { table } from '../output.ts'
import { explain, readTx } from '../signing.ts'
import { findWallet } from '../wallets.ts'

export const show: Run = async (given, output) => {
  const connection = await connect(given)
  const wallet = await findWallet(connection, given.argument(0))
  const policy = await connection.client.call('getPolicy', { params: { walletId: wallet.id } })
  output.result(policy, () => [
    `Policy of ${wallet.label}, made from the template ${policy.template}`,
    `hash ${policy.policyHash}`,
    ...policy.policy.rules.map(describeRule),
    'What no rule allows is denied.',
  ])
}

function describeRule({ id, action, when }: PolicyRuleJson): string {
  const conditions = Object.entries(when).map(([name, value]) => `${name} ${JSON.stringify(value)}`)
  return `  ${action} "${id}"${conditions.length === 0 ? '' : ` when ${conditions.join(' and ')}`}`
}

export const why: Run = async (given, output) => {
  const name = given.required('wallet')
  const choice = choiceOf(given)
  const unsigned = readTransaction(given.argument(0))
  const connection = await connect(given)
  const account = accountOf(await findWallet(connection, name), choice)
  // Read here first: a bad transaction is refused with the reason, whatever the node says.
  readTx(account, unsigned)
  const explanation = await explain(connection, account, unsigned)
  output.result(explanation, () => describeDecision(explanation))
}

/** The decision, and what each rule said. */
export const describeDecision = ({
  decision,
  rule,
  reasons,
}: ExplanationJson): readonly string[] => [
  `Policy ${decision === 'allow' ? 'allows' : 'denies'} it${byRule(decision, rule)}.`,
  ...reasons.map(
    ({ rule: each, matched, because }) =>
      `  ${matched ? 'matched' : 'did not match'} "${each}": ${because}`,
  ),
]

function byRule(decision: ExplanationJson['decision'], rule: string | undefined): string {
  if (rule !== undefined) return ` by the rule "${rule}"`
  return decision === 'deny' ? ': no rule allows it' : ''
}

export const templates: Run = async (_given, output) => {
  const items = listTemplates()
  output.result({ items }, () => table(items.map(({ name, summary }) => [name, summary])))
}
