/**
 * What each condition finds in a transaction: that it holds, that it does not, or that this cannot
 * be told. The third matters: a rule that allows needs certainty that its conditions hold, a rule
 * that denies is only put aside by certainty that one of them does not.
 */
import type { TxOutput, TxView } from '@quorate/api'
import type { Amounts, Conditions } from './model.ts'

/** What policy is asked about. */
export type Facts = {
  readonly view: TxView
  /** Id of the client that asks. */
  readonly initiator: string
  readonly isTestnet: boolean
  /** Milliseconds since the Unix epoch. */
  readonly now: number
  /** Id of the wallet. */
  readonly wallet: string
}

export type Finding = {
  readonly holds: 'yes' | 'no' | 'unknown'
  /** A clause that completes "it", e.g. `is on a testnet`. */
  readonly because: string
}

const yes = (because: string): Finding => ({ holds: 'yes', because })
const no = (because: string): Finding => ({ holds: 'no', because })
const unknown = (because: string): Finding => ({ holds: 'unknown', because })

const oneOf = (list: readonly string[], value: string, what: string): Finding =>
  list.includes(value)
    ? yes(`${what} ${value}, which is listed`)
    : no(`${what} ${value}, which is not listed`)

const units = (amount: bigint, asset: string): string => `${amount} (smallest units of ${asset})`

/**
 * Outputs that leave the wallet. Change that is only claimed may be anybody's, so it counts as
 * leaving.
 */
const payments = ({ outputs }: TxView): readonly TxOutput[] =>
  outputs.filter(({ isChange, isClaimed }) => !isChange || isClaimed)

/** A negative amount cannot be; limits must not add it up. */
const isBound = ({ isClaimed, amount }: TxOutput): boolean => !isClaimed && amount >= 0n

/** Whether everything is understood; bytes that are opaque never are. */
export const isComplete = ({ isComplete, kind }: TxView): boolean => isComplete && kind !== 'opaque'

/** Why not all payments are known for certain, or `undefined` where they are. */
function doubt(view: TxView): string | undefined {
  if (!isComplete(view)) return 'is not wholly understood, so there may be more payments'
  if (!payments(view).every(isBound))
    return 'has a value that is only claimed, not bound by the signed bytes'
  return undefined
}

/** What surely leaves, by asset. */
function totals(view: TxView): ReadonlyMap<string, bigint> {
  const sums = new Map<string, bigint>()
  for (const { asset, amount } of payments(view).filter(isBound))
    sums.set(asset, (sums.get(asset) ?? 0n) + amount)
  return sums
}

function maxAmount(limits: Amounts, { view }: Facts): Finding {
  for (const [asset, total] of totals(view)) {
    const limit = limits.get(asset)
    if (limit === undefined) return no(`sends ${asset}, for which there is no limit`)
    if (total > limit) return no(`sends ${units(total, asset)}, more than the limit of ${limit}`)
  }
  const reason = doubt(view)
  return reason === undefined ? yes('sends no more than the limit') : unknown(reason)
}

function amountAbove(limits: Amounts, { view }: Facts): Finding {
  const sums = totals(view)
  for (const [asset, limit] of limits) {
    const total = sums.get(asset) ?? 0n
    if (total > limit) return yes(`sends ${units(total, asset)}, more than ${limit}`)
  }
  const reason = doubt(view)
  return reason === undefined ? no('sends no more than that') : unknown(reason)
}

/** The fee against a table of amounts: `over` and `within` say what each outcome means. */
function compareFee(
  limits: Amounts,
  { fee }: TxView,
  over: (because: string) => Finding,
  within: (because: string) => Finding,
  unnamed: (because: string) => Finding,
): Finding {
  if (fee === undefined) return unknown('does not tell its fee')
  const { asset, amount, isClaimed } = fee
  if (isClaimed || amount < 0n)
    return unknown('has a fee that is only claimed, not bound by the signed bytes')
  const limit = limits.get(asset)
  if (limit === undefined) return unnamed(`pays its fee in ${asset}, for which there is no limit`)
  return amount > limit
    ? over(`pays a fee of ${units(amount, asset)}, more than ${limit}`)
    : within(`pays a fee of ${units(amount, asset)}, within ${limit}`)
}

function onlyRecipients(list: readonly string[], { view }: Facts): Finding {
  const stranger = payments(view).find((output) => isBound(output) && !list.includes(output.to))
  if (stranger !== undefined) return no(`pays ${stranger.to}, which is not listed`)
  const reason = doubt(view)
  return reason === undefined ? yes('pays listed recipients only') : unknown(reason)
}

function anyRecipient(list: readonly string[], { view }: Facts): Finding {
  const hit = payments(view).find((output) => isBound(output) && list.includes(output.to))
  if (hit !== undefined) return yes(`pays ${hit.to}, which is listed`)
  const reason = doubt(view)
  return reason === undefined ? no('pays none of the listed recipients') : unknown(reason)
}

type Check<T> = (wanted: T, facts: Facts) => Finding

const CHECKS: { readonly [K in keyof Conditions]-?: Check<NonNullable<Conditions[K]>> } = {
  networks: (list, { view }) => oneOf(list, view.network, 'is on'),
  isTestnet: (wanted, { isTestnet }) =>
    (wanted === isTestnet ? yes : no)(isTestnet ? 'is on a testnet' : 'is not on a testnet'),
  kinds: (list, { view }) => oneOf(list, view.kind, 'is of the kind'),
  wallets: (list, { wallet }) => oneOf(list, wallet, 'spends from'),
  initiators: (list, { initiator }) => oneOf(list, initiator, 'is asked for by'),
  onlyRecipients,
  anyRecipient,
  maxAmount,
  amountAbove,
  maxFee: (limits, { view }) => compareFee(limits, view, no, yes, no),
  feeAbove: (limits, { view }) => compareFee(limits, view, yes, no, no),
  notBefore: (time, { now }) =>
    now >= time ? yes('is asked for after the earliest time') : no('is asked for too early'),
  notAfter: (time, { now }) =>
    now <= time ? yes('is asked for before the latest time') : no('is asked for too late'),
}

/** One finding for each condition that is set. */
export function findingsOf(when: Conditions, facts: Facts): readonly Finding[] {
  const names = Object.keys(CHECKS) as readonly (keyof Conditions)[]
  return names.flatMap((name) => {
    const wanted = when[name]
    // Each name's check takes that name's value, which the compiler cannot follow through a loop.
    return wanted === undefined ? [] : [(CHECKS[name] as Check<typeof wanted>)(wanted, facts)]
  })
}
