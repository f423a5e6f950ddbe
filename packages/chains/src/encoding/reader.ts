/**
 * A strict reader over bytes: little-endian integers, Bitcoin's compact size, and Solana's
 * compact-u16 (https://solana.com/docs/rpc/transaction-structure#compact-array-format).
 * Every short read and every length not in its shortest form is refused.
 */
import { Fault } from '@quorate/base'

const refuse = (detail: string): never => {
  throw new Fault('chains/malformed-transaction', { detail })
}

export class ByteReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** How many bytes were read. */
  get position(): number {
    return this.#at
  }

  /** @throws chains/malformed-transaction if bytes are left */
  end(): void {
    if (!this.isAtEnd) refuse('bytes after the end')
  }

  /** A copy of the next `length` bytes. @throws chains/malformed-transaction */
  bytes(length: number): Uint8Array {
    const from = this.#at
    this.skip(length)
    return this.#bytes.slice(from, this.#at)
  }

  /** @throws chains/malformed-transaction */
  skip(length: number): void {
    if (length > this.#bytes.length - this.#at) refuse('ends too early')
    this.#at += length
  }

  /** Everything not read yet. */
  rest(): Uint8Array {
    return this.bytes(this.#bytes.length - this.#at)
  }

  u8(): number {
    const at = this.#at
    this.skip(1)
    return this.#bytes[at]!
  }

  u32(): number {
    const low = this.u8() | (this.u8() << 8)
    return (low | (this.u8() << 16) | (this.u8() << 24)) >>> 0
  }

  u64(): bigint {
    const low = this.u32()
    return (BigInt(this.u32()) << 32n) | BigInt(low)
  }

  /** One byte below 0xfd; 0xfd and 0xfe announce 16 and 32 bits. Longer lengths fit into no transaction. */
  compactSize(): number {
    const first = this.u8()
    if (first < 0xfd) return first
    if (first === 0xff) return refuse('a length of more than 32 bits')
    const value = first === 0xfd ? this.u8() | (this.u8() << 8) : this.u32()
    if (value < (first === 0xfd ? 0xfd : 0x10000))
      refuse('a length that is not in its shortest form')
    return value
  }

  /** Base 128, low group first, at most 16 bits in at most three bytes. */
  compactU16(): number {
    let value = 0
    for (let shift = 0; shift <= 14; shift += 7) {
      const byte = this.u8()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) refuse('a length that is not in its shortest form')
        if (value > 0xffff) refuse('a length of more than 16 bits')
        return value
      }
    }
    return refuse('a length of more than three bytes')
  }

  /** A compact-u16 count, then that many items, each of at least one byte. */
  compactArray<T>(item: () => T): T[] {
    const count = this.compactU16()
    if (count > this.#bytes.length - this.#at) refuse('ends too early')
    return Array.from({ length: count }, item)
  }
}

/** The compact-u16 of `value` (0 to 65535). */
export function encodeCompactU16(value: number): Uint8Array {
  const out: number[] = []
  let rest = value
  while (rest >= 0x80) {
    out.push((rest & 0x7f) | 0x80)
    rest >>= 7
  }
  return Uint8Array.from([...out, rest])
}
