/**
 * Deterministic CBOR (RFC 8949 §4.2.1), the subset that Quorate signs, hashes, seals and sends:
 * integers of at most 64 bits, byte strings, NFC text, arrays, maps with small non-negative integer
 * keys in ascending order, booleans, null. No floats, tags or indefinite lengths.
 * The decoder accepts exactly what the encoder produces, so equal values have equal bytes.
 */
import { Fault } from './fault.ts'
import { fromUtf8, utf8 } from './text.ts'

export type Cbor =
  | number
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | readonly Cbor[]
  | ReadonlyMap<number, Cbor>

const MAX_UINT = 2n ** 64n - 1n
const MIN_INT = -(2n ** 64n)
const MAX_KEY = 0xffff

/** Bytes of a head with this argument. */
function headLength(value: number | bigint): number {
  if (value < 24) return 1
  if (value < 0x100) return 2
  if (value < 0x10000) return 3
  return value <= 0xffffffff ? 5 : 9
}

/** Major type and argument of an integer. */
function integer(value: number | bigint): readonly [major: number, argument: number | bigint] {
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value))
      throw new Fault('base/malformed', { detail: 'not an integer that a number holds exactly' })
    return value >= 0 ? [0, value] : [1, -1 - value]
  }
  if (value > MAX_UINT || value < MIN_INT)
    throw new Fault('base/malformed', { detail: 'integer wider than 64 bits' })
  return value >= 0n ? [0, value] : [1, -1n - value]
}

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false
  return true
}

/** UTF-8 of a text that is not all ASCII. @throws base/malformed */
function encodedText(value: string): Uint8Array {
  const text = utf8(value)
  // `utf8` turns a lone surrogate into U+FFFD, which would give two texts the same bytes.
  if (value !== value.normalize('NFC') || fromUtf8(text) !== value)
    throw new Fault('base/malformed', { detail: 'text is not well-formed NFC' })
  return text
}

/** The entries of a map in ascending order of their keys: the map itself where it has them so. @throws base/malformed */
function sortedEntries(
  map: ReadonlyMap<number, Cbor>,
): Iterable<readonly [key: number, item: Cbor]> {
  let last = -1
  let isSorted = true
  for (const key of map.keys()) {
    if (!Number.isInteger(key) || key < 0 || key > MAX_KEY)
      throw new Fault('base/malformed', { detail: 'map keys are integers from 0 to 65535' })
    if (key < last) isSorted = false
    last = key
  }
  return isSorted ? map : [...map].sort(([a], [b]) => a - b)
}

const unsupported = (): never => {
  throw new Fault('base/malformed', { detail: 'a value that canonical CBOR cannot hold' })
}

/** Bytes of the canonical form. @throws base/malformed */
function lengthOf(value: Cbor): number {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return headLength(integer(value)[1])
    case 'boolean':
      return 1
    case 'string': {
      const length = isAscii(value) ? value.length : encodedText(value).length
      return headLength(length) + length
    }
    default:
      break
  }
  if (value === null) return 1
  if (value instanceof Uint8Array) return headLength(value.length) + value.length
  if (Array.isArray(value)) {
    let length = headLength(value.length)
    for (const item of value as readonly Cbor[]) length += lengthOf(item)
    return length
  }
  if (value instanceof Map) {
    const map = value as ReadonlyMap<number, Cbor>
    let length = headLength(map.size)
    for (const [key, item] of sortedEntries(map)) length += headLength(key) + lengthOf(item)
    return length
  }
  return unsupported()
}

/** Fills bytes that are as many as `lengthOf` says, so that nothing is copied twice. */
class Writer {
  readonly #out: Uint8Array
  #at = 0

  constructor(out: Uint8Array) {
    this.#out = out
  }

  #head(major: number, value: number | bigint): void {
    const out = this.#out
    const top = major << 5
    const length = headLength(value)
    if (length === 9) {
      out[this.#at] = top | 27
      new DataView(out.buffer).setBigUint64(this.#at + 1, BigInt(value))
    } else {
      const small = Number(value)
      out[this.#at] = top | (length === 1 ? small : length === 2 ? 24 : length === 3 ? 25 : 26)
      for (let i = 1; i < length; i++) out[this.#at + i] = small >>> (8 * (length - 1 - i))
    }
    this.#at += length
  }

  #text(value: string): void {
    if (isAscii(value)) {
      this.#head(3, value.length)
      for (let i = 0; i < value.length; i++) this.#out[this.#at++] = value.charCodeAt(i)
    } else this.#bytes(3, encodedText(value))
  }

  #bytes(major: number, bytes: Uint8Array): void {
    this.#head(major, bytes.length)
    this.#out.set(bytes, this.#at)
    this.#at += bytes.length
  }

  item(value: Cbor): void {
    if (typeof value === 'number' || typeof value === 'bigint') this.#head(...integer(value))
    else if (typeof value === 'boolean') this.#out[this.#at++] = value ? 0xf5 : 0xf4
    else if (typeof value === 'string') this.#text(value)
    else if (value === null) this.#out[this.#at++] = 0xf6
    else if (value instanceof Uint8Array) this.#bytes(2, value)
    else if (Array.isArray(value)) {
      this.#head(4, value.length)
      for (const item of value as readonly Cbor[]) this.item(item)
    } else {
      const map = value as ReadonlyMap<number, Cbor>
      this.#head(5, map.size)
      for (const [key, item] of sortedEntries(map)) {
        this.#head(0, key)
        this.item(item)
      }
    }
  }
}

/** The canonical bytes of `value`. @throws base/malformed for what the subset cannot hold */
export function encodeCbor(value: Cbor): Uint8Array {
  const out = new Uint8Array(lengthOf(value))
  new Writer(out).item(value)
  return out
}

export type CborLimits = {
  /** Checked before anything is parsed. */
  readonly maxBytes: number
  /** Nesting of arrays and maps; 16 unless told. */
  readonly maxDepth?: number
}

/**
 * The value of exactly one canonical item that fills `bytes`. Integers come back as `number` where
 * that is exact, else as `bigint`. @throws base/too-large, base/malformed, base/not-canonical
 */
export function decodeCbor(bytes: Uint8Array, limits: CborLimits): Cbor {
  if (bytes.length > limits.maxBytes)
    throw new Fault('base/too-large', {
      detail: `${bytes.length} bytes, at most ${limits.maxBytes}`,
    })
  const reader = new Reader(bytes, limits.maxDepth ?? 16)
  const value = reader.item(0)
  if (!reader.isAtEnd) throw new Fault('base/not-canonical', { detail: 'bytes after the end' })
  return value
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #maxDepth: number
  #at = 0

  constructor(bytes: Uint8Array, maxDepth: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#maxDepth = maxDepth
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  item(depth: number): Cbor {
    if (depth > this.#maxDepth) throw new Fault('base/too-large', { detail: 'nested too deeply' })
    const first = this.#bytes[this.#need(1)]!
    const major = first >> 5
    const info = first & 31
    if (major === 7) {
      if (info === 20) return false
      if (info === 21) return true
      if (info === 22) return null
      throw new Fault('base/malformed', { detail: 'a simple value or float that is not used' })
    }
    const argument = this.#argument(info)
    switch (major) {
      case 0:
        return argument
      case 1: {
        const value = -1n - BigInt(argument)
        return value >= BigInt(Number.MIN_SAFE_INTEGER) ? Number(value) : value
      }
      case 2:
        return this.#slice(argument)
      case 3: {
        const text = fromUtf8(this.#slice(argument))
        if (text === undefined) throw new Fault('base/malformed', { detail: 'text is not UTF-8' })
        if (text !== text.normalize('NFC'))
          throw new Fault('base/not-canonical', { detail: 'text is not NFC' })
        return text
      }
      case 4: {
        const length = this.#count(argument, 1)
        const items: Cbor[] = []
        for (let i = 0; i < length; i++) items.push(this.item(depth + 1))
        return items
      }
      case 5: {
        const length = this.#count(argument, 2)
        const map = new Map<number, Cbor>()
        let last = -1
        for (let i = 0; i < length; i++) {
          const key = this.item(depth + 1)
          if (typeof key !== 'number' || key < 0 || key > MAX_KEY)
            throw new Fault('base/malformed', { detail: 'map keys are integers from 0 to 65535' })
          if (key <= last)
            throw new Fault('base/not-canonical', { detail: 'map keys out of order' })
          last = key
          map.set(key, this.item(depth + 1))
        }
        return map
      }
      default:
        throw new Fault('base/malformed', { detail: 'a CBOR tag' })
    }
  }

  #argument(info: number): number | bigint {
    if (info < 24) return info
    const [size, least] =
      info === 24 ? [1, 24] : info === 25 ? [2, 0x100] : info === 26 ? [4, 0x10000] : [8, 0]
    if (info > 27) throw new Fault('base/malformed', { detail: 'an indefinite or reserved length' })
    const at = this.#need(size)
    if (size === 8) {
      const value = this.#view.getBigUint64(at)
      if (value <= 0xffffffffn)
        throw new Fault('base/not-canonical', { detail: 'integer not shortest' })
      return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
    }
    const value =
      size === 1
        ? this.#view.getUint8(at)
        : size === 2
          ? this.#view.getUint16(at)
          : this.#view.getUint32(at)
    if (value < least) throw new Fault('base/not-canonical', { detail: 'integer not shortest' })
    return value
  }

  /** A length of items that each take at least `least` bytes: refused before anything is allocated. */
  #count(argument: number | bigint, least: number): number {
    // A `bigint` is more than 2^53 and loses digits here, but stays far longer than any bytes.
    const length = Number(argument)
    if (length * least > this.#bytes.length - this.#at)
      throw new Fault('base/malformed', { detail: 'ends too early' })
    return length
  }

  #slice(argument: number | bigint): Uint8Array {
    const length = this.#count(argument, 1)
    const at = this.#need(length)
    return this.#bytes.slice(at, at + length)
  }

  #need(length: number): number {
    const at = this.#at
    if (at + length > this.#bytes.length)
      throw new Fault('base/malformed', { detail: 'ends too early' })
    this.#at += length
    return at
  }
}
