/**
 * What the instructions of a message do, one effect for each, in order. Each is read by the program
 * that it calls; what a program here does not know exactly, and every other program, is not understood.
 */
import { base58 } from '@scure/base'
import type { SolanaNetwork } from '../networks.ts'
import {
  ASSOCIATED_TOKEN_PROGRAM,
  COMPUTE_BUDGET_PROGRAM,
  FEE_PROGRAMS,
  MEMO_PROGRAM,
  MEMO_V1_PROGRAM,
  STAKE_PROGRAM,
  SYSTEM_PROGRAM,
  TOKEN_2022_PROGRAM,
  TOKEN_PROGRAM,
} from './addresses.ts'
import type { SolanaContext } from './context.ts'
import { type AccountUse, type Call, type Effect, effect, type ProgramReader } from './effect.ts'
import type { Message } from './message.ts'
import { associatedOf, readAssociatedToken } from './programs/associated-token.ts'
import { readComputeBudget } from './programs/compute-budget.ts'
import { readMemo } from './programs/memo.ts'
import { readStake } from './programs/stake.ts'
import { readSystem } from './programs/system.ts'
import { tokenReader } from './programs/token.ts'
import { sceneOf } from './scene.ts'

const READERS: ReadonlyMap<string, ProgramReader> = new Map([
  [SYSTEM_PROGRAM, readSystem],
  [COMPUTE_BUDGET_PROGRAM, readComputeBudget],
  [TOKEN_PROGRAM, tokenReader(TOKEN_PROGRAM)],
  [TOKEN_2022_PROGRAM, tokenReader(TOKEN_2022_PROGRAM)],
  [ASSOCIATED_TOKEN_PROGRAM, readAssociatedToken],
  [MEMO_PROGRAM, readMemo],
  [MEMO_V1_PROGRAM, readMemo],
  [STAKE_PROGRAM, readStake],
])

/** An effect, or that there is one which nobody here can tell. */
export type Reading = {
  readonly program: string
  /** `undefined` for what is not understood. */
  readonly effect: Effect | undefined
}

/** The instruction with its accounts, or only its program where an account is in a table that nobody told. */
type Resolved = { readonly program: string; readonly call: Call | undefined }

/** Every account that the instructions can name, in the order of their indexes. */
function accountsOf(message: Message, { loaded }: SolanaContext): readonly AccountUse[] {
  const { accounts, signerCount, readonlySigned, readonlyUnsigned } = message
  const own = accounts.map((key, i) => ({
    address: base58.encode(key),
    isSigner: i < signerCount,
    isWritable:
      i < signerCount ? i < signerCount - readonlySigned : i < accounts.length - readonlyUnsigned,
    isClaimed: false,
  }))
  const claimed = (addresses: readonly string[], isWritable: boolean): readonly AccountUse[] =>
    addresses.map((address) => ({ address, isSigner: false, isWritable, isClaimed: true }))
  return [
    ...own,
    ...claimed(loaded?.writable ?? [], true),
    ...claimed(loaded?.readonly ?? [], false),
  ]
}

function resolve(message: Message, context: SolanaContext): readonly Resolved[] {
  const all = accountsOf(message, context)
  return message.instructions.map(({ program: index, accounts, data }, i) => {
    const program = all[index]!.address
    const used = accounts.flatMap((each) => all[each] ?? [])
    const call = { program, accounts: used, data, isFirst: i === 0 }
    return { program, call: used.length === accounts.length ? call : undefined }
  })
}

/** One reading for each instruction of the message, in order. `own` is the wallet's key, 32 bytes. */
export function readInstructions(
  message: Message,
  network: SolanaNetwork,
  own: Uint8Array,
  context: SolanaContext,
): readonly Reading[] {
  const resolved = resolve(message, context)
  const associated = resolved.flatMap(({ program, call }) =>
    program === ASSOCIATED_TOKEN_PROGRAM && call !== undefined ? (associatedOf(call) ?? []) : [],
  )
  const scene = sceneOf(network, own, context, associated)
  return resolved.map(({ program, call }) => {
    const found = call === undefined ? undefined : READERS.get(program)?.(call, scene)
    if (call === undefined || found === undefined) return { program, effect: unread(program) }
    return { program, effect: claimedBy(call, found) }
  })
}

/** What is not understood may still be known to change the fee. */
const unread = (program: string): Effect | undefined =>
  FEE_PROGRAMS.has(program) ? effect({ budget: { kind: 'unknown' }, isWhole: false }) : undefined

/** The same as it counts when it names accounts that only the context tells. */
function claimedBy({ accounts }: Call, found: Effect): Effect {
  if (!accounts.some(({ isClaimed }) => isClaimed)) return found
  return {
    ...found,
    movements: found.movements.map((each) => ({ ...each, isClaimed: true })),
    // Where nothing is marked as claimed, the accounts would be believed.
    isWhole: found.isWhole && found.movements.length > 0,
  }
}
