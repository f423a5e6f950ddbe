/** Bitcoin addresses, in every standard form. */
import { Fault } from '@quorate/base'
import { Address, OutScript } from '@scure/btc-signer'
import { type BitcoinNetwork, type BitcoinParams, NETWORKS } from '../networks.ts'

export type DecodedAddress = ReturnType<ReturnType<typeof Address>['decode']>

/** `text` as an address of `network`. @throws chains/bad-address, chains/wrong-network */
export function decodeAddress(network: BitcoinNetwork, text: string): DecodedAddress {
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
): DecodedAddress | undefined {
  try {
    const decoded = Address(params).decode(text)
    // Throws for a Taproot address that holds no point: nobody could ever spend from it.
    OutScript.encode(decoded)
    return decoded
  } catch {
    return undefined
  }
}
