/**
 * A decoded transaction in the words of the one who pays: what a chain adapter reads out of the
 * unsigned bytes, what policy decides on, and what people are shown. Nothing here is hashed:
 * every node makes its own view from the bytes of the intent.
 */

export type Scheme = 'ed25519' | 'bip340-secp256k1' | 'ecdsa-secp256k1'

/** One party of a movement of value. */
export type TxOutput = {
  /** Address in the network's canonical spelling. */
  readonly to: string
  /** `BTC`, `SOL` or a CAIP-19 id. */
  readonly asset: string
  /** In the smallest unit of the asset. */
  readonly amount: bigint
  /** Whether it returns to the wallet that pays, as the adapter proved from the wallet's own keys. */
  readonly isChange: boolean
  /** Whether a value comes from context that the signed bytes do not bind; limits may not use it. */
  readonly isClaimed: boolean
}

/** `message`: a text that is signed and is no transaction; `opaque`: whatever nobody can tell. */
export const TX_KINDS = ['transfer', 'token', 'call', 'batch', 'message', 'opaque'] as const
export type TxKind = (typeof TX_KINDS)[number]

export type TxFee = {
  readonly asset: string
  readonly amount: bigint
  readonly isClaimed: boolean
}

/** One call of a contract or program that is made with the wallet's rights, wherever in a batch it stands. */
export type TxCall = {
  /** Address of the contract or program. */
  readonly contract: string
  /** The first 4 bytes of the call's data as `0x` and 8 hex digits; fewer where it has fewer, `0x` without data. */
  readonly selector: string
}

/** A right over the wallet's money that somebody gets for later. */
export type TxAllowance = {
  readonly spender: string
  readonly asset: string
  /** In the smallest unit; 2^256 − 1 for a right over everything. */
  readonly amount: bigint
  /** Whether the signed bytes leave open what the amount is of. */
  readonly isClaimed: boolean
}

export type TxView = {
  /** Slug, e.g. `bitcoin-testnet4`. */
  readonly network: string
  readonly caip2: string
  readonly kind: TxKind
  readonly from: readonly string[]
  readonly outputs: readonly TxOutput[]
  readonly fee: TxFee | undefined
  /** All calls that can be read; what a contract then does is its own affair. Absent: not known. */
  readonly calls?: readonly TxCall[] | undefined
  /** All rights for later. Absent: not known. */
  readonly allowances?: readonly TxAllowance[] | undefined
  /** Whether everything in it is understood. */
  readonly isComplete: boolean
  /** Plain-words lines, e.g. `spends 2 coins`. */
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}
