/** approval list, show, approve and reject: requests that wait for people. */
import type { WaitingRequestJson } from '@quorate/api'
import { Fault } from '@quorate/base'
import { approvalHex, expiryOf, readWaiting, approve as signWith, voiceOf } from '../approving.ts'
import type { Given, Run } from '../command.ts'
import { type Connection, connect } from '../connection.ts'
import { type Output, table } from '../output.ts'

export const list: Run = async (given, output) => {
  const items = await waiting(await connect(given))
  output.result({ items }, () =>
    items.length === 0
      ? ['Nothing waits for anybody.']
      : table(items.map((each) => [each.hash.slice(0, 12), each.kind, each.since, lacks(each)])),
  )
}

export const show: Run = async (given, output) => {
  const connection = await connect(given)
  const item = await find(connection, given.argument(0))
  const { lines } = await readWaiting(connection, item)
  output.result(item, () => [
    ...lines,
    `waits for ${lacks(item)}`,
    `until ${item.waiting.expiresAt}`,
  ])
}

export const approve: Run = (given, output) => decide(given, output, 'approve')
export const reject: Run = (given, output) => decide(given, output, 'reject')

async function decide(given: Given, output: Output, decision: 'approve' | 'reject'): Promise<void> {
  const connection = await connect(given)
  const item = await find(connection, given.argument(0))
  const { subject, policyHash, project, lines } = await readWaiting(connection, item)
  const voice = await voiceOf(given, project)
  // What is signed is shown before it is.
  output.note(...lines)
  const approval = await signWith(voice, { subject, policyHash, decision }, expiryOf(given))
  const { request } = await connection.client.call('giveApproval', {
    body: { approval: approvalHex(approval) },
  })
  output.result({ request, approver: voice.approver.value, decision }, () => [
    `${voice.approver.value}: ${decision} ${request.slice(0, 12)}`,
  ])
}

const waiting = async ({ client }: Connection): Promise<readonly WaitingRequestJson[]> =>
  (await client.call('listApprovals', {})).items

/** The request whose hash begins so. @throws cli/not-waiting, cli/bad-value where several do */
async function find(connection: Connection, hash: string): Promise<WaitingRequestJson> {
  const found = (await waiting(connection)).filter((each) => each.hash.startsWith(hash))
  const [only] = found
  if (only === undefined) throw new Fault('cli/not-waiting')
  if (found.length > 1)
    throw new Fault('cli/bad-value', { detail: `${found.length} requests begin so` })
  return only
}

/** `1 more of treasurers; the delay until 2026-…`. */
function lacks({ waiting }: WaitingRequestJson): string {
  const approvals = waiting.approvals
    .filter(({ need, given }) => given < need)
    .map(({ group, need, given }) => `${need - given} more of ${group}`)
  const delay = waiting.notBefore === undefined ? [] : [`the delay until ${waiting.notBefore}`]
  return [...approvals, ...delay].join('; ') || 'its turn'
}
