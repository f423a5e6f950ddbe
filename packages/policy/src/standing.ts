/**
 * Where a request stands that policy allows on conditions: which approvals are missing, until when
 * it is delayed, and whether somebody has ended it. Asked when an approval comes, and again by each
 * signer at signing time, with the approvals that count then.
 */
import type { Approver, CheckedApproval } from '@quorate/api'
import { Fault } from '@quorate/base'
import type { ApprovalNeed, Decision } from './decision.ts'

export type StandingFacts = {
  /** Each checked against the cluster record in force now. */
  readonly approvals: readonly CheckedApproval[]
  /** Id of the client that asks. */
  readonly initiator: string
  /** When this node first kept the request, in milliseconds since the Unix epoch. */
  readonly since: number
  /** Milliseconds since the Unix epoch, never below a time that was seen before. */
  readonly now: number
}

export type Standing =
  | { readonly state: 'ready' }
  | {
      readonly state: 'waiting'
      readonly missing: readonly MissingApprovals[]
      /** Absent where the delay is over. */
      readonly notBefore?: number
    }
  | { readonly state: 'rejected'; readonly by: Approver }
  | { readonly state: 'denied' }

export type MissingApprovals = {
  readonly group: string
  readonly need: number
  /** How many count so far. */
  readonly given: number
}

/** Where the request stands. Each approver counts once, for one group. */
export function standingOf(decision: Decision, facts: StandingFacts): Standing {
  if (decision.decision === 'deny') return { state: 'denied' }
  const rejection = facts.approvals.find(
    (each) =>
      each.decision === 'reject' && each.groups.some((group) => decision.vetoes.includes(group)),
  )
  if (rejection !== undefined) return { state: 'rejected', by: rejection.approver }
  const missing = missingApprovals(decision.approvals, facts.approvals, facts.initiator)
  const notBefore = facts.since + decision.delayMs
  const isOver = facts.now >= notBefore
  if (missing.length === 0 && isOver) return { state: 'ready' }
  return { state: 'waiting', missing, ...(isOver ? {} : { notBefore }) }
}

/** @throws policy/denied, policy/rejected, policy/not-approved, policy/delayed unless it is ready */
export function checkStanding(decision: Decision, facts: StandingFacts): void {
  const standing = standingOf(decision, facts)
  if (standing.state === 'ready') return
  if (standing.state === 'denied') throw new Fault('policy/denied')
  if (standing.state === 'rejected')
    throw new Fault('policy/rejected', { detail: `by ${standing.by.value}` })
  const [first] = standing.missing
  throw first === undefined
    ? new Fault('policy/delayed')
    : new Fault('policy/not-approved', {
        detail: `${first.given} of ${first.need} of ${first.group}`,
      })
}

/**
 * The needs that are not met yet. One person in two groups fills one place only: approvals are given
 * to places so that as many as possible are filled (augmenting paths, as in Kuhn's matching).
 */
export function missingApprovals(
  needs: readonly ApprovalNeed[],
  approvals: readonly CheckedApproval[],
  initiator: string,
): readonly MissingApprovals[] {
  // A key in one entry, an entry in one vote: the record holds no key twice.
  const voters = new Map(
    approvals
      .filter(({ decision }) => decision === 'approve')
      .map((each) => [`${each.approver.kind} ${each.approver.value}`, each]),
  )
  const places = needs.map(() => new Set<string>())
  const mayFill = (voter: CheckedApproval, { group, allowsSelfApproval }: ApprovalNeed): boolean =>
    voter.groups.includes(group) &&
    (allowsSelfApproval || voter.approver.kind !== 'client' || voter.approver.value !== initiator)

  const seat = (key: string, tried: Set<number>): boolean => {
    for (const [i, need] of needs.entries()) {
      if (tried.has(i) || !mayFill(voters.get(key)!, need)) continue
      tried.add(i)
      const place = places[i]!
      const gives = (): boolean =>
        [...place].some((other) => seat(other, tried) && place.delete(other))
      if (place.size < need.need || gives()) {
        place.add(key)
        return true
      }
    }
    return false
  }
  for (const key of voters.keys()) seat(key, new Set())
  return needs.flatMap(({ group, need }, i) => {
    const given = places[i]!.size
    return given < need ? [{ group, need, given }] : []
  })
}
