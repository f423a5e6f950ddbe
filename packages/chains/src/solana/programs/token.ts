/**
 * The Token and Token-2022 programs, which share their first instructions, and of the latter's
 * extensions the transfer that names its fee. Layout: `spl_token_2022_interface::instruction`.
 *
 * After the accounts of its row an instruction may name the signers of a multisignature, and
 * references. For Token-2022 more accounts may also be those of a program that the mint calls on
 * every transfer, so there any more are not understood.
 */
import { RENT, TOKEN_PROGRAM, type TokenProgram } from '../addresses.ts'
import {
  type Call,
  type DataReader,
  type Effect,
  effect,
  type ProgramReader,
  type Row,
  readRow,
  referenceNotes,
} from '../effect.ts'
import {
  approves,
  burns,
  closes,
  makesMint,
  mints,
  multisignature,
  owned,
  setsAuthority,
  type Token,
  transfers,
} from './token-effects.ts'
import { describeAmount } from './token-text.ts'

const TRANSFER_FEE_EXTENSION = 26
const TRANSFER_WITH_FEE = 1
/** Signers of a multisignature, at most eleven, or references. */
const MAX_MORE = 11

type At = (index: number) => string
/** A row whose last account may be a multisignature, named by its signers. */
type SignedRow = {
  readonly accounts: number
  readonly read: (at: At, data: DataReader, token: Token) => Effect | undefined
}

const FIXED: { readonly [instruction: number]: (token: Token) => Row } = {
  // InitializeMint
  0: () => ({ accounts: 2, read: (at, data) => makesMint(at(0), data) }),
  // InitializeAccount
  1: (token) => ({ accounts: 4, read: (at) => owned(token, at(0), at(1), at(2)) }),
  // InitializeMultisig
  2: () => ({
    accounts: [3, 13],
    read: (_, data, __, { accounts }) => {
      const [account, , ...signers] = accounts.map(({ address }) => address)
      return multisignature(account!, signers, data.u8())
    },
  }),
  // InitializeAccount2
  16: (token) => ({ accounts: 3, read: (at, data) => owned(token, at(0), at(1), data.address()) }),
  // SyncNative
  17: () => ({
    accounts: [1, 2],
    read: (at, _, __, { accounts }) =>
      accounts.length === 2 && at(1) !== RENT
        ? undefined
        : effect({ notes: [`counts the SOL in the token account ${at(0)} as wSOL`] }),
  }),
  // InitializeAccount3
  18: (token) => ({ accounts: 2, read: (at, data) => owned(token, at(0), at(1), data.address()) }),
  // InitializeMultisig2
  19: () => ({
    accounts: [2, 12],
    read: (_, data, __, { accounts }) => {
      const [account, ...signers] = accounts.map(({ address }) => address)
      return multisignature(account!, signers, data.u8())
    },
  }),
  // InitializeMint2
  20: () => ({ accounts: 1, read: (at, data) => makesMint(at(0), data) }),
  // InitializeImmutableOwner
  22: () => ({
    accounts: 1,
    read: (at) => effect({ notes: [`makes the owner of the token account ${at(0)} final`] }),
  }),
}

const SIGNED: { readonly [instruction: number]: SignedRow } = {
  // Transfer
  3: {
    accounts: 3,
    read: (at, data, token) =>
      transfers(
        { source: at(0), mint: undefined, target: at(1), authority: at(2), amount: data.u64() },
        token,
      ),
  },
  // Approve
  4: {
    accounts: 3,
    read(at, data) {
      const amount = data.u64()
      return approves([at(0), at(1)], amount, `up to ${amount} of the smallest unit`)
    },
  },
  // Revoke
  5: {
    accounts: 2,
    read: (at) =>
      effect({ notes: [`nobody else may take out of the token account ${at(0)} any more`] }),
  },
  // SetAuthority
  6: { accounts: 2, read: (at, data) => setsAuthority(at(0), data.u8(), data.optionalAddress()) },
  // MintTo
  7: {
    accounts: 3,
    read: (at, data, token) =>
      mints({ mint: at(0), account: at(1), authority: at(2), amount: data.u64() }, token),
  },
  // Burn
  8: {
    accounts: 3,
    read: (at, data, token) =>
      burns({ account: at(0), mint: at(1), authority: at(2), amount: data.u64() }, token),
  },
  // CloseAccount
  9: { accounts: 3, read: (at, _, token) => closes(at(0), at(1), token) },
  // FreezeAccount
  10: {
    accounts: 3,
    read: (at) => effect({ warnings: [`freezes the token account ${at(0)}`] }),
  },
  // ThawAccount
  11: {
    accounts: 3,
    read: (at) => effect({ notes: [`frees the frozen token account ${at(0)}`] }),
  },
  // TransferChecked
  12: {
    accounts: 4,
    read: (at, data, token) =>
      transfers(
        {
          source: at(0),
          mint: at(1),
          target: at(2),
          authority: at(3),
          amount: data.u64(),
          decimals: data.u8(),
        },
        token,
      ),
  },
  // ApproveChecked
  13: {
    accounts: 4,
    read(at, data, { scene: { network } }) {
      const amount = data.u64()
      const what = `up to ${describeAmount(network, at(1), amount, data.u8())}`
      return approves([at(0), at(2)], amount, what)
    },
  },
  // MintToChecked
  14: {
    accounts: 3,
    read: (at, data, token) =>
      mints(
        {
          mint: at(0),
          account: at(1),
          authority: at(2),
          amount: data.u64(),
          decimals: data.u8(),
        },
        token,
      ),
  },
  // BurnChecked
  15: {
    accounts: 3,
    read: (at, data, token) =>
      burns(
        {
          account: at(0),
          mint: at(1),
          authority: at(2),
          amount: data.u64(),
          decimals: data.u8(),
        },
        token,
      ),
  },
}

/** TransferCheckedWithFee: what arrives is the amount less the fee. */
const WITH_FEE: SignedRow = {
  accounts: 4,
  read(at, data, token) {
    if (data.u8() !== TRANSFER_WITH_FEE) return undefined
    const [amount, decimals, fee] = [data.u64(), data.u8(), data.u64()] as const
    const [source, mint, target, authority] = [at(0), at(1), at(2), at(3)]
    const made = transfers({ source, mint, target, authority, amount, decimals }, token)
    const text = describeAmount(token.scene.network, mint, fee, decimals)
    return effect({ ...made, notes: [...made.notes, `the mint keeps ${text} of it`] })
  },
}

/**
 * The row with what may stand behind its accounts: signers of a multisignature, then references.
 */
function withMore({ accounts, read }: SignedRow, token: Token): Row {
  const most = token.program === TOKEN_PROGRAM ? accounts + MAX_MORE : accounts
  return {
    accounts: [accounts, most],
    read(at, data, _, call) {
      const more = call.accounts.slice(accounts)
      const references = referenceNotes(more.filter(({ isSigner }) => !isSigner))
      const found = read(at, data, token)
      return references && found && { ...found, notes: [...found.notes, ...references] }
    },
  }
}

const find = <T>(rows: { readonly [instruction: number]: T }, kind: number): T | undefined =>
  Object.hasOwn(rows, kind) ? rows[kind] : undefined

/** The reader for instructions of `program`. */
export const tokenReader =
  (program: TokenProgram): ProgramReader =>
  (call: Call, scene) => {
    const [kind] = call.data
    if (kind === undefined) return undefined
    const token = { scene, program }
    const hasFee = kind === TRANSFER_FEE_EXTENSION && program !== TOKEN_PROGRAM
    const signed = hasFee ? WITH_FEE : find(SIGNED, kind)
    const row = signed === undefined ? find(FIXED, kind)?.(token) : withMore(signed, token)
    return readRow(row, call, call.data.slice(1), scene)
  }
