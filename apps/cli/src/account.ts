/** An account of a wallet: one of its keys on one of the networks that it can sign on. */
import type { WalletJson } from '@quorate/api'
import { Fault, fromHex } from '@quorate/base'
import { type ChainAdapter, findAdapter, type KeyRef } from '@quorate/chains'
import { deriveChild, formatPath, parsePath, secp256k1 } from '@quorate/math'
import type { Given } from './command.ts'

/** As many as an intent may have. */
const MAX_STEPS = 10

export type Account = {
  readonly wallet: WalletJson
  readonly adapter: ChainAdapter
  /** Slug. */
  readonly network: string
  /** Non-hardened derivation steps below the wallet's key, none for the key itself. */
  readonly path: readonly number[]
  readonly key: KeyRef
  readonly address: string
}

export type AccountChoice = {
  /** Slug or CAIP-2 id; the wallet's own unless given. */
  readonly network?: string | undefined
  readonly path?: readonly number[] | undefined
}

/**
 * The account of a wallet, its address worked out here from the wallet's key.
 * @throws chains/unknown-network, chains/unsupported-suite, cli/bad-value for a path that the wallet cannot follow
 */
export function accountOf(wallet: WalletJson, choice: AccountChoice = {}): Account {
  const { path = [] } = choice
  const adapter = findAdapter(choice.network ?? wallet.network, wallet.suite)
  const key = keyAt(wallet, path)
  return {
    wallet,
    adapter,
    network: adapter.network.slug,
    path,
    key,
    address: adapter.address(key),
  }
}

function keyAt(wallet: WalletJson, path: readonly number[]): KeyRef {
  const { scheme, chainCode } = wallet
  const groupKey = fromHex(wallet.groupKey)
  if (path.length === 0) return { scheme, publicKey: groupKey }
  if (chainCode === undefined)
    throw new Fault('cli/bad-value', {
      detail: `--path is for wallets that keys can be derived from; one of ${wallet.suite} has a single key`,
    })
  const { publicKey } = deriveChild(secp256k1.decode(groupKey), fromHex(chainCode), path)
  return { scheme, publicKey: secp256k1.encode(publicKey) }
}

/** What --network and --path choose. @throws chains/unknown-network, math/bad-path, math/hardened-path, cli/bad-value */
export function choiceOf(given: Given): AccountChoice {
  return { network: given.text('network'), path: pathOf(given) }
}

/** @throws math/bad-path, math/hardened-path, cli/bad-value */
export function pathOf(given: Given): readonly number[] {
  const text = given.text('path')
  const path = text === undefined ? [] : parsePath(text)
  if (path.length > MAX_STEPS)
    throw new Fault('cli/bad-value', { detail: `--path has at most ${MAX_STEPS} steps` })
  return path
}

/** The wallet's addresses by network, for the key at `path`; the wallet's own network first. */
export const addressesAt = (
  wallet: WalletJson,
  path: readonly number[],
): { readonly [network: string]: string } =>
  Object.fromEntries(
    Object.keys(wallet.addresses).map((network) => [
      network,
      accountOf(wallet, { network, path }).address,
    ]),
  )

/** In words, e.g. `pocket, key m/0/5, on ethereum-sepolia`; by its name alone for the wallet's own key on its own network. */
export const describeAccount = ({ wallet, network, path }: Account): string =>
  [
    wallet.label,
    ...(path.length === 0 ? [] : [`key ${formatPath(path)}`]),
    ...(network === wallet.network ? [] : [`on ${network}`]),
  ].join(', ')
