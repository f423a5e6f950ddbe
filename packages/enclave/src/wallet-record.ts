/**
 * Wallet record v1: everything public about one generation of a wallet, as each node stores it and
 * as all nodes agree on it. The secret share stands apart, sealed, in a `KeyShare`.
 */
import {
  bool,
  bytes,
  type Codec,
  decode,
  decodeCbor,
  encode,
  Fault,
  field,
  int,
  oneOf,
  record,
  TAGS,
  taggedHash,
  text,
} from '@quorate/base'
import { keyDigest, parseEcdsaKey, type WalletKey, walletKeyCodec } from '@quorate/threshold'

const MAX_WALLET_BYTES = 1 << 20
const VERSION = 1

export type WalletRecord = {
  readonly v: typeof VERSION
  /** Wallet id, generation, suite, threshold, parties, untweaked group key, verifying shares, certificate. */
  readonly key: WalletKey
  /** The session that made this generation. */
  readonly sid: Uint8Array
  readonly project: string
  readonly label: string
  readonly environment: 'development' | 'staging' | 'production'
  /** Slug of the network that the wallet was made for. */
  readonly network: string
  readonly policyTemplate: string
  /** Canonical policy; its hash is `policyHash`. */
  readonly policy: Uint8Array
  readonly policyHash: Uint8Array
  /** Whether digests without their transaction may be signed. */
  readonly blind: boolean
  readonly unsafeThreshold: boolean
  readonly createdAt: number
}

const walletRecordV1: Codec<WalletRecord> = record({
  v: field(1, oneOf(VERSION)),
  key: field(2, walletKeyCodec),
  sid: field(3, bytes(32)),
  project: field(4, text(64)),
  label: field(5, text(64)),
  environment: field(6, oneOf('development', 'staging', 'production')),
  network: field(7, text(64)),
  policyTemplate: field(8, text(64)),
  policy: field(9, bytes({ max: 1 << 18 })),
  policyHash: field(10, bytes(32)),
  blind: field(11, bool),
  unsafeThreshold: field(12, bool),
  createdAt: field(13, int()),
})

export const encodeWallet = (wallet: WalletRecord): Uint8Array => encode(walletRecordV1, wallet)

/** @throws base/unknown-version for one that a newer program wrote; base/malformed, base/not-canonical, base/too-large */
export function decodeWallet(encoded: Uint8Array): WalletRecord {
  const limits = { maxBytes: MAX_WALLET_BYTES }
  const outer = decodeCbor(encoded, limits)
  const version = outer instanceof Map ? (outer as ReadonlyMap<number, unknown>).get(1) : undefined
  if (typeof version === 'number' && version > VERSION) throw new Fault('base/unknown-version')
  return decode(walletRecordV1, encoded, limits)
}

/**
 * What the receipts of a key generation or refresh confirm. FROST: the group key, because a certificate
 * covers the rest. CGGMP24: 32 bytes over the key, its sharing, chain code and rid, and the auxiliary
 * information. @throws threshold/inconsistent-share for a record that does not hold together
 */
export function confirmedBy(key: WalletKey): Uint8Array {
  if (key.protocol === 'frost') return key.groupKey
  return taggedHash(TAGS.walletGeneration, keyDigest(parseEcdsaKey(key)), key.aux!)
}
