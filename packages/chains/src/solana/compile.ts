/**
 * Instructions into the bytes of a message, with the accounts in the order that the network asks for:
 * the payer, other signers that are written, signers that are not, then accounts in the same way.
 */
import { concatBytes, Fault, utf8 } from '@quorate/base'
import { base58 } from '@scure/base'
import { encodeCompactU16 } from '../encoding/reader.ts'
import {
  ASSOCIATED_TOKEN_PROGRAM,
  COMPUTE_BUDGET_PROGRAM,
  MEMO_PROGRAM,
  RECENT_BLOCKHASHES,
  SYSTEM_PROGRAM,
  type TokenProgram,
} from './addresses.ts'

export type AccountMeta = {
  readonly address: string
  readonly isSigner: boolean
  readonly isWritable: boolean
}
export type Instruction = {
  readonly program: string
  readonly accounts: readonly AccountMeta[]
  readonly data: Uint8Array
}

const VERSION_0 = 0x80

/** `value` in `length` bytes, least significant first. @throws chains/bad-amount if it does not fit */
export function littleEndian(value: bigint, length: number): Uint8Array {
  if (value < 0n || value >> BigInt(8 * length) > 0n) throw new Fault('chains/bad-amount')
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn))
}

/** @throws chains/bad-amount for what is no whole number */
function whole(value: number): bigint {
  if (!Number.isSafeInteger(value)) throw new Fault('chains/bad-amount')
  return BigInt(value)
}

const use = (address: string, isWritable: boolean, isSigner = false): AccountMeta => ({
  address,
  isWritable,
  isSigner,
})

/** System program: `lamports` from one wallet to another account. */
export const transfer = (from: string, to: string, lamports: bigint): Instruction => ({
  program: SYSTEM_PROGRAM,
  accounts: [use(from, true, true), use(to, true)],
  data: concatBytes(littleEndian(2n, 4), littleEndian(lamports, 8)),
})

/** System program: the next value of a durable nonce. It must stand first. */
export const advanceNonce = (account: string, authority: string): Instruction => ({
  program: SYSTEM_PROGRAM,
  accounts: [use(account, true), use(RECENT_BLOCKHASHES, false), use(authority, false, true)],
  data: littleEndian(4n, 4),
})

/** Compute Budget program: how many compute units the transaction may use. */
export const unitLimit = (units: number): Instruction => ({
  program: COMPUTE_BUDGET_PROGRAM,
  accounts: [],
  data: concatBytes(Uint8Array.of(2), littleEndian(whole(units), 4)),
})

/** Compute Budget program: the priority fee, in millionths of a lamport per compute unit. */
export const unitPrice = (microLamports: bigint): Instruction => ({
  program: COMPUTE_BUDGET_PROGRAM,
  accounts: [],
  data: concatBytes(Uint8Array.of(3), littleEndian(microLamports, 8)),
})

/** Memo program: a text, signed by `signer`. */
export const memo = (text: string, signer: string): Instruction => ({
  program: MEMO_PROGRAM,
  accounts: [use(signer, false, true)],
  data: utf8(text),
})

/** Makes the associated token account `account` unless it is there. */
export const createAssociated = (
  payer: string,
  account: string,
  wallet: string,
  mint: string,
  tokenProgram: TokenProgram,
): Instruction => ({
  program: ASSOCIATED_TOKEN_PROGRAM,
  accounts: [
    use(payer, true, true),
    use(account, true),
    use(wallet, false),
    use(mint, false),
    use(SYSTEM_PROGRAM, false),
    use(tokenProgram, false),
  ],
  data: Uint8Array.of(1),
})

/** Token programs: from source to target, two token accounts of the mint, by their authority. */
export const transferChecked = (
  [source, mint, target, authority]: readonly [string, string, string, string],
  amount: bigint,
  decimals: number,
  tokenProgram: TokenProgram,
): Instruction => ({
  program: tokenProgram,
  accounts: [use(source, true), use(mint, false), use(target, true), use(authority, false, true)],
  data: concatBytes(Uint8Array.of(12), littleEndian(amount, 8), littleEndian(whole(decimals), 1)),
})

/** Each account once, with all the rights that any instruction needs of it. */
function accountsOf(payer: string, instructions: readonly Instruction[]): readonly AccountMeta[] {
  const all = new Map([[payer, use(payer, true, true)]])
  const add = (meta: AccountMeta): void => {
    const known = all.get(meta.address)
    all.set(
      meta.address,
      use(
        meta.address,
        meta.isWritable || known?.isWritable === true,
        meta.isSigner || known?.isSigner === true,
      ),
    )
  }
  for (const { program, accounts } of instructions) {
    for (const each of accounts) add(each)
    add(use(program, false))
  }
  const rank = ({ isSigner, isWritable }: AccountMeta): number =>
    (isSigner ? 0 : 2) + (isWritable ? 0 : 1)
  // The payer stays in front: it was put in first, and sorting keeps the order of equals.
  return [...all.values()].sort((a, b) => rank(a) - rank(b))
}

/** The message of these instructions; `lifetime` is a blockhash or the value of a durable nonce. */
export function compileMessage(
  version: 'legacy' | 0,
  payer: string,
  lifetime: string,
  instructions: readonly Instruction[],
): Uint8Array {
  const accounts = accountsOf(payer, instructions)
  const count = (wanted: (meta: AccountMeta) => boolean): number => accounts.filter(wanted).length
  const indexOf = (address: string): number =>
    accounts.findIndex((account) => account.address === address)
  return concatBytes(
    version === 0 ? Uint8Array.of(VERSION_0) : new Uint8Array(0),
    Uint8Array.of(
      count(({ isSigner }) => isSigner),
      count(({ isSigner, isWritable }) => isSigner && !isWritable),
      count(({ isSigner, isWritable }) => !isSigner && !isWritable),
    ),
    encodeCompactU16(accounts.length),
    ...accounts.map(({ address }) => base58.decode(address)),
    base58.decode(lifetime),
    encodeCompactU16(instructions.length),
    ...instructions.map(({ program, accounts: used, data }) =>
      concatBytes(
        Uint8Array.of(indexOf(program)),
        encodeCompactU16(used.length),
        Uint8Array.from(used, ({ address }) => indexOf(address)),
        encodeCompactU16(data.length),
        data,
      ),
    ),
    version === 0 ? Uint8Array.of(0) : new Uint8Array(0),
  )
}
