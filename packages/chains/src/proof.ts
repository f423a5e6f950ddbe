/**
 * An address is handed out only after the wallet has signed with the key that the *address* names.
 * A key of the wrong scheme, a missing or doubled tweak, or a wrong encoding then shows before any
 * money is sent to a place that nobody can spend from.
 */
import { encodeCbor, Fault, TAGS, taggedHash } from '@quorate/base'
import type { KeyRef, SignItem } from './adapter.ts'
import { adapterForKey, adaptersOf } from './registry.ts'

export type AddressProof = { readonly address: string; readonly item: SignItem }

/**
 * The wallet's address and what it must sign before the address may be shown: the 32-byte hash
 * H(tag ‖ [CAIP-2, address]), framed as the network frames texts that are no transactions. That is
 * neither a Taproot sighash nor a Solana message, a BIP-143 preimage or an Ethereum transaction.
 * @throws chains/unknown-network, chains/wrong-scheme, chains/bad-key
 */
export function addressProof(network: string, key: KeyRef): AddressProof {
  const adapter = adapterForKey(network, key)
  const address = adapter.address(key)
  const message = taggedHash(TAGS.addressProof, encodeCbor([adapter.network.caip2, address]))
  return { address, item: adapter.addressItem(key, message) }
}

/**
 * Returns if `signature` over `message`, the message of the item above, verifies by what `address`
 * itself says of its key. Variable-time: public inputs only.
 * @throws chains/address-unproven if not; chains/bad-address, chains/no-key-in-address
 */
export function proveAddress(
  network: string,
  address: string,
  message: Uint8Array,
  signature: Uint8Array,
): void {
  for (const adapter of adaptersOf(network)) {
    const verifies = adapter.addressVerifier(address)
    if (verifies === undefined) continue
    if (!verifies(message, signature)) throw new Fault('chains/address-unproven')
    return
  }
  throw new Fault('chains/no-key-in-address')
}
