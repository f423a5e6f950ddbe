/** Integers as byte strings of a fixed length, most significant byte first; one form for each value. */
import { Fault } from '@quorate/base'
import { fromBytesBe } from '../field.ts'

/** `value` in exactly `length` bytes. @throws math/out-of-range where it is negative or too large */
export function toUnsignedBytes(value: bigint, length: number): Uint8Array {
  if (value < 0n || value >> BigInt(8 * length) !== 0n) throw new Fault('math/out-of-range')
  return write(value, length)
}

/** `value` as two's complement in exactly `length` bytes. @throws math/out-of-range */
export function toSignedBytes(value: bigint, length: number): Uint8Array {
  const bits = BigInt(8 * length)
  if (BigInt.asIntN(8 * length, value) !== value) throw new Fault('math/out-of-range')
  return write(value < 0n ? value + (1n << bits) : value, length)
}

/** The number that `toSignedBytes` wrote. */
export const fromSignedBytes = (bytes: Uint8Array): bigint =>
  BigInt.asIntN(8 * bytes.length, fromBytesBe(bytes))

function write(value: bigint, length: number): Uint8Array {
  const out = new Uint8Array(length)
  const digits = value.toString(16).padStart(2 * length, '0')
  for (let i = 0; i < length; i++) out[i] = (digit(digits, 2 * i) << 4) | digit(digits, 2 * i + 1)
  return out
}

/** The value of the hexadecimal digit at `at`: 48 is the code of 0, 97 that of a. */
function digit(digits: string, at: number): number {
  const code = digits.charCodeAt(at)
  return code < 97 ? code - 48 : code - 87
}
