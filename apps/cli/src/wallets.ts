/** Wallets: finding one by what people call it, and making a new one. */
import {
  checkThreshold,
  MAX_MAKING_MS,
  type PolicyChoice,
  type Protocol,
  type WalletJson,
} from '@quorate/api'
import { Fault, type Id, isId, isName, newId } from '@quorate/base'
import { findNetwork } from '@quorate/chains'
import { systemClock, systemRandom } from '@quorate/platform'
import { accountOf } from './account.ts'
import type { Connection } from './connection.ts'
import { type Phase, PhaseTimes, progressText } from './progress.ts'
import { checkReceipts } from './receipts.ts'
import { chooseSuite, type SuiteChoice } from './suites.ts'
import { checkRecord } from './wallet-record.ts'

/** All wallets of the project, or those of one protocol. */
export async function listWallets(
  { client }: Connection,
  protocol?: Protocol,
): Promise<readonly WalletJson[]> {
  const only = protocol === undefined ? {} : { protocol }
  const wallets: WalletJson[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: { readonly items: readonly WalletJson[]; readonly nextCursor: string | null } =
      await client.call('listWallets', {
        query: cursor === undefined ? only : { ...only, cursor },
      })
    wallets.push(...page.items)
    cursor = page.nextCursor
  }
  return wallets
}

/** The wallet of that id or name. @throws cli/unknown-wallet */
export async function findWallet(connection: Connection, idOrName: string): Promise<WalletJson> {
  if (isId('wal', idOrName))
    return connection.client.call('getWallet', { params: { id: idOrName } })
  const wallet = (await listWallets(connection)).find(({ label }) => label === idOrName)
  if (wallet === undefined) throw new Fault('cli/unknown-wallet', { detail: idOrName.slice(0, 80) })
  return wallet
}

export type NewWallet = SuiteChoice & {
  readonly network: string
  /** The first free name made of the network's, unless given. */
  readonly name?: string | undefined
  readonly threshold?: number | undefined
  readonly isUnsafeAccepted?: boolean
  readonly policy: PolicyChoice
}

export type MadeWallet = {
  readonly wallet: WalletJson
  readonly keygenMs: number
  /** What that time went into. */
  readonly phases: readonly Phase[]
}

/**
 * A new wallet, confirmed by the receipts of all nodes, with an address worked out here.
 * @throws api/bad-threshold, api/unsafe-threshold, cli/bad-value, sdk/bad-receipts, cli/does-not-verify, …
 */
export async function createWallet(
  connection: Connection,
  options: NewWallet,
  onProgress: (text: string) => void,
): Promise<MadeWallet> {
  const { client, cluster } = connection
  const network = findNetwork(options.network).slug
  const { protocol, suite } = chooseSuite(network, options)
  const parties = cluster.record.nodes.length
  const threshold = options.threshold ?? connection.threshold
  const unsafeThreshold = options.isUnsafeAccepted === true
  checkThreshold({ threshold, parties, unsafeThreshold })
  const label = options.name ?? (await freeName(connection, network))
  if (!isName(label))
    throw new Fault('cli/bad-value', {
      detail: '--name takes letters, digits, - _ and ., up to 64',
    })
  const credential = client.credentialFor('createWallet')!
  const now = systemClock.now()
  const body = {
    kind: 'createWallet',
    value: {
      v: 1,
      requestId: newId('req', now, systemRandom),
      project: credential.project,
      label,
      protocol,
      suite,
      network,
      threshold,
      parties,
      policy: options.policy,
      unsafeThreshold,
      createdAt: now,
      expiresAt: now + MAX_MAKING_MS,
    },
  } as const
  const started = performance.now()
  const times = new PhaseTimes()
  const { result } = await client.carryOut('createWallet', body, {
    onProgress: (operation) => {
      times.saw(operation)
      onProgress(progressText(operation, 'making the key'))
    },
  })
  const keygenMs = performance.now() - started
  const phases = times.phases()
  if (result?.kind !== 'createWallet') throw new Fault('sdk/bad-answer')
  const { wallet, record } = result
  if (wallet.protocol !== protocol || wallet.suite !== suite) throw new Fault('sdk/bad-answer')
  checkReceipts(result.receipts, connection, {
    purpose: 'keygen',
    body,
    client: credential.client,
    wallet: wallet.id,
    result: checkRecord(record, wallet),
    need: parties,
  })
  checkAddress(wallet)
  return { wallet, keygenMs, phases }
}

/**
 * New shares of the wallet's key at all nodes, confirmed by the receipts of all of them.
 * Returns the number of the new generation.
 * @throws enclave/peers-missing, sdk/bad-receipts, …
 */
export async function refreshWallet(
  connection: Connection,
  wallet: WalletJson,
  onProgress: (text: string) => void,
): Promise<number> {
  const { client, cluster } = connection
  const credential = client.credentialFor('refreshWallet')!
  const now = systemClock.now()
  const body = {
    kind: 'refresh',
    value: {
      v: 1,
      requestId: newId('req', now, systemRandom),
      project: credential.project,
      wallet: walletId(wallet),
      generation: wallet.generation,
      createdAt: now,
      expiresAt: now + MAX_MAKING_MS,
    },
  } as const
  const { result } = await client.carryOut('refreshWallet', body, {
    onProgress: (operation) => onProgress(progressText(operation, 'refreshing the shares')),
  })
  if (result?.kind !== 'refresh') throw new Fault('sdk/bad-answer')
  checkReceipts(result.receipts, connection, {
    purpose: 'refresh',
    body,
    client: credential.client,
    wallet: wallet.id,
    // The key that everyone confirms is the one it was: a refresh never changes it.
    result: checkRecord(result.record, { ...wallet, generation: result.generation }),
    need: cluster.record.nodes.length,
  })
  return result.generation
}

/** Every address is that of the key which all nodes confirmed. @throws cli/does-not-verify */
export function checkAddress(wallet: WalletJson): void {
  const { network, address, addresses } = wallet
  const isOwn =
    addresses[network] === address &&
    Object.entries(addresses).every(
      ([each, shown]) => accountOf(wallet, { network: each }).address === shown,
    )
  if (!isOwn)
    throw new Fault('cli/does-not-verify', { detail: 'an address is not that of the key' })
}

async function freeName(connection: Connection, network: string): Promise<string> {
  const taken = new Set((await listWallets(connection)).map(({ label }) => label))
  for (let number = 1; ; number++) {
    const name = number === 1 ? network : `${network}-${number}`
    if (!taken.has(name)) return name
  }
}

export const walletId = ({ id }: WalletJson): Id<'wal'> => id as Id<'wal'>
