/**
 * A key in a device, through anything shaped like an `HsmProvider` or a `KeyManager`: the key never leaves
 * it. Messages are hashed here where the network hashes them, since devices know SHA-256 at most.
 */
import type { Scheme } from '@quorate/api'
import { Fault } from '@quorate/base'
import { digestOf, type SignItem } from '@quorate/chains'
import type { ItemKey } from './wallet-signer.ts'

export type HsmSignInput = { readonly message: Uint8Array } | { readonly digest: Uint8Array }

/** The part of an `HsmProvider` that signing takes. */
export type HsmKeys<Id extends string> = {
  find(query: { readonly id?: Id }): Promise<{
    readonly algorithm: string
    /** Ed25519: 32 bytes. secp256k1: 33 bytes, compressed. */
    readonly publicKey?: Uint8Array
  }>
  /** 64 bytes: Ed25519, or ECDSA as r ‖ s with s in the lower half. */
  sign(id: Id, input: HsmSignInput): Promise<Uint8Array>
}

type Signable = {
  readonly scheme: Scheme
  readonly input: (item: SignItem) => HsmSignInput
}

/** By the algorithm's name in `HsmProvider`. Devices have no BIP-340. */
const ALGORITHMS: ReadonlyMap<string, Signable> = new Map<string, Signable>([
  ['ed25519', { scheme: 'ed25519', input: ({ message }) => ({ message }) }],
  [
    'secp256k1',
    {
      scheme: 'ecdsa-secp256k1',
      input: (item) =>
        item.scheme === 'ecdsa-secp256k1'
          ? { digest: digestOf(item.hash, item.message) }
          : { message: item.message },
    },
  ],
])

/**
 * The part of a `KeyManager` that signing takes: a local key, a key by its address or a role, whose policy,
 * rate and audit then stand before each signature.
 */
export type ManagedKey = {
  readonly algorithm: string
  /** As in `HsmKeys`. */
  readonly publicKey: Uint8Array
  /** As in `HsmKeys`. */
  sign(input: HsmSignInput): Promise<Uint8Array>
}

/** The key of that id. @throws sdk/unsupported-key, and the provider's own faults */
export async function hsmKey<Id extends string>(provider: HsmKeys<Id>, id: Id): Promise<ItemKey> {
  const { algorithm, publicKey } = await provider.find({ id })
  if (publicKey === undefined) throw new Fault('sdk/unsupported-key')
  return managedKey({ algorithm, publicKey, sign: (input) => provider.sign(id, input) })
}

/**
 * The key that `manager` has now. After a rotation its signatures no longer verify under this one: make the
 * signer anew. @throws sdk/unsupported-key
 */
export function managedKey(manager: ManagedKey): ItemKey {
  const { algorithm, publicKey } = manager
  const kind = ALGORITHMS.get(algorithm)
  if (kind === undefined) throw new Fault('sdk/unsupported-key')
  return {
    scheme: kind.scheme,
    publicKey,
    signItem: (item) => manager.sign(kind.input(item)),
  }
}
