/**
 * What differs between the kinds of address that a wallet can have on Bitcoin: how coins are known
 * to be the wallet's, what a signature covers, and where it stands. Everything else is shared.
 */
import type { Scheme } from '@quorate/api'
import type { SigHash, Transaction } from '@scure/btc-signer'
import type { TransactionInput, TransactionInputUpdate } from '@scure/btc-signer/psbt.js'
import type { AddressVerifier, KeyRef, SignItem } from '../adapter.ts'
import type { DecodedAddress } from './address.ts'

export type SignatureType = typeof SigHash.DEFAULT | typeof SigHash.ALL

/** How the wallet signs for a coin of its own. */
export type OwnCoin = {
  /** Under which the signature verifies: the x-only output key (32 bytes) or the compressed key (33 bytes). */
  readonly publicKey: Uint8Array
  /** Taproot only: of the scripts that could spend it, too. */
  readonly merkleRoot: Uint8Array | undefined
  readonly type: SignatureType
}

/** What is spent, by input; `own` is absent for a coin of somebody else. */
export type SpentCoin = {
  readonly script: Uint8Array
  readonly amount: bigint
  readonly own: OwnCoin | undefined
}

/** One wallet as a payer. */
export type Spender = {
  /** The output script of the wallet's plain address. Change is what goes exactly there. */
  readonly script: Uint8Array
  /** Fields of an own input that its signature covers or that `own` checks; all others are hints. */
  readonly covered: readonly string[]
  /** Whether one signature commits to the amounts and scripts of all inputs, also those of others. */
  readonly commitsToAllCoins: boolean
  /** Whether `witnessBytes` is what it will be; else it is the most. */
  readonly isSizeExact: boolean
  /**
   * How the wallet signs for input `i`, which spends a coin of `script`; `undefined` if it does not.
   * @throws chains/key-mismatch, chains/script-path, chains/sighash-type, chains/already-signed,
   *   chains/missing-utxo, chains/missing-previous-transaction
   */
  own(input: TransactionInput, script: Uint8Array, i: number): OwnCoin | undefined
  /** What is to be signed for each own coin, by input. `coins` are all inputs of `tx`. */
  items(tx: Transaction, coins: readonly SpentCoin[]): ReadonlyMap<number, SignItem>
  /** What the witness of an own coin takes up once signed. */
  witnessBytes(own: OwnCoin): number
  /** Why `signature` (64 bytes) is none for `item`, in words; `undefined` if it is. */
  flawOf(item: SignItem, signature: Uint8Array): string | undefined
  /** The PSBT fields that carry `signature` (64 bytes). */
  place(own: OwnCoin, signature: Uint8Array): TransactionInputUpdate
  /**
   * The 64 bytes of the signature in an input, final or not; `undefined` if there is none, and no
   * bytes if it is not written exactly as `place` and finalising write it.
   */
  read(own: OwnCoin, input: TransactionInput): Uint8Array | undefined
}

export type AddressForm = {
  readonly scheme: Scheme
  readonly suites: readonly [string, ...string[]]
  /** @throws chains/wrong-scheme, chains/bad-key */
  spender(key: KeyRef): Spender
  /** How the wallet signs `message` with the key of its plain address. @throws those of `spender` */
  addressItem(key: KeyRef, message: Uint8Array): SignItem
  /** The key in an address of this form. @throws chains/no-key-in-address */
  addressKey(address: DecodedAddress): Uint8Array
  /** `undefined` for an address of another form. */
  addressVerifier(address: DecodedAddress): AddressVerifier | undefined
  /** Never throws. */
  verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}
