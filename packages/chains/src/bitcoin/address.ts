/** Bitcoin addresses: Taproot for our own keys (BIP-86), every standard form for those of others. */

import { secp256k1 } from '@noble/curves/secp256k1.js'
import { Fault } from '@quorate/base'
import { Address, OutScript } from '@scure/btc-signer'
import type { KeyRef } from '../adapter.ts'
import { guarded } from '../encoding/guard.ts'
import { type BitcoinNetwork, type BitcoinParams, NETWORKS } from '../networks.ts'
import { tweakedKey } from './script.ts'

type Decoded = ReturnType<ReturnType<typeof Address>['decode']>

/** A wallet's key, checked and tweaked once. */
export type TaprootKey = {
  /** The untweaked key, x-only, 32 bytes. */
  readonly internalKey: Uint8Array
  /** The key of the plain address, without scripts: x-only, 32 bytes. */
  readonly outputKey: Uint8Array
}

/** @throws chains/wrong-scheme, chains/bad-key */
export function taprootKey({ scheme, publicKey }: KeyRef): TaprootKey {
  if (scheme !== 'bip340-secp256k1') throw new Fault('chains/wrong-scheme')
  if (publicKey.length !== 33)
    throw new Fault('chains/bad-key', { detail: 'expected 33 compressed bytes' })
  guarded('chains/bad-key', 'not a point of secp256k1', () => secp256k1.Point.fromBytes(publicKey))
  const internalKey = publicKey.slice(1)
  return { internalKey, outputKey: tweakedKey(internalKey) }
}

/** The address of the key without scripts: bc1p…, tb1p…, bcrt1p… */
export const taprootAddress = (network: BitcoinNetwork, { outputKey }: TaprootKey): string =>
  Address(network.params).encode({ type: 'tr', pubkey: outputKey })

/** `text` as an address of `network`. @throws chains/bad-address, chains/wrong-network */
export function decodeAddress(network: BitcoinNetwork, text: string): Decoded {
  const decoded = decodeWith(network, text)
  if (decoded !== undefined) return decoded
  const home = NETWORKS.find(
    (each) => each.adapter === 'bitcoin' && decodeWith(each, text) !== undefined,
  )
  if (home === undefined) throw new Fault('chains/bad-address')
  throw new Fault('chains/wrong-network', {
    detail: `it is an address of ${home.slug}, not of ${network.slug}`,
  })
}

function decodeWith(
  { params }: { readonly params: BitcoinParams },
  text: string,
): Decoded | undefined {
  try {
    const decoded = Address(params).decode(text)
    // Throws for a Taproot address that holds no point: nobody could ever spend from it.
    OutScript.encode(decoded)
    return decoded
  } catch {
    return undefined
  }
}
