/** What a PSBT does, in the words of the one who pays. */

import { sha256 } from '@noble/hashes/sha2.js'
import type { TxOutput, TxView } from '@quorate/api'
import { equalBytes, toHex } from '@quorate/base'
import { formatAmount, formatDecimal } from '../amount.ts'
import type { BitcoinNetwork } from '../networks.ts'
import type { Coin, Payment, Psbt } from './psbt.ts'
import { dustLimit, meaningOf } from './script.ts'

/** A fee that is more than this part of what is sent, and more than this much, is called out. */
const HIGH_FEE_PERCENT = 10n
const HIGH_FEE_SATOSHI = 10_000n
const HIGH_FEE_RATE = 1_000n

const FINAL_SEQUENCE = 0xffffffff
/** BIP-125: a transaction with a sequence below this asks to be replaceable. */
const REPLACEABLE_BELOW = 0xfffffffe
/** BIP-65: lock times below are block heights, the others Unix times. */
const LOCKTIME_IS_TIME = 500_000_000

const btc = (amount: bigint): string => formatAmount(amount, 'BTC')
const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`

export function viewOf(psbt: Psbt, network: BitcoinNetwork): TxView {
  const meanings = psbt.payments.map(({ script }) => meaningOf(script, network.params))
  // Only the wallet's plain address counts as change. An output with a script root could be spent by
  // that script, and whoever made the PSBT chose the root.
  const outputs = psbt.payments.map(
    ({ script, amount }, i): TxOutput => ({
      to: meanings[i]!.to,
      asset: network.asset,
      amount,
      isChange: equalBytes(script, psbt.spender.script),
      isClaimed: false,
    }),
  )
  return {
    network: network.slug,
    caip2: network.caip2,
    kind: 'transfer',
    from: [...new Set(psbt.coins.map(({ script }) => meaningOf(script, network.params).to))],
    outputs,
    fee: {
      asset: network.asset,
      amount: psbt.fee,
      isClaimed: psbt.coins.some(({ isBound }) => !isBound),
    },
    isComplete: meanings.every(({ kind }) => kind !== 'unknown'),
    notes: [...coinNotes(psbt), feeNote(psbt), ...timeNotes(psbt), ...hintNotes(psbt)],
    warnings: [
      ...coinWarnings(psbt.coins),
      ...feeWarnings(psbt, outputs),
      ...psbt.payments.flatMap((payment, i) => paymentWarnings(payment, i, meanings[i]!.kind)),
    ],
  }
}

function coinNotes({ coins }: Psbt): readonly string[] {
  const own = coins.filter((coin) => coin.own !== undefined)
  const sum = own.reduce((before, { amount }) => before + amount, 0n)
  return [`spends ${count(own.length, 'coin')} of this wallet, ${btc(sum)} together`]
}

function coinWarnings(coins: readonly Coin[]): readonly string[] {
  const foreign = coins.filter(({ own }) => own === undefined)
  const sum = foreign.reduce((before, { amount }) => before + amount, 0n)
  const scripted = coins.filter(({ own }) => own?.merkleRoot !== undefined).length
  const claimed = coins.filter(({ isBound }) => !isBound).length
  return [
    ...(foreign.length === 0
      ? []
      : [
          `${count(foreign.length, 'coin')} of others, ${btc(sum)} together; only our own are signed`,
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

function feeNote(psbt: Psbt): string {
  const size = virtualSize(psbt)
  return size === undefined
    ? `fee ${psbt.fee} sat; the rate depends on the signatures of others`
    : `fee ${psbt.fee} sat, ${psbt.spender.isSizeExact ? '' : 'at least '}${formatDecimal((psbt.fee * 10n) / size, 1)} sat/vB`
}

function feeWarnings(psbt: Psbt, outputs: readonly TxOutput[]): readonly string[] {
  const { fee } = psbt
  const sent = outputs.reduce((sum, { amount, isChange }) => sum + (isChange ? 0n : amount), 0n)
  // Of a transaction that only moves coins within the wallet, the whole is what is moved.
  const base = sent > 0n ? sent : outputs.reduce((sum, { amount }) => sum + amount, 0n)
  const isHighPart = fee > HIGH_FEE_SATOSHI && fee * 100n > base * HIGH_FEE_PERCENT
  const size = virtualSize(psbt)
  const isHighRate = size !== undefined && fee > HIGH_FEE_RATE * size
  return [
    ...(isHighPart
      ? [`the fee of ${btc(fee)} is more than ${HIGH_FEE_PERCENT} % of the amount sent`]
      : []),
    ...(isHighRate ? [`the fee rate is above ${HIGH_FEE_RATE} sat/vB`] : []),
  ]
}

/** Virtual bytes once signed (BIP-141), at most, or `undefined` if others sign too. */
function virtualSize(psbt: Psbt): bigint | undefined {
  let witness = 2
  for (const { own } of psbt.coins) {
    if (own === undefined) return undefined
    witness += psbt.spender.witnessBytes(own)
  }
  return BigInt(Math.ceil((4 * psbt.strippedSize + witness) / 4))
}

function paymentWarnings(
  { script, amount }: Payment,
  i: number,
  kind: 'address' | 'data' | 'unknown',
): readonly string[] {
  if (kind === 'unknown') return [`output ${i} goes to a script that has no address`]
  if (kind === 'data')
    return amount > 0n
      ? [`output ${i} destroys ${btc(amount)}: nobody can spend a data output`]
      : []
  return amount < dustLimit(script)
    ? [`output ${i} of ${amount} sat is dust: nodes will not relay the transaction`]
    : []
}

function timeNotes({ coins, lockTime, txVersion }: Psbt): readonly string[] {
  const notes: string[] = []
  if (coins.some(({ sequence }) => sequence < REPLACEABLE_BELOW))
    notes.push('can be replaced by one that pays more until it is mined (BIP-125)')
  if (lockTime > 0)
    notes.push(
      coins.every(({ sequence }) => sequence === FINAL_SEQUENCE)
        ? `its lock time ${lockTime} has no effect`
        : `cannot be mined before ${lockTime < LOCKTIME_IS_TIME ? 'block' : 'Unix time'} ${lockTime}`,
    )
  coins.forEach(({ sequence }, i) => {
    const age = txVersion >= 2 ? relativeLock(sequence) : undefined
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
