/** Which adapter serves which network. A network without one does not exist, and there is no default. */
import type { ChainAdapter } from './adapter.ts'
import { bitcoinAdapter } from './bitcoin/adapter.ts'
import { findNetwork, NETWORKS, type Network } from './networks.ts'
import { solanaAdapter } from './solana/adapter.ts'

const adapterOf = (network: Network): ChainAdapter => {
  switch (network.adapter) {
    case 'bitcoin':
      return bitcoinAdapter(network)
    case 'solana':
      return solanaAdapter(network)
  }
}

const BY_SLUG: ReadonlyMap<string, ChainAdapter> = new Map(
  NETWORKS.map((network) => [network.slug, adapterOf(network)]),
)

/** The adapter of the network of that slug or CAIP-2 id. @throws chains/unknown-network */
export const findAdapter = (slugOrCaip2: string): ChainAdapter =>
  BY_SLUG.get(findNetwork(slugOrCaip2).slug)!
