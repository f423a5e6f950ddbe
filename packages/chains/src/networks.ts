/**
 * The networks, as data. People read slugs; CAIP-2 ids (https://chainagnostic.org/CAIPs/caip-2)
 * stand beside them for machines, and either is taken as input. A name that is neither is refused:
 * there is no default network.
 */
import { editDistance, Fault } from '@quorate/base'

/** How Bitcoin addresses of a network are written. */
export type BitcoinParams = {
  readonly bech32: string
  readonly pubKeyHash: number
  readonly scriptHash: number
  readonly wif: number
}

type Common = {
  readonly slug: string
  readonly caip2: string
  readonly name: string
  readonly isTestnet: boolean
}
export type BitcoinNetwork = Common & {
  readonly adapter: 'bitcoin'
  readonly asset: 'BTC'
  readonly params: BitcoinParams
}
export type SolanaNetwork = Common & { readonly adapter: 'solana'; readonly asset: 'SOL' }
export type EvmNetwork = Common & {
  readonly adapter: 'evm'
  readonly asset: 'ETH'
  /** EIP-155. */
  readonly chainId: bigint
}
export type Network = BitcoinNetwork | SolanaNetwork | EvmNetwork

const MAIN: BitcoinParams = { bech32: 'bc', pubKeyHash: 0x00, scriptHash: 0x05, wif: 0x80 }
/** Testnet4 and signet share their address format: an address alone does not tell them apart. */
const TEST: BitcoinParams = { bech32: 'tb', pubKeyHash: 0x6f, scriptHash: 0xc4, wif: 0xef }
const REGTEST: BitcoinParams = { ...TEST, bech32: 'bcrt' }

const bitcoin = (
  slug: string,
  name: string,
  genesis: string,
  params: BitcoinParams,
): BitcoinNetwork => ({
  slug,
  caip2: `bip122:${genesis}`,
  name,
  isTestnet: params !== MAIN,
  adapter: 'bitcoin',
  asset: 'BTC',
  params,
})

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

const ethereum = (slug: string, name: string, chainId: bigint, isTestnet: boolean): EvmNetwork => ({
  slug,
  caip2: `eip155:${chainId}`,
  name,
  isTestnet,
  adapter: 'evm',
  asset: 'ETH',
  chainId,
})

/** The genesis parts are the first 32 characters of each genesis block hash (CAIP-4, CAIP-30). */
export const NETWORKS: readonly Network[] = [
  bitcoin('bitcoin', 'Bitcoin', '000000000019d6689c085ae165831e93', MAIN),
  bitcoin('bitcoin-testnet4', 'Bitcoin testnet4', '00000000da84f2bafbbc53dee25a72ae', TEST),
  bitcoin('bitcoin-signet', 'Bitcoin signet', '00000008819873e925422c1ff0f99f7c', TEST),
  bitcoin('bitcoin-regtest', 'Bitcoin regtest', '0f9188f13cb7b2c71f2a335e3a4fc328', REGTEST),
  solana('solana', 'Solana', '5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp', false),
  solana('solana-devnet', 'Solana devnet', 'EtWTRABZaYq6iMfeYKouRu166VU2xqa1', true),
  solana('solana-testnet', 'Solana testnet', '4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z', true),
  ethereum('ethereum', 'Ethereum', 1n, false),
  ethereum('ethereum-sepolia', 'Ethereum Sepolia', 11_155_111n, true),
  ethereum('ethereum-hoodi', 'Ethereum Hoodi', 560_048n, true),
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
