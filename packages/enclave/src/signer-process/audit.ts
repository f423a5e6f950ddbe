/** The audit records of the signer's decisions. */
import type { RequestKind } from '@quorate/api'
import { type Manifest, type PartyId, partiesOf, sessionId } from '@quorate/threshold'
import type { AuditDraft, WalletRef } from '../channel/rows.ts'
import type { CheckedRequest } from './requests.ts'

type More = {
  readonly decision?: AuditDraft['decision']
  readonly reason?: string
  readonly culprits?: readonly PartyId[]
}

/** Of a session for a client's request: begun, ended, or refused by policy. */
export function requestAudit(
  { request, client }: CheckedRequest,
  manifest: Manifest,
  outcome: AuditDraft['outcome'],
  { decision = 'allow', reason, culprits = [] }: More = {},
): AuditDraft {
  const { requestId, project } = request.body.value
  return {
    actor: client.id,
    action: actionOf(manifest, request.body.kind),
    resource: manifest.wallet,
    project,
    decision,
    ...(reason !== undefined && { reason }),
    requestId,
    sid: sessionId(manifest),
    outcome,
    fields: [
      { name: 'signers', value: partiesOf(manifest).join(',') },
      { name: 'attempt', value: String(manifest.attempt) },
      ...(culprits.length > 0 ? [{ name: 'culprits', value: culprits.join(',') }] : []),
    ],
  }
}

function actionOf({ purpose }: Manifest, kind: RequestKind): string {
  if (purpose === 'keygen') return 'wallet.create'
  if (purpose === 'aux') return 'wallet.aux'
  if (purpose === 'refresh') return 'wallet.refresh'
  return kind === 'sign' ? 'tx.sign' : 'wallet.prove'
}

/** Of what this node did by itself to a generation of a wallet. */
export const nodeAudit = (
  nodeId: string,
  action: string,
  { wallet, sid }: WalletRef,
  project: string | undefined,
): AuditDraft => ({
  actor: nodeId,
  action,
  resource: wallet,
  ...(project !== undefined && { project }),
  decision: 'none',
  sid,
  outcome: 'done',
  fields: [],
})
