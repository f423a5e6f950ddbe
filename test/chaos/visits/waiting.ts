/** Nodes that die while they keep a request that waits, or an approval of it. */
import assert from 'node:assert/strict'
import {
  encodeApproval,
  intentHash,
  type OperationJson,
  type RequestBody,
  signApproval,
  type WaitingRequestJson,
} from '@quorate/api'
import { toHex } from '@quorate/base'
import type { ProcessNode } from '../../support/process-node.ts'
import { until } from '../../support/until.ts'
import { UNIT } from '../limited.ts'
import { Payments } from '../payments.ts'
import { hashOf } from '../read-mesh.ts'
import type { Stage } from '../stage.ts'

/** The node at which a client asks dies; the request then waits everywhere, and two people's word has it done once. */
export async function visitWaiting(
  stage: Stage,
  victim: ProcessNode,
  place: string,
): Promise<void> {
  const body = await largePayment(stage)
  await stage.dieAt(victim, place, () => ask(stage, body, victim))
  await stage.revive(victim)
  // What was on disk waits on, at all nodes; what was not is as if nobody had asked.
  if (place.endsWith('/after-keep')) await untilGiven(stage, body, 0)
  else for (const node of stage.nodes) assert.equal(await waitingAt(stage, body, node), undefined)
  // Its client, who was told nothing, asks again.
  assert.equal((await ask(stage, body, victim)).state, 'waiting')
  await untilGiven(stage, body, 0)
  const [second, third] = stage.others(victim)
  await approve(stage, body, 0, second)
  await approve(stage, body, 1, third)
  await untilDone(stage, body, victim)
}

/** The node at which somebody approves dies: the approval is there again if it was written, and can be given once more. */
export async function visitApproval(
  stage: Stage,
  victim: ProcessNode,
  place: string,
): Promise<void> {
  const { cluster } = stage.mesh
  const body = await largePayment(stage)
  const [leader] = stage.others(victim)
  assert.equal((await ask(stage, body, leader)).state, 'waiting')
  const first = await approval(stage, body, 0)
  const given = await stage.dieAt(victim, place, async () => {
    await until(async () => (await waitingAt(stage, body, victim)) !== undefined)
    return give(stage, first, victim)
  })
  assert.equal(given?.status, 'rejected', 'nobody was told that it counts')
  await stage.revive(victim)
  await until(async () => (await waitingAt(stage, body, victim)) !== undefined)
  const kept = place.endsWith('/after-put') ? 1 : 0
  assert.equal(givenIn((await waitingAt(stage, body, victim))!), kept)
  await give(stage, first, victim)
  // Told that it counts, nobody has to give it again.
  await cluster.kill(victim)
  await stage.revive(victim)
  await untilGiven(stage, body, 1)
  await approve(stage, body, 1, victim)
  await untilDone(stage, body, leader)
}

/** A payment that two people must approve, out of a wallet of its own. */
async function largePayment(stage: Stage): Promise<RequestBody> {
  const payments = await Payments.on(stage.mesh, 10n * UNIT, UNIT)
  return payments.order(2n)
}

const ask = (stage: Stage, body: RequestBody, node: ProcessNode): Promise<OperationJson> =>
  stage.mesh.cluster.askAnew('signTransaction', body, node)

async function approval(stage: Stage, body: RequestBody, by: number): Promise<string> {
  const { cluster, approvers } = stage.mesh.cluster
  if (body.kind !== 'sign') throw new Error('no intent')
  const { client, signer } = approvers[by]!
  const signed = await signApproval(signer, {
    v: 1,
    cluster,
    subject: intentHash(body.value),
    policyHash: body.value.policyHash,
    decision: 'approve',
    approver: { kind: 'client', value: client },
    expiresAt: body.value.expiresAt,
  })
  return toHex(encodeApproval(signed))
}

const give = ({ mesh: { cluster } }: Stage, approval: string, node: ProcessNode) =>
  cluster.client(node).call('giveApproval', { body: { approval } })

const approve = async (stage: Stage, body: RequestBody, by: number, at: ProcessNode) =>
  give(stage, await approval(stage, body, by), at)

async function waitingAt(
  { mesh: { cluster } }: Stage,
  body: RequestBody,
  node: ProcessNode,
): Promise<WaitingRequestJson | undefined> {
  const hash = hashOf(cluster, body)
  const { items } = await cluster.client(node).call('listApprovals', {})
  return items.find((item) => item.hash === hash)
}

const givenIn = ({ waiting }: WaitingRequestJson): number => waiting.approvals[0]!.given

/** Waits until the request waits at every node, with so many approvals. */
const untilGiven = (stage: Stage, body: RequestBody, given: number): Promise<void> =>
  until(async () => {
    const items = await Promise.all(stage.nodes.map((node) => waitingAt(stage, body, node)))
    return items.every((item) => item !== undefined && givenIn(item) === given)
  })

/** It is carried out unasked, by whoever leads it; asked for at every node, and after one more death, it is not again. */
async function untilDone(stage: Stage, body: RequestBody, leader: ProcessNode): Promise<void> {
  await until(async () => (await waitingAt(stage, body, leader)) === undefined)
  const sessions = stage.completed(body)
  assert.ok(sessions > 0, 'nobody signed')
  await stage.sameAtAll(body)
  await stage.revive(leader)
  await stage.sameAtAll(body)
  assert.equal(stage.completed(body), sessions, 'it was carried out again')
}
