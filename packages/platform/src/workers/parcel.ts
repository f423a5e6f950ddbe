/**
 * What crosses between threads: plain data (numbers, texts, big integers, byte arrays, lists, records
 * of these) and secrets. Byte arrays are copied into buffers of their own, which are then handed
 * over whole. A structured clone would take along the rest of the buffer that a view is part of, and
 * leave a copy of everything in memory that nobody wipes.
 *
 * A `Secret` of bytes moves: it arrives as a `Secret`, and the sender's is wiped.
 */
import { bug, Secret } from '@quorate/base'

export type Parcel = { readonly content: unknown; readonly buffers: readonly ArrayBuffer[] }

/** `value`, ready for `postMessage(content, buffers)`. Secrets in it are wiped. */
export function pack(value: unknown): Parcel {
  const buffers: ArrayBuffer[] = []
  const bytes = (original: Uint8Array): Uint8Array => {
    // The buffer first: a small array made by its length alone would lie in the heap, and leave its
    // bytes there when the buffer is asked for.
    const copy = new Uint8Array(new ArrayBuffer(original.length))
    copy.set(original)
    buffers.push(copy.buffer)
    return copy
  }
  const secret = (original: Secret<unknown>): unknown => {
    const exposed = original.expose()
    if (!(exposed instanceof Uint8Array)) return refuse()
    const wrapped = new Map([[SECRET, bytes(exposed)]])
    original[Symbol.dispose]()
    return wrapped
  }
  return { content: replace(value, { bytes, secret, map: refuse }), buffers }
}

/** The value of a parcel that has arrived. */
export const unpack = (content: unknown): unknown =>
  replace(content, { ...KEEP, map: (wrapped) => new Secret(wrapped.get(SECRET)) })

/** Wipes every secret in a value. */
export function wipeSecrets(value: unknown): void {
  replace(value, { ...KEEP, secret: (each) => each[Symbol.dispose]() })
}

/** A secret on its way is a map of this one key. Plain data has no maps, so it is unmistakable. */
const SECRET = 'secret'

type Replacements = {
  bytes(value: Uint8Array): unknown
  secret(value: Secret<unknown>): unknown
  map(value: ReadonlyMap<unknown, unknown>): unknown
}

const KEEP: Replacements = {
  bytes: (value) => value,
  secret: (value) => value,
  map: (value) => value,
}

function refuse(): never {
  bug('only plain data crosses between threads')
}

/** The same value with those parts replaced that are more than plain data. */
function replace(value: unknown, by: Replacements): unknown {
  if (typeof value === 'function' || typeof value === 'symbol') refuse()
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) return by.bytes(value)
  if (value instanceof Secret) return by.secret(value)
  if (value instanceof Map) return by.map(value)
  if (Array.isArray(value)) return value.map((each) => replace(each, by))
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) refuse()
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, replace(each, by)]))
}
