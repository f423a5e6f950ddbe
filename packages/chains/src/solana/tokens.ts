/**
 * The tokens that nodes know by themselves. Anybody can make a mint with any name, so a name is
 * shown for these addresses only, and never because somebody says so.
 */
import type { SolanaNetwork } from '../networks.ts'
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM, type TokenProgram } from './addresses.ts'

export type KnownToken = {
  readonly symbol: string
  readonly mint: string
  readonly decimals: number
  readonly program: TokenProgram
}

export const WRAPPED_SOL = 'So11111111111111111111111111111111111111112'

const wrappedSol: KnownToken = {
  symbol: 'wSOL',
  mint: WRAPPED_SOL,
  decimals: 9,
  program: TOKEN_PROGRAM,
}

const MAINNET: readonly KnownToken[] = [
  {
    symbol: 'USDC',
    mint: 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v',
    decimals: 6,
    program: TOKEN_PROGRAM,
  },
  {
    symbol: 'USDT',
    mint: 'Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB',
    decimals: 6,
    program: TOKEN_PROGRAM,
  },
  {
    symbol: 'PYUSD',
    mint: '2b1kV6DkPAnxd5ixfnxCpjxmKwqjjaYmCZfHsFu24GXo',
    decimals: 6,
    program: TOKEN_2022_PROGRAM,
  },
  wrappedSol,
]

const DEVNET: readonly KnownToken[] = [
  {
    symbol: 'USDC',
    mint: '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU',
    decimals: 6,
    program: TOKEN_PROGRAM,
  },
  wrappedSol,
]

const BY_NETWORK: ReadonlyMap<string, readonly KnownToken[]> = new Map([
  ['solana', MAINNET],
  ['solana-devnet', DEVNET],
  ['solana-testnet', [wrappedSol]],
])

/** What this node knows on the network by itself. */
export const knownTokens = ({ slug }: SolanaNetwork): readonly KnownToken[] =>
  BY_NETWORK.get(slug) ?? []

/** The token of that mint, if this node knows it. */
export const knownToken = (network: SolanaNetwork, mint: string): KnownToken | undefined =>
  knownTokens(network).find((token) => token.mint === mint)

/** CAIP-19, e.g. `solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp/token:EPjF…`. */
export const tokenAsset = ({ caip2 }: SolanaNetwork, mint: string): string =>
  `${caip2}/token:${mint}`
