/**
 * The node's own table of tokens: the few that most people hold, as their issuers publish them. What
 * is said here is known; what a client says of a token is claimed and changes no amount.
 */
import { toHex } from '@quorate/base'
import { decodeAddress, formatAddress } from './address.ts'
import type { EvmNetwork } from './networks.ts'

export type Token = {
  /** With the checksum of EIP-55. */
  readonly address: string
  readonly symbol: string
  readonly decimals: number
}

const token = (symbol: string, decimals: number, address: string): Token => ({
  address,
  symbol,
  decimals,
})

/** By slug of the network. */
export const EVM_TOKENS: { readonly [slug: string]: readonly Token[] } = {
  ethereum: [
    token('USDC', 6, '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48'),
    token('USDT', 6, '0xdAC17F958D2ee523a2206206994597C13D831ec7'),
    token('DAI', 18, '0x6B175474E89094C44Da98b954EedeAC495271d0F'),
    token('WETH', 18, '0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2'),
    token('WBTC', 8, '0x2260FAC5E5542a773Aa44fBCfeDf7C193bc2C599'),
  ],
  'ethereum-sepolia': [token('USDC', 6, '0x1c7D4B196Cb0C7B01d743Fbc6116a902379C7238')],
  bnb: [
    token('USDT', 18, '0x55d398326f99059fF775485246999027B3197955'),
    token('USDC', 18, '0x8AC76a51cc950d9822D68b83fE1Ad97B32Cd580d'),
    token('WBNB', 18, '0xbb4CdB9CBd36B01bD1cBaEBF2De08d9173bc095c'),
  ],
  polygon: [
    token('USDC', 6, '0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359'),
    token('USDC.e', 6, '0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174'),
    token('USDT', 6, '0xc2132D05D31c914a87C6611C10748AEb04B58e8F'),
    token('WPOL', 18, '0x0d500B1d8E8eF31E21C99d1Db9A6444d3ADf1270'),
  ],
  'polygon-amoy': [token('USDC', 6, '0x41E94Eb019C0762f9Bfcf9Fb1E58725BfB0e7582')],
  avalanche: [
    token('USDC', 6, '0xB97EF9Ef8734C71904D8002F8b6Bc66Dd9c48a6E'),
    token('USDT', 6, '0x9702230A8Ea53601f5cD2dc00fDBc13d4dF4A8c7'),
    token('WAVAX', 18, '0xB31f66AA3C1e785363F0875A1B74E27b85FD66c7'),
  ],
  'avalanche-fuji': [token('USDC', 6, '0x5425890298aed601595a70AB815c96711a31Bc65')],
  arbitrum: [
    token('USDC', 6, '0xaf88d065e77c8cC2239327C5EDb3A432268e5831'),
    token('USDC.e', 6, '0xFF970A61A04b1cA14834A43f5dE4533eBDDB5CC8'),
    token('USDT', 6, '0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9'),
    token('WETH', 18, '0x82aF49447D8a07e3bd95BD0d56f35241523fBab1'),
  ],
  'arbitrum-sepolia': [token('USDC', 6, '0x75faf114eafb1BDbe2F0316DF893fd58CE46AA4d')],
  optimism: [
    token('USDC', 6, '0x0b2C639c533813f4Aa9D7837CAf62653d097Ff85'),
    token('WETH', 18, '0x4200000000000000000000000000000000000006'),
  ],
  'optimism-sepolia': [token('USDC', 6, '0x5fd84259d66Cd46123540766Be93DFE6D43130D7')],
  base: [
    token('USDC', 6, '0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913'),
    token('WETH', 18, '0x4200000000000000000000000000000000000006'),
  ],
  'base-sepolia': [token('USDC', 6, '0x036CbD53842c5426634e7929541eC2318f3dCF7e')],
  gnosis: [
    token('USDC', 6, '0xDDAfbb505ad214D7b80b1f830fcCc89B60fb7A83'),
    token('WXDAI', 18, '0xe91D153E0b41518A2Ce8Dd3D7944Fa863463a97d'),
  ],
  linea: [
    token('USDC', 6, '0x176211869cA2b568f2A7D4EE941E073a821EE1ff'),
    token('WETH', 18, '0xe5D7C2a44FfDDf6b295A15c148167daaAf5Cf34f'),
  ],
  'linea-sepolia': [token('USDC', 6, '0xFEce4462D57bD51A6A552365A011b95f0E16d9B7')],
}

/** The tokens of the table, in its order. */
export const tokensOf = ({ slug }: EvmNetwork): readonly Token[] => EVM_TOKENS[slug] ?? []

/** By network and contract, so that a look-up costs the same however long the table is. */
const BY_CONTRACT: ReadonlyMap<string, Token> = new Map(
  Object.entries(EVM_TOKENS).flatMap(([slug, tokens]) =>
    tokens.map((each) => [`${slug} ${toHex(decodeAddress(each.address))}`, each] as const),
  ),
)

/** The token of the contract (20 bytes), if the table has it. */
export const knownToken = ({ slug }: EvmNetwork, contract: Uint8Array): Token | undefined =>
  BY_CONTRACT.get(`${slug} ${toHex(contract)}`)

/** CAIP-19. */
export const tokenAsset = (
  { caip2 }: EvmNetwork,
  standard: 'erc20' | 'erc721' | 'erc1155',
  contract: Uint8Array,
  id?: bigint,
): string => `${caip2}/${standard}:${formatAddress(contract)}${id === undefined ? '' : `/${id}`}`
