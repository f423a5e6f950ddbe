/** Requests that tests make. */
import type { RequestBody } from '@quorate/api'
import { concatBytes, newId } from '@quorate/base'
import { systemRandom } from '@quorate/platform'
import { chooseTemplate } from '@quorate/policy'
import type { WalletRow } from '../channel/calls.ts'
import { decodeWallet } from '../wallet-record.ts'
import type { Client, TestCluster } from './cluster.ts'

const SUITES = {
  'bitcoin-testnet4': 'FROST-secp256k1-SHA256-TR-v1',
  'solana-devnet': 'FROST-ED25519-SHA512-v1',
} as const

export function walletBody(
  cluster: TestCluster,
  client: Client,
  network: keyof typeof SUITES,
  o: { label?: string; threshold?: number } = {},
): RequestBody {
  const now = cluster.time.now()
  return {
    kind: 'createWallet',
    value: {
      v: 1,
      requestId: newId('req', now, systemRandom),
      project: client.project,
      label: o.label ?? `wallet-${systemRandom.bytes(4).join('')}`,
      protocol: 'frost',
      suite: SUITES[network],
      network,
      threshold: o.threshold ?? 2,
      parties: cluster.nodes.length,
      policy: chooseTemplate('testnet-open', {}),
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

export function solanaIntent(
  cluster: TestCluster,
  client: Client,
  row: WalletRow,
  lamports = 1_000n,
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
      network: 'solana-devnet',
      unsigned: solanaTransfer(key.groupKey, lamports),
      context: new Uint8Array(),
      path: [],
      policyHash,
      createdAt: now,
      expiresAt: now + 60_000,
    },
  }
}
