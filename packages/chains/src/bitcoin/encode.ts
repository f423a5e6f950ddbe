/** The small encodings of Bitcoin's formats: little-endian integers, compact sizes, prefixed bytes. */
import { concatBytes } from '@quorate/base'

/** The low `length` bytes of `value`, which may be negative. */
export function littleEndian(value: number | bigint, length: number): Uint8Array {
  const out = new Uint8Array(length)
  let rest = BigInt(value)
  for (let i = 0; i < length; i++) {
    out[i] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return out
}

/** `size` (below 2^32) in its shortest form. */
export function compactSize(size: number): Uint8Array {
  if (size < 0xfd) return Uint8Array.of(size)
  return size < 0x10000
    ? concatBytes(Uint8Array.of(0xfd), littleEndian(size, 2))
    : concatBytes(Uint8Array.of(0xfe), littleEndian(size, 4))
}

/** `bytes` after their length. */
export const sized = (bytes: Uint8Array): Uint8Array =>
  concatBytes(compactSize(bytes.length), bytes)

/** The script that pushes `bytes`, at most 75 of them. */
export const pushOf = (bytes: Uint8Array): Uint8Array =>
  concatBytes(Uint8Array.of(bytes.length), bytes)
