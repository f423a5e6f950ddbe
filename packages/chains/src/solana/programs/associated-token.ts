/**
 * The Associated Token program: makes the account in which a wallet keeps the tokens of one mint.
 * Whoever pays lends it the rent, which returns when the owner closes the account.
 * Layout: `spl_associated_token_account_interface::instruction`.
 */
import { isTokenProgram, SYSTEM_PROGRAM, TOKEN_PROGRAM } from '../addresses.ts'
import { type Effect, effect, movement, type ProgramReader, type Row, readRow } from '../effect.ts'
import type { Associated } from '../scene.ts'
import { describeMint } from './token-text.ts'

/** Of 165 bytes and the 128 that every account is charged: 3480 lamports a byte and year, two years. */
const RENT: bigint = 2_039_280n
/** Token-2022 accounts also hold what their mint asks for; no mint asks for more than 91 bytes. */
const MAX_RENT_2022: bigint = 2_672_640n

const ACCOUNTS = { fewest: 6, most: 7 } as const

type Call = Parameters<ProgramReader>[0]

/** What `call`, one of the Associated Token program, is about; `undefined` if it makes no account. */
export function associatedOf({ accounts, data }: Call): Associated | undefined {
  const isCreate = data.length === 0 || (data.length === 1 && data[0]! <= 1)
  if (!isCreate || accounts.length < ACCOUNTS.fewest) return undefined
  const [, account, wallet, mint, , program] = accounts.map(({ address }) => address)
  return { account: account!, wallet: wallet!, mint: mint!, program: program! }
}

const creates = (isIdempotent: boolean): Row => ({
  // The seventh was the rent sysvar, until 2022.
  accounts: [ACCOUNTS.fewest, ACCOUNTS.most],
  read(at, _, scene): Effect | undefined {
    const [payer, account, wallet, mint, system, program] = [0, 1, 2, 3, 4, 5].map(at) as [
      string,
      string,
      string,
      string,
      string,
      string,
    ]
    if (system !== SYSTEM_PROGRAM || !isTokenProgram(program)) return undefined
    if (scene.associated(wallet, mint, program) !== account) return undefined
    return effect({
      movements: [
        movement({
          from: payer,
          to: wallet,
          asset: 'SOL',
          amount: program === TOKEN_PROGRAM ? RENT : MAX_RENT_2022,
          isRent: true,
        }),
      ],
      notes: [
        `makes ${account}, in which ${wallet} keeps ${describeMint(scene.network, mint)}${isIdempotent ? ', unless it is there' : ''}; ${payer} pays its rent, at most what is shown`,
      ],
    })
  },
})

const CREATE = creates(false)
const CREATE_IDEMPOTENT = creates(true)

/** The reader of the program: creation, plain or unless it is there. */
export const readAssociatedToken: ProgramReader = (call, scene) => {
  const { data } = call
  if (data.length === 0) return readRow(CREATE, call, data, scene)
  const row = data[0] === 0 ? CREATE : data[0] === 1 ? CREATE_IDEMPOTENT : undefined
  return readRow(row, call, data.slice(1), scene)
}
