/** What a request is to be charged under a limit, or why it cannot be charged at all. */
import type { Facts } from './facts.ts'
import { type Charge, MAX_CHARGES } from './ledger.ts'
import type { Limit, LimitRule } from './model.ts'
import { doubt, payments, sumOf } from './payments.ts'

export type Levy =
  | { readonly charges: readonly Charge[] }
  /** A clause that completes "it". */
  | { readonly refused: string }

type Leaving = { readonly to: string | undefined; readonly asset: string; readonly amount: bigint }

/**
 * The charges of one request. It is refused where the amounts that leave are not all certain, where
 * an asset is not named, and where it would be over the limit on its own.
 */
export function levy({ id, limit }: LimitRule, { view }: Facts): Levy {
  const reason = uncertain(limit, view)
  if (reason !== undefined) return { refused: reason }
  const leaving: Leaving[] = payments(view).map(({ to, asset, amount }) => ({ to, asset, amount }))
  if (limit.includesFee === true && view.fee !== undefined)
    leaving.push({ to: undefined, asset: view.fee.asset, amount: view.fee.amount })

  const charges: Charge[] = []
  for (const [recipient, items] of accounts(limit, leaving)) {
    const account = {
      limit: id,
      windowMs: limit.windowMs,
      ...(recipient === undefined ? {} : { recipient }),
    }
    if (limit.count !== undefined)
      charges.push({ ...account, amount: 1n, cap: BigInt(limit.count) })
    if (limit.amounts === undefined) continue
    for (const [asset, amount] of sumOf(items)) {
      const cap = limit.amounts.get(asset)
      if (cap === undefined) return { refused: `sends ${asset}, which the limit does not name` }
      charges.push({ ...account, asset, amount, cap })
    }
  }
  const over = charges.find(({ amount, cap }) => amount > cap)
  if (over !== undefined) return { refused: 'is over the limit on its own' }
  // A ledger entry has room for so many; more would have to be left out, and nothing may be.
  if (charges.length > MAX_CHARGES) return { refused: 'has too many recipients for the limit' }
  return { charges }
}

function uncertain(limit: Limit, view: Facts['view']): string | undefined {
  // Counting requests takes no look into them; all else does.
  if (limit.amounts === undefined && limit.perRecipient !== true) return undefined
  const reason = doubt(view)
  if (reason !== undefined || limit.includesFee !== true) return reason
  if (view.fee === undefined) return 'does not tell its fee'
  return view.fee.isClaimed || view.fee.amount < 0n
    ? 'has a fee that is only claimed, not bound by the signed bytes'
    : undefined
}

/** What leaves, by the account that it is charged to; `undefined` names the one for all. */
function accounts(
  { perRecipient }: Limit,
  leaving: readonly Leaving[],
): ReadonlyMap<string | undefined, readonly Leaving[]> {
  if (perRecipient !== true) return new Map([[undefined, leaving]])
  const byRecipient = new Map<string | undefined, Leaving[]>()
  for (const item of leaving) byRecipient.set(item.to, [...(byRecipient.get(item.to) ?? []), item])
  return byRecipient
}
