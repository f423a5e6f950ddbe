/** What a Solana transaction costs at most, from its own bytes. */
import type { TxFee } from '@quorate/api'
import { formatAmount } from '../amount.ts'
import type { Budget } from './effect.ts'
import type { Message } from './message.ts'

/** The network's price of one signature; it has not changed since genesis. */
const LAMPORTS_PER_SIGNATURE = 5000n
/** Compute units that a transaction may use unless it sets a limit: this much per instruction, never more than the most. */
const DEFAULT_UNITS = 200_000n
const MAX_UNITS = 1_400_000n
/** 0.01 SOL: two thousand times the price of a signature. */
const HIGH_FEE_LAMPORTS = 10_000_000n
const HIGH_FEE_PERCENT = 10n
const MICRO = 1_000_000n

type Of<Kind extends Budget['kind']> = Extract<Budget, { readonly kind: Kind }>
const ofKind = <Kind extends Budget['kind']>(
  budgets: readonly Budget[],
  kind: Kind,
): readonly Of<Kind>[] => budgets.filter((each): each is Of<Kind> => each.kind === kind)

/** Price times limit, rounded up to whole lamports; `undefined` where the network would refuse or charge more. */
function priorityFee(message: Message, budgets: readonly Budget[]): bigint | undefined {
  if (ofKind(budgets, 'unknown').length > 0) return undefined
  const prices = ofKind(budgets, 'price')
  const limits = ofKind(budgets, 'units')
  if (prices.length > 1 || limits.length > 1) return undefined
  const [limit] = limits
  const units =
    limit === undefined ? DEFAULT_UNITS * BigInt(message.instructions.length) : BigInt(limit.units)
  const price = prices[0]?.microLamports ?? 0n
  return ((units < MAX_UNITS ? units : MAX_UNITS) * price + MICRO - 1n) / MICRO
}

/** The most it can cost, or `undefined` where that cannot be told. */
export function feeOf(message: Message, budgets: readonly Budget[]): TxFee | undefined {
  const priority = priorityFee(message, budgets)
  if (priority === undefined) return undefined
  const amount = LAMPORTS_PER_SIGNATURE * BigInt(message.signerCount) + priority
  return { asset: 'SOL', amount, isClaimed: false }
}

/** `payer` as it is to be named. */
export function feeNotes(
  message: Message,
  budgets: readonly Budget[],
  payer: string,
): readonly string[] {
  const { signerCount } = message
  const lamports = priorityFee(message, budgets) ?? 0n
  const isExact = ofKind(budgets, 'units').length > 0
  return [
    `the fee pays ${signerCount} signature${signerCount === 1 ? '' : 's'} of ${LAMPORTS_PER_SIGNATURE} lamports, from ${payer}`,
    ...(lamports === 0n
      ? []
      : [`and a priority fee of ${isExact ? '' : 'at most '}${lamports} lamports`]),
  ]
}

/** `sent`: the lamports that the transaction pays to others. */
export function feeWarnings(
  message: Message,
  fee: TxFee | undefined,
  sent: bigint,
): readonly string[] {
  if (fee === undefined) return ['its fee cannot be told from the message']
  const text = formatAmount(fee.amount, fee.asset)
  // The price of the signatures is no choice of anybody's.
  const isChosen = fee.amount > LAMPORTS_PER_SIGNATURE * BigInt(message.signerCount)
  return [
    ...(fee.amount > HIGH_FEE_LAMPORTS ? [`the fee of ${text} is unusually high`] : []),
    ...(isChosen && sent > 0n && fee.amount * 100n > sent * HIGH_FEE_PERCENT
      ? [`the fee of ${text} is more than ${HIGH_FEE_PERCENT} % of the amount sent`]
      : []),
  ]
}
