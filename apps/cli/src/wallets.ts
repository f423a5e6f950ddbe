/** Wallets: finding one by what people call it, and making a new one. */
import { checkThreshold, MAX_LIFETIME_MS, type PolicyChoice, type WalletJson } from '@quorate/api'
import { Fault, fromHex, type Id, isId, isName, newId } from '@quorate/base'
import { addressProof, findAdapter, type KeyRef } from '@quorate/chains'
import { systemClock, systemRandom } from '@quorate/platform'
import type { Connection } from './connection.ts'
import { checkReceipts } from './receipts.ts'

/** All wallets of the project. */
export async function listWallets({ client }: Connection): Promise<readonly WalletJson[]> {
  const wallets: WalletJson[] = []
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const page: { readonly items: readonly WalletJson[]; readonly nextCursor: string | null } =
      await client.call('listWallets', { query: cursor === undefined ? {} : { cursor } })
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

export const keyOf = ({ scheme, groupKey }: Pick<WalletJson, 'scheme' | 'groupKey'>): KeyRef => ({
  scheme,
  publicKey: fromHex(groupKey),
})

export type NewWallet = {
  readonly network: string
  /** The first free name made of the network's, unless given. */
  readonly name?: string | undefined
  readonly threshold?: number | undefined
  readonly isUnsafeAccepted?: boolean
  readonly policy: PolicyChoice
}

export type MadeWallet = { readonly wallet: WalletJson; readonly keygenMs: number }

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
  const adapter = findAdapter(options.network)
  const network = adapter.network.slug
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
      protocol: 'frost',
      suite: adapter.suite,
      network,
      threshold,
      parties,
      policy: options.policy,
      unsafeThreshold,
      createdAt: now,
      expiresAt: now + MAX_LIFETIME_MS,
    },
  } as const
  const started = performance.now()
  const { result } = await client.carryOut('createWallet', body, ({ progress }) =>
    onProgress(progress?.phase ?? 'making the key'),
  )
  const keygenMs = performance.now() - started
  if (result?.kind !== 'createWallet') throw new Fault('sdk/bad-answer')
  const { wallet } = result
  checkReceipts(result.receipts, connection, {
    purpose: 'keygen',
    body,
    client: credential.client,
    wallet: wallet.id,
    result: fromHex(wallet.groupKey),
    need: parties,
  })
  checkAddress(wallet)
  return { wallet, keygenMs }
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
      expiresAt: now + MAX_LIFETIME_MS,
    },
  } as const
  const { result } = await client.carryOut('refreshWallet', body, ({ progress }) =>
    onProgress(progress?.phase ?? 'refreshing the shares'),
  )
  if (result?.kind !== 'refresh') throw new Fault('sdk/bad-answer')
  checkReceipts(result.receipts, connection, {
    purpose: 'refresh',
    body,
    client: credential.client,
    wallet: wallet.id,
    // The key that everyone confirms is the one it was: a refresh never changes it.
    result: fromHex(wallet.groupKey),
    need: cluster.record.nodes.length,
  })
  return result.generation
}

/** The address is that of the key which all nodes confirmed. @throws cli/does-not-verify */
export function checkAddress(wallet: WalletJson): void {
  if (addressProof(wallet.network, keyOf(wallet)).address !== wallet.address)
    throw new Fault('cli/does-not-verify', { detail: 'the address is not that of the key' })
}

async function freeName(connection: Connection, network: string): Promise<string> {
  const taken = new Set((await listWallets(connection)).map(({ label }) => label))
  for (let number = 1; ; number++) {
    const name = number === 1 ? network : `${network}-${number}`
    if (!taken.has(name)) return name
  }
}

export const walletId = ({ id }: WalletJson): Id<'wal'> => id as Id<'wal'>
