/** policy show, why, templates, check and simulate. */
import { type ExplanationJson, toRfc3339 } from '@quorate/api'
import { Fault, toHex } from '@quorate/base'
import {
  compare,
  encodePolicy,
  listTemplates,
  type Policy,
  policyFromPlain,
  policyHash,
  policyToPlain,
  simulate,
  type Verdict,
} from '@quorate/policy'
import { accountOf, choiceOf } from '../account.ts'
import type { Given, Run } from '../command.ts'
import { connect } from '../connection.ts'
import { readTransaction } from '../files.ts'
import { table } from '../output.ts'
import { readPastRequests } from '../past-requests.ts'
import { findingText, lookIntoPolicy, readPolicyFile } from '../policy-file.ts'
import { describePolicy } from '../policy-words.ts'
import { explain, readTx } from '../signing.ts'
import { findWallet } from '../wallets.ts'

export const show: Run = async (given, output) => {
  const connection = await connect(given)
  const wallet = await findWallet(connection, given.argument(0))
  const policy = await connection.client.call('getPolicy', { params: { walletId: wallet.id } })
  output.result(policy, () => [
    `Policy of ${wallet.label}, made from the template ${policy.template}`,
    `version ${policy.version ?? 1}, hash ${policy.policyHash}`,
    ...describePolicy(policy.policy),
  ])
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

const ANSWERS: { readonly [decision: string]: string } = {
  allow: 'allows it',
  deny: 'denies it',
  approve: 'asks for approvals of it',
  delay: 'delays it',
}

/** The decision, and what each rule said. */
export const describeDecision = ({
  decision,
  rule,
  reasons,
}: ExplanationJson): readonly string[] => [
  `Policy ${ANSWERS[decision]}${byRule(decision, rule)}.`,
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

export const check: Run = async (given, output) => {
  const path = given.argument(0)
  const read = lookIntoPolicy(path)
  if ('findings' in read) {
    const { findings } = read
    output.result({ isValid: false, findings }, () =>
      findings.map((finding) => findingText(path, finding)),
    )
    throw new Fault('policy/malformed', { detail: `${findings.length} in ${path}` })
  }
  const plain = policyToPlain(read.policy)
  const hash = toHex(policyHash(read.policy))
  output.result(
    { isValid: true, hash, bytes: encodePolicy(read.policy).length, policy: plain },
    () => [
      `${path} is a policy of ${plain.rules.length} rules, hash ${hash}`,
      ...describePolicy(plain),
    ],
  )
}

export const trial: Run = async (given, output) => {
  const policy = readPolicyFile(given.required('policy'))
  const requests = readPastRequests(given.argument(0), given.text('wallet'))
  const verdicts = simulate(policy, requests)
  const before = await otherPolicy(given)
  const differences = before === undefined ? [] : compare(before, policy, requests)
  const counts = countsOf(verdicts)
  output.result(
    {
      requests: verdicts.length,
      counts: Object.fromEntries(counts),
      verdicts: verdicts.map(verdictToJson),
      ...(before === undefined
        ? {}
        : {
            differences: differences.map(({ id, before: was, after }) => ({
              id,
              before: was.verdict,
              after: after.verdict,
            })),
          }),
    },
    () => [
      ...table(verdicts.map((each) => [toRfc3339(each.now), each.id, each.verdict, because(each)])),
      `${verdicts.length} requests: ${[...counts]
        .map(([verdict, count]) => `${count} ${verdict}`)
        .join(', ')}`,
      ...(before === undefined
        ? []
        : [
            `${differences.length} would have gone another way than under the other policy`,
            ...differences.map(
              ({ id, before: was, after }) => `  ${id}: ${was.verdict}, now ${after.verdict}`,
            ),
          ]),
    ],
  )
}

/** What --against names, or with --compare the policy in force for the wallet. */
async function otherPolicy(given: Given): Promise<Policy | undefined> {
  const against = given.text('against')
  if (against !== undefined) return readPolicyFile(against)
  if (!given.flag('compare')) return undefined
  const connection = await connect(given)
  const { id } = await findWallet(connection, given.required('wallet'))
  const { policy } = await connection.client.call('getPolicy', { params: { walletId: id } })
  return policyFromPlain(policy)
}

function countsOf(verdicts: readonly Verdict[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { verdict } of verdicts) counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
  return counts
}

const verdictToJson = ({ id, now, outcome, verdict, over, decision }: Verdict): unknown => ({
  id,
  at: toRfc3339(now),
  ...(outcome === undefined ? {} : { outcome }),
  verdict,
  over,
  rule: decision.rule,
  approvals: decision.approvals.map(({ group, need }) => ({ group, need })),
  delayMs: decision.delayMs,
  reasons: decision.reasons,
})

function because({ verdict, over, decision }: Verdict): string {
  if (verdict === 'over') return `beyond ${over.join(', ')}`
  if (verdict === 'approve')
    return decision.approvals.map(({ group, need }) => `${need} of ${group}`).join(' and ')
  return decision.rule === undefined ? 'no rule allows it' : `by ${decision.rule}`
}
