/**
 * Policy decided the slow way, for transactions of which everything is certain: no doubt, no clauses,
 * one plain question for each condition. Where something is uncertain, a *world* says what it is.
 */
import type { TxView } from '@quorate/api'
import type { Conditions, Decision, Facts, Functions, Policy } from '@quorate/policy'

/** A view in which nothing is claimed, every list is given and all payments stand. */
export type World = TxView & {
  readonly calls: NonNullable<TxView['calls']>
  readonly allowances: NonNullable<TxView['allowances']>
  readonly fee: NonNullable<TxView['fee']>
}

type Named = keyof Conditions
const sums = (items: readonly { asset: string; amount: bigint }[], asset: string): bigint =>
  items.filter((each) => each.asset === asset).reduce((sum, { amount }) => sum + amount, 0n)

/** `facts.view` is what was seen, `world` is what is. */
function holds(name: Named, when: Conditions, facts: Facts, world: World): boolean {
  const paid = world.outputs.filter(({ isChange }) => !isChange)
  const assets = paid.map(({ asset }) => asset)
  const seen = facts.view.isComplete && facts.view.kind !== 'opaque'
  const day = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'][
    Math.floor(facts.now / 86_400_000) % 7
  ]
  const minute = Math.floor((facts.now % 86_400_000) / 60_000)
  const lists = (functions: Functions, call: World['calls'][number]): boolean =>
    ['*', call.selector].some((selector) => functions.get(call.contract)?.includes(selector))
  switch (name) {
    case 'networks':
      return when.networks!.includes(world.network)
    case 'chains':
      return when.chains!.includes(world.caip2)
    case 'isTestnet':
      return when.isTestnet === facts.isTestnet
    case 'kinds':
      return when.kinds!.includes(facts.view.kind)
    case 'isComplete':
      return when.isComplete === seen
    case 'wallets':
      return when.wallets!.includes(facts.wallet)
    case 'initiators':
      return when.initiators!.includes(facts.initiator)
    case 'onlyRecipients':
      return paid.every(({ to }) => when.onlyRecipients!.includes(to))
    case 'otherRecipient':
      return paid.some(({ to }) => !when.otherRecipient!.includes(to))
    case 'anyRecipient':
      return paid.some(({ to }) => when.anyRecipient!.includes(to))
    case 'onlyAssets':
      return assets.every((asset) => when.onlyAssets!.includes(asset))
    case 'anyAsset':
      return assets.some((asset) => when.anyAsset!.includes(asset))
    case 'maxPayments':
      return paid.length <= when.maxPayments!
    case 'paymentsAbove':
      return paid.length > when.paymentsAbove!
    case 'maxAmount':
      return assets.every((each) => sums(paid, each) <= (when.maxAmount!.get(each) ?? -1n))
    case 'amountAbove':
      return [...when.amountAbove!].some(([asset, limit]) => sums(paid, asset) > limit)
    case 'maxFee':
      return world.fee.amount <= (when.maxFee!.get(world.fee.asset) ?? -1n)
    case 'feeAbove':
      return world.fee.amount > (when.feeAbove!.get(world.fee.asset) ?? world.fee.amount)
    case 'onlyCalls':
      return world.calls.every((call) => lists(when.onlyCalls!, call))
    case 'anyCall':
      return world.calls.some((call) => lists(when.anyCall!, call))
    case 'onlySpenders':
      return world.allowances.every(({ spender }) => when.onlySpenders!.includes(spender))
    case 'anySpender':
      return world.allowances.some(({ spender }) => when.anySpender!.includes(spender))
    case 'maxAllowance':
      return world.allowances.every(
        ({ asset }) => sums(world.allowances, asset) <= (when.maxAllowance!.get(asset) ?? -1n),
      )
    case 'allowanceAbove':
      return [...when.allowanceAbove!].some(([asset, cap]) => sums(world.allowances, asset) > cap)
    case 'during':
      return when.during!.some(
        (each) =>
          each.days.some((name) => name === day) && minute >= each.from && minute < each.until,
      )
    case 'notBefore':
      return facts.now >= when.notBefore!
    case 'notAfter':
      return facts.now <= when.notAfter!
  }
}

/** What a request takes, as numbers that can be compared. */
export type Demand = {
  readonly isDenied: boolean
  readonly approvals: ReadonlyMap<string, number>
  readonly delayMs: number
  /** `limit asset recipient amount`, sorted. */
  readonly charges: readonly string[]
}

export const demandOf = ({ decision, approvals, delayMs, charges }: Decision): Demand => ({
  isDenied: decision === 'deny',
  approvals: new Map(approvals.map(({ group, need }) => [group, need])),
  delayMs,
  charges: charges
    .map(({ limit, asset, recipient, amount }) =>
      [limit, asset ?? '#', recipient ?? '', amount].join(' '),
    )
    .sort(),
})

/** The demand in a world. */
export function referenceDemand(policy: Policy, facts: Facts, world: World): Demand {
  const denied = { isDenied: true, approvals: new Map(), delayMs: 0, charges: [] }
  const seen = facts.view.isComplete && facts.view.kind !== 'opaque'
  let isAllowed = false
  let delayMs = 0
  const approvals = new Map<string, number>()
  const charges: string[] = []
  for (const rule of policy.rules) {
    const names = Object.keys(rule.when) as Named[]
    if (!names.every((name) => holds(name, rule.when, facts, world))) continue
    if (rule.action === 'deny') return denied
    if (rule.action === 'allow' && (seen || rule.allowsIncomplete === true)) isAllowed = true
    if (rule.action === 'delay') delayMs += rule.delayMs
    if (rule.action === 'approve')
      for (const { group, need } of rule.approvals)
        approvals.set(group, (approvals.get(group) ?? 0) + need)
    if (rule.action !== 'limit') continue
    const { amounts, count, perRecipient, includesFee } = rule.limit
    const leaving = [
      ...world.outputs.filter(({ isChange }) => !isChange),
      ...(includesFee === true ? [{ ...world.fee, to: '' }] : []),
    ]
    const accounts = perRecipient === true ? [...new Set(leaving.map(({ to }) => to))] : ['']
    for (const account of accounts) {
      const items = leaving.filter(({ to }) => perRecipient !== true || to === account)
      if (count !== undefined) charges.push(`${rule.id} # ${account} 1`)
      if (count !== undefined && count < 1) return denied
      for (const asset of new Set(items.map((item) => item.asset))) {
        if (amounts === undefined) continue
        const sum = sums(items, asset)
        if (sum > (amounts.get(asset) ?? -1n)) return denied
        charges.push(`${rule.id} ${asset} ${account} ${sum}`)
      }
    }
  }
  return isAllowed ? { isDenied: false, approvals, delayMs, charges: charges.sort() } : denied
}
