/** Values of CGGMP24 as CBOR byte strings of the one length that their type and level fix. */
import { bytes, type Codec, Fault, mapped } from '@quorate/base'
import {
  type Element,
  fromBytesBe,
  fromSignedBytes,
  secp256k1,
  toSignedBytes,
  toUnsignedBytes,
} from '@quorate/math'
import type { Level } from './level.ts'

/** Bytes of a residue modulo N or N̂, and modulo N². */
export const modulusLength = ({ maxModulusBits }: Level): number => maxModulusBits / 8
export const squareLength = ({ maxModulusBits }: Level): number => maxModulusBits / 4

/** A non-negative integer below 2^(8·length). */
export const unsigned = (length: number): Codec<bigint> =>
  mapped(bytes(length), fromBytesBe, (value) => toUnsignedBytes(value, length))

/** An integer with |z| ≤ 2ᵇⁱᵗˢ, as two's complement of the shortest whole number of bytes. */
export const signed = (bits: number): Codec<bigint> => {
  const length = Math.ceil((bits + 2) / 8) // a sign, and one bit more for +2ᵇⁱᵗˢ itself
  return mapped(bytes(length), fromSignedBytes, (value) => toSignedBytes(value, length))
}

/** `count` values of one codec-like form, packed into one byte string without lengths between them. */
export const packed = (
  count: number,
  length: number,
  form: 'signed' | 'unsigned',
): Codec<readonly bigint[]> => {
  const read = form === 'signed' ? fromSignedBytes : fromBytesBe
  const write = form === 'signed' ? toSignedBytes : toUnsignedBytes
  return mapped(
    bytes(count * length),
    (all) =>
      Array.from({ length: count }, (_, i) => read(all.subarray(i * length, (i + 1) * length))),
    (values) => {
      if (values.length !== count)
        throw new Fault('base/malformed', { detail: 'a list of another length' })
      const all = new Uint8Array(count * length)
      for (const [i, value] of values.entries()) all.set(write(value, length), i * length)
      return all
    },
  )
}

/** `count` bits, most significant first; unused bits are zero. */
export const packedBits = (count: number): Codec<readonly boolean[]> =>
  mapped(
    bytes(Math.ceil(count / 8)),
    (all) => {
      const bits = [...all].flatMap((byte) =>
        Array.from({ length: 8 }, (_, i) => ((byte >> (7 - i)) & 1) === 1),
      )
      if (bits.slice(count).includes(true))
        throw new Fault('base/malformed', { detail: 'a bit that must be zero' })
      return bits.slice(0, count)
    },
    (bits) => {
      if (bits.length !== count)
        throw new Fault('base/malformed', { detail: 'a list of another length' })
      const all = new Uint8Array(Math.ceil(count / 8))
      for (const [i, bit] of bits.entries()) if (bit) all[i >> 3] = all[i >> 3]! | (128 >> (i & 7))
      return all
    },
  )

/** A point of secp256k1, compressed; never the identity. */
export const point: Codec<Element> = mapped(
  bytes(33),
  (encoded) => secp256k1.decode(encoded),
  (element) => secp256k1.encode(element),
)

/** `count` points in one byte string. */
export const points = (count: number): Codec<readonly Element[]> =>
  mapped(
    bytes(33 * count),
    (all) =>
      Array.from({ length: count }, (_, i) => secp256k1.decode(all.subarray(33 * i, 33 * i + 33))),
    (elements) => {
      if (elements.length !== count)
        throw new Fault('base/malformed', { detail: 'a list of another length' })
      const all = new Uint8Array(33 * count)
      for (const [i, element] of elements.entries()) all.set(secp256k1.encode(element), 33 * i)
      return all
    },
  )

/** A scalar of secp256k1, 32 bytes, 0..q−1. */
export const scalar: Codec<bigint> = mapped(
  bytes(32),
  (encoded) => secp256k1.decodeScalar(encoded),
  (value) => secp256k1.encodeScalar(value),
)
