/**
 * The System program. Layout: `solana_system_interface::instruction::SystemInstruction` (bincode,
 * little-endian, texts with a 64-bit length).
 */
import { isKnownProgram, programName, RECENT_BLOCKHASHES, SYSTEM_PROGRAM } from '../addresses.ts'
import { addressWithSeed } from '../derive.ts'
import {
  type Effect,
  effect,
  movement,
  numberedBy32,
  type ProgramReader,
  referenceNotes,
} from '../effect.ts'
import type { Scene } from '../scene.ts'

const ASSET = 'SOL'
const MAX_REFERENCES = 8

function pays(scene: Scene, from: string, to: string, lamports: bigint): Effect {
  // Wrapping: the account's address was made from this wallet's, so the money stays its own.
  const isOwn = from === scene.own && scene.isOwnWrappedSol(to)
  return effect({
    movements: [movement({ from, to: isOwn ? scene.own : to, asset: ASSET, amount: lamports })],
    notes: isOwn ? [`wraps SOL in this wallet's token account ${to}`] : [],
    warnings: isKnownProgram(to)
      ? [`pays ${programName(to)} itself, from where nothing returns`]
      : [],
  })
}

function creates(
  scene: Scene,
  [from, account]: readonly [string, string],
  [lamports, space, owner]: readonly [bigint, bigint, string],
): Effect {
  const made = `makes ${account} an account of ${space} bytes for ${programName(owner)}`
  return effect({
    movements: [movement({ from, to: account, asset: ASSET, amount: lamports })],
    notes: [made],
    ...givesAway(scene, account, owner),
  })
}

/** An account that is this wallet itself can then be emptied by the program, or no longer pay. */
const givesAway = (
  scene: Scene,
  account: string,
  owner: string,
): Pick<Effect, 'warnings' | 'isWhole'> =>
  account === scene.own
    ? { warnings: [`gives this wallet itself to ${programName(owner)}`], isWhole: false }
    : { warnings: [], isWhole: true }

const assigns = (account: string, owner: string): Effect =>
  effect({
    warnings: [`gives the account ${account} with all its SOL to ${programName(owner)}`],
    isWhole: false,
  })

/** The reader of the program. */
export const readSystem: ProgramReader = numberedBy32({
  // CreateAccount
  0: {
    accounts: 2,
    read: (at, data, scene) =>
      creates(scene, [at(0), at(1)], [data.u64(), data.u64(), data.address()]),
  },
  // Assign
  1: { accounts: 1, read: (at, data) => assigns(at(0), data.address()) },
  // Transfer
  2: {
    accounts: [2, 2 + MAX_REFERENCES],
    read(at, data, scene, { accounts }) {
      const found = pays(scene, at(0), at(1), data.u64())
      const references = referenceNotes(accounts.slice(2))
      return references && { ...found, notes: [...found.notes, ...references] }
    },
  },
  // CreateAccountWithSeed
  3: {
    accounts: [2, 3],
    read(at, data, scene, { accounts }) {
      const base = data.address()
      const seed = data.seed()
      const what = [data.u64(), data.u64(), data.address()] as const
      const named = accounts.length === 3 ? at(2) : at(0)
      if (seed === undefined || named !== base) return undefined
      if (addressWithSeed(base, seed, what[2]) !== at(1)) return undefined
      return creates(scene, [at(0), at(1)], what)
    },
  },
  // AdvanceNonceAccount: only as the first instruction does it make the transaction durable.
  4: {
    accounts: 3,
    read: (at, _, __, { isFirst }) =>
      isFirst && at(1) === RECENT_BLOCKHASHES
        ? effect({ nonce: { account: at(0), authority: at(2) } })
        : undefined,
  },
  // WithdrawNonceAccount
  5: {
    accounts: 5,
    read: (at, data) =>
      effect({
        movements: [movement({ from: at(4), to: at(1), asset: ASSET, amount: data.u64() })],
        notes: [`takes it out of the nonce account ${at(0)}`],
      }),
  },
  // InitializeNonceAccount
  6: {
    accounts: 3,
    read(at, data) {
      return effect({ notes: [`makes ${at(0)} a nonce account, which ${data.address()} controls`] })
    },
  },
  // AuthorizeNonceAccount
  7: {
    accounts: 2,
    read: (at, data) =>
      effect({
        warnings: [`gives the nonce account ${at(0)} with all its SOL to ${data.address()}`],
        isWhole: false,
      }),
  },
  // Allocate
  8: {
    accounts: 1,
    read: (at, data, scene) =>
      effect({
        notes: [`makes room for ${data.u64()} bytes in ${at(0)}`],
        ...givesAway(scene, at(0), SYSTEM_PROGRAM),
      }),
  },
  // AllocateWithSeed
  9: {
    accounts: 2,
    read(at, data) {
      const base = data.address()
      const seed = data.seed()
      const [, owner] = [data.u64(), data.address()] as const
      if (seed === undefined || base !== at(1)) return undefined
      return addressWithSeed(base, seed, owner) === at(0) ? assigns(at(0), owner) : undefined
    },
  },
  // AssignWithSeed
  10: {
    accounts: 2,
    read(at, data) {
      const base = data.address()
      const seed = data.seed()
      const owner = data.address()
      if (seed === undefined || base !== at(1)) return undefined
      return addressWithSeed(base, seed, owner) === at(0) ? assigns(at(0), owner) : undefined
    },
  },
  // TransferWithSeed
  11: {
    accounts: 3,
    read(at, data) {
      const lamports = data.u64()
      const seed = data.seed()
      if (seed === undefined || addressWithSeed(at(1), seed, data.address()) !== at(0))
        return undefined
      return effect({
        movements: [movement({ from: at(1), to: at(2), asset: ASSET, amount: lamports })],
        notes: [`takes it out of ${at(0)}, an address made from that of ${at(1)}`],
      })
    },
  },
  // UpgradeNonceAccount
  12: { accounts: 1, read: (at) => effect({ notes: [`renews the nonce account ${at(0)}`] }) },
})
