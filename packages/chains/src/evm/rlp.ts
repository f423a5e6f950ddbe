/**
 * Recursive length prefix, read strictly: every item has exactly one encoding, so what is read and
 * written again is the same bytes.
 *
 *   0x00–0x7f  the byte itself           0x80 + n  string of n ≤ 55 bytes   0xb7 + k  k bytes of length, string
 *                                        0xc0 + n  list of n ≤ 55 bytes     0xf7 + k  k bytes of length, list
 *
 * Spec: Ethereum yellow paper, appendix B.
 */
import { concatBytes, Fault } from '@quorate/base'
import { ByteReader } from '../encoding/reader.ts'

export type Rlp = Uint8Array | readonly Rlp[]

/** Lists within lists: a transaction, its access list, an entry of it, the entry's keys. */
const MAX_DEPTH = 4
const SHORT = 55
const STRING = 0x80
const LIST = 0xc0
/** Longer lengths fit into no transaction. */
const MAX_LENGTH_BYTES = 3

/** The one item that `bytes` is. @throws chains/malformed-transaction, chains/not-canonical */
export function decodeRlp(bytes: Uint8Array): Rlp {
  const reader = new ByteReader(bytes)
  const item = readItem(reader, 0)
  reader.end()
  return item
}

function readItem(reader: ByteReader, depth: number): Rlp {
  const first = reader.u8()
  if (first < STRING) return Uint8Array.of(first)
  if (first < LIST) {
    const string = reader.bytes(readLength(reader, first - STRING))
    if (string.length === 1 && string[0]! < STRING) return refuseForm('a byte with a length')
    return string
  }
  if (depth === MAX_DEPTH)
    throw new Fault('chains/malformed-transaction', { detail: 'lists nested too deep' })
  const body = new ByteReader(reader.bytes(readLength(reader, first - LIST)))
  const items: Rlp[] = []
  while (!body.isAtEnd) items.push(readItem(body, depth + 1))
  return items
}

/** `short` is what the first byte adds to that of the empty string or list. */
function readLength(reader: ByteReader, short: number): number {
  if (short <= SHORT) return short
  if (short - SHORT > MAX_LENGTH_BYTES)
    throw new Fault('chains/malformed-transaction', { detail: 'ends too early' })
  const bytes = reader.bytes(short - SHORT)
  const length = bytes.reduce((sum, byte) => sum * 256 + byte, 0)
  if (bytes[0] === 0 || length <= SHORT)
    return refuseForm('a length that is not in its shortest form')
  return length
}

function refuseForm(detail: string): never {
  throw new Fault('chains/not-canonical', { detail })
}

export function encodeRlp(item: Rlp): Uint8Array {
  if (item instanceof Uint8Array)
    return item.length === 1 && item[0]! < STRING ? item : withLength(STRING, item)
  return withLength(LIST, joined(item.map(encodeRlp)))
}

/** Not `concatBytes`: a hostile list has more items than a call can have arguments. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function withLength(base: number, body: Uint8Array): Uint8Array {
  if (body.length <= SHORT) return concatBytes(Uint8Array.of(base + body.length), body)
  const length = minimalBytes(BigInt(body.length))
  return concatBytes(Uint8Array.of(base + SHORT + length.length), length, body)
}

/** A whole number big-endian without leading zeros: no byte at all for 0. */
export function minimalBytes(value: bigint): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; rest > 0n; rest >>= 8n) bytes.unshift(Number(rest & 0xffn))
  return Uint8Array.from(bytes)
}
