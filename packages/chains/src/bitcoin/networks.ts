/**
 * The networks of the Bitcoin family, as data. They share transactions, scripts and PSBTs; how
 * addresses are written, what a signature covers, and what their nodes and people find odd is here.
 */

/** The kinds of address that a wallet can have. */
export type EcdsaFormName = 'p2wpkh' | 'p2sh-p2wpkh' | 'p2pkh'
export type FormName = EcdsaFormName | 'p2tr'

/** How addresses are written: base58 and perhaps bech32, or on Bitcoin Cash cashaddr alone. */
export type BitcoinParams =
  | {
      readonly pubKeyHash: number
      readonly scriptHash: number
      /** The human-readable part of segwit addresses (BIP-173), where there is segwit. */
      readonly bech32?: string
      readonly cashaddr?: never
    }
  | { readonly cashaddr: string }

export type BitcoinAsset = 'BTC' | 'LTC' | 'DOGE' | 'BCH'

/** The rules of one coin, the same on its test networks. All amounts are in its smallest unit. */
export type BitcoinRules = {
  readonly asset: BitcoinAsset
  /** What people call the smallest unit. */
  readonly unit: string
  /** The addresses that one ECDSA key has, the usual one first. */
  readonly ecdsaForms: readonly [EcdsaFormName, ...EcdsaFormName[]]
  readonly hasTaproot: boolean
  /**
   * The type of ECDSA signatures: SIGHASH_ALL; on Bitcoin Cash with SIGHASH_FORKID, by which every
   * signature covers what BIP-143 says, and none is valid on Bitcoin.
   */
  readonly sighashType: 0x01 | 0x41
  /** No amount is higher. */
  readonly maxAmount: bigint
  /** Dust is an output worth less than spending it at this rate per byte costs, or than the least. */
  readonly dustRate: bigint
  readonly leastOutput: bigint
  /** A fee rate per byte above this one is called out; so is a large part of the amount, above this. */
  readonly highFeeRate: bigint
  readonly smallFee: bigint
  /** Whether nodes take a transaction for another that spends the same coins (BIP-125). */
  readonly hasReplacement: boolean
  /** What comes before a text that is signed with the key of an address. */
  readonly messagePrefix: string
}

export type BitcoinNetwork = {
  readonly slug: string
  readonly caip2: string
  readonly name: string
  readonly isTestnet: boolean
  readonly adapter: 'bitcoin'
  readonly asset: BitcoinAsset
  readonly params: BitcoinParams
  readonly rules: BitcoinRules
}

const COIN = 100_000_000n

const BITCOIN: BitcoinRules = {
  asset: 'BTC',
  unit: 'sat',
  ecdsaForms: ['p2wpkh', 'p2sh-p2wpkh', 'p2pkh'],
  hasTaproot: true,
  sighashType: 0x01,
  maxAmount: 21_000_000n * COIN,
  dustRate: 3n,
  leastOutput: 0n,
  highFeeRate: 1_000n,
  smallFee: 10_000n,
  hasReplacement: true,
  messagePrefix: 'Bitcoin Signed Message:\n',
}

const LITECOIN: BitcoinRules = {
  ...BITCOIN,
  asset: 'LTC',
  unit: 'litoshi',
  maxAmount: 84_000_000n * COIN,
  dustRate: 30n,
  smallFee: 1_000_000n,
  messagePrefix: 'Litecoin Signed Message:\n',
}

const DOGECOIN: BitcoinRules = {
  ...BITCOIN,
  asset: 'DOGE',
  unit: 'koinu',
  ecdsaForms: ['p2pkh'],
  hasTaproot: false,
  // Its supply has no end; its nodes refuse a single amount above ten thousand million coins.
  maxAmount: 10_000_000_000n * COIN,
  dustRate: 0n,
  leastOutput: COIN / 100n,
  highFeeRate: 1_000_000n,
  smallFee: 10n * COIN,
  messagePrefix: 'Dogecoin Signed Message:\n',
}

const BITCOIN_CASH: BitcoinRules = {
  ...BITCOIN,
  asset: 'BCH',
  ecdsaForms: ['p2pkh'],
  hasTaproot: false,
  sighashType: 0x41,
  highFeeRate: 100n,
  hasReplacement: false,
}

const network = (
  slug: string,
  name: string,
  genesis: string,
  rules: BitcoinRules,
  params: BitcoinParams,
  isTestnet = true,
): BitcoinNetwork => ({
  slug,
  caip2: `bip122:${genesis}`,
  name,
  isTestnet,
  adapter: 'bitcoin',
  asset: rules.asset,
  params,
  rules,
})

const MAIN: BitcoinParams = { pubKeyHash: 0x00, scriptHash: 0x05, bech32: 'bc' }
/** Testnet4 and signet share their address format: an address alone does not tell them apart. */
const TEST: BitcoinParams = { pubKeyHash: 0x6f, scriptHash: 0xc4, bech32: 'tb' }
const REGTEST: BitcoinParams = { ...TEST, bech32: 'bcrt' }

/**
 * The parts after `bip122:` are the first 32 characters of a block hash (CAIP-4): of the first block;
 * of a chain that split off from another one, of its first own block.
 */
export const BITCOIN_NETWORKS: readonly BitcoinNetwork[] = [
  network('bitcoin', 'Bitcoin', '000000000019d6689c085ae165831e93', BITCOIN, MAIN, false),
  network(
    'bitcoin-testnet4',
    'Bitcoin testnet4',
    '00000000da84f2bafbbc53dee25a72ae',
    BITCOIN,
    TEST,
  ),
  network('bitcoin-signet', 'Bitcoin signet', '00000008819873e925422c1ff0f99f7c', BITCOIN, TEST),
  network(
    'bitcoin-regtest',
    'Bitcoin regtest',
    '0f9188f13cb7b2c71f2a335e3a4fc328',
    BITCOIN,
    REGTEST,
  ),
  network(
    'litecoin',
    'Litecoin',
    '12a765e31ffd4059bada1e25190f6e98',
    LITECOIN,
    { pubKeyHash: 0x30, scriptHash: 0x32, bech32: 'ltc' },
    false,
  ),
  network('litecoin-testnet', 'Litecoin testnet', '4966625a4b2851d9fdee139e56211a0d', LITECOIN, {
    pubKeyHash: 0x6f,
    scriptHash: 0x3a,
    bech32: 'tltc',
  }),
  network(
    'dogecoin',
    'Dogecoin',
    '1a91e3dace36e2be3bf030a65679fe82',
    DOGECOIN,
    { pubKeyHash: 0x1e, scriptHash: 0x16 },
    false,
  ),
  network('dogecoin-testnet', 'Dogecoin testnet', 'bb0a78264637406b6360aad926284d54', DOGECOIN, {
    pubKeyHash: 0x71,
    scriptHash: 0xc4,
  }),
  network(
    'bitcoin-cash',
    'Bitcoin Cash',
    '000000000000000000651ef99cb9fcbe',
    BITCOIN_CASH,
    { cashaddr: 'bitcoincash' },
    false,
  ),
  network(
    'bitcoin-cash-testnet4',
    'Bitcoin Cash testnet4',
    '000000001dd410c49a788668ce267517',
    BITCOIN_CASH,
    { cashaddr: 'bchtest' },
  ),
  network(
    'bitcoin-cash-chipnet',
    'Bitcoin Cash chipnet',
    '00000000040ba9641ba98a37b2e5ceea',
    BITCOIN_CASH,
    { cashaddr: 'bchtest' },
  ),
]
