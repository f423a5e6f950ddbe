/** What a family of networks must know to make a transfer of its own, with our own builders. */
import { Fault } from '@quorate/base'
import { parseAmount, type Unit } from '@quorate/chains'
import type { Account } from '../account.ts'
import type { Given, Option, Options } from '../command.ts'
import type { Endpoint } from '../remote/endpoint.ts'

export type TransferTask = {
  readonly given: Given
  readonly account: Account
  /** Who is asked for what is not given by hand; already known to be of the account's network. */
  readonly endpoint: Endpoint | undefined
}

export type BuiltTransfer = { readonly unsigned: Uint8Array; readonly context: Uint8Array }

export type Family = {
  /** Its options beside those that every transfer has. */
  readonly options: Options
  transfer(task: TransferTask): Promise<BuiltTransfer>
  readonly tokens?: {
    /** Beside `options`. */
    readonly options: Options
    transfer(task: TransferTask): Promise<BuiltTransfer>
  }
}

/** Both Ethereum and Solana have something of that name. */
export const NONCE: Option = {
  kind: 'text',
  value: 'NONCE',
  about:
    'Ethereum: how many transactions the address has sent; Solana: the value of --nonce-account',
}

/** What --amount says, in the smallest unit. @throws cli/missing-argument, chains/bad-amount */
export const amountOf = (given: Given, ...units: readonly (Unit | undefined)[]): bigint =>
  parseAmount(
    given.required('amount'),
    units.filter((unit) => unit !== undefined),
  )

/** A whole number that may pass 2^53. @throws cli/bad-value */
export function bigOf(given: Given, name: string): bigint | undefined {
  const text = given.text(name)
  if (text === undefined) return undefined
  if (!/^(0|[1-9]\d{0,38})$/.test(text))
    throw new Fault('cli/bad-value', { detail: `--${name} takes a whole number` })
  return BigInt(text)
}

/** `value`, or what the node says. @throws cli/missing-argument naming `option` where there is neither */
export async function orAsk<T>(
  value: T | undefined,
  { endpoint }: TransferTask,
  option: string,
  ask: (endpoint: Endpoint) => Promise<T>,
): Promise<T> {
  if (value !== undefined) return value
  if (endpoint === undefined)
    throw new Fault('cli/missing-argument', { detail: `--${option}, or --rpc to ask a node` })
  return ask(endpoint)
}
