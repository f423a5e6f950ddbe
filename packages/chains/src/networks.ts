/**
 * The networks, as data. People read slugs; CAIP-2 ids (https://chainagnostic.org/CAIPs/caip-2)
 * stand beside them for machines, and either is taken as input. A name that is neither is refused:
 * there is no default network.
 */
import { editDistance, Fault } from '@quorate/base'
import { BITCOIN_NETWORKS, type BitcoinNetwork } from './bitcoin/networks.ts'
import { EVM_NETWORKS, type EvmNetwork } from './evm/networks.ts'

type Common = {
  readonly slug: string
  readonly caip2: string
  readonly name: string
  readonly isTestnet: boolean
}
export type SolanaNetwork = Common & { readonly adapter: 'solana'; readonly asset: 'SOL' }
export type Network = BitcoinNetwork | SolanaNetwork | EvmNetwork

const solana = (
  slug: string,
  name: string,
  genesis: string,
  isTestnet: boolean,
): SolanaNetwork => ({
  slug,
  caip2: `solana:${genesis}`,
  name,
  isTestnet,
  adapter: 'solana',
  asset: 'SOL',
})

/** The genesis parts are the first 32 characters of each genesis block hash (CAIP-4, CAIP-30). */
export const NETWORKS: readonly Network[] = [
  ...BITCOIN_NETWORKS,
  solana('solana', 'Solana', '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp', false),
  solana('solana-devnet', 'Solana devnet', 'EtWTRABZaYq6iMfeYKouRu166VU2xqa1', true),
  solana('solana-testnet', 'Solana testnet', '4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z', true),
  ...EVM_NETWORKS,
]

/** The network of that slug or CAIP-2 id. @throws chains/unknown-network, naming the nearest slugs */
export function findNetwork(slugOrCaip2: string): Network {
  const network = NETWORKS.find((each) => each.slug === slugOrCaip2 || each.caip2 === slugOrCaip2)
  if (network === undefined)
    throw new Fault('chains/unknown-network', {
      detail: `did you mean ${nearest(slugOrCaip2).join(', ')}?`,
    })
  return network
}

/** The three slugs most like `text`, which may be of any length. */
function nearest(text: string): readonly string[] {
  const wanted = text.slice(0, 40).toLowerCase()
  return NETWORKS.map(({ slug }) => ({ slug, distance: editDistance(wanted, slug) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ slug }) => slug)
}
