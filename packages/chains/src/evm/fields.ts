/** The fields of Ethereum's RLP structures, each read strictly. */
import { concatBytes, Fault, type FaultCode } from '@quorate/base'
import { fromBytesBe } from '@quorate/math'
import type { Rlp } from './rlp.ts'

export const ADDRESS_BYTES = 20
export const WORD_BYTES = 32
export const MAX_UINT64: bigint = 2n ** 64n - 1n
export const MAX_UINT256: bigint = 2n ** 256n - 1n

export type AccessEntry = { readonly address: Uint8Array; readonly keys: readonly Uint8Array[] }

/** @throws the fault, chains/malformed-transaction unless told */
export function refuse(detail: string, code: FaultCode = 'chains/malformed-transaction'): never {
  throw new Fault(code, { detail })
}

/** @throws chains/malformed-transaction where it is a list */
export function string(item: Rlp, what: string): Uint8Array {
  return item instanceof Uint8Array ? item : refuse(`${what} is a list`)
}

/** @throws chains/malformed-transaction where it is none */
export function list(item: Rlp, what: string): readonly Rlp[] {
  return item instanceof Uint8Array ? refuse(`${what} is no list`) : item
}

/** A number from 0 to `max`. @throws chains/malformed-transaction, chains/not-canonical */
export function uint(item: Rlp, max: bigint, what: string): bigint {
  const bytes = string(item, what)
  if (bytes[0] === 0) refuse(`${what} has leading zeros`, 'chains/not-canonical')
  if (bytes.length > WORD_BYTES) refuse(`${what} is out of range`)
  const value = fromBytesBe(bytes)
  return value > max ? refuse(`${what} is out of range`) : value
}

/** A number of at most 32 bytes, as exactly 32. @throws chains/malformed-transaction, chains/not-canonical */
export function word(item: Rlp, what: string): Uint8Array {
  uint(item, MAX_UINT256, what)
  const bytes = string(item, what)
  return concatBytes(new Uint8Array(WORD_BYTES - bytes.length), bytes)
}

/** @throws chains/malformed-transaction for another length */
export function ofLength(item: Rlp, length: number, what: string): Uint8Array {
  const bytes = string(item, what)
  return bytes.length === length ? bytes : refuse(`${what} is not ${length} bytes long`)
}

/** `undefined` where there is none. @throws chains/malformed-transaction */
export const recipient = (item: Rlp): Uint8Array | undefined =>
  item.length === 0 && item instanceof Uint8Array
    ? undefined
    : ofLength(item, ADDRESS_BYTES, 'the recipient')

/** EIP-2930. @throws chains/malformed-transaction */
export const accessList = (item: Rlp): readonly AccessEntry[] =>
  list(item, 'the access list').map((entry) => {
    const [address, keys, ...more] = list(entry, 'an entry of the access list')
    if (address === undefined || keys === undefined || more.length > 0)
      return refuse('an entry of the access list is not an address with keys')
    return {
      address: ofLength(address, ADDRESS_BYTES, 'an address of the access list'),
      keys: list(keys, 'the keys of an access list entry').map((key) =>
        ofLength(key, WORD_BYTES, 'a key of the access list'),
      ),
    }
  })

/** r and s of 64 bytes, as RLP writes numbers. */
export const signatureFields = (signature: Uint8Array): readonly Rlp[] => [
  withoutZeros(signature.subarray(0, WORD_BYTES)),
  withoutZeros(signature.subarray(WORD_BYTES)),
]

function withoutZeros(bytes: Uint8Array): Uint8Array {
  const first = bytes.findIndex((byte) => byte !== 0)
  return first < 0 ? new Uint8Array(0) : bytes.slice(first)
}
