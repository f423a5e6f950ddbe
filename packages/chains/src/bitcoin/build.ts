/**
 * Makes PSBTs from plain parameters: which coins there are, who gets how much, at which fee rate.
 * Nothing is asked of a network.
 *
 * Coins are taken from the largest down until they cover what is paid and the fee. That spends the
 * fewest coins for the least fee; it does not hide which coins belong together. What is left goes
 * back to the wallet's own usual address, as the last output, or to the fee where it would be dust.
 */
import { concatBytes, equalBytes, Fault, fromHex } from '@quorate/base'
import type { KeyRef } from '../adapter.ts'
import { findNetwork } from '../networks.ts'
import { scriptOfAddress } from './address.ts'
import { ECDSA } from './ecdsa.ts'
import { compactSize, littleEndian } from './encode.ts'
import type { OwnCoin, Spender } from './form.ts'
import { dustLimit } from './meaning.ts'
import type { BitcoinNetwork } from './networks.ts'
import { GLOBAL, INPUT, OUTPUT } from './psbt-fields.ts'
import { entryOf, type PsbtMap, withEntries, writeMaps } from './psbt-maps.ts'
import {
  hashOf,
  NOTHING,
  type RawOutput,
  type RawTx,
  readTx,
  virtualSize,
  writeOutput,
  writeStripped,
} from './raw-transaction.ts'
import { MAX_INPUTS } from './skeleton.ts'
import { TAPROOT } from './taproot.ts'

/** A coin of the wallet, at any of its addresses. */
export type Utxo = {
  /** Hex, as explorers show it. */
  readonly txid: string
  readonly vout: number
  /** The whole transaction that made the coin. Wallets of ECDSA keys cannot sign without it. */
  readonly previousTx?: Uint8Array
  /** In the smallest unit; needed where `previousTx` is absent, and the coin is then at the usual address. */
  readonly amount?: bigint
}

export type BitcoinTransfer = {
  /** Slug or CAIP-2 id. */
  readonly network: string
  readonly key: KeyRef
  readonly coins: readonly Utxo[]
  readonly to: readonly { readonly address: string; readonly amount: bigint }[]
  /** Smallest units for each virtual byte; fractions allowed. */
  readonly feeRate: number
  /** Height or Unix time before which it cannot be mined; by default there is none. */
  readonly lockTime?: number
  readonly psbtVersion?: 0 | 2
}

export type BuiltBitcoinTransfer = {
  /** The PSBT, as the adapter of the network takes it. */
  readonly unsigned: Uint8Array
  readonly context: Uint8Array
  readonly fee: bigint
  /** What comes back; 0 if nothing does. */
  readonly change: bigint
  /** The coins that it spends, in their order. */
  readonly coins: readonly Utxo[]
}

const TX_VERSION = 2
/** The highest sequences that leave a lock time in force, and that also allow a replacement (BIP-125). */
const SEQUENCE = 0xfffffffe
const REPLACEABLE = 0xfffffffd

/**
 * The transfer as a PSBT.
 * @throws chains/unknown-network, chains/wrong-scheme, chains/bad-key, chains/bad-address,
 *   chains/wrong-network, chains/bad-amount, chains/bad-fee-rate, chains/dust,
 *   chains/insufficient-funds, chains/missing-utxo, chains/missing-previous-transaction
 */
export function buildBitcoinTransfer(transfer: BitcoinTransfer): BuiltBitcoinTransfer {
  const network = bitcoinNetwork(transfer.network)
  const { feeRate, psbtVersion = 0 } = transfer
  if (!(feeRate > 0 && Number.isFinite(feeRate))) throw new Fault('chains/bad-fee-rate')
  if (transfer.to.length === 0) throw new Fault('chains/bad-amount', { detail: 'nobody is paid' })
  const spender = spenderOf(transfer.key, network)
  const payments = transfer.to.map(({ address, amount }) =>
    paymentOf(network, scriptOfAddress(network, address), amount),
  )
  const coins = transfer.coins
    .map((utxo) => coinOf(utxo, spender, network))
    .sort((a, b) => Number(b.amount - a.amount))
  const chosen = choose(coins, payments, spender, network, transfer)
  return {
    unsigned: writeMaps(mapsOf(chosen.tx, chosen.coins, psbtVersion)),
    context: new Uint8Array(0),
    fee: chosen.fee,
    change: chosen.change,
    coins: chosen.coins.map(({ utxo }) => utxo),
  }
}

function bitcoinNetwork(slugOrCaip2: string): BitcoinNetwork {
  const network = findNetwork(slugOrCaip2)
  if (network.adapter === 'bitcoin') return network
  throw new Fault('chains/wrong-network', { detail: `${network.slug} has no PSBTs` })
}

function spenderOf(key: KeyRef, { rules }: BitcoinNetwork): Spender {
  if (key.scheme === TAPROOT.scheme && rules.hasTaproot) return TAPROOT.spender(key, rules)
  return ECDSA.spender(key, rules)
}

function paymentOf({ rules }: BitcoinNetwork, script: Uint8Array, amount: bigint): RawOutput {
  if (amount < 0n || amount > rules.maxAmount) throw new Fault('chains/bad-amount')
  if (amount < dustLimit(script, rules))
    throw new Fault('chains/dust', {
      detail: `${amount} ${rules.unit}, at least ${dustLimit(script, rules)} there`,
    })
  return { script, amount }
}

type Candidate = {
  readonly utxo: Utxo
  readonly amount: bigint
  readonly outpoint: Uint8Array
  readonly map: PsbtMap
  readonly own: OwnCoin
}

function coinOf(utxo: Utxo, spender: Spender, { rules }: BitcoinNetwork): Candidate {
  const where = { detail: `${utxo.txid}:${utxo.vout}` }
  const txid = fromHex(utxo.txid).reverse()
  const outpoint = concatBytes(txid, littleEndian(utxo.vout, 4))
  const { script, amount } = spentOutput(utxo, txid, spender)
  if (utxo.amount !== undefined && utxo.amount !== amount)
    throw new Fault('chains/bad-amount', where)
  if (amount > rules.maxAmount) throw new Fault('chains/bad-amount', where)
  const previous = utxo.previousTx === undefined ? [] : [entryOf(INPUT.previousTx, utxo.previousTx)]
  const own = spender.own(previous, script, 0)
  if (own === undefined) throw new Fault('chains/not-our-key', where)
  // BIP-174: beside an input without a witness this field would be wrong.
  const alone =
    own.form === 'p2pkh' ? [] : [entryOf(INPUT.witnessUtxo, writeOutput({ script, amount }))]
  return { utxo, amount, outpoint, map: withEntries(previous, [...alone, ...own.known]), own }
}

function spentOutput(utxo: Utxo, txid: Uint8Array, { scripts }: Spender): RawOutput {
  const where = { detail: `${utxo.txid}:${utxo.vout}` }
  if (utxo.previousTx === undefined) {
    if (utxo.amount === undefined) throw new Fault('chains/missing-utxo', where)
    return { script: scripts[0].script, amount: utxo.amount }
  }
  const { stripped, outputs } = readTx(utxo.previousTx)
  const output = outputs[utxo.vout]
  if (output === undefined || !equalBytes(hashOf(stripped), txid))
    throw new Fault('chains/malformed-transaction', { detail: 'another previous transaction' })
  return output
}

type Choice = {
  readonly tx: RawTx
  readonly coins: readonly Candidate[]
  readonly fee: bigint
  readonly change: bigint
}

function choose(
  candidates: readonly Candidate[],
  payments: readonly RawOutput[],
  spender: Spender,
  { rules }: BitcoinNetwork,
  { feeRate, lockTime = 0 }: BitcoinTransfer,
): Choice {
  const sequence = rules.hasReplacement ? REPLACEABLE : SEQUENCE
  const { script } = spender.scripts[0]
  const paid = payments.reduce((sum, { amount }) => sum + amount, 0n)
  const txOf = (coins: readonly Candidate[], outputs: readonly RawOutput[]): RawTx => ({
    version: TX_VERSION,
    inputs: coins.map(({ outpoint }) => ({ ...NOTHING, outpoint, sequence })),
    outputs,
    lockTime,
  })
  const feeOf = (coins: readonly Candidate[], outputs: readonly RawOutput[]): bigint => {
    const tx = txOf(coins, outputs)
    const inputs = tx.inputs.map((input, i) => ({ ...input, ...coins[i]!.own.longest }))
    return BigInt(Math.ceil(virtualSize({ ...tx, inputs }) * feeRate))
  }
  let sum = 0n
  for (let n = 1; n <= Math.min(candidates.length, MAX_INPUTS); n++) {
    sum += candidates[n - 1]!.amount
    if (sum <= paid) continue
    const coins = candidates.slice(0, n)
    const fee = feeOf(coins, [...payments, { script, amount: 0n }])
    const change = sum - paid - fee
    if (change > 0n && change >= dustLimit(script, rules))
      return { tx: txOf(coins, [...payments, { script, amount: change }]), coins, fee, change }
    if (sum - paid >= feeOf(coins, payments))
      return { tx: txOf(coins, payments), coins, fee: sum - paid, change: 0n }
  }
  throw new Fault('chains/insufficient-funds')
}

function mapsOf(tx: RawTx, coins: readonly Candidate[], version: 0 | 2): readonly PsbtMap[] {
  if (version === 0)
    return [
      [entryOf(GLOBAL.unsignedTx, writeStripped(tx))],
      ...coins.map(({ map }) => map),
      ...tx.outputs.map(() => []),
    ]
  return [
    [
      entryOf(GLOBAL.txVersion, littleEndian(tx.version, 4)),
      entryOf(GLOBAL.fallbackLockTime, littleEndian(tx.lockTime, 4)),
      entryOf(GLOBAL.inputCount, compactSize(tx.inputs.length)),
      entryOf(GLOBAL.outputCount, compactSize(tx.outputs.length)),
      entryOf(GLOBAL.version, littleEndian(version, 4)),
    ],
    ...coins.map(({ map, outpoint }, i) =>
      withEntries(map, [
        entryOf(INPUT.previousTxid, outpoint.slice(0, 32)),
        entryOf(INPUT.outputIndex, outpoint.slice(32)),
        entryOf(INPUT.sequence, littleEndian(tx.inputs[i]!.sequence, 4)),
      ]),
    ),
    ...tx.outputs.map(({ amount, script }) => [
      entryOf(OUTPUT.amount, littleEndian(amount, 8)),
      entryOf(OUTPUT.script, script),
    ]),
  ]
}
