/** The families of networks, by what their networks say they are. */
import { Fault } from '@quorate/base'
import type { Network } from '@quorate/chains'
import type { Options } from '../command.ts'
import { bitcoin } from './bitcoin.ts'
import { ethereum } from './ethereum.ts'
import type { BuiltTransfer, Family, TransferTask } from './family.ts'
import { solana } from './solana.ts'

const FAMILIES: { readonly [A in Network['adapter']]: Family } = { evm: ethereum, solana, bitcoin }

const optionsOf = (kind: TransferKind, { options, tokens }: Family): Options =>
  kind === 'coins' ? options : { ...options, ...tokens?.options }

export type TransferKind = 'coins' | 'tokens'

/** The options that a transfer of that kind has on some network. */
export const transferOptions = (kind: TransferKind): Options =>
  Object.fromEntries(servedBy(kind).flatMap((family) => Object.entries(optionsOf(kind, family))))

const servedBy = (kind: TransferKind): readonly Family[] =>
  Object.values(FAMILIES).filter(({ tokens }) => kind === 'coins' || tokens !== undefined)

/**
 * The unsigned transfer.
 * @throws cli/bad-value for an option that is not for this network, and for tokens where there are
 *   none; cli/missing-argument, cli/rpc-…, chains/…
 */
export async function makeTransfer(kind: TransferKind, task: TransferTask): Promise<BuiltTransfer> {
  const { given, account } = task
  const family = FAMILIES[account.adapter.network.adapter]
  const own = optionsOf(kind, family)
  const other = Object.keys(transferOptions(kind)).find(
    (name) => given.has(name) && !Object.hasOwn(own, name),
  )
  if (other !== undefined)
    throw new Fault('cli/bad-value', { detail: `--${other} is not for ${account.network}` })
  const maker = kind === 'coins' ? family : family.tokens
  if (maker === undefined)
    throw new Fault('cli/bad-value', { detail: `${account.network} has no tokens` })
  return maker.transfer(task)
}
