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

export type TxView = {
  /** Slug, e.g. `bitcoin-testnet4`. */
  readonly network: string
  readonly caip2: string
  readonly kind: TxKind
  readonly from: readonly string[]
  readonly outputs: readonly TxOutput[]
  readonly fee: TxFee | undefined
  /** Whether everything in it is understood. */
  readonly isComplete: boolean
  /** Plain-words lines, e.g. `spends 2 coins`. */
  readonly notes: readonly string[]
  readonly warnings: readonly string[]
}
