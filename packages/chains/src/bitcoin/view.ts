/** What a PSBT does, in the words of the one who pays. */

import { sha256 } from '@noble/hashes/sha2.js'
import type { TxOutput, TxView } from '@quorate/api'
import { equalBytes, toHex } from '@quorate/base'
import { formatAmount, formatDecimal } from '../amount.ts'
import { dustLimit, meaningOf, type ScriptMeaning } from './meaning.ts'
import type { BitcoinNetwork, BitcoinRules } from './networks.ts'
import type { Psbt } from './psbt.ts'
import { type RawOutput, virtualSize } from './raw-transaction.ts'
import { isHeight } from './skeleton.ts'

/** A fee that is more than this part of what is sent, and is not small, is called out. */
const HIGH_FEE_PERCENT = 10n

const FINAL_SEQUENCE = 0xffffffff
/** BIP-125: a transaction with a sequence below this asks to be replaceable. */
const REPLACEABLE_BELOW = 0xfffffffe

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

export function viewOf(psbt: Psbt, network: BitcoinNetwork): TxView {
  const { rules } = network
  const meanings = psbt.tx.outputs.map(({ script }) => meaningOf(script, network))
  // Only the wallet's plain addresses count as change. An output with a script root could be spent by
  // that script, and whoever made the PSBT chose the root.
  const outputs = psbt.tx.outputs.map(
    ({ script, amount }, i): TxOutput => ({
      to: meanings[i]!.to,
      asset: network.asset,
      amount,
      isChange: psbt.spender.scripts.some((own) => equalBytes(script, own.script)),
      isClaimed: false,
    }),
  )
  const size = signedSize(psbt)
  return {
    network: network.slug,
    caip2: network.caip2,
    kind: 'transfer',
    from: [...new Set(psbt.coins.map(({ script }) => meaningOf(script, network).to))],
    outputs,
    fee: {
      asset: network.asset,
      amount: psbt.fee,
      isClaimed: psbt.coins.some(({ isBound }) => !isBound),
    },
    calls: [],
    allowances: [],
    isComplete: meanings.every(({ kind }) => kind !== 'unknown'),
    notes: [
      coinNote(psbt, network),
      feeNote(psbt, size, rules),
      ...timeNotes(psbt, rules),
      ...hintNotes(psbt),
    ],
    warnings: [
      ...coinWarnings(psbt, network),
      ...feeWarnings(psbt, outputs, size, rules),
      ...psbt.tx.outputs.flatMap((output, i) => outputWarnings(output, i, meanings[i]!, rules)),
    ],
  }
}

const sumOf = (items: readonly { readonly amount: bigint }[]): bigint =>
  items.reduce((sum, { amount }) => sum + amount, 0n)

function coinNote({ coins }: Psbt, { asset }: BitcoinNetwork): string {
  const own = coins.filter((coin) => coin.own !== undefined)
  return `spends ${count(own.length, 'coin')} of this wallet, ${formatAmount(sumOf(own), asset)} together`
}

function coinWarnings({ coins }: Psbt, { asset }: BitcoinNetwork): readonly string[] {
  const foreign = coins.filter(({ own }) => own === undefined)
  const scripted = coins.filter(({ own }) => own?.hasScripts === true).length
  const claimed = coins.filter(({ isBound }) => !isBound).length
  return [
    ...(foreign.length === 0
      ? []
      : [
          `${count(foreign.length, 'coin')} of others, ${formatAmount(sumOf(foreign), asset)} together; only our own are signed`,
        ]),
    ...(claimed === 0
      ? []
      : [
          `what ${count(claimed, 'coin')} of others hold is only claimed, and so is the fee: no signature of ours binds it`,
        ]),
    ...(scripted === 0
      ? []
      : [`${count(scripted, 'coin')} could also be spent by a script that is not shown here`]),
  ]
}

/** Virtual bytes once signed, at most, or `undefined` if others sign too. */
function signedSize({ tx, coins }: Psbt): bigint | undefined {
  const inputs = tx.inputs.flatMap((input, i) => {
    const own = coins[i]!.own
    return own === undefined ? [] : [{ ...input, ...own.longest }]
  })
  return inputs.length < coins.length ? undefined : BigInt(virtualSize({ ...tx, inputs }))
}

function feeNote({ fee, spender }: Psbt, size: bigint | undefined, { unit }: BitcoinRules): string {
  return size === undefined
    ? `fee ${fee} ${unit}; the rate depends on the signatures of others`
    : `fee ${fee} ${unit}, ${spender.isSizeExact ? '' : 'at least '}${formatDecimal((fee * 10n) / size, 1)} ${unit}/vB`
}

function feeWarnings(
  { fee }: Psbt,
  outputs: readonly TxOutput[],
  size: bigint | undefined,
  { asset, unit, highFeeRate, smallFee }: BitcoinRules,
): readonly string[] {
  const sent = sumOf(outputs.filter(({ isChange }) => !isChange))
  // Of a transaction that only moves coins within the wallet, the whole is what is moved.
  const base = sent > 0n ? sent : sumOf(outputs)
  const isHighPart = fee > smallFee && fee * 100n > base * HIGH_FEE_PERCENT
  const isHighRate = size !== undefined && fee > highFeeRate * size
  return [
    ...(isHighPart
      ? [
          `the fee of ${formatAmount(fee, asset)} is more than ${HIGH_FEE_PERCENT} % of the amount sent`,
        ]
      : []),
    ...(isHighRate ? [`the fee rate is above ${highFeeRate} ${unit}/vB`] : []),
  ]
}

function outputWarnings(
  { script, amount }: RawOutput,
  i: number,
  { kind }: ScriptMeaning,
  rules: BitcoinRules,
): readonly string[] {
  if (kind === 'unknown') return [`output ${i} goes to a script that has no address`]
  if (kind === 'data')
    return amount > 0n
      ? [
          `output ${i} destroys ${formatAmount(amount, rules.asset)}: nobody can spend a data output`,
        ]
      : []
  return amount < dustLimit(script, rules)
    ? [`output ${i} of ${amount} ${rules.unit} is dust: nodes may not relay the transaction`]
    : []
}

function timeNotes({ coins, tx }: Psbt, { hasReplacement }: BitcoinRules): readonly string[] {
  const notes: string[] = []
  if (hasReplacement && coins.some(({ sequence }) => sequence < REPLACEABLE_BELOW))
    notes.push('can be replaced by one that pays more until it is mined (BIP-125)')
  if (tx.lockTime > 0)
    notes.push(
      coins.every(({ sequence }) => sequence === FINAL_SEQUENCE)
        ? `its lock time ${tx.lockTime} has no effect`
        : `cannot be mined before ${isHeight(tx.lockTime) ? 'block' : 'Unix time'} ${tx.lockTime}`,
    )
  coins.forEach(({ sequence }, i) => {
    const age = tx.version >= 2 ? relativeLock(sequence) : undefined
    if (age !== undefined) notes.push(`cannot be mined before coin ${i} is ${age} old`)
  })
  return notes
}

/** BIP-68: the age a coin must have, from its sequence number. */
function relativeLock(sequence: number): string | undefined {
  const value = sequence & 0xffff
  if (sequence >= 0x80000000 || value === 0) return undefined
  return (sequence & (1 << 22)) === 0 ? count(value, 'block') : `${value * 512} seconds`
}

/** Names the exact bytes, so that two PSBTs that differ in a hint do not look the same. */
const hintNotes = ({ hasHints, unsigned }: Psbt): readonly string[] =>
  hasHints
    ? [`also holds hints that no signature covers; SHA-256 of the PSBT: ${toHex(sha256(unsigned))}`]
    : []
