/** The programs and system accounts that are known here, by their addresses. */

export const SYSTEM_PROGRAM = '11111111111111111111111111111111'
export const TOKEN_PROGRAM = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA'
export const TOKEN_2022_PROGRAM = 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb'
export const ASSOCIATED_TOKEN_PROGRAM = 'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL'
export const COMPUTE_BUDGET_PROGRAM = 'ComputeBudget111111111111111111111111111111'
export const STAKE_PROGRAM = 'Stake11111111111111111111111111111111111111'
export const MEMO_PROGRAM = 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'
export const MEMO_V1_PROGRAM = 'Memo1UhkJRfHyvLMcVucJwxXeuD728EqVddwQDwyMo'

export const RECENT_BLOCKHASHES = 'SysvarRecentB1ockHashes11111111111111111111'
export const RENT = 'SysvarRent111111111111111111111111111111111'

/** Both have the same first 25 instructions. */
export const TOKEN_PROGRAMS: readonly [typeof TOKEN_PROGRAM, typeof TOKEN_2022_PROGRAM] = [
  TOKEN_PROGRAM,
  TOKEN_2022_PROGRAM,
]
export type TokenProgram = (typeof TOKEN_PROGRAMS)[number]

/** Whether it is one of the two. */
export const isTokenProgram = (program: string): program is TokenProgram =>
  (TOKEN_PROGRAMS as readonly string[]).includes(program)

/** Instructions of these change what the transaction costs; the last three are charged per signature they check. */
export const FEE_PROGRAMS: ReadonlySet<string> = new Set([
  COMPUTE_BUDGET_PROGRAM,
  'Ed25519SigVerify111111111111111111111111111',
  'KeccakSecp256k11111111111111111111111111111',
  'Secp256r1SigVerify1111111111111111111111111',
])

const NAMES: ReadonlyMap<string, string> = new Map([
  [SYSTEM_PROGRAM, 'the System program'],
  [TOKEN_PROGRAM, 'the Token program'],
  [TOKEN_2022_PROGRAM, 'the Token-2022 program'],
  [ASSOCIATED_TOKEN_PROGRAM, 'the Associated Token program'],
  [COMPUTE_BUDGET_PROGRAM, 'the Compute Budget program'],
  [STAKE_PROGRAM, 'the Stake program'],
  [MEMO_PROGRAM, 'the Memo program'],
  [MEMO_V1_PROGRAM, 'the Memo program'],
])

/** In words, or `program` with its address for one that is not known. */
export const programName = (address: string): string => NAMES.get(address) ?? `program ${address}`

/** What is paid to a program itself, nobody can take out again. */
export const isKnownProgram = (address: string): boolean => NAMES.has(address)
