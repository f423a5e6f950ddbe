/**
 * A PSBT as the wallet may sign it (BIP-174, BIP-370, BIP-371): every coin that it spends with
 * amount and script, which of them are the wallet's, what it pays, and the fee.
 */
import { equalBytes, Fault, toHex } from '@quorate/base'
import type { SignItem } from '../adapter.ts'
import type { OwnCoin, Spender } from './form.ts'
import type { BitcoinRules } from './networks.ts'
import { type Field, GLOBAL, INPUT, OUTPUT, u32Of } from './psbt-fields.ts'
import { type PsbtMap, valueIn } from './psbt-maps.ts'
import {
  hashOf,
  type RawOutput,
  type RawTx,
  readOutput,
  readTx,
  readWitness,
  type Unlocking,
  writeStripped,
} from './raw-transaction.ts'
import { preimagesOf } from './sighash.ts'
import { readSkeleton, type Skeleton } from './skeleton.ts'

/** Nodes relay at most 400 000 weight units, of which these bytes are the part that counts fourfold. */
const MAX_STRIPPED_BYTES = 100_000
/** Of all messages together: legacy ones hold the transaction whole, once for each coin. */
const MAX_MESSAGE_BYTES: number = 4 << 20

/** A coin that the transaction spends. */
export type Coin = RawOutput & {
  /** Absent for a coin of somebody else. */
  readonly own: OwnCoin | undefined
  readonly sequence: number
  /** Whether a signature of ours is worthless unless amount and script are as said here. */
  readonly isBound: boolean
  /** How somebody else has unlocked it for good. */
  readonly final: Unlocking | undefined
}

export type Psbt = Skeleton & {
  readonly unsigned: Uint8Array
  /** Whoever signs. */
  readonly spender: Spender
  readonly coins: readonly Coin[]
  /** What is to be signed for each coin of ours, by input. */
  readonly items: ReadonlyMap<number, SignItem>
  readonly fee: bigint
  /** Bytes of the transaction without anything that unlocks coins. */
  readonly strippedSize: number
  /** Whether it holds fields that neither a signature nor a check of ours covers, such as key origins. */
  readonly hasHints: boolean
}

/**
 * The PSBT in `unsigned`, of which that wallet signs at least one input.
 * @throws chains/… for what is malformed, not ours, or leaves anything open
 */
export function parsePsbt(unsigned: Uint8Array, spender: Spender, rules: BitcoinRules): Psbt {
  const skeleton = readSkeleton(unsigned)
  const { tx, inputs } = skeleton
  const strippedSize = writeStripped(tx).length
  if (strippedSize > MAX_STRIPPED_BYTES)
    refuse('chains/transaction-too-large', `${strippedSize} bytes without signatures`)
  refuseDuplicates(tx)
  const checkAmount = (amount: bigint, where: string): void => {
    if (amount > rules.maxAmount) refuse('chains/bad-amount', where)
  }
  const total = (items: readonly RawOutput[], where: string): bigint => {
    items.forEach(({ amount }, i) => {
      checkAmount(amount, `${where} ${i}`)
    })
    const sum = items.reduce((before, { amount }) => before + amount, 0n)
    checkAmount(sum, `all ${where}s together`)
    return sum
  }
  const spent = inputs.map((map, i) => spentOutput(map, tx.inputs[i]!.outpoint, i))
  const fee = total(spent, 'input') - total(tx.outputs, 'output')
  const coins = inputs.map((map, i) => coinOf(map, spent[i]!, tx.inputs[i]!.sequence, i, spender))
  if (coins.every(({ own }) => own === undefined)) throw new Fault('chains/not-our-key')
  if (fee < 0n) throw new Fault('chains/negative-fee')
  return {
    ...skeleton,
    unsigned,
    spender,
    coins,
    items: itemsOf(tx, coins, strippedSize),
    fee,
    strippedSize,
    hasHints: holdsHints(skeleton, coins, spender),
  }
}

function refuse(
  code: 'chains/transaction-too-large' | 'chains/bad-amount' | 'chains/malformed-transaction',
  detail: string,
): never {
  throw new Fault(code, { detail })
}

function refuseDuplicates({ inputs }: RawTx): void {
  const seen = new Set<string>()
  inputs.forEach(({ outpoint }, i) => {
    const name = toHex(outpoint)
    if (seen.has(name)) throw new Fault('chains/duplicate-input', { detail: `input ${i}` })
    seen.add(name)
  })
}

type Spent = RawOutput & {
  /** Whether the whole transaction that made the coin is there, and its id is that of the outpoint. */
  readonly isWhole: boolean
  /** Whether witnesses stand in that transaction, which its id does not cover. */
  readonly hasWitnesses: boolean
}

function spentOutput(map: PsbtMap, outpoint: Uint8Array, i: number): Spent {
  const alone = valueIn(map, INPUT.witnessUtxo)
  const output = alone && readOutput(alone)
  const previous = valueIn(map, INPUT.previousTx)
  if (previous === undefined) {
    if (output === undefined) throw new Fault('chains/missing-utxo', { detail: `input ${i}` })
    return { ...output, isWhole: false, hasWitnesses: false }
  }
  const { stripped, outputs, hasWitnesses } = readTx(previous)
  const paid = outputs[u32Of(outpoint.slice(32))]
  if (paid === undefined || !equalBytes(hashOf(stripped), outpoint.slice(0, 32)))
    return refuse('chains/malformed-transaction', `input ${i} comes with another transaction`)
  if (
    output !== undefined &&
    (output.amount !== paid.amount || !equalBytes(output.script, paid.script))
  )
    refuse('chains/malformed-transaction', `input ${i} contradicts the transaction beside it`)
  return { ...paid, isWhole: true, hasWitnesses }
}

function coinOf(
  map: PsbtMap,
  { script, amount, isWhole, hasWitnesses }: Spent,
  sequence: number,
  i: number,
  spender: Spender,
): Coin & { readonly hasWitnesses: boolean } {
  const own = spender.own(map, script, i)
  const final = unlockingOf(map)
  if (own !== undefined && final !== undefined)
    throw new Fault('chains/already-signed', { detail: `input ${i}` })
  const isBound = spender.commitsToAllCoins || isWhole
  return { script, amount, own, sequence, isBound, final, hasWitnesses }
}

/** What unlocks the input of `map` for good; `undefined` while nothing does. @throws chains/malformed-transaction */
export function unlockingOf(map: PsbtMap): Unlocking | undefined {
  const scriptSig = valueIn(map, INPUT.finalScriptSig) ?? new Uint8Array(0)
  const stack = valueIn(map, INPUT.finalScriptWitness)
  const witness = stack === undefined ? [] : readWitness(stack)
  return scriptSig.length + witness.length === 0 ? undefined : { scriptSig, witness }
}

function itemsOf(
  tx: RawTx,
  coins: readonly Coin[],
  strippedSize: number,
): ReadonlyMap<number, SignItem> {
  const bytes = coins.reduce((sum, { own }) => sum + (own?.messageBytes(strippedSize) ?? 0), 0)
  if (bytes > MAX_MESSAGE_BYTES)
    refuse('chains/transaction-too-large', 'too many inputs of the oldest kind for its size')
  const preimages = preimagesOf(tx)
  return new Map(
    coins.flatMap(({ own }, i) =>
      own === undefined ? [] : [[i, own.item(i, preimages, coins)] as const],
    ),
  )
}

/** The fields that a signature of ours covers or that is checked here; all others are hints. */
const COVERED = {
  global: [
    GLOBAL.unsignedTx,
    GLOBAL.version,
    GLOBAL.txVersion,
    GLOBAL.fallbackLockTime,
    GLOBAL.inputCount,
    GLOBAL.outputCount,
  ],
  input: [INPUT.previousTxid, INPUT.outputIndex, INPUT.sequence, INPUT.witnessUtxo],
  output: [OUTPUT.script, OUTPUT.amount],
} as const

function holdsHints(
  { global, inputs, outputs }: Skeleton,
  coins: readonly (Coin & { readonly hasWitnesses?: boolean })[],
  spender: Spender,
): boolean {
  const goesBeyond = (map: PsbtMap, covered: readonly Field[]): boolean =>
    map.some(({ type }) => covered.every((field) => field.type !== type))
  return (
    goesBeyond(global, COVERED.global) ||
    outputs.some((map) => goesBeyond(map, COVERED.output)) ||
    inputs.some((map, i) => {
      const { own, hasWitnesses } = coins[i]!
      return goesBeyond(map, [
        ...COVERED.input,
        ...(own === undefined ? [] : spender.covered),
        // The id of a previous transaction covers all of it but its witnesses.
        ...(hasWitnesses === true ? [] : [INPUT.previousTx]),
      ])
    })
  )
}
