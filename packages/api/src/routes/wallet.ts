/** Wallets as the API shows them. */
import { Type } from '@sinclair/typebox'
import { PROTOCOLS, type Protocol } from '../protocol.ts'
import type { Scheme } from '../view.ts'
import {
  countSchema,
  enumSchema,
  hexSchema,
  idSchema,
  named,
  type Schema,
  slugSchema,
  timeSchema,
} from './schema.ts'

export type Environment = 'development' | 'staging' | 'production'

export const environmentSchema: Schema<Environment> = enumSchema(
  'development',
  'staging',
  'production',
)

export type WalletJson = {
  readonly id: string
  readonly project: string
  readonly label: string
  readonly protocol: Protocol
  readonly suite: string
  readonly scheme: Scheme
  readonly network: string
  readonly caip2: string
  /** Number of signers needed. */
  readonly threshold: number
  /** threshold − 1: how many parties may be corrupt without a signature being forged. */
  readonly corruptionBound: number
  readonly parties: number
  readonly unsafeThreshold: boolean
  /** Whether it may sign digests, which nobody can read. */
  readonly blind: boolean
  readonly generation: number
  /** The key that the parties share, before any tweak; hex. */
  readonly groupKey: string
  /** The key that signatures verify under, e.g. the tweaked x-only key of a Taproot output; hex. */
  readonly publicKey: string
  /** On `network`. */
  readonly address: string
  /**
   * By slug of the network, for every network that the wallet can sign on: that of `address` first.
   * The wallet has signed with the key of `address`; the others are of the same key.
   */
  readonly addresses: { readonly [network: string]: string }
  /** Where keys can be derived from the wallet's (BIP-32): 32 bytes, hex. */
  readonly chainCode?: string
  readonly policyHash: string
  readonly environment: Environment
  readonly createdAt: string
}

export const walletSchema: Schema<WalletJson> = named<WalletJson>(
  'Wallet',
  Type.Object({
    id: idSchema('wal'),
    project: idSchema('prj'),
    label: Type.String(),
    protocol: enumSchema(...PROTOCOLS),
    suite: Type.String(),
    scheme: enumSchema('ed25519', 'bip340-secp256k1', 'ecdsa-secp256k1'),
    network: slugSchema,
    caip2: Type.String(),
    threshold: countSchema,
    corruptionBound: countSchema,
    parties: countSchema,
    unsafeThreshold: Type.Boolean(),
    blind: Type.Boolean(),
    generation: countSchema,
    groupKey: hexSchema({ max: 64 }),
    publicKey: hexSchema({ max: 64 }),
    address: Type.String(),
    addresses: Type.Record(slugSchema, Type.String()),
    chainCode: Type.Optional(hexSchema(32)),
    policyHash: hexSchema(32),
    environment: environmentSchema,
    createdAt: timeSchema,
  }),
)
