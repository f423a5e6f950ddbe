/** What a call does to the money of the wallet, in the terms of a view. */
import { type TxAllowance, type TxKind, type TxOutput, type TxView, toRfc3339 } from '@quorate/api'
import { equalBytes, toHex } from '@quorate/base'
import { formatDecimal } from '../amount.ts'
import { formatAddress } from './address.ts'
import type { TokenClaims } from './context.ts'
import type { EvmNetwork } from './networks.ts'
import { knownToken, tokenAsset } from './tokens.ts'

/** One message call. Addresses have 20 bytes. */
export type Call = {
  readonly caller: Uint8Array
  /** Whose coins `value` is, where a contract only passes on what it was given. */
  readonly payer: Uint8Array
  readonly to: Uint8Array
  /** Wei. */
  readonly value: bigint
  readonly data: Uint8Array
  /** Whether the code at `to` runs as the caller, with all of its rights. */
  readonly isDelegate?: boolean
}

export type Scope = {
  readonly network: EvmNetwork
  /** The address of the wallet. */
  readonly own: Uint8Array
  readonly claims: TokenClaims
}

/** `from` is whose money moves. `calls` are those that this one leads to, itself left out. */
export type Effects = Pick<
  TxView,
  'kind' | 'from' | 'outputs' | 'calls' | 'allowances' | 'isComplete' | 'notes' | 'warnings'
>

/** An allowance from here on outlasts any token's supply; wallets write "unlimited" as 2^256 − 1. */
const UNLIMITED = 2n ** 255n
/** The end of the year 9999. */
const LAST_SECOND = 253_402_300_799n

export const isZero = (address: Uint8Array): boolean => address.every((byte) => byte === 0)

/** The coins that the call itself pays. */
export const payment = ({ to, value }: Call, { network, own }: Scope): TxOutput => ({
  to: formatAddress(to),
  asset: network.asset,
  amount: value,
  isChange: equalBytes(to, own),
  isClaimed: false,
})

/** Whose money the payment takes. */
export const payerOf = ({ value, payer }: Call): readonly string[] =>
  value > 0n ? [formatAddress(payer)] : []

export type Move = {
  readonly standard: 'erc20' | 'erc721' | 'erc1155'
  readonly contract: Uint8Array
  readonly to: Uint8Array
  readonly amount: bigint
  readonly id?: bigint
}

/** Tokens that go to `to`, in units of the contract that the asset names. */
export const tokenOutput = (
  { standard, contract, to, amount, id }: Move,
  { network, own }: Scope,
): TxOutput => ({
  to: formatAddress(to),
  asset: tokenAsset(network, standard, contract, id),
  amount,
  isChange: equalBytes(to, own),
  isClaimed: false,
})

/** What more it does than pay cannot be put into outputs, so limits on them must not be relied upon. */
export const understoodInPart = (
  kind: TxKind,
  call: Call,
  scope: Scope,
  {
    allowances,
    notes = [],
    warnings,
  }: {
    /** Left out: it may give any right. */
    readonly allowances?: readonly TxAllowance[]
    readonly notes?: readonly string[]
    readonly warnings: readonly string[]
  },
): Effects => ({
  kind,
  from: payerOf(call),
  outputs: [payment(call, scope)],
  allowances,
  isComplete: false,
  notes,
  warnings,
})

/** Something that moves nothing, such as the end of an allowance. */
export const harmless = (call: Call, scope: Scope, notes: readonly string[]): Effects => ({
  kind: 'call',
  from: payerOf(call),
  outputs: [payment(call, scope)],
  allowances: [],
  isComplete: true,
  notes,
  warnings: [],
})

/** `0.5 USDC` where the table knows the token, else units. */
export function amountWords({ network }: Scope, contract: Uint8Array, amount: bigint): string {
  const known = knownToken(network, contract)
  return known === undefined
    ? `${amount} of the smallest unit`
    : `${formatDecimal(amount, known.decimals)} ${known.symbol}`
}

/** `up to 0.5 USDC`, or `any amount`. */
export const limitWords = (scope: Scope, contract: Uint8Array, amount: bigint): string =>
  amount >= UNLIMITED ? 'any amount' : `up to ${amountWords(scope, contract, amount)}`

/** Which token that is, and how much `amount` of it is, as far as anybody says. */
export function tokenNotes(
  { network, claims }: Scope,
  contract: Uint8Array,
  amount: bigint,
): readonly string[] {
  const where = formatAddress(contract)
  const known = knownToken(network, contract)
  if (known !== undefined)
    return [
      `${where} is ${known.symbol} with ${known.decimals} decimals: ${formatDecimal(amount, known.decimals)} ${known.symbol}`,
    ]
  const claim = claims.get(toHex(contract))
  return claim === undefined
    ? []
    : [
        `${where} is said to be ${claim.symbol} with ${claim.decimals} decimals, which would make it ${formatDecimal(amount, claim.decimals)} ${claim.symbol} (claimed)`,
      ]
}

/** `this wallet`, or the address. */
export const holderWords = ({ own }: Scope, holder: Uint8Array): string =>
  equalBytes(holder, own) ? 'this wallet' : formatAddress(holder)

/** `until 2026-…`, of seconds since the Unix epoch. */
export const untilWords = (seconds: bigint): string =>
  seconds > LAST_SECOND ? 'without end' : `until ${toRfc3339(Number(seconds) * 1000)}`
