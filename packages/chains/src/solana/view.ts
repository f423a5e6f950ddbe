/** What a Solana message does, in the words of the one who signs. */
import type { TxFee, TxKind, TxOutput, TxView } from '@quorate/api'
import { base58 } from '@scure/base'
import { formatAmount } from '../amount.ts'
import type { SolanaNetwork } from '../networks.ts'
import { type Action, actionsOf } from './instructions.ts'
import type { Message } from './message.ts'

/** The network's price of one signature; it has not changed since genesis. */
const LAMPORTS_PER_SIGNATURE = 5000n
/** Compute units that a transaction may use unless it sets a limit: this much per instruction, never more than the most. */
const DEFAULT_UNITS = 200_000n
const MAX_UNITS = 1_400_000n
/** 0.01 SOL: two thousand times the price of a signature. */
const HIGH_FEE_LAMPORTS = 10_000_000n
const MICRO = 1_000_000n

type Of<Kind extends Action['kind']> = Extract<Action, { readonly kind: Kind }>
const ofKind = <Kind extends Action['kind']>(
  actions: readonly Action[],
  kind: Kind,
): readonly Of<Kind>[] => actions.filter((action): action is Of<Kind> => action.kind === kind)

export function viewOf(message: Message, network: SolanaNetwork, publicKey: Uint8Array): TxView {
  const own = base58.encode(publicKey)
  const payer = base58.encode(message.accounts[0]!)
  const actions = actionsOf(message)
  const transfers = ofKind(actions, 'transfer')
  const unknown = ofKind(actions, 'unknown')
  const fee = feeOf(message, actions)
  const sources = [...new Set(transfers.map(({ from }) => from))]
  return {
    network: network.slug,
    caip2: network.caip2,
    kind: kindOf(transfers.length, unknown.length),
    from: sources.length > 0 ? sources : [own],
    outputs: transfers.map(
      ({ from, to, lamports }): TxOutput => ({
        to,
        asset: network.asset,
        amount: lamports,
        isChange: from === own && to === own,
        isClaimed: false,
      }),
    ),
    fee,
    isComplete: unknown.length === 0 && message.lookups.length === 0 && fee !== undefined,
    notes: [
      `the fee pays ${message.signerCount} signature${message.signerCount === 1 ? '' : 's'} of ${LAMPORTS_PER_SIGNATURE} lamports, ${payer === own ? 'from this wallet' : `from ${payer}`}`,
      ...priorityNotes(message, actions),
      ...expiryNotes(actions),
    ],
    warnings: [
      ...unknown.map(({ program }) => `calls program ${program}, whose effects are not understood`),
      ...sources
        .filter((source) => source !== own)
        .map((source) => `moves money of ${source}, which is not this wallet`),
      ...(message.lookups.length > 0
        ? ['takes accounts from address tables, whose content is not part of the message']
        : []),
      ...feeWarnings(fee),
    ],
  }
}

function kindOf(transfers: number, unknown: number): TxKind {
  if (unknown > 0) return 'opaque'
  if (transfers > 1) return 'batch'
  return transfers === 1 ? 'transfer' : 'call'
}

/** The most it can cost, or `undefined` where that cannot be told. */
function feeOf(message: Message, actions: readonly Action[]): TxFee | undefined {
  const priority = priorityFee(message, actions)
  if (priority === undefined) return undefined
  const amount = LAMPORTS_PER_SIGNATURE * BigInt(message.signerCount) + priority
  return { asset: 'SOL', amount, isClaimed: false }
}

function feeWarnings(fee: TxFee | undefined): readonly string[] {
  if (fee === undefined) return ['its fee cannot be told from the message']
  return fee.amount > HIGH_FEE_LAMPORTS
    ? [`the fee of ${formatAmount(fee.amount, fee.asset)} is unusually high`]
    : []
}

/** Price times limit, rounded up to whole lamports. */
function priorityFee(message: Message, actions: readonly Action[]): bigint | undefined {
  if (ofKind(actions, 'unknown').some(({ affectsFee }) => affectsFee)) return undefined
  const prices = ofKind(actions, 'unit-price')
  const limits = ofKind(actions, 'unit-limit')
  if (prices.length > 1 || limits.length > 1) return undefined
  const [limit] = limits
  const units =
    limit === undefined ? DEFAULT_UNITS * BigInt(message.instructions.length) : BigInt(limit.units)
  const price = prices[0]?.microLamports ?? 0n
  return ((units < MAX_UNITS ? units : MAX_UNITS) * price + MICRO - 1n) / MICRO
}

function priorityNotes(message: Message, actions: readonly Action[]): readonly string[] {
  const lamports = priorityFee(message, actions) ?? 0n
  if (lamports === 0n) return []
  const isExact = ofKind(actions, 'unit-limit').length > 0
  return [`and a priority fee of ${isExact ? '' : 'at most '}${lamports} lamports`]
}

function expiryNotes(actions: readonly Action[]): readonly string[] {
  const [nonce] = ofKind(actions, 'advance-nonce')
  return nonce === undefined
    ? ['expires about a minute after its blockhash was made']
    : [
        `does not expire: it uses the durable nonce ${nonce.account}, which ${nonce.authority} controls`,
      ]
}
