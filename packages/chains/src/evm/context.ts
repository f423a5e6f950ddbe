/**
 * What a client may tell about tokens beside the transaction: symbol and decimals, by contract. No
 * signature binds it, so it is shown as claimed, and no amount that policy sees depends on it.
 */
import {
  array,
  bytes,
  type Codec,
  type CodecType,
  decode,
  encode,
  Fault,
  field,
  int,
  record,
  text,
  toHex,
} from '@quorate/base'
import { formatAddress } from './address.ts'
import { ADDRESS_BYTES } from './fields.ts'
import type { EvmNetwork } from './networks.ts'
import { knownToken, tokensOf } from './tokens.ts'

const MAX_CLAIMS = 16
const MAX_BYTES = 1024

/** What somebody says of the token of a contract (20 bytes). */
export type TokenClaim = {
  readonly address: Uint8Array
  /** At most 12 letters and digits of ASCII. */
  readonly symbol: string
  /** 0 to 36. */
  readonly decimals: number
}
/** By contract, in hex. */
export type TokenClaims = ReadonlyMap<string, TokenClaim>

const claim: Codec<TokenClaim> = record({
  address: field(1, bytes(ADDRESS_BYTES)),
  // Nothing that looks like something else: plain letters and digits.
  symbol: field(2, text(12, /^[A-Za-z0-9.$+-]{1,12}$/)),
  decimals: field(3, int(0, 36)),
})
const evmContext = record({ tokens: field(1, array(claim, { min: 1, max: MAX_CLAIMS })) })

/** The context of a transaction with such tokens; no bytes where there are none. */
export const encodeEvmContext = (tokens: readonly TokenClaim[]): Uint8Array =>
  tokens.length === 0 ? new Uint8Array(0) : encode(evmContext, { tokens })

/** @throws chains/bad-context */
export function readContext(context: Uint8Array): TokenClaims {
  if (context.length === 0) return new Map()
  const { tokens } = decoded(context)
  const claims = new Map(tokens.map((each) => [toHex(each.address), each]))
  if (claims.size !== tokens.length) throw new Fault('chains/bad-context')
  return claims
}

function decoded(context: Uint8Array): CodecType<typeof evmContext> {
  try {
    return decode(evmContext, context, { maxBytes: MAX_BYTES })
  } catch {
    throw new Fault('chains/bad-context', { detail: 'symbols and decimals of tokens, by contract' })
  }
}

/** What is wrong with the claims, as far as the node's own table can tell. */
export const claimWarnings = (network: EvmNetwork, claims: TokenClaims): readonly string[] =>
  [...claims.values()].flatMap(({ address, symbol, decimals }) => {
    const where = formatAddress(address)
    const known = knownToken(network, address)
    if (known !== undefined)
      return known.symbol === symbol && known.decimals === decimals
        ? []
        : [
            `the request claims that ${where} is ${symbol} with ${decimals} decimals; it is ${known.symbol} with ${known.decimals}`,
          ]
    const original = tokensOf(network).find((each) => looksOf(each.symbol) === looksOf(symbol))
    if (original !== undefined)
      return [
        `the token ${where} is claimed to be ${symbol}, but ${original.symbol} of this network is ${original.address}`,
      ]
    return looksOf(network.asset) === looksOf(symbol)
      ? [`the token ${where} is claimed to be ${symbol}, but it is not the coin of this network`]
      : []
  })

/** The same for symbols that look alike. */
const looksOf = (symbol: string): string =>
  symbol.toUpperCase().replace(/[0]/g, 'O').replace(/[1L]/g, 'I').replace(/[5$]/g, 'S')
