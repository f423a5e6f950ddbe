/**
 * What a policy would have done to past requests, budgets included, and where two policies differ.
 * Approvals and delays count as met: what may be signed is charged, so that no budget looks emptier
 * than it could have been.
 */
import { chargeAgainst } from './budget.ts'
import { decide } from './decide.ts'
import type { Decision } from './decision.ts'
import type { Facts } from './facts.ts'
import type { LedgerEntry } from './ledger.ts'
import type { Policy } from './model.ts'

/** A request as it was made; `facts.now` is when. */
export type PastRequest = {
  readonly id: string
  readonly facts: Facts
  /** What became of it, where that is known. */
  readonly outcome?: 'signed' | 'denied' | 'failed' | undefined
}

export type Verdict = {
  readonly id: string
  readonly now: number
  readonly outcome: PastRequest['outcome']
  /** `over` where the rules let it pass and a budget does not. */
  readonly verdict: Decision['decision'] | 'over'
  readonly decision: Decision
  /** Ids of the limits that it would have gone beyond. */
  readonly over: readonly string[]
}

/** One verdict for each request, in the order of their times. */
export function simulate(policy: Policy, requests: readonly PastRequest[]): readonly Verdict[] {
  const ledger: LedgerEntry[] = []
  return requests
    .toSorted((a, b) => a.facts.now - b.facts.now)
    .map(({ id, facts, outcome }, i) => {
      const decision = decide(policy, facts)
      const over = decision.charges.flatMap((charge) =>
        chargeAgainst(ledger, charge, facts.now).isOver ? [charge.limit] : [],
      )
      const isOver = over.length > 0
      if (!isOver && decision.decision !== 'deny') ledger.push(entryOf(i, facts, decision))
      return {
        id,
        now: facts.now,
        outcome,
        verdict: isOver ? 'over' : decision.decision,
        decision,
        over: [...new Set(over)],
      }
    })
}

const entryOf = (i: number, { wallet, now }: Facts, { charges }: Decision): LedgerEntry => {
  const session = new Uint8Array(32)
  new DataView(session.buffer).setUint32(0, i)
  return {
    session,
    request: session,
    wallet,
    time: now,
    signers: [1],
    charges,
    state: 'released',
    tombstones: [],
  }
}

export type Difference = {
  readonly id: string
  readonly now: number
  readonly before: Verdict
  readonly after: Verdict
}

/** The requests that two policies would have treated differently. */
export function compare(
  before: Policy,
  after: Policy,
  requests: readonly PastRequest[],
): readonly Difference[] {
  const old = simulate(before, requests)
  return simulate(after, requests).flatMap((verdict, i) => {
    const was = old[i]!
    return isAlike(was, verdict)
      ? []
      : [{ id: verdict.id, now: verdict.now, before: was, after: verdict }]
  })
}

/** The same outcome, asking the same of the same people. */
const isAlike = (a: Verdict, b: Verdict): boolean =>
  a.verdict === b.verdict &&
  a.decision.delayMs === b.decision.delayMs &&
  JSON.stringify(a.decision.approvals) === JSON.stringify(b.decision.approvals)
