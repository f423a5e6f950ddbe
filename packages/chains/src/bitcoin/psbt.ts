/**
 * A PSBT as the wallet may sign it (BIP-174, BIP-370, BIP-371): every coin that it spends with
 * amount and script, which of them are the wallet's, what it pays, and the fee.
 */
import { equalBytes, Fault, toHex } from '@quorate/base'
import { Transaction } from '@scure/btc-signer'
import {
  RawPSBTV0,
  RawPSBTV2,
  type TransactionInput,
  type TransactionOutput,
} from '@scure/btc-signer/psbt.js'
import type { SignItem } from '../adapter.ts'
import { guarded } from '../encoding/guard.ts'
import { ByteReader } from '../encoding/reader.ts'
import type { Spender, SpentCoin } from './form.ts'
import { refuse } from './script.ts'

/** More inputs than a standard transaction has use for; bounds the work of one request. */
const MAX_INPUTS = 256
/** Bitcoin Core relays at most 400 000 weight units, of which these bytes are the part that counts fourfold. */
const MAX_STRIPPED_BYTES = 100_000
/** Room for every field of so many inputs; decoding a megabyte of hostile bytes would take seconds. */
const MAX_PSBT_BYTES = 256 * 1024
/** Key-value maps of one PSBT (itself, inputs, outputs), and entries in all of them together. */
const MAX_MAPS = 1 + MAX_INPUTS + 2048
const MAX_ENTRIES = 2048
const MAX_SATOSHI = 21_000_000n * 100_000_000n
const MAGIC = 'psbt\xff'
const BASE64_MAGIC = 'cHNidP'

/** The library as this program uses it: it keeps unknown fields, adds none, and leaves script checks to us. */
const OPTIONS = {
  unknown: 'ignore',
  allowMissingTxModifiable: false,
  disableScriptCheck: true,
  allowUnknownOutputs: true,
  allowUnknownInputs: true,
} as const

/** A coin that the transaction spends. */
export type Coin = SpentCoin & {
  readonly sequence: number
  /** Whether a signature of ours is worthless unless amount and script are as said here. */
  readonly isBound: boolean
  /** Whether it is somebody else's and carries its final signature already. */
  readonly isFinal: boolean
}

export type Payment = { readonly script: Uint8Array; readonly amount: bigint }

export type Psbt = {
  readonly unsigned: Uint8Array
  /** Whoever signs. */
  readonly spender: Spender
  readonly version: 0 | 2
  readonly coins: readonly Coin[]
  /** What is to be signed for each coin of ours, by input. */
  readonly items: ReadonlyMap<number, SignItem>
  readonly payments: readonly Payment[]
  readonly fee: bigint
  readonly lockTime: number
  readonly txVersion: number
  /** Bytes of the transaction without witnesses. */
  readonly strippedSize: number
  /** Whether it holds fields that neither a signature nor a check of ours covers, such as key origins. */
  readonly hasHints: boolean
}

/** The library's transaction of PSBT bytes that were parsed before; made anew for each use, since it is mutable. */
export const readTransaction = (unsigned: Uint8Array): Transaction =>
  Transaction.fromPSBT(unsigned, OPTIONS)

export const readRawTransaction = (raw: Uint8Array): Transaction =>
  Transaction.fromRaw(raw, OPTIONS)

export const startsWithPsbtMagic = (bytes: Uint8Array): boolean => startsWith(bytes, MAGIC)

const startsWith = (bytes: Uint8Array, text: string): boolean =>
  text.split('').every((character, i) => bytes[i] === character.charCodeAt(0))

/**
 * The PSBT in `unsigned`, of which that wallet signs at least one input.
 * @throws chains/… for what is malformed, not ours, or leaves anything open
 */
export function parsePsbt(unsigned: Uint8Array, spender: Spender): Psbt {
  const tx = decodeStrictly(unsigned)
  const version = tx.opts.PSBTVersion as 0 | 2
  if (tx.inputsLength === 0 || tx.outputsLength === 0)
    refuse('chains/malformed-transaction', 'it has no inputs or no outputs')
  if (tx.inputsLength > MAX_INPUTS)
    refuse('chains/transaction-too-large', `${tx.inputsLength} inputs, at most ${MAX_INPUTS}`)
  const stripped = guarded('chains/malformed-transaction', 'not a transaction', () => tx.unsignedTx)
  if (stripped.length > MAX_STRIPPED_BYTES)
    refuse('chains/transaction-too-large', `${stripped.length} bytes without signatures`)

  const inputs = Array.from({ length: tx.inputsLength }, (_, i) => tx.getInput(i))
  refuseDuplicates(inputs)
  const coins = inputs.map((input, i) => coinOf(input, i, spender))
  const outputs = Array.from({ length: tx.outputsLength }, (_, i) => tx.getOutput(i))
  const payments = outputs.map(paymentOf)
  if (coins.every(({ own }) => own === undefined)) throw new Fault('chains/not-our-key')
  const fee = total(coins, 'inputs') - total(payments, 'outputs')
  if (fee < 0n) throw new Fault('chains/negative-fee')
  return {
    unsigned,
    spender,
    version,
    coins,
    items: spender.items(tx, coins),
    payments,
    fee,
    lockTime: tx.lockTime,
    txVersion: tx.version,
    strippedSize: stripped.length,
    hasHints: holdsHints(
      (version === 0 ? RawPSBTV0 : RawPSBTV2).decode(unsigned).global,
      inputs,
      coins,
      outputs,
      spender,
    ),
  }
}

/**
 * The transaction of PSBT bytes that nobody vouches for, if writing it again gives the same bytes.
 * @throws chains/transaction-too-large, chains/malformed-transaction, chains/not-canonical
 */
export function decodeStrictly(psbt: Uint8Array): Transaction {
  if (psbt.length > MAX_PSBT_BYTES)
    refuse('chains/transaction-too-large', `${psbt.length} bytes, at most ${MAX_PSBT_BYTES}`)
  if (startsWith(psbt, BASE64_MAGIC))
    refuse('chains/malformed-transaction', 'a PSBT in base64 text: decode it first')
  if (!startsWithPsbtMagic(psbt)) refuse('chains/malformed-transaction', 'not a PSBT')
  boundWork(psbt)
  const read = <T>(step: () => T): T =>
    guarded('chains/malformed-transaction', 'the PSBT breaks BIP-174, BIP-370 or BIP-371', step)
  const tx = read(() => readTransaction(psbt))
  if (
    !equalBytes(
      read(() => tx.toPSBT()),
      psbt,
    )
  )
    throw new Fault('chains/not-canonical')
  return tx
}

/** Counts maps and entries before the library sees them: its time grows with the square of their number. */
function boundWork(psbt: Uint8Array): void {
  const reader = new ByteReader(psbt)
  reader.skip(MAGIC.length)
  let maps = 0
  let entries = 0
  while (!reader.isAtEnd) {
    const keyLength = reader.compactSize()
    if (keyLength === 0) maps++
    else {
      entries++
      reader.skip(keyLength)
      reader.skip(reader.compactSize())
    }
    if (maps > MAX_MAPS) refuse('chains/transaction-too-large', 'too many inputs and outputs')
    if (entries > MAX_ENTRIES) refuse('chains/transaction-too-large', `over ${MAX_ENTRIES} fields`)
  }
}

function refuseDuplicates(inputs: readonly TransactionInput[]): void {
  const seen = new Set<string>()
  inputs.forEach(({ txid, index }, i) => {
    const outpoint = `${toHex(txid!)}:${index}`
    if (seen.has(outpoint)) refuse('chains/duplicate-input', `input ${i}`)
    seen.add(outpoint)
  })
}

function coinOf(input: TransactionInput, i: number, spender: Spender): Coin {
  // The library has checked that a whole previous transaction has the right txid and agrees with the
  // output beside it.
  const whole = input.nonWitnessUtxo?.outputs[input.index!] as Payment | undefined
  const spent = whole ?? input.witnessUtxo
  if (spent === undefined) return refuse('chains/missing-utxo', `input ${i}`)
  const { script, amount } = spent
  checkAmount(amount, `input ${i}`)
  const own = spender.own(input, script, i)
  const isFinal = (input.finalScriptWitness ?? input.finalScriptSig ?? []).length > 0
  if (own !== undefined && isFinal) refuse('chains/already-signed', `input ${i}`)
  const isBound = spender.commitsToAllCoins || whole !== undefined
  return { script, amount, own, sequence: input.sequence ?? 0xffffffff, isBound, isFinal }
}

function paymentOf({ script, amount }: TransactionOutput, i: number): Payment {
  if (script === undefined || amount === undefined)
    return refuse('chains/malformed-transaction', `output ${i} has no script or amount`)
  checkAmount(amount, `output ${i}`)
  return { script, amount }
}

function checkAmount(amount: bigint, where: string): void {
  if (amount < 0n || amount > MAX_SATOSHI) refuse('chains/bad-amount', where)
}

function total(items: readonly { readonly amount: bigint }[], where: string): bigint {
  const sum = items.reduce((before, { amount }) => before + amount, 0n)
  checkAmount(sum, `all ${where} together`)
  return sum
}

/** The fields that a signature of ours covers or that this file checks; all others are hints. */
const COVERED = {
  global: ['unsignedTx', 'version', 'txVersion', 'fallbackLocktime', 'inputCount', 'outputCount'],
  input: ['txid', 'index', 'sequence', 'witnessUtxo'],
  output: ['script', 'amount'],
} as const

function holdsHints(
  global: object,
  inputs: readonly TransactionInput[],
  coins: readonly Coin[],
  outputs: readonly TransactionOutput[],
  spender: Spender,
): boolean {
  const goesBeyond = (map: object, covered: readonly string[]): boolean =>
    Object.keys(map).some((field) => !covered.includes(field))
  return (
    goesBeyond(global, COVERED.global) ||
    inputs.some((input, i) =>
      goesBeyond(input, [
        ...COVERED.input,
        ...(coins[i]?.own === undefined ? [] : spender.covered),
        // The id of a previous transaction covers all of it but its witnesses.
        ...(input.nonWitnessUtxo?.witnesses === undefined ? ['nonWitnessUtxo'] : []),
      ]),
    ) ||
    outputs.some((output) => goesBeyond(output, COVERED.output))
  )
}
