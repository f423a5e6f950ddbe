/**
 * The encoding of what crosses between the caller's process and its provider host. Both sides are of
 * one build, so there is no version and no name in it: fields follow each other in the order of the
 * table. It is not the canonical CBOR of everything that is stored or signed, because it is paid for
 * with every signature, and because labels that a device tells need not be normalised text.
 *
 * A reader believes nothing: lengths are checked against what is there and what is allowed.
 */
import { Fault, fromUtf8, utf8, wipe } from '@quorate/base'

export type Wire<T> = {
  write(out: Writer, value: T): void
  /** @throws base/malformed */
  read(from: Reader): T
}

const SCRATCH_BYTES = 4096

/** Grows by itself; `take` gives what was written and forgets it. */
export class Writer {
  #bytes = new Uint8Array(SCRATCH_BYTES)
  #length = 0

  u8(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  u32(value: number): void {
    this.#reserve(4)
    putU32(this.#bytes, this.#length, value)
    this.#length += 4
  }

  put(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** A copy of all that was written since the last `take` or `drop`. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#length)
    this.drop()
    return taken
  }

  /** Forgets and wipes what was written. */
  drop(): void {
    wipe(this.#bytes.subarray(0, this.#length))
    if (this.#bytes.length > SCRATCH_BYTES) this.#bytes = new Uint8Array(SCRATCH_BYTES)
    this.#length = 0
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + more))
    larger.set(this.#bytes.subarray(0, this.#length))
    wipe(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}

export class Reader {
  readonly #bytes: Uint8Array
  #at: number

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes
    this.#at = at
  }

  u8(): number {
    return this.#bytes[this.#advance(1)]!
  }

  u32(): number {
    return getU32(this.#bytes, this.#advance(4))
  }

  /** A view into the frame. */
  view(length: number): Uint8Array {
    const from = this.#advance(length)
    return this.#bytes.subarray(from, from + length)
  }

  end(): void {
    if (this.#at !== this.#bytes.length) malformed('bytes after the end')
  }

  #advance(length: number): number {
    const from = this.#at
    if (from + length > this.#bytes.length) malformed('too short')
    this.#at = from + length
    return from
  }
}

/** Big-endian. */
export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
}

export const getU32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0

function malformed(what: string): never {
  throw new Fault('base/malformed', { detail: `frame: ${what}` })
}

const tooLong = (max: number): Fault =>
  new Fault('hsm/bad-argument', { detail: `more than ${max} bytes` })

export const nothing: Wire<void> = { write: () => undefined, read: () => undefined }

export const bool: Wire<boolean> = {
  write: (out, value) => out.u8(value ? 1 : 0),
  read(from) {
    const value = from.u8()
    return value > 1 ? malformed('neither true nor false') : value === 1
  },
}

/** An integer from 0 to 2^53−1. */
export const uint: Wire<number> = {
  write(out, value) {
    if (!Number.isSafeInteger(value) || value < 0)
      throw new Fault('hsm/bad-argument', { detail: 'not a whole number from 0 to 2^53−1' })
    out.u32(Math.floor(value / 2 ** 32))
    out.u32(value % 2 ** 32)
  },
  read(from) {
    const value = from.u32() * 2 ** 32 + from.u32()
    return Number.isSafeInteger(value) ? value : malformed('a number beyond 2^53')
  },
}

/** At most `max` bytes; what is read is a view into the frame. @throws hsm/bad-argument when written */
export const view = (max: number): Wire<Uint8Array> => ({
  write(out, value) {
    if (value.length > max) throw tooLong(max)
    out.u32(value.length)
    out.put(value)
  },
  read(from) {
    const length = from.u32()
    return length > max ? malformed('too long') : from.view(length)
  },
})

/** At most `max` bytes; what is read is a copy. @throws hsm/bad-argument when written */
export const bytes = (max: number): Wire<Uint8Array> => {
  const { write, read } = view(max)
  // Not `slice`: that of a Buffer gives a view.
  return { write, read: (from) => new Uint8Array(read(from)) }
}

/** UTF-8 of at most `max` bytes. @throws hsm/bad-argument when written */
export const text = (max: number): Wire<string> => {
  const encoded = view(max)
  return {
    write: (out, value) => encoded.write(out, utf8(value)),
    read: (from) => fromUtf8(encoded.read(from)) ?? malformed('not UTF-8'),
  }
}

/** One of at most 256 given values, by its place. */
export const oneOf = <const T extends string>(...values: readonly T[]): Wire<T> => ({
  write(out, value) {
    const place = values.indexOf(value)
    if (place < 0) throw new Fault('hsm/bad-argument', { detail: `none of ${values.join(', ')}` })
    out.u8(place)
  },
  read: (from) => values[from.u8()] ?? malformed('an unknown choice'),
})

/** The same value seen as another type. `parse` throws a Fault for what is invalid. */
export const mapped = <A, B>(
  wire: Wire<A>,
  parse: (value: A) => B,
  format: (value: B) => A,
): Wire<B> => ({
  write: (out, value) => wire.write(out, format(value)),
  read: (from) => parse(wire.read(from)),
})

/** A value or `undefined`. */
export const maybe = <T>(wire: Wire<T>): Wire<T | undefined> => ({
  write(out, value) {
    out.u8(value === undefined ? 0 : 1)
    if (value !== undefined) wire.write(out, value)
  },
  read: (from) => (bool.read(from) ? wire.read(from) : undefined),
})

export const list = <T>(item: Wire<T>, max: number): Wire<readonly T[]> => ({
  write(out, values) {
    if (values.length > max) throw new Fault('hsm/bad-argument', { detail: `more than ${max}` })
    out.u32(values.length)
    for (const value of values) item.write(out, value)
  },
  read(from) {
    const length = from.u32()
    if (length > max) malformed('too many')
    const values: T[] = []
    // Not allocated ahead: each item must be there before the next is believed.
    for (let i = 0; i < length; i++) values.push(item.read(from))
    return values
  },
})

type Fields<T> = { readonly [K in keyof T]-?: Wire<T[K]> }

/** Fields one after the other. One that reads as `undefined` is left out of the object. */
export function struct<T extends object>(fields: Fields<T>): Wire<T> {
  const rows = Object.entries(fields) as [keyof T, Wire<T[keyof T]>][]
  return {
    write(out, value) {
      for (const [name, wire] of rows) wire.write(out, value[name])
    },
    read(from) {
      const value: Partial<T> = {}
      for (const [name, wire] of rows) {
        const item = wire.read(from)
        if (item !== undefined) value[name] = item
      }
      return value as T
    },
  }
}

/** @throws base/malformed, also for bytes after the end */
export function readAll<T>(wire: Wire<T>, encoded: Uint8Array, at = 0): T {
  const from = new Reader(encoded, at)
  const value = wire.read(from)
  from.end()
  return value
}
