/**
 * Native memory for the arguments of Cryptoki calls.
 *
 * Modules keep pointers from an Init call to its Final call, and some write through them later
 * (an IV during C_Encrypt), so nothing that they are given may lie on a heap where it is moved or
 * collected. All lies here: in one block that a session owns, or, where that is too small, in
 * blocks of their own. What a scope used is zeroed, and its own blocks freed, when the scope ends.
 *
 * An address is a number: those of user space are below 2^53 on every 64-bit platform.
 */
import { endianness } from 'node:os'
import { bug } from '@quorate/base'
import koffi from 'koffi'

export const LITTLE_ENDIAN: boolean = endianness() === 'LE'
const BLOCK_BYTES = 16_384
export const ULONG_BYTES = 8

class Block {
  readonly #pointer: unknown
  readonly start: number
  readonly end: number
  readonly bytes: Uint8Array
  readonly view: DataView
  used = 0

  constructor(length: number) {
    this.#pointer = koffi.alloc('uint8_t', length)
    this.start = Number(koffi.address(this.#pointer))
    this.end = this.start + length
    const memory = koffi.view(this.#pointer, length)
    this.bytes = new Uint8Array(memory)
    this.view = new DataView(memory)
    this.bytes.fill(0)
  }

  free(): void {
    this.bytes.fill(0)
    koffi.free(this.#pointer)
  }
}

export class Arena {
  readonly #main: Block = new Block(BLOCK_BYTES)
  /** Blocks of inputs that did not fit, oldest first. */
  readonly #extra: Block[] = []
  #isFree = false

  /** What `use` gives. Addresses reserved in it are dead afterwards, and their memory is zero. Scopes nest. */
  scope<T>(use: () => T): T {
    const main = this.#main
    const mark = main.used
    const extra = this.#extra.length
    try {
      return use()
    } finally {
      main.bytes.fill(0, mark, main.used)
      main.used = mark
      while (this.#extra.length > extra) this.#extra.pop()?.free()
    }
  }

  /** The address of `length` zero bytes, aligned to eight. */
  reserve(length: number): number {
    if (this.#isFree) bug('an arena is used after it was freed')
    const block = this.#main
    const address = block.start + block.used
    const padded = Math.max((length + 7) & ~7, 8)
    if (address + padded <= block.end) {
      block.used += padded
      return address
    }
    const own = new Block(padded)
    this.#extra.push(own)
    return own.start
  }

  /** The address of a copy of `bytes`. */
  put(bytes: Uint8Array): number {
    const address = this.reserve(bytes.length)
    const block = this.#blockOf(address, bytes.length)
    block.bytes.set(bytes, address - block.start)
    return address
  }

  /** The address of consecutive CK_ULONGs. */
  putUlongs(...values: readonly (number | bigint)[]): number {
    const address = this.reserve(values.length * ULONG_BYTES)
    for (const [i, value] of values.entries()) this.writeUlong(address + i * ULONG_BYTES, value)
    return address
  }

  writeUlong(address: number, value: number | bigint): void {
    const { view, start } = this.#blockOf(address, ULONG_BYTES)
    view.setBigUint64(address - start, BigInt(value), LITTLE_ENDIAN)
  }

  fill(address: number, length: number, byte: number): void {
    const { bytes, start } = this.#blockOf(address, length)
    bytes.fill(byte, address - start, address - start + length)
  }

  /** A CK_ULONG in full. */
  readUlong(address: number): bigint {
    const { view, start } = this.#blockOf(address, ULONG_BYTES)
    return view.getBigUint64(address - start, LITTLE_ENDIAN)
  }

  /** A CK_ULONG that counts something; undefined for CK_UNAVAILABLE_INFORMATION and its neighbours. */
  readCount(address: number): number | undefined {
    const value = this.readUlong(address)
    return value > Number.MAX_SAFE_INTEGER ? undefined : Number(value)
  }

  /** A copy of `length` bytes. */
  read(address: number, length: number): Uint8Array {
    const { bytes, start } = this.#blockOf(address, length)
    return bytes.slice(address - start, address - start + length)
  }

  free(): void {
    if (this.#isFree) return
    this.#isFree = true
    for (const block of this.#extra.splice(0)) block.free()
    this.#main.free()
  }

  /** The block that holds all of it: a wrong address must not read or write foreign memory. */
  #blockOf(address: number, length: number): Block {
    if (this.#isFree) bug('an arena is used after it was freed')
    const holds = ({ start, end }: Block): boolean => address >= start && address + length <= end
    if (holds(this.#main)) return this.#main
    return this.#extra.find(holds) ?? bug('an address outside of the arena')
  }
}
