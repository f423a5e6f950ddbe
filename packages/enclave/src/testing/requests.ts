/** Requests that tests make. */
import { createHash } from 'node:crypto'
import { type PolicyChoice, protocolOfSuite, type RequestBody } from '@quorate/api'
import { concatBytes, fromHex, newId, parseId } from '@quorate/base'
import { systemRandom } from '@quorate/platform'
import { chooseTemplate } from '@quorate/policy'
import type { WalletRow } from '../channel/rows.ts'
import { decodeWallet } from '../wallet-record.ts'
import type { Client, TestCluster } from './cluster.ts'

const SUITES = {
  'bitcoin-testnet4': 'FROST-secp256k1-SHA256-TR-v1',
  'solana-devnet': 'FROST-ED25519-SHA512-v1',
  'ethereum-sepolia': 'CGGMP24-secp256k1-SHA256-112-v1',
} as const
export type TestNetwork = keyof typeof SUITES
/** The suite of tests: as that of 128 bits, and quicker. */
export const QUICK_ECDSA = 'CGGMP24-secp256k1-SHA256-112-v1'

export function walletBody(
  cluster: TestCluster,
  client: Client,
  network: TestNetwork,
  o: { label?: string; threshold?: number; suite?: string; policy?: PolicyChoice } = {},
): RequestBody {
  const now = cluster.time.now()
  const suite = o.suite ?? SUITES[network]
  return {
    kind: 'createWallet',
    value: {
      v: 1,
      requestId: newId('req', now, systemRandom),
      project: client.project,
      label: o.label ?? `wallet-${systemRandom.bytes(4).join('')}`,
      protocol: protocolOfSuite(suite),
      suite,
      network,
      threshold: o.threshold ?? 2,
      parties: cluster.nodes.length,
      policy: o.policy ?? chooseTemplate('testnet-open', {}),
      unsafeThreshold: false,
      createdAt: now,
      expiresAt: now + 60_000,
    },
  }
}

/** An unsigned v0 message with one transfer of `lamports`, by our own hand: header, keys, blockhash, instruction. */
export function solanaTransfer(from: Uint8Array, lamports: bigint): Uint8Array {
  const amount = new Uint8Array(12)
  new DataView(amount.buffer).setUint32(0, 2, true)
  new DataView(amount.buffer).setBigUint64(4, lamports, true)
  return concatBytes(
    Uint8Array.of(0x80, 1, 0, 1, 3),
    from,
    new Uint8Array(32).fill(7),
    new Uint8Array(32),
    new Uint8Array(32).fill(9),
    Uint8Array.of(1, 2, 2, 0, 1, 12),
    amount,
    Uint8Array.of(0),
  )
}

/** RLP of a list of byte strings and lists, each string and list shorter than 56 bytes but for the outermost. */
function rlp(item: Uint8Array | readonly (Uint8Array | readonly never[])[]): Uint8Array {
  if (item instanceof Uint8Array)
    return item.length === 1 && item[0]! < 0x80
      ? item
      : concatBytes(Uint8Array.of(0x80 + item.length), item)
  const body = concatBytes(...item.map((each) => rlp(each)))
  return body.length < 56
    ? concatBytes(Uint8Array.of(0xc0 + body.length), body)
    : concatBytes(Uint8Array.of(0xf8, body.length), body)
}

/** An unsigned EIP-1559 transaction for Sepolia that sends `wei` below 2⁶⁴ to an address of sevens, by our own hand. */
export function sepoliaTransfer(wei: bigint): Uint8Array {
  const number = (value: bigint): Uint8Array => {
    const digits = value.toString(16)
    return value === 0n
      ? new Uint8Array()
      : fromHex(digits.padStart(digits.length + (digits.length % 2), '0'))
  }
  const [chainId, nonce, priorityFee, fee, gas] = [
    11_155_111n,
    0n,
    1_000_000_000n,
    30_000_000_000n,
    21_000n,
  ]
  return concatBytes(
    Uint8Array.of(2),
    rlp([
      ...[chainId, nonce, priorityFee, fee, gas].map(number),
      new Uint8Array(20).fill(7),
      number(wei),
      new Uint8Array(),
      [],
    ]),
  )
}

/**
 * A PSBT that spends `coins` outputs of 50 000 satoshi each of a compressed key's P2WPKH address, back
 * to it but for 1 000, by our own hand.
 */
export function segwitSpend(publicKey: Uint8Array, coins: number): Uint8Array {
  const hash = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
  const keyHash = createHash('ripemd160').update(hash(publicKey)).digest()
  const script = concatBytes(Uint8Array.of(0, keyHash.length), keyHash)
  const little = (value: number, bytes: number): Uint8Array =>
    Uint8Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) % 256)
  const output = (amount: number): Uint8Array =>
    concatBytes(little(amount, 8), Uint8Array.of(script.length), script)
  const transaction = (
    inputs: readonly { readonly txid: Uint8Array }[],
    amount: number,
  ): Uint8Array =>
    concatBytes(
      little(2, 4),
      Uint8Array.of(inputs.length),
      ...inputs.map(({ txid }) =>
        concatBytes(txid, little(0, 4), Uint8Array.of(0), little(0xffffffff, 4)),
      ),
      Uint8Array.of(1),
      output(amount),
      little(0, 4),
    )
  const previous = Array.from({ length: coins }, (_, i) =>
    transaction([{ txid: new Uint8Array(32).fill(i + 1) }], 50_000),
  )
  const spending = transaction(
    previous.map((each) => ({ txid: hash(hash(each)) })),
    50_000 * coins - 1_000,
  )
  const entry = (key: number, value: Uint8Array): Uint8Array =>
    concatBytes(
      Uint8Array.of(1, key),
      value.length < 253
        ? Uint8Array.of(value.length)
        : concatBytes(Uint8Array.of(253), little(value.length, 2)),
      value,
    )
  const end = Uint8Array.of(0)
  return concatBytes(
    Uint8Array.of(0x70, 0x73, 0x62, 0x74, 0xff),
    entry(0, spending),
    end,
    ...previous.map((each) => concatBytes(entry(0, each), entry(1, output(50_000)), end)),
    end,
  )
}

export type IntentOptions = {
  readonly network: string
  readonly unsigned: Uint8Array
  readonly path?: readonly number[]
  /** Of the policy in force, where it is not the one that the wallet was made with. */
  readonly policyHash?: Uint8Array
  /** How long the request lives; a minute unless told. */
  readonly lifeMs?: number
}

/** Has the wallet sign a transaction as it is now. */
export function intentOf(
  cluster: TestCluster,
  client: Client,
  row: WalletRow,
  { network, unsigned, path = [], lifeMs = 60_000, ...o }: IntentOptions,
): RequestBody {
  const now = cluster.time.now()
  const { key, policyHash } = decodeWallet(row.public)
  return {
    kind: 'sign',
    value: {
      v: 1,
      requestId: newId('req', now, systemRandom),
      project: client.project,
      wallet: key.wallet,
      generation: key.generation,
      network,
      unsigned,
      context: new Uint8Array(),
      path,
      policyHash: o.policyHash ?? policyHash,
      createdAt: now,
      expiresAt: now + lifeMs,
    },
  }
}

export function refreshBody(cluster: TestCluster, client: Client, row: WalletRow): RequestBody {
  const now = cluster.time.now()
  return {
    kind: 'refresh',
    value: {
      v: 1,
      requestId: newId('req', now, systemRandom),
      project: client.project,
      wallet: parseId('wal', row.wallet),
      generation: row.generation,
      createdAt: now,
      expiresAt: now + 60_000,
    },
  }
}

export const solanaIntent = (
  cluster: TestCluster,
  client: Client,
  row: WalletRow,
  lamports = 1_000n,
  o: Pick<IntentOptions, 'policyHash' | 'lifeMs'> = {},
): RequestBody =>
  intentOf(cluster, client, row, {
    ...o,
    network: 'solana-devnet',
    unsigned: solanaTransfer(decodeWallet(row.public).key.groupKey, lamports),
  })
