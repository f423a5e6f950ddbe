/** A transaction in plain words, one line per fact. */
import type { TxView } from '@quorate/api'
import { formatAmount } from './amount.ts'
import { findNetwork } from './networks.ts'

const KINDS: { readonly [Kind in TxView['kind']]: string } = {
  transfer: 'a transfer',
  token: 'a token transfer',
  call: 'a call',
  batch: 'several transfers at once',
  message: 'a message to sign, which is no transaction',
  opaque: 'something that is not understood in full',
}

/**
 * Who, to whom, how much, change, fee, then notes and warnings. Warnings begin with `Warning:`,
 * and values that the signature does not bind end with `(claimed)`.
 */
export function describeView(view: TxView): readonly string[] {
  const claimed = (isClaimed: boolean): string => (isClaimed ? ' (claimed)' : '')
  const lines = [
    `${findNetwork(view.network).name}: ${KINDS[view.kind]}`,
    `from ${view.from.join(' and ')}`,
  ]
  for (const { to, asset, amount, isChange, isClaimed } of view.outputs)
    lines.push(
      isChange
        ? `${formatAmount(amount, asset)} comes back to this wallet, ${to}${claimed(isClaimed)}`
        : `${formatAmount(amount, asset)} to ${to}${claimed(isClaimed)}`,
    )
  if (view.fee !== undefined)
    lines.push(`fee ${formatAmount(view.fee.amount, view.fee.asset)}${claimed(view.fee.isClaimed)}`)
  lines.push(...view.notes)
  if (!view.isComplete) lines.push('Warning: not everything in this transaction is understood')
  lines.push(...view.warnings.map((warning) => `Warning: ${warning}`))
  return lines
}
