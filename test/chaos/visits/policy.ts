/** Nodes that die while they vote for a change of a wallet's policy, or put it in force. */
import assert from 'node:assert/strict'
import { policyChangeHash, type RequestBody, signApproval, type WalletJson } from '@quorate/api'
import { fromHex, type Id, isFault, newId, toHex } from '@quorate/base'
import { solanaTransfer } from '@quorate/enclave/testing'
import { systemRandom } from '@quorate/platform'
import { encodePolicy, type Policy, policyHash } from '@quorate/policy'
import type { ProcessNode } from '../../support/process-node.ts'
import { until } from '../../support/until.ts'
import { limitedTo, UNIT } from '../limited.ts'
import type { Stage } from '../stage.ts'

const LIFETIME_MS = 240_000
const openTo = (id: string): Policy => ({
  v: 1,
  rules: [{ id, action: 'allow', when: {} }],
  change: { group: 'treasurers', need: 2 },
})
const NEXT = openTo('next')
const RIVAL = openTo('rival')

/** The node that asks the others for their votes dies: the same change can be asked for again, and takes force everywhere. */
export async function visitPolicy(stage: Stage, victim: ProcessNode, place: string): Promise<void> {
  const { cluster } = stage.mesh
  const policy = limitedTo(UNIT)
  const wallet = await cluster.createWallet('solana-devnet', victim, policy)
  const wanted = await changeOf(stage, wallet, NEXT)
  const ask = (body: RequestBody, node: ProcessNode) => cluster.askAnew('changePolicy', body, node)
  const asked = await stage.dieAt(victim, place, () => ask(wanted, victim))
  assert.equal(asked?.status, 'rejected', 'nobody was told that it is in force')
  await stage.revive(victim)
  if (place.endsWith('/after-vote'))
    // Its vote was on disk before it could leave: that version has no other.
    await assert.rejects(ask(await changeOf(stage, wallet, RIVAL), victim), (error) =>
      isFault(error, 'enclave/other-vote'),
    )
  // What one node put in force the others learn from it; what none did is asked for once more.
  if (!place.endsWith('/after-force')) await ask(wanted, stage.others(victim)[0])
  const hash = toHex(policyHash(NEXT))
  for (const node of stage.nodes)
    await until(async () => {
      const params = { walletId: wallet.id }
      const inForce = await cluster.client(node).call('getPolicy', { params })
      return inForce.version === 2 && inForce.policyHash === hash
    })
  const unsigned = solanaTransfer(fromHex(wallet.groupKey), 5n * UNIT)
  const old = cluster.signBody(wallet, unsigned)
  await assert.rejects(stage.load.ask(old, victim), (error) =>
    isFault(error, 'enclave/other-policy'),
  )
  const body = cluster.signBody({ ...wallet, policyHash: hash }, unsigned, LIFETIME_MS)
  await stage.sameAtAll(body)
}

/** A request to change the wallet's first policy, with both treasurers' approvals. */
async function changeOf(
  { mesh: { cluster } }: Stage,
  wallet: WalletJson,
  policy: Policy,
): Promise<RequestBody> {
  const now = Date.now()
  const lifetime = { createdAt: now, expiresAt: now + LIFETIME_MS }
  const change = {
    v: 1,
    wallet: wallet.id as Id<'wal'>,
    from: fromHex(wallet.policyHash),
    version: 2,
    policy: encodePolicy(policy),
    ...lifetime,
  } as const
  const approvals = await Promise.all(
    cluster.approvers.map(({ client, signer }) =>
      signApproval(signer, {
        v: 1,
        cluster: cluster.cluster,
        subject: policyChangeHash(change),
        policyHash: change.from,
        decision: 'approve',
        approver: { kind: 'client', value: client },
        expiresAt: change.expiresAt,
      }),
    ),
  )
  return {
    kind: 'changePolicy',
    value: {
      v: 1,
      requestId: newId('req', now, systemRandom),
      project: cluster.project,
      wallet: change.wallet,
      signed: { change, approvals },
      ...lifetime,
    },
  }
}
