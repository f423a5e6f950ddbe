/** What a Solana message does, in the words of the one who signs. */
import type { TxKind, TxOutput, TxView } from '@quorate/api'
import { base58 } from '@scure/base'
import type { SolanaNetwork } from '../networks.ts'
import type { SolanaContext } from './context.ts'
import type { Effect, Movement } from './effect.ts'
import { feeNotes, feeOf, feeWarnings } from './fee.ts'
import { type Reading, readInstructions } from './instructions.ts'
import type { Message } from './message.ts'

/** The view of the message for the wallet with that key (32 bytes). Variable-time: public inputs only. */
export function viewOf(
  message: Message,
  network: SolanaNetwork,
  publicKey: Uint8Array,
  context: SolanaContext,
): TxView {
  const own = base58.encode(publicKey)
  const payer = base58.encode(message.accounts[0]!)
  const readings = readInstructions(message, network, publicKey, context)
  const effects = readings.flatMap((each) => each.effect ?? [])
  const movements = effects.flatMap((each) => each.movements)
  const budgets = effects.flatMap(({ budget }) => budget ?? [])
  const fee = feeOf(message, budgets)
  const sources = [...new Set(movements.map(({ from }) => from))]
  const isTold = message.lookups.length === 0 || context.loaded !== undefined
  const isComplete =
    readings.every(({ effect }) => effect?.isWhole === true) && isTold && fee !== undefined
  return {
    network: network.slug,
    caip2: network.caip2,
    kind: kindOf(readings, effects, movements),
    from: sources.length > 0 ? sources : [own],
    outputs: movements.map((each) => outputOf(each, own)),
    fee,
    // An instruction that gives somebody a right for later is never whole.
    ...(isComplete && { allowances: [] }),
    isComplete,
    notes: [
      ...effects.flatMap(({ notes }) => notes),
      ...feeNotes(message, budgets, payer === own ? 'this wallet' : payer),
      ...expiryNotes(effects),
    ],
    warnings: [
      ...unknownWarnings(readings),
      ...effects.flatMap(({ warnings }) => warnings),
      ...sources
        .filter((source) => source !== own)
        .map((source) => `moves money of ${source}, which is not this wallet`),
      ...tableWarnings(message, isTold),
      ...feeWarnings(message, fee, paid(movements, own, network.asset)),
    ],
  }
}

const outputOf = ({ from, to, asset, amount, isClaimed }: Movement, own: string): TxOutput => ({
  to,
  asset,
  amount,
  isChange: from === own && to === own,
  isClaimed,
})

/** By what moves value; an account that is made for it on the way does not count. */
function kindOf(
  readings: readonly Reading[],
  effects: readonly Effect[],
  movements: readonly Movement[],
): TxKind {
  const isOpaque = readings.some(({ effect }) => effect === undefined || isOdd(effect))
  if (isOpaque) return 'opaque'
  const grants = effects.filter(({ isWhole, movements: own }) => !isWhole && own.length === 0)
  const values = movements.filter(({ isRent }) => !isRent)
  if (values.length + grants.length > 1) return 'batch'
  const [value] = values
  if (value === undefined) return 'call'
  return value.asset === 'SOL' ? 'transfer' : 'token'
}

/** A part of the message that only the fee tells something of. */
const isOdd = ({ budget }: Effect): boolean => budget?.kind === 'unknown'

/** What leaves the wallet, of one asset. */
const paid = (movements: readonly Movement[], own: string, asset: string): bigint =>
  movements
    .filter((each) => each.asset === asset && each.to !== own && !each.isRent)
    .reduce((sum, { amount }) => sum + amount, 0n)

const unknownWarnings = (readings: readonly Reading[]): readonly string[] =>
  readings
    .filter(({ effect }) => effect === undefined || isOdd(effect))
    .map(({ program }) => `calls program ${program}, whose effects are not understood`)

function tableWarnings({ lookups }: Message, isTold: boolean): readonly string[] {
  if (lookups.length === 0) return []
  const tables = lookups.map(({ table }) => base58.encode(table)).join(', ')
  return [
    `takes accounts from address tables, whose content is ${isTold ? 'only claimed' : 'not part of the message'}: ${tables}`,
  ]
}

function expiryNotes(effects: readonly Effect[]): readonly string[] {
  const nonce = effects.find((each) => each.nonce !== undefined)?.nonce
  return nonce === undefined
    ? ['expires about a minute after its blockhash was made']
    : [
        `does not expire: it uses the durable nonce ${nonce.account}, which ${nonce.authority} controls`,
      ]
}
