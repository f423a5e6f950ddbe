/** Which adapters serve which network. A network without one does not exist, and there is no default. */
import { Fault } from '@quorate/base'
import type { ChainAdapter, KeyRef } from './adapter.ts'
import { bitcoinAdapters } from './bitcoin/adapter.ts'
import { evmAdapter } from './evm/adapter.ts'
import { findNetwork, NETWORKS, type Network } from './networks.ts'
import { solanaAdapter } from './solana/adapter.ts'

type Adapters = readonly [ChainAdapter, ...ChainAdapter[]]

const adaptersFor = (network: Network): Adapters => {
  switch (network.adapter) {
    case 'bitcoin':
      return bitcoinAdapters(network)
    case 'solana':
      return [solanaAdapter(network)]
    case 'evm':
      return [evmAdapter(network)]
  }
}

const BY_SLUG: ReadonlyMap<string, Adapters> = new Map(
  NETWORKS.map((network) => [network.slug, adaptersFor(network)]),
)

/** All adapters of the network, the one of its default suite first. @throws chains/unknown-network */
export const adaptersOf = (slugOrCaip2: string): Adapters =>
  BY_SLUG.get(findNetwork(slugOrCaip2).slug)!

/** The signing suites that wallets of the network may have, the default one first. @throws chains/unknown-network */
export const suitesOf = (slugOrCaip2: string): readonly string[] =>
  adaptersOf(slugOrCaip2).flatMap(({ suites }) => suites)

/**
 * The adapter of the network of that slug or CAIP-2 id for keys of `suite`, or of its default suite.
 * @throws chains/unknown-network, chains/unsupported-suite
 */
export function findAdapter(slugOrCaip2: string, suite?: string): ChainAdapter {
  const adapters = adaptersOf(slugOrCaip2)
  if (suite === undefined) return adapters[0]
  const adapter = adapters.find(({ suites }) => suites.includes(suite))
  if (adapter === undefined)
    throw new Fault('chains/unsupported-suite', {
      detail: `${adapters[0].network.slug} supports ${suitesOf(slugOrCaip2).join(', ')}`,
    })
  return adapter
}

/** The adapter of the network for keys of the scheme of `key`. @throws chains/unknown-network, chains/wrong-scheme */
export function adapterForKey(slugOrCaip2: string, key: KeyRef): ChainAdapter {
  const adapter = adaptersOf(slugOrCaip2).find(({ scheme }) => scheme === key.scheme)
  if (adapter === undefined) throw new Fault('chains/wrong-scheme')
  return adapter
}
