/**
 * What each condition finds in a transaction: that it holds, that it does not, or that this cannot
 * be told. The third matters: a rule that allows needs certainty that its conditions hold, every
 * other rule is only put aside by certainty that one of them does not.
 */
import type { TxAllowance, TxCall, TxView } from '@quorate/api'
import { clockOf } from './clock.ts'
import { type Facts, isComplete } from './facts.ts'
import { type Amounts, type Conditions, clockTime, type Functions, type Hours } from './model.ts'
import { doubt, isBound, payments, sumOf, totals } from './payments.ts'

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

/** `yes` where nothing is in doubt, else `unknown` with the reason. */
const unless = (reason: string | undefined, otherwise: Finding): Finding =>
  reason === undefined ? otherwise : unknown(reason)

function within(
  limits: Amounts,
  sums: ReadonlyMap<string, bigint>,
  [verb, none]: readonly [verb: string, none: string],
  reason: string | undefined,
): Finding {
  for (const [asset, total] of sums) {
    const limit = limits.get(asset)
    if (limit === undefined) return no(`${verb} ${asset}, for which there is no limit`)
    if (total > limit) return no(`${verb} ${units(total, asset)}, more than the limit of ${limit}`)
  }
  return unless(reason, yes(none))
}

function above(
  limits: Amounts,
  sums: ReadonlyMap<string, bigint>,
  [verb, none]: readonly [verb: string, none: string],
  reason: string | undefined,
): Finding {
  for (const [asset, limit] of limits) {
    const total = sums.get(asset) ?? 0n
    if (total > limit) return yes(`${verb} ${units(total, asset)}, more than ${limit}`)
  }
  return unless(reason, no(none))
}

/** The fee against a table of amounts: `over` and `within` say what each outcome means. */
function compareFee(
  limits: Amounts,
  { fee }: TxView,
  over: (because: string) => Finding,
  within: (because: string) => Finding,
): Finding {
  if (fee === undefined) return unknown('does not tell its fee')
  const { asset, amount, isClaimed } = fee
  if (isClaimed || amount < 0n)
    return unknown('has a fee that is only claimed, not bound by the signed bytes')
  const limit = limits.get(asset)
  if (limit === undefined) return no(`pays its fee in ${asset}, for which there is no limit`)
  return amount > limit
    ? over(`pays a fee of ${units(amount, asset)}, more than ${limit}`)
    : within(`pays a fee of ${units(amount, asset)}, within ${limit}`)
}

/** Whether some payment is to nobody in the list: what `onlyRecipients` and its opposite ask. */
function stranger(
  list: readonly string[],
  view: TxView,
  found: (because: string) => Finding,
  none: (because: string) => Finding,
): Finding {
  const hit = payments(view).find((output) => isBound(output) && !list.includes(output.to))
  if (hit !== undefined) return found(`pays ${hit.to}, which is not listed`)
  return unless(doubt(view), none('pays listed recipients only'))
}

function anyRecipient(list: readonly string[], { view }: Facts): Finding {
  const hit = payments(view).find((output) => isBound(output) && list.includes(output.to))
  if (hit !== undefined) return yes(`pays ${hit.to}, which is listed`)
  return unless(doubt(view), no('pays none of the listed recipients'))
}

function onlyAssets(list: readonly string[], { view }: Facts): Finding {
  const other = [...totals(view).keys()].find((asset) => !list.includes(asset))
  if (other !== undefined) return no(`sends ${other}, which is not listed`)
  return unless(doubt(view), yes('sends listed assets only'))
}

function anyAsset(list: readonly string[], { view }: Facts): Finding {
  const hit = [...totals(view).keys()].find((asset) => list.includes(asset))
  if (hit !== undefined) return yes(`sends ${hit}, which is listed`)
  return unless(doubt(view), no('sends none of the listed assets'))
}

/** How many payments against a number: claimed ones are payments, too. */
function countPayments(
  limit: number,
  view: TxView,
  over: (because: string) => Finding,
  within: (because: string) => Finding,
): Finding {
  const count = payments(view).filter(isBound).length
  if (count > limit) return over(`makes ${count} payments, more than ${limit}`)
  return unless(doubt(view), within(`makes ${count} payments, within ${limit}`))
}

const isListed = (functions: Functions, { contract, selector }: TxCall): boolean => {
  const listed = functions.get(contract)
  return listed !== undefined && (listed.includes('*') || listed.includes(selector))
}
const callWords = ({ contract, selector }: TxCall): string => `calls ${selector} of ${contract}`
const NO_CALLS = 'is not read for calls on this network'

function onlyCalls(functions: Functions, { view }: Facts): Finding {
  if (view.calls === undefined) return unknown(NO_CALLS)
  const other = view.calls.find((call) => !isListed(functions, call))
  return other === undefined
    ? yes('calls listed functions only')
    : no(`${callWords(other)}, which is not listed`)
}

function anyCall(functions: Functions, { view }: Facts): Finding {
  const hit = view.calls?.find((call) => isListed(functions, call))
  if (hit !== undefined) return yes(`${callWords(hit)}, which is listed`)
  if (view.calls === undefined) return unknown(NO_CALLS)
  // What is not understood may carry other calls inside.
  return isComplete(view)
    ? no('calls none of the listed functions')
    : unknown('is not wholly understood, so there may be more calls')
}

/** Why not all allowances are known for certain, or `undefined` where they are. */
function allowanceDoubt({ allowances }: TxView): string | undefined {
  if (allowances === undefined) return 'is not read for allowances on this network'
  return allowances.every(isBound)
    ? undefined
    : 'has an allowance that is only claimed, not bound by the signed bytes'
}
const bound = ({ allowances = [] }: TxView): readonly TxAllowance[] => allowances.filter(isBound)

function onlySpenders(list: readonly string[], { view }: Facts): Finding {
  const other = bound(view).find(({ spender }) => !list.includes(spender))
  if (other !== undefined) return no(`gives an allowance to ${other.spender}, which is not listed`)
  return unless(allowanceDoubt(view), yes('gives allowances to listed spenders only'))
}

function anySpender(list: readonly string[], { view }: Facts): Finding {
  const hit = bound(view).find(({ spender }) => list.includes(spender))
  if (hit !== undefined) return yes(`gives an allowance to ${hit.spender}, which is listed`)
  return unless(allowanceDoubt(view), no('gives an allowance to none of the listed spenders'))
}

const SENDS = ['sends', 'sends no more than the limit'] as const
const ALLOWS = ['gives an allowance of', 'gives no allowance above the limit'] as const

const hoursWords = ({ days, from, until }: Hours): string =>
  `${days.join(', ')} ${clockTime(from)} to ${clockTime(until)}`

function during(hours: readonly Hours[], { now }: Facts): Finding {
  const { weekday, minute } = clockOf(now)
  const at = `is asked for on ${weekday} at ${clockTime(minute)} UTC`
  const hit = hours.find(
    ({ days, from, until }) => days.includes(weekday) && minute >= from && minute < until,
  )
  return hit === undefined
    ? no(`${at}, outside of ${hours.map(hoursWords).join(' and ')}`)
    : yes(`${at}, within ${hoursWords(hit)}`)
}

type Check<T> = (wanted: T, facts: Facts) => Finding

const CHECKS: { readonly [K in keyof Conditions]-?: Check<NonNullable<Conditions[K]>> } = {
  networks: (list, { view }) => oneOf(list, view.network, 'is on'),
  chains: (list, { view }) => oneOf(list, view.caip2, 'is on'),
  isTestnet: (wanted, { isTestnet }) =>
    (wanted === isTestnet ? yes : no)(isTestnet ? 'is on a testnet' : 'is not on a testnet'),
  kinds: (list, { view }) => oneOf(list, view.kind, 'is of the kind'),
  isComplete: (wanted, { view }) =>
    (wanted === isComplete(view) ? yes : no)(
      isComplete(view) ? 'is wholly understood' : 'is not wholly understood',
    ),
  wallets: (list, { wallet }) => oneOf(list, wallet, 'spends from'),
  initiators: (list, { initiator }) => oneOf(list, initiator, 'is asked for by'),
  onlyRecipients: (list, { view }) => stranger(list, view, no, yes),
  anyRecipient,
  otherRecipient: (list, { view }) => stranger(list, view, yes, no),
  onlyAssets,
  anyAsset,
  maxPayments: (limit, { view }) => countPayments(limit, view, no, yes),
  paymentsAbove: (limit, { view }) => countPayments(limit, view, yes, no),
  maxAmount: (limits, { view }) => within(limits, totals(view), SENDS, doubt(view)),
  amountAbove: (limits, { view }) =>
    above(limits, totals(view), ['sends', 'sends no more than that'], doubt(view)),
  maxFee: (limits, { view }) => compareFee(limits, view, no, yes),
  feeAbove: (limits, { view }) => compareFee(limits, view, yes, no),
  onlyCalls,
  anyCall,
  onlySpenders,
  anySpender,
  maxAllowance: (limits, { view }) =>
    within(limits, sumOf(bound(view)), ALLOWS, allowanceDoubt(view)),
  allowanceAbove: (limits, { view }) =>
    above(limits, sumOf(bound(view)), ALLOWS, allowanceDoubt(view)),
  during,
  notBefore: (time, { now }) =>
    now >= time ? yes('is asked for after the earliest time') : no('is asked for too early'),
  notAfter: (time, { now }) =>
    now <= time ? yes('is asked for before the latest time') : no('is asked for too late'),
}

export const CONDITION_NAMES = Object.keys(CHECKS) as readonly (keyof Conditions)[]

/** One finding for each condition that is set. */
export const findingsOf = (when: Conditions, facts: Facts): readonly Finding[] =>
  CONDITION_NAMES.flatMap((name) => {
    const wanted = when[name]
    // Each name's check takes that name's value, which the compiler cannot follow through a loop.
    return wanted === undefined ? [] : [(CHECKS[name] as Check<typeof wanted>)(wanted, facts)]
  })
