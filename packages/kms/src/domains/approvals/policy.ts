/** Whose approvals count, and whether they are enough. Pure. */
import { fromHex } from '@quorate/base'
import type { Identity } from '../identities/model.ts'
import {
  type Approval,
  type ApprovalPolicy,
  approvalMessage,
  type PolicyBody,
  type RequestBody,
  requestHash,
} from './model.ts'
import { isSigned } from './signature.ts'

/** Whether the identity is one of these, by itself or by a group. */
export const isAmong = (list: readonly string[], { id, body }: Identity): boolean =>
  list.includes(id) || body.groups.some((group) => list.includes(group))

/** Why the identity's word does not count for the request; `undefined` where it does. */
export function whyNotApprover(
  policy: Pick<PolicyBody, 'approvers' | 'allowsSelfApproval'>,
  requester: string,
  approver: Identity,
): string | undefined {
  if (!approver.body.isActive) return 'the identity is not active'
  if (!isAmong(policy.approvers, approver)) return 'the policy does not list you'
  if (approver.id === requester && !policy.allowsSelfApproval)
    return 'nobody approves a request of his own'
  return undefined
}

/** Whether the approval is signed for this request by a key that the approver has enrolled now. */
export function isGenuine(
  terms: RequestBody['terms'],
  approval: Approval,
  approver: Identity,
): boolean {
  const key = approver.body.approverKeys.find(({ publicKey }) => publicKey === approval.publicKey)
  return (
    key !== undefined &&
    approver.id === approval.approver &&
    isSigned(key, approvalMessage(requestHash(terms), approval), fromHex(approval.signature))
  )
}

/** How many different approvers say yes, now, by approvals that still count. */
export function countApprovals(
  policy: ApprovalPolicy,
  { terms, approvals }: RequestBody,
  approvers: ReadonlyMap<string, Identity>,
  now: number,
): number {
  const counted = approvals.filter((approval) => {
    const approver = approvers.get(approval.approver)
    return (
      approver !== undefined &&
      approval.decision === 'approve' &&
      approval.expiresAt > now &&
      whyNotApprover(policy.body, terms.requester, approver) === undefined &&
      isGenuine(terms, approval, approver)
    )
  })
  return new Set(counted.map(({ approver }) => approver)).size
}

/** `expired` where an open request has waited too long. */
export const stateOf = (
  { state, terms }: RequestBody,
  now: number,
): RequestBody['state'] | 'expired' =>
  state === 'open' && terms.expiresAt <= now ? 'expired' : state
