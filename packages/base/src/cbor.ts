/**
 * Deterministic CBOR (RFC 8949 §4.2.1), the subset that Quorate signs, hashes, seals and sends:
 * integers of at most 64 bits, byte strings, NFC text, arrays, maps with small non-negative integer
 * keys in ascending order, booleans, null. No floats, tags or indefinite lengths.
 * The decoder accepts exactly what the encoder produces, so equal values have equal bytes.
 */
import { concatBytes } from './bytes.ts'
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

function head(major: number, value: bigint | number): Uint8Array {
  const top = major << 5
  if (typeof value === 'number' && value <= 0xffffffff) {
    if (value < 24) return Uint8Array.of(top | value)
    if (value < 0x100) return Uint8Array.of(top | 24, value)
    if (value < 0x10000) return Uint8Array.of(top | 25, value >> 8, value & 0xff)
    return Uint8Array.of(
      top | 26,
      value >>> 24,
      (value >>> 16) & 0xff,
      (value >>> 8) & 0xff,
      value & 0xff,
    )
  }
  const big = BigInt(value)
  if (big <= 0xffffffffn) return head(major, Number(big))
  const out = new Uint8Array(9)
  out[0] = top | 27
  new DataView(out.buffer).setBigUint64(1, big)
  return out
}

function integer(value: number | bigint): Uint8Array {
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new Fault('base/malformed', { detail: 'not an integer that a number holds exactly' })
  const big = BigInt(value)
  if (big > MAX_UINT || big < MIN_INT)
    throw new Fault('base/malformed', { detail: 'integer wider than 64 bits' })
  return big >= 0n ? head(0, big) : head(1, -1n - big)
}

/** The canonical bytes of `value`. @throws base/malformed for what the subset cannot hold */
export function encodeCbor(value: Cbor): Uint8Array {
  switch (typeof value) {
    case 'number':
    case 'bigint':
      return integer(value)
    case 'boolean':
      return Uint8Array.of(value ? 0xf5 : 0xf4)
    case 'string': {
      const text = utf8(value)
      // `utf8` turns a lone surrogate into U+FFFD, which would give two texts the same bytes.
      if (value !== value.normalize('NFC') || fromUtf8(text) !== value)
        throw new Fault('base/malformed', { detail: 'text is not well-formed NFC' })
      return concatBytes(head(3, text.length), text)
    }
    default:
      break
  }
  if (value === null) return Uint8Array.of(0xf6)
  if (value instanceof Uint8Array) return concatBytes(head(2, value.length), value)
  if (Array.isArray(value)) return concatBytes(head(4, value.length), ...value.map(encodeCbor))
  if (value instanceof Map) {
    const entries = [...(value as ReadonlyMap<number, Cbor>)].sort(([a], [b]) => a - b)
    const parts = entries.map(([key, item]) => {
      if (!Number.isInteger(key) || key < 0 || key > MAX_KEY)
        throw new Fault('base/malformed', { detail: 'map keys are integers from 0 to 65535' })
      return concatBytes(head(0, key), encodeCbor(item))
    })
    return concatBytes(head(5, entries.length), ...parts)
  }
  throw new Fault('base/malformed', { detail: 'a value that canonical CBOR cannot hold' })
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
    if (BigInt(argument) * BigInt(least) > BigInt(this.#bytes.length - this.#at))
      throw new Fault('base/malformed', { detail: 'ends too early' })
    return Number(argument)
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
