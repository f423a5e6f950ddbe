/**
 * One port over every place where a wallet's key can be: what an application signs with, whether the
 * key is its own, in a device, or shared among the nodes of a cluster. A signer is given documents,
 * never hashes: it reads what it signs, by the rules of its network, and verifies what it returns.
 */
import type { Scheme } from '@quorate/api'
import { Fault } from '@quorate/base'
import {
  type ChainAdapter,
  findAdapter,
  type KeyRef,
  type SerialisedTx,
  type SignItem,
  suitesOf,
  type TxFormat,
} from '@quorate/chains'

export type SignOptions = {
  /** What the document does not say, in the form of the network's adapter. */
  readonly context?: Uint8Array
  /** `raw` unless given. */
  readonly format?: TxFormat
}

export type WalletSigner = {
  readonly scheme: Scheme
  /** Slug; a signer signs for one network. */
  readonly network: string
  /** 33 bytes compressed (secp256k1) or 32 bytes (Ed25519). */
  readonly publicKey: Uint8Array
  readonly address: string
  /**
   * The document in `unsigned`, a transaction, a message or typed data as the network's adapter takes
   * it, with the signatures of this wallet. @throws chains/…, and what its source refuses it with
   */
  sign(unsigned: Uint8Array, options?: SignOptions): Promise<SerialisedTx>
}

/** A key that signs the items of a document, which are whole messages. */
export type ItemKey = KeyRef & {
  /** 64 bytes. */
  signItem(item: SignItem): Promise<Uint8Array>
}

export const NO_CONTEXT: Uint8Array = new Uint8Array(0)

/** The adapter of the network for keys of `scheme`. @throws chains/unknown-network, sdk/unsupported-key */
export function adapterOf(network: string, scheme: Scheme): ChainAdapter {
  const found = suitesOf(network)
    .map((suite) => findAdapter(network, suite))
    .find((adapter) => adapter.scheme === scheme)
  if (found === undefined) throw new Fault('sdk/unsupported-key', { detail: scheme })
  return found
}

/**
 * A signer over one key. There is no policy and no quorum behind it: whoever holds the key decides.
 * @throws chains/unknown-network, chains/bad-key, sdk/unsupported-key
 */
export function keySigner(network: string, key: ItemKey): WalletSigner {
  const { scheme, publicKey } = key
  const adapter = adapterOf(network, scheme)
  return {
    scheme,
    network: adapter.network.slug,
    publicKey,
    address: adapter.address({ scheme, publicKey }),
    async sign(unsigned, { context = NO_CONTEXT, format } = {}) {
      const tx = adapter.parse({ unsigned, context, key: { scheme, publicKey } })
      const signatures = new Map<string, Uint8Array>()
      for (const item of tx.prepare()) signatures.set(item.id, await key.signItem(item))
      return tx.attach(signatures).serialise(format)
    },
  }
}
