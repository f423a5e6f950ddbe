/** What surely leaves the wallet, and what cannot be told of it. */
import type { TxAllowance, TxOutput, TxView } from '@quorate/api'
import { isComplete } from './facts.ts'

/**
 * Outputs that leave the wallet. Change that is only claimed may be anybody's, so it counts as
 * leaving.
 */
export const payments = ({ outputs }: TxView): readonly TxOutput[] =>
  outputs.filter(({ isChange, isClaimed }) => !isChange || isClaimed)

/** A negative amount cannot be; limits must not add it up. */
export const isBound = ({ isClaimed, amount }: TxOutput | TxAllowance): boolean =>
  !isClaimed && amount >= 0n

/** Why not all payments are known for certain, or `undefined` where they are. */
export function doubt(view: TxView): string | undefined {
  if (!isComplete(view)) return 'is not wholly understood, so there may be more payments'
  if (!payments(view).every(isBound))
    return 'has a value that is only claimed, not bound by the signed bytes'
  return undefined
}

/** Amounts by asset. */
export function sumOf(
  items: readonly { readonly asset: string; readonly amount: bigint }[],
): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>()
  for (const { asset, amount } of items) sums.set(asset, (sums.get(asset) ?? 0n) + amount)
  return sums
}

/** What surely leaves, by asset. */
export const totals = (view: TxView): ReadonlyMap<string, bigint> =>
  sumOf(payments(view).filter(isBound))
