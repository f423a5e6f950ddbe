/** Tokens and their amounts in words. A token has a name here only if this node knows it by itself. */
import { formatDecimal } from '../../amount.ts'
import type { SolanaNetwork } from '../../networks.ts'
import { knownToken } from '../tokens.ts'

/** The symbol of a token that this node knows, or its mint. */
export const describeMint = (network: SolanaNetwork, mint: string): string =>
  knownToken(network, mint)?.symbol ?? `tokens of the unknown mint ${mint}`

/**
 * The amount with decimals where this node knows them or the instruction binds them: the network
 * refuses a checked instruction whose decimals are not those of the mint.
 */
export function describeAmount(
  network: SolanaNetwork,
  mint: string,
  amount: bigint,
  boundDecimals: number | undefined,
): string {
  const known = knownToken(network, mint)
  const decimals = boundDecimals ?? known?.decimals
  const what = known === undefined ? `of the unknown mint ${mint}` : known.symbol
  return decimals === undefined
    ? `${amount} of the smallest unit ${known === undefined ? '' : 'of '}${what}`
    : `${formatDecimal(amount, decimals)} ${what}`
}

/** Why an instruction with those decimals cannot be meant for the token. */
export const decimalsWarnings = (
  network: SolanaNetwork,
  mint: string,
  decimals: number | undefined,
): readonly string[] => {
  const known = knownToken(network, mint)
  return known === undefined || decimals === undefined || decimals === known.decimals
    ? []
    : [
        `says ${decimals} decimals, but ${known.symbol} has ${known.decimals}: the network will refuse it`,
      ]
}
