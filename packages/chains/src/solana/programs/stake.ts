/**
 * The Stake program, as far as staking, unstaking and taking the money out go.
 * Layout: `solana_stake_interface::instruction::StakeInstruction` (bincode, little-endian).
 */
import { type Effect, effect, movement, numberedBy32, type ProgramReader } from '../effect.ts'
import type { Scene } from '../scene.ts'

const ROLES = ['staking', 'withdrawing'] as const
const LOCKUP_BYTES = 48

/** Whoever may withdraw owns the stake. */
const owned = (
  { own }: Scene,
  stake: string,
  [staker, withdrawer]: readonly [string, string],
): Effect =>
  effect({
    notes: [`makes ${stake} a stake that ${staker} delegates and ${withdrawer} may withdraw`],
    warnings:
      withdrawer === own
        ? []
        : [`the stake ${stake} will belong to ${withdrawer}, not to this wallet`],
  })

function authorizes(stake: string, role: number, to: string): Effect | undefined {
  const name = ROLES[role]
  return name === undefined
    ? undefined
    : effect({
        warnings: [`gives the right of ${name} the stake ${stake} to ${to}`],
        isWhole: false,
      })
}

/** The reader of the program. */
export const readStake: ProgramReader = numberedBy32({
  // Initialize
  0: {
    accounts: 2,
    read(at, data, scene) {
      const made = owned(scene, at(0), [data.address(), data.address()])
      const isLocked = data.bytes(LOCKUP_BYTES).some((byte) => byte !== 0)
      return isLocked
        ? effect({ ...made, warnings: [...made.warnings, `the stake ${at(0)} is locked up`] })
        : made
    },
  },
  // Authorize
  1: {
    accounts: [3, 4],
    read(at, data) {
      const to = data.address()
      return authorizes(at(0), data.u32(), to)
    },
  },
  // DelegateStake
  2: {
    accounts: 6,
    read: (at) => effect({ notes: [`delegates the stake ${at(0)} to the validator ${at(1)}`] }),
  },
  // Withdraw
  4: {
    accounts: [5, 6],
    read: (at, data) =>
      effect({
        movements: [movement({ from: at(4), to: at(1), asset: 'SOL', amount: data.u64() })],
        notes: [`takes it out of the stake ${at(0)}`],
      }),
  },
  // Deactivate
  5: {
    accounts: 3,
    read: (at) => effect({ notes: [`ends the delegation of the stake ${at(0)}`] }),
  },
  // InitializeChecked
  9: { accounts: 4, read: (at, _, scene) => owned(scene, at(0), [at(2), at(3)]) },
  // AuthorizeChecked
  10: { accounts: [4, 5], read: (at, data) => authorizes(at(0), data.u32(), at(3)) },
})
