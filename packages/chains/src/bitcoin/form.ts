/**
 * What differs between the kinds of address that a wallet can have: how its coins are known, what a
 * signature covers, and where it stands. Everything else is shared.
 */
import type { Scheme } from '@quorate/api'
import type { AddressVerifier, KeyRef, SignItem } from '../adapter.ts'
import type { BitcoinRules, FormName } from './networks.ts'
import type { Field } from './psbt-fields.ts'
import type { PsbtMap } from './psbt-maps.ts'
import type { RawOutput, Unlocking } from './raw-transaction.ts'
import type { Preimages } from './sighash.ts'

/** A coin of the wallet, and how it is spent. A signature is the 64 bytes that an item asks for. */
export type OwnCoin = {
  readonly form: FormName
  /** Whether a script that is not known here could spend it too. */
  readonly hasScripts: boolean
  /** Bytes of the item's message, at most, of a transaction of `stripped` bytes without what unlocks it. */
  messageBytes(stripped: number): number
  /** What is to be signed as input `i`; `coins` are what all inputs spend. */
  item(i: number, preimages: Preimages, coins: readonly RawOutput[]): SignItem
  /** Why `signature` is none for `item`, in words; `undefined` if it is. */
  flawOf(item: SignItem, signature: Uint8Array): string | undefined
  /** The PSBT fields by which other programs know how to spend it, besides the coin itself. */
  readonly known: PsbtMap
  /** The PSBT fields that carry `signature`, and those of `known` that a finisher needs. */
  fields(signature: Uint8Array): PsbtMap
  unlock(signature: Uint8Array): Unlocking
  /**
   * The signature in an input's fields that are not final; `undefined` if there is none, and no bytes
   * if it is not written exactly as by `fields`.
   */
  readFields(map: PsbtMap): Uint8Array | undefined
  /** The same for what unlocks an input. */
  readUnlocking(unlocking: Unlocking): Uint8Array | undefined
  /** What unlocks it takes up, exactly or at most. */
  readonly longest: Unlocking
}

export type FormScript = { readonly form: FormName; readonly script: Uint8Array }

/** One wallet as a payer. */
export type Spender = {
  /** The output scripts of its addresses, the usual one first. Change is what goes exactly to one of them. */
  readonly scripts: readonly [FormScript, ...FormScript[]]
  /** Fields of an own input that its signature covers or that `own` checks; all others are hints. */
  readonly covered: readonly Field[]
  /** Whether one signature commits to the amounts and scripts of all inputs, also those of others. */
  readonly commitsToAllCoins: boolean
  /** Whether `longest` is what it will be; else it is the most. */
  readonly isSizeExact: boolean
  /**
   * The coin of `script` that input `i` spends; `undefined` if it is not the wallet's.
   * @throws chains/key-mismatch, chains/script-path, chains/sighash-type, chains/already-signed,
   *   chains/missing-previous-transaction
   */
  own(map: PsbtMap, script: Uint8Array, i: number): OwnCoin | undefined
}

/** What all wallets of one signature scheme have in common. */
export type WalletKind = {
  readonly scheme: Scheme
  readonly suites: readonly [string, ...string[]]
  /** @throws chains/wrong-scheme, chains/bad-key */
  spender(key: KeyRef, rules: BitcoinRules): Spender
  /** How the wallet signs `message` with the key of its addresses. @throws those of `spender` */
  addressItem(key: KeyRef, message: Uint8Array, rules: BitcoinRules): SignItem
  /** The key in an address, given as its script. @throws chains/no-key-in-address */
  addressKey(script: Uint8Array): Uint8Array
  /** `undefined` for an address that wallets of this kind do not have. */
  addressVerifier(script: Uint8Array, rules: BitcoinRules): AddressVerifier | undefined
  /** Never throws. */
  verifySignature(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}
