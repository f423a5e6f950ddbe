/** What a call says by its data, as far as the few calls go that are known here (ERC-20, Solidity ABI). */
import { toHex } from '@quorate/base'
import { fromBytesBe } from '@quorate/math'

export type Call =
  | { readonly kind: 'transfer'; readonly to: Uint8Array; readonly amount: bigint }
  | { readonly kind: 'approve'; readonly spender: Uint8Array; readonly amount: bigint }
  | { readonly kind: 'unknown'; readonly selector: string | undefined }

const SELECTOR_BYTES = 4
const WORD_BYTES = 32
const ADDRESS_PADDING = 12

type AddressAndAmount = (address: Uint8Array, amount: bigint) => Call

/** The first four bytes of the Keccak-256 hash of each signature. */
const KNOWN: ReadonlyMap<string, AddressAndAmount> = new Map<string, AddressAndAmount>([
  // transfer(address,uint256)
  ['a9059cbb', (to, amount) => ({ kind: 'transfer', to, amount })],
  // approve(address,uint256)
  ['095ea7b3', (spender, amount) => ({ kind: 'approve', spender, amount })],
])

/** The call in `data`, which is not empty. Only the exact encoding counts as known: nothing behind it, no dirty padding. */
export function readCall(data: Uint8Array): Call {
  const selector =
    data.length < SELECTOR_BYTES ? undefined : toHex(data.subarray(0, SELECTOR_BYTES))
  const make = selector === undefined ? undefined : KNOWN.get(selector)
  const words = data.subarray(SELECTOR_BYTES)
  if (make === undefined || words.length !== 2 * WORD_BYTES) return { kind: 'unknown', selector }
  if (words.subarray(0, ADDRESS_PADDING).some((byte) => byte !== 0))
    return { kind: 'unknown', selector }
  return make(words.slice(ADDRESS_PADDING, WORD_BYTES), fromBytesBe(words.subarray(WORD_BYTES)))
}
