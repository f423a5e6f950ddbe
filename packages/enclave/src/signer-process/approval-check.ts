/** Which approvals of a request count now: by the cluster record and the policy that are in force now. */
import {
  type Approval,
  type CheckedApproval,
  checkApproval,
  decodeApproval,
  intentHash,
} from '@quorate/api'
import { type AcceptedRecord, approverOf } from '@quorate/auth'
import { Fault, isFault } from '@quorate/base'
import { verifyEd25519 } from './node-crypto.ts'
import type { CheckedRequest } from './requests.ts'

/** What approvals of a request sign. @throws enclave/not-waiting for one that none are given to */
export function subjectOf({ request: { body } }: CheckedRequest): Uint8Array {
  if (body.kind !== 'sign') throw new Fault('enclave/not-waiting')
  return intentHash(body.value)
}

export type ApprovalContext = {
  readonly cluster: AcceptedRecord
  /** Of the policy in force. */
  readonly policyHash: Uint8Array
  readonly now: number
}

/** @throws api/other-subject, api/approval-expired, api/unknown-approver, api/bad-signature */
export function checkApprovalOf(
  checked: CheckedRequest,
  approval: Approval,
  { cluster, policyHash, now }: ApprovalContext,
): CheckedApproval {
  const { project } = checked.request.body.value
  return checkApproval(approval, {
    cluster: cluster.cluster,
    subject: subjectOf(checked),
    policyHash,
    now,
    resolve: (approver) => approverOf(cluster.record, approver, { project, now }),
    verify: verifyEd25519,
  })
}

/** Those that count: an approver whose entry has gone, or whose word has expired, has said nothing. */
export const countingApprovals = (
  checked: CheckedRequest,
  encoded: readonly Uint8Array[],
  context: ApprovalContext,
): readonly CheckedApproval[] =>
  encoded.flatMap((each) => {
    try {
      return [checkApprovalOf(checked, decodeApproval(each), context)]
    } catch (error) {
      if (isFault(error)) return []
      throw error
    }
  })
