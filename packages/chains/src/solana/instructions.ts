/**
 * What the instructions of a message do. Understood are transfers of the System program, the advance
 * of a durable nonce, and the Compute Budget program; all else is counted as not understood.
 * Layouts: `solana_system_interface::instruction` and `solana_compute_budget_interface` (Borsh, little-endian).
 */
import { base58 } from '@scure/base'
import { ByteReader } from '../encoding/reader.ts'
import type { Instruction, Message } from './message.ts'

const SYSTEM_PROGRAM = '11111111111111111111111111111111'
const COMPUTE_BUDGET_PROGRAM = 'ComputeBudget111111111111111111111111111111'
const RECENT_BLOCKHASHES = 'SysvarRecentB1ockHashes11111111111111111111'

/** Instructions of these change what the transaction costs; the last three are charged per signature they check. */
const FEE_PROGRAMS: ReadonlySet<string> = new Set([
  COMPUTE_BUDGET_PROGRAM,
  'Ed25519SigVerify111111111111111111111111111',
  'KeccakSecp256k11111111111111111111111111111',
  'Secp256r1SigVerify1111111111111111111111111',
])

const SYSTEM = { transfer: 2, advanceNonce: 4 } as const
const BUDGET = { heapFrame: 1, unitLimit: 2, unitPrice: 3, loadedBytes: 4 } as const

export type Action =
  | {
      readonly kind: 'transfer'
      readonly from: string
      readonly to: string
      readonly lamports: bigint
    }
  | { readonly kind: 'advance-nonce'; readonly account: string; readonly authority: string }
  | { readonly kind: 'unit-limit'; readonly units: number }
  /** In millionths of a lamport per compute unit. */
  | { readonly kind: 'unit-price'; readonly microLamports: bigint }
  /** A limit on memory or loaded data: it costs nothing and moves nothing. */
  | { readonly kind: 'limit' }
  | { readonly kind: 'unknown'; readonly program: string; readonly affectsFee: boolean }

/** One action for each instruction, in order. */
export const actionsOf = (message: Message): readonly Action[] =>
  message.instructions.map((instruction, i) => actionOf(message, instruction, i === 0))

function actionOf(message: Message, instruction: Instruction, isFirst: boolean): Action {
  const program = base58.encode(message.accounts[instruction.program]!)
  const known =
    program === SYSTEM_PROGRAM
      ? systemAction(message, instruction, isFirst)
      : program === COMPUTE_BUDGET_PROGRAM
        ? budgetAction(instruction)
        : undefined
  return known ?? { kind: 'unknown', program, affectsFee: FEE_PROGRAMS.has(program) }
}

function systemAction(
  message: Message,
  { accounts, data }: Instruction,
  isFirst: boolean,
): Action | undefined {
  // An account out of a lookup table has no key here; whoever keeps the table decides who it is.
  const [first, second, third] = accounts.map((index) => {
    const key = message.accounts[index]
    return key === undefined ? undefined : base58.encode(key)
  })
  const kind = data.length >= 4 ? new ByteReader(data).u32() : undefined
  if (kind === SYSTEM.transfer && data.length === 12 && accounts.length === 2) {
    if (first === undefined || second === undefined) return undefined
    return {
      kind: 'transfer',
      from: first,
      to: second,
      lamports: new ByteReader(data.slice(4)).u64(),
    }
  }
  // Only as the first instruction does it make the transaction durable.
  if (kind === SYSTEM.advanceNonce && data.length === 4 && accounts.length === 3 && isFirst) {
    if (first === undefined || second !== RECENT_BLOCKHASHES || third === undefined)
      return undefined
    return { kind: 'advance-nonce', account: first, authority: third }
  }
  return undefined
}

function budgetAction({ accounts, data }: Instruction): Action | undefined {
  if (accounts.length > 0) return undefined
  const [kind] = data
  const body = new ByteReader(data.slice(1))
  if (kind === BUDGET.unitPrice && data.length === 9)
    return { kind: 'unit-price', microLamports: body.u64() }
  if (data.length !== 5) return undefined
  if (kind === BUDGET.unitLimit) return { kind: 'unit-limit', units: body.u32() }
  return kind === BUDGET.heapFrame || kind === BUDGET.loadedBytes ? { kind: 'limit' } : undefined
}
