/**
 * What every network must be able to do, as each node does it for itself before it signs:
 *
 *   parse → view → prepare → (threshold signing) → attach → verify → serialise
 *
 * `parse` is the one gate. It refuses, with a coded fault, whatever is malformed, ambiguous or not
 * this wallet's to sign; a transaction that exists can be viewed and signed without further checks.
 * A view says nothing that the bytes to be signed do not bind, unless it is marked `isClaimed`.
 */
import type { Scheme, TxView } from '@quorate/api'
import type { Network } from './networks.ts'

/** A wallet's public key, never without the scheme it signs in. */
export type KeyRef = {
  readonly scheme: Scheme
  /** The untweaked group key: 33 bytes compressed (secp256k1) or 32 bytes (Ed25519). */
  readonly publicKey: Uint8Array
}

/** BIP-341: the signing key is the group key plus H(TapTweak, key ‖ merkleRoot)·G. */
export type TaprootTweak = {
  readonly kind: 'taproot'
  /** 32 bytes; absent for a key without scripts. */
  readonly merkleRoot?: Uint8Array
}

/** How ECDSA hashes what it signs: SHA-256 twice on Bitcoin, Keccak-256 (not SHA-3) on Ethereum. */
export type MessageHash = 'sha256d' | 'keccak256'
/** `prehash`: the message of the item is a digest that somebody else made, and is signed as it is. */
export type ItemHash = MessageHash | 'prehash'

type CommonItem = {
  /** Names the item in the map given to `attach`; unique in its transaction. */
  readonly id: string
  /** The key under which the signature must verify: the tweaked x-only key (32 bytes) for Taproot. */
  readonly publicKey: Uint8Array
  /**
   * Exactly what the signature covers: the 32-byte sighash for Taproot, the whole message for
   * Solana, and for ECDSA the preimage. Whoever signs hashes it himself and takes no digest from
   * others, because a digest of somebody's choice is a signature on something nobody has read; the
   * exception, for wallets made for it, is marked as a prehash.
   */
  readonly message: Uint8Array
}

export type SchnorrItem = CommonItem & {
  readonly scheme: 'bip340-secp256k1' | 'ed25519'
  readonly tweak?: TaprootTweak
  readonly hash?: never
}

export type EcdsaItem = CommonItem & {
  readonly scheme: 'ecdsa-secp256k1'
  readonly hash: ItemHash
  readonly tweak?: never
}

/** One signature that a transaction needs from the wallet. */
export type SignItem = SchnorrItem | EcdsaItem

export type TxFormat = 'raw' | 'psbt'

export type SerialisedTx = {
  readonly bytes: Uint8Array
  /** As explorers show it; `undefined` while signatures of others can still change it. */
  readonly txid: string | undefined
}

export type SignedTx = {
  /**
   * The signed transaction in `format`, by default the one that the network takes (`raw`).
   * @throws chains/unknown-format, chains/others-unsigned
   */
  serialise(format?: TxFormat): SerialisedTx
}

export type UnsignedTx = {
  view(): TxView
  /** At least one item, always the same ones in the same order. */
  prepare(): readonly SignItem[]
  /**
   * The transaction with this wallet's signatures: 64 bytes for each item, by id (r ‖ s, big-endian
   * and with s in the lower half of the group order, for ECDSA). Each is verified.
   * @throws chains/missing-signature, chains/bad-signature
   */
  attach(signatures: ReadonlyMap<string, Uint8Array>): SignedTx
  /**
   * Why `signed`, in any format of the network, is not this very transaction with valid signatures
   * of this wallet; empty if it is.
   */
  verify(signed: Uint8Array): readonly string[]
}

/** One of the addresses of a key, and the kind of address that it is: `p2tr`, `p2wpkh`, `p2sh-p2wpkh`, `p2pkh`. */
export type FormAddress = { readonly form: string; readonly address: string }

export type ParseRequest = {
  readonly unsigned: Uint8Array
  /** What the bytes alone do not say. Hashed into the intent, yet only claimed by whoever asks. */
  readonly context: Uint8Array
  readonly key: KeyRef
}

/** Never throws. */
export type AddressVerifier = (message: Uint8Array, signature: Uint8Array) => boolean

/** One network, for keys of one scheme. All functions are variable-time: public inputs only. */
export type ChainAdapter = {
  readonly network: Network
  /** What this network's keys sign in. */
  readonly scheme: Scheme
  /** The exact signing suites whose keys it serves: first the one that wallets are created with. */
  readonly suites: readonly [string, ...string[]]
  /** The first of `suites`. */
  readonly suite: string
  /** What `serialise` can write. */
  readonly formats: readonly TxFormat[]
  /** The address of the wallet: the first of `addresses`. @throws chains/wrong-scheme, chains/bad-key */
  address(key: KeyRef): string
  /** Every address whose coins `key` signs for, where one key has several. @throws those of `address` */
  addresses?(key: KeyRef): readonly FormAddress[]
  /** `text` in its canonical spelling. @throws chains/bad-address, chains/wrong-network */
  parseAddress(text: string): string
  /** The key that signs for `address`, read from the address alone. @throws chains/no-key-in-address and those of `parseAddress` */
  addressKey(address: string): Uint8Array
  /**
   * Tells whether a signature over the message of an `addressItem` was made with the key of
   * `address`, by the address alone; `undefined` where wallets of this adapter have no such address.
   * @throws those of `parseAddress`
   */
  addressVerifier(address: string): AddressVerifier | undefined
  /** How the wallet signs `message` with the key of its own address. */
  addressItem(key: KeyRef, message: Uint8Array): SignItem
  /** Whether `signature` is one of `publicKey` over `message`, by the rules of this network. Never throws. */
  verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  /** The transaction, fit to be viewed and signed by `key`. Re-serialising it gives the same bytes. @throws chains/… */
  parse(request: ParseRequest): UnsignedTx
}
