/**
 * Rights over money that somebody gets for later: allowances of tokens and permits. They move nothing
 * now and everything later, so no view that holds one passes as complete.
 */
import type { TxAllowance } from '@quorate/api'
import { formatAddress } from './address.ts'
import { holderWords, limitWords, type Scope, untilWords } from './effects.ts'
import { knownToken, tokenAsset } from './tokens.ts'

/** Uniswap's Permit2, at the same address on every network. */
export const PERMIT2 = '0x000000000022D473030F116dDEE9F6B43aC78BA3'

/** The allowance that wallets call unlimited, and one that nobody can put a number to. */
export const UNBOUNDED: bigint = 2n ** 256n - 1n

export type Allowance = {
  readonly token: Uint8Array
  readonly holder: Uint8Array
  readonly spender: Uint8Array
  readonly amount: bigint
  /** Seconds since the Unix epoch. */
  readonly until?: bigint
}

/** The allowance as policy reads it. Of a contract that is not known to be a token, the number may be the id of one. */
export const allowanceOf = (
  { token, spender, amount }: Allowance,
  { network }: Scope,
): TxAllowance => ({
  spender: formatAddress(spender),
  asset: tokenAsset(network, 'erc20', token),
  amount,
  isClaimed: knownToken(network, token) === undefined,
})

/** The right of an operator over a whole collection. */
export const operatorAllowance = (
  collection: Uint8Array,
  operator: Uint8Array,
  { network }: Scope,
): TxAllowance => ({
  spender: formatAddress(operator),
  asset: tokenAsset(network, 'erc721', collection),
  amount: UNBOUNDED,
  isClaimed: true,
})

/** What an allowance lets happen. */
export function allowanceWarning(
  { token, holder, spender, amount, until }: Allowance,
  scope: Scope,
): string {
  const when = until === undefined ? 'at any later time' : untilWords(until)
  return `lets ${formatAddress(spender)} take ${limitWords(scope, token, amount)} of the token ${formatAddress(token)} out of ${holderWords(scope, holder)}, ${when}`
}

/** What an operator of a whole collection may do. */
export const operatorWarning = (
  collection: Uint8Array,
  holder: Uint8Array,
  operator: Uint8Array,
  scope: Scope,
): string =>
  `lets ${formatAddress(operator)} take every token that ${holderWords(scope, holder)} has, or will have, of the collection ${formatAddress(collection)}, at any later time`
