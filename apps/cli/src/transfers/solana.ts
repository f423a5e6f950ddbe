/** Transfers on Solana. */
import { bug, Fault } from '@quorate/base'
import {
  buildSolanaTokenTransfer,
  buildSolanaTransfer,
  type KnownToken,
  type SolanaLifetime,
  type SolanaNetwork,
  type SolanaTransfer,
  solanaTokens,
  TOKEN_PROGRAMS,
  type TokenProgram,
  unitOf,
} from '@quorate/chains'
import type { Account } from '../account.ts'
import type { Given } from '../command.ts'
import { latestBlockhash, mintOf } from '../remote/solana.ts'
import { amountOf, bigOf, type Family, NONCE, orAsk, type TransferTask } from './family.ts'

const MAX_UNITS = 1_400_000
const MAX_DECIMALS = 255

export const solana: Family = {
  options: {
    blockhash: { kind: 'text', value: 'HASH', about: 'Solana: a recent blockhash' },
    nonce: NONCE,
    'nonce-account': {
      kind: 'text',
      value: 'ADDRESS',
      about: 'Solana: a durable nonce in the place of a blockhash; its present value is --nonce',
    },
    'unit-limit': {
      kind: 'integer',
      value: 'UNITS',
      about: 'Solana: compute units to use at most',
    },
    'unit-price': {
      kind: 'text',
      value: 'MICROLAMPORTS',
      about: 'Solana: priority fee for each of them, in millionths of a lamport',
    },
    memo: { kind: 'text', value: 'TEXT', about: 'Solana: a text that everybody can read' },
  },
  async transfer(task) {
    const lamports = amountOf(task.given, unitOf(networkOf(task.account).asset))
    return buildSolanaTransfer({ ...(await common(task)), lamports })
  },
  tokens: {
    options: {
      decimals: {
        kind: 'integer',
        value: 'N',
        about: 'Solana: decimal places of a token that is not in our own table',
      },
      'token-2022': { kind: 'flag', about: 'Solana: the Token-2022 program keeps that token' },
    },
    async transfer(task) {
      const { given, account } = task
      const text = given.required('token')
      const known = solanaTokens(networkOf(account)).find(
        ({ symbol, mint }) => symbol === text || mint === text,
      )
      const { mint, decimals, program } = known ?? (await otherToken(task, text))
      const amount = amountOf(given, known)
      return buildSolanaTokenTransfer({
        ...(await common(task)),
        mint,
        amount,
        decimals,
        tokenProgram: program,
      })
    },
  },
}

const networkOf = ({ adapter: { network } }: Account): SolanaNetwork =>
  network.adapter === 'solana' ? network : bug('not Solana')

type Token = Pick<KnownToken, 'mint' | 'decimals' | 'program'>

/** A token that is not in our own table. @throws chains/bad-address, cli/missing-argument, cli/rpc-… */
async function otherToken(task: TransferTask, text: string): Promise<Token> {
  const { given, account } = task
  const mint = account.adapter.parseAddress(text)
  const decimals = given.integer('decimals', 0, MAX_DECIMALS)
  const program = TOKEN_PROGRAMS[given.flag('token-2022') ? 1 : 0]
  const said = await orAsk(
    decimals === undefined ? undefined : { decimals, program },
    task,
    'decimals',
    (endpoint) => mintOf(endpoint, mint),
  )
  return { mint, decimals: said.decimals, program: tokenProgram(said.program) }
}

function tokenProgram(text: string): TokenProgram {
  const program = TOKEN_PROGRAMS.find((each) => each === text)
  if (program === undefined)
    throw new Fault('cli/bad-value', { detail: '--token is no token there' })
  return program
}

/** What every transfer takes. */
async function common(task: TransferTask): Promise<Omit<SolanaTransfer, 'lamports'>> {
  const { given, account } = task
  return {
    from: account.address,
    to: account.adapter.parseAddress(given.required('to')),
    lifetime: await lifetimeOf(task),
    priority: priorityOf(given),
    memo: given.text('memo'),
  }
}

/** @throws cli/bad-value, cli/missing-argument, cli/rpc-… */
async function lifetimeOf(task: TransferTask): Promise<SolanaLifetime> {
  const { given } = task
  const nonceAccount = given.text('nonce-account')
  if (nonceAccount === undefined) {
    if (given.has('nonce'))
      throw new Fault('cli/missing-argument', { detail: '--nonce-account goes with --nonce' })
    return { blockhash: await orAsk(given.text('blockhash'), task, 'blockhash', latestBlockhash) }
  }
  if (given.has('blockhash'))
    throw new Fault('cli/bad-value', {
      detail: '--blockhash and --nonce-account exclude each other',
    })
  return { nonceAccount, nonce: given.required('nonce') }
}

/** @throws cli/bad-value, cli/missing-argument */
function priorityOf(given: Given): SolanaTransfer['priority'] {
  const units = given.integer('unit-limit', 1, MAX_UNITS)
  const microLamports = bigOf(given, 'unit-price')
  if (units === undefined && microLamports === undefined) return undefined
  if (units === undefined || microLamports === undefined)
    throw new Fault('cli/missing-argument', { detail: '--unit-limit and --unit-price go together' })
  return { units, microLamports }
}
