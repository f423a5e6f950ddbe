/** What old clients call a chain, as a network of ours. There is no default: a name that nobody knows is refused. */
import { Fault } from '@quorate/base'
import { findNetwork, NETWORKS } from '@quorate/chains'
import type { GatewayConfig } from '../config.ts'

/** The main network, and the one that stands for it in development. */
type Pair = readonly [mainnet: string, testnet: string]

const ETHEREUM: Pair = ['ethereum', 'ethereum-sepolia']
const BITCOIN: Pair = ['bitcoin', 'bitcoin-testnet4']
const SOLANA: Pair = ['solana', 'solana-devnet']

const USUAL: { readonly [name: string]: Pair } = {
  eth: ETHEREUM,
  ethereum: ETHEREUM,
  evm: ETHEREUM,
  // Names of curves, where a client has no better one.
  secp256k1: ETHEREUM,
  ecdsa: ETHEREUM,
  btc: BITCOIN,
  bitcoin: BITCOIN,
  sol: SOLANA,
  solana: SOLANA,
  ed25519: SOLANA,
  eddsa: SOLANA,
}

/** Slug of the network that `chainType` means. @throws gateway/unknown-chain */
export function networkOf(
  chainType: string,
  { chains, environment }: Pick<GatewayConfig, 'chains' | 'environment'>,
): string {
  const name = chainType.toLowerCase()
  const own = chains.get(name)
  if (own !== undefined) return findNetwork(own).slug
  const pair = Object.hasOwn(USUAL, name) ? USUAL[name] : undefined
  if (pair !== undefined) return environment === 'development' ? pair[1] : pair[0]
  const exact = NETWORKS.find(({ slug, caip2 }) => slug === name || caip2 === chainType)
  if (exact === undefined) throw new Fault('gateway/unknown-chain')
  return exact.slug
}
