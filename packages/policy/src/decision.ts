/** What policy answers. */
import type { Charge } from './ledger.ts'

export type Reason = {
  readonly rule: string
  /** Whether the rule has an effect. */
  readonly matched: boolean
  /** A plain sentence. */
  readonly because: string
}

/** So many approvals of a group, added up over all rules that ask for it. */
export type ApprovalNeed = {
  readonly group: string
  readonly need: number
  /** Whether the approval of the one who asks counts: every rule that asks must let it. */
  readonly allowsSelfApproval: boolean
}

export type Decision = {
  /** `approve` where approvals are needed, whether or not it is delayed, too. */
  readonly decision: 'allow' | 'deny' | 'approve' | 'delay'
  /** The rule that decided, the first where several would have; absent where no rule allows it. */
  readonly rule: string | undefined
  /** One for each rule, in the order of the policy. */
  readonly reasons: readonly Reason[]
  /** Of all groups that are asked; none where it is denied. */
  readonly approvals: readonly ApprovalNeed[]
  /** How long it must wait since the node first saw it; 0 for not at all. */
  readonly delayMs: number
  /** Groups each of whose members may end it by a rejection. */
  readonly vetoes: readonly string[]
  /** What each limit that applies is to be charged. */
  readonly charges: readonly Charge[]
}
