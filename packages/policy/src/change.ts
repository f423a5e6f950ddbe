/**
 * The chain of a wallet's policies: which change takes force after the one in force.
 *
 *   version 1     the policy that the wallet was made with
 *   version n+1   names version n by its hash, and has the approvals of the quorum that version n
 *                 names for changes, or of so many administrators as must sign a cluster record
 *
 * A node that missed a change verifies the same document. It believes nobody's word for what policy
 * is in force; a change that is not the next one never takes force.
 */
import {
  type ApprovalCheck,
  type CheckedApproval,
  checkApproval,
  policyChangeHash,
  type SignedPolicyChange,
} from '@quorate/api'
import { equalBytes, Fault } from '@quorate/base'
import { decodePolicy, policyHash } from './codec.ts'
import { ADMINS, type Policy, type Quorum } from './model.ts'
import { missingApprovals } from './standing.ts'

export type PolicyInForce = {
  readonly wallet: string
  /** 1, 2, 3, … */
  readonly version: number
  /** 32 bytes. */
  readonly hash: Uint8Array
  readonly policy: Policy
}

export type ChangeCheck = Omit<ApprovalCheck, 'subject' | 'policyHash'> & {
  /** How many administrators sign a cluster record: the quorum of policies that name none. */
  readonly adminThreshold: number
}

/** The policy that a wallet is made with. */
export const firstPolicy = (wallet: string, policy: Policy): PolicyInForce => ({
  wallet,
  version: 1,
  hash: policyHash(policy),
  policy,
})

/** Who must approve the change of a policy. */
export const changeQuorum = ({ change }: Policy, adminThreshold: number): Quorum =>
  change ?? { group: ADMINS, need: adminThreshold }

/**
 * The policy in force after `current`. `now` is the node's time where the change is asked for; for a
 * change that was missed it is the time at which enough receipts say that it took force.
 * @throws policy/not-next, policy/change-expired, policy/rejected, policy/not-approved,
 *   policy/malformed and base/… for a policy that is none, and what `checkApproval` throws
 */
export function acceptChange(
  current: PolicyInForce,
  signed: SignedPolicyChange,
  check: ChangeCheck,
): PolicyInForce {
  const { change } = signed
  const isNext =
    change.wallet === current.wallet &&
    change.version === current.version + 1 &&
    equalBytes(change.from, current.hash)
  if (!isNext)
    throw new Fault('policy/not-next', {
      detail: `version ${change.version}, in force is ${current.version}`,
    })
  if (check.now >= change.expiresAt) throw new Fault('policy/change-expired')
  const policy = decodePolicy(change.policy)
  checkQuorum(current, signed, check)
  return { wallet: current.wallet, version: change.version, hash: policyHash(policy), policy }
}

function checkQuorum(
  current: PolicyInForce,
  { change, approvals }: SignedPolicyChange,
  check: ChangeCheck,
): void {
  const about = { ...check, subject: policyChangeHash(change), policyHash: current.hash }
  const { group, need } = changeQuorum(current.policy, check.adminThreshold)
  const counted: CheckedApproval[] = approvals
    .map((approval) => checkApproval(approval, about))
    .filter(({ groups }) => groups.includes(group))
  const rejection = counted.find(({ decision }) => decision === 'reject')
  if (rejection !== undefined)
    throw new Fault('policy/rejected', { detail: `by ${rejection.approver.value}` })
  // Whoever carries a change does not gain by it: the approvals are what counts, so none is left out.
  const needs = [{ group, need, allowsSelfApproval: true }]
  const [missing] = missingApprovals(needs, counted, '')
  if (missing !== undefined)
    throw new Fault('policy/not-approved', { detail: `${missing.given} of ${need} of ${group}` })
}
