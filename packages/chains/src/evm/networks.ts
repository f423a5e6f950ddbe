/**
 * The networks that run Ethereum's virtual machine, as data. They differ in name, chain id and coin,
 * in the transaction types that they take, and in what they charge beside gas.
 */

/** EIP-2718: the envelope a transaction comes in; `legacy` is the one without a type byte. */
export type EvmTxType = 'legacy' | 'eip2930' | 'eip1559' | 'eip4844' | 'eip7702'

/** All have 18 decimals. */
export type EvmAsset = 'ETH' | 'BNB' | 'POL' | 'AVAX' | 'LUX' | 'xDAI'

export type EvmNetwork = {
  readonly slug: string
  readonly caip2: string
  readonly name: string
  readonly isTestnet: boolean
  readonly adapter: 'evm'
  readonly asset: EvmAsset
  /** EIP-155. */
  readonly chainId: bigint
  /** What is signed for it; a type that the network may not take is left out. */
  readonly types: readonly EvmTxType[]
  /** Whether a legacy transaction must name its chain (EIP-155): without, it is valid on every chain. */
  readonly needsChainId: boolean
  /** Whether a fee for data on Ethereum is taken on top of gas, which the transaction does not bound. */
  readonly hasDataFee: boolean
  /** Whether data has a minimum price (EIP-7623). */
  readonly hasDataFloor: boolean
  /** EIP-7825: no transaction may ask for more gas. */
  readonly maxGas: bigint | undefined
  /** Smallest units: a hundred times what a plain transfer costs in a busy hour. */
  readonly highFee: bigint
}

/** What networks have in common; each network of the table is one of these with a name. */
type Family = Pick<
  EvmNetwork,
  'asset' | 'types' | 'hasDataFee' | 'hasDataFloor' | 'maxGas' | 'highFee'
>

const MILLI = 10n ** 15n
const BASIC: readonly EvmTxType[] = ['legacy', 'eip2930', 'eip1559']

const ETHEREUM: Family = {
  asset: 'ETH',
  types: [...BASIC, 'eip4844', 'eip7702'],
  hasDataFee: false,
  hasDataFloor: true,
  maxGas: 16_777_216n,
  highFee: 50n * MILLI,
}
/** Chains of their own, at the level of Prague. */
const PRAGUE: Family = { ...ETHEREUM, maxGas: undefined }
const BNB: Family = { ...PRAGUE, asset: 'BNB' }
const POLYGON: Family = {
  ...PRAGUE,
  asset: 'POL',
  types: [...BASIC, 'eip7702'],
  highFee: 20_000n * MILLI,
}
const GNOSIS: Family = { ...PRAGUE, asset: 'xDAI', highFee: 5_000n * MILLI }
/** No blobs and no delegation there. */
const AVALANCHE: Family = {
  ...PRAGUE,
  asset: 'AVAX',
  types: BASIC,
  hasDataFloor: false,
  highFee: 1_000n * MILLI,
}
const LUX: Family = { ...AVALANCHE, asset: 'LUX' }
/** Rollups that charge for data within gas. */
const ARBITRUM: Family = {
  ...PRAGUE,
  types: [...BASIC, 'eip7702'],
  hasDataFloor: false,
  highFee: 10n * MILLI,
}
const LINEA: Family = { ...ARBITRUM, types: BASIC }
const OP_STACK: Family = { ...ARBITRUM, hasDataFee: true, hasDataFloor: true }

const network = (
  family: Family,
  slug: string,
  name: string,
  chainId: bigint,
  isTestnet: boolean,
): EvmNetwork => ({
  ...family,
  slug,
  caip2: `eip155:${chainId}`,
  name,
  isTestnet,
  adapter: 'evm',
  chainId,
  needsChainId: true,
})

export const EVM_NETWORKS: readonly EvmNetwork[] = [
  network(ETHEREUM, 'ethereum', 'Ethereum', 1n, false),
  network(ETHEREUM, 'ethereum-sepolia', 'Ethereum Sepolia', 11_155_111n, true),
  network(ETHEREUM, 'ethereum-hoodi', 'Ethereum Hoodi', 560_048n, true),
  network(BNB, 'bnb', 'BNB Smart Chain', 56n, false),
  network(BNB, 'bnb-testnet', 'BNB Smart Chain testnet', 97n, true),
  network(POLYGON, 'polygon', 'Polygon', 137n, false),
  network(POLYGON, 'polygon-amoy', 'Polygon Amoy', 80_002n, true),
  network(AVALANCHE, 'avalanche', 'Avalanche C-Chain', 43_114n, false),
  network(AVALANCHE, 'avalanche-fuji', 'Avalanche Fuji C-Chain', 43_113n, true),
  network(LUX, 'lux', 'Lux C-Chain', 96_369n, false),
  network(LUX, 'lux-testnet', 'Lux testnet C-Chain', 96_368n, true),
  network(ARBITRUM, 'arbitrum', 'Arbitrum One', 42_161n, false),
  network(ARBITRUM, 'arbitrum-sepolia', 'Arbitrum Sepolia', 421_614n, true),
  network(OP_STACK, 'optimism', 'OP Mainnet', 10n, false),
  network(OP_STACK, 'optimism-sepolia', 'OP Sepolia', 11_155_420n, true),
  network(OP_STACK, 'base', 'Base', 8_453n, false),
  network(OP_STACK, 'base-sepolia', 'Base Sepolia', 84_532n, true),
  network(GNOSIS, 'gnosis', 'Gnosis Chain', 100n, false),
  network(GNOSIS, 'gnosis-chiado', 'Gnosis Chiado', 10_200n, true),
  network(LINEA, 'linea', 'Linea', 59_144n, false),
  network(LINEA, 'linea-sepolia', 'Linea Sepolia', 59_141n, true),
]
