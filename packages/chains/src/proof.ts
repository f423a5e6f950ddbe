/**
 * An address is handed out only after the wallet has signed with the key that the *address* names.
 * A key of the wrong scheme, a missing or doubled tweak, or a wrong encoding then shows before any
 * money is sent to a place that nobody can spend from.
 */
import { encodeCbor, Fault, TAGS, taggedHash } from '@quorate/base'
import type { KeyRef, SignItem } from './adapter.ts'
import { findAdapter } from './registry.ts'

export type AddressProof = { readonly address: string; readonly item: SignItem }

/**
 * The wallet's address and what it must sign before the address may be shown. The message is the
 * 32-byte hash H(tag ‖ [CAIP-2, address]): neither a Taproot sighash nor a Solana message.
 * @throws chains/unknown-network, chains/wrong-scheme, chains/bad-key
 */
export function addressProof(network: string, key: KeyRef): AddressProof {
  const adapter = findAdapter(network)
  const address = adapter.address(key)
  const message = taggedHash(TAGS.addressProof, encodeCbor([adapter.network.caip2, address]))
  return { address, item: adapter.addressItem(key, message) }
}

/**
 * Returns if `signature` over `message` verifies under the key decoded from `address` itself.
 * Variable-time: public inputs only.
 * @throws chains/address-unproven if not; chains/bad-address, chains/no-key-in-address
 */
export function proveAddress(
  network: string,
  address: string,
  message: Uint8Array,
  signature: Uint8Array,
): void {
  const adapter = findAdapter(network)
  if (!adapter.verifySignature(adapter.addressKey(address), message, signature))
    throw new Fault('chains/address-unproven')
}
