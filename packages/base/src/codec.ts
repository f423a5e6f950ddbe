/**
 * Typed structures over canonical CBOR. A codec parses at the edge into a type that cannot be
 * invalid; records are maps with small integer keys, and an unknown or missing key is an error.
 *
 *   const pointOf = record({ x: field(1, bytes(32)), label: optional(2, text(64)) })
 *   type Point = CodecType<typeof pointOf>
 */
import { toHex } from './bytes.ts'
import { type Cbor, decodeCbor, encodeCbor } from './cbor.ts'
import { Fault } from './fault.ts'

export type Codec<T> = {
  toCbor(value: T): Cbor
  /** @throws base/malformed naming `path` */
  fromCbor(cbor: Cbor, path: string): T
}
export type CodecType<C> = C extends Codec<infer T> ? T : never

function refuse(path: string, expected: string): never {
  throw new Fault('base/malformed', { detail: `${path}: expected ${expected}` })
}

/** One codec both ways: what `check` refuses can be neither decoded nor encoded. */
function checked<T extends Cbor>(check: (cbor: Cbor, path: string) => T): Codec<T> {
  return { toCbor: (value) => check(value, 'value'), fromCbor: check }
}

/** An integer from `min` to `max` (0 to 2^53−1 unless told) as `number`. */
export const int = (min = 0, max: number = Number.MAX_SAFE_INTEGER): Codec<number> =>
  checked((cbor, path) =>
    typeof cbor === 'number' && Number.isSafeInteger(cbor) && cbor >= min && cbor <= max
      ? cbor
      : refuse(path, `an integer from ${min} to ${max}`),
  )

/** An unsigned 64-bit integer as `bigint`. */
export const uint64: Codec<bigint> = {
  toCbor: (value) =>
    value >= 0n && value < 2n ** 64n ? value : refuse('value', 'an unsigned 64-bit integer'),
  fromCbor: (cbor, path) =>
    (typeof cbor === 'number' || typeof cbor === 'bigint') && cbor >= 0
      ? BigInt(cbor)
      : refuse(path, 'an unsigned 64-bit integer'),
}

/** A byte string of exactly `length`, or of `min` to `max` bytes. */
export const bytes = (
  length: number | { readonly min?: number; readonly max: number },
): Codec<Uint8Array> => {
  const [min, max] = typeof length === 'number' ? [length, length] : [length.min ?? 0, length.max]
  const expected = min === max ? `${min} bytes` : `${min} to ${max} bytes`
  return checked((cbor, path) =>
    cbor instanceof Uint8Array && cbor.length >= min && cbor.length <= max
      ? cbor
      : refuse(path, expected),
  )
}

/** Text of at most `max` UTF-16 units, of the form `pattern` where given. */
export const text = (max: number, pattern?: RegExp): Codec<string> =>
  checked((cbor, path) =>
    typeof cbor === 'string' && cbor.length <= max && (pattern === undefined || pattern.test(cbor))
      ? cbor
      : refuse(
          path,
          `text of at most ${max} characters${pattern === undefined ? '' : ' in the documented form'}`,
        ),
  )

export const bool: Codec<boolean> = checked((cbor, path) =>
  typeof cbor === 'boolean' ? cbor : refuse(path, 'true or false'),
)

/** One of the given texts or numbers. */
export const oneOf = <const T extends string | number>(...values: readonly T[]): Codec<T> =>
  checked((cbor, path) =>
    (values as readonly Cbor[]).includes(cbor)
      ? (cbor as T)
      : refuse(path, `one of ${values.join(', ')}`),
  ) as Codec<T>

export const array = <T>(
  item: Codec<T>,
  limits: { readonly min?: number; readonly max: number },
): Codec<readonly T[]> => {
  const check = (length: number, path: string): void => {
    if (length < (limits.min ?? 0) || length > limits.max)
      refuse(path, `${limits.min ?? 0} to ${limits.max} items`)
  }
  return {
    toCbor(value) {
      check(value.length, 'value')
      return value.map((each) => item.toCbor(each))
    },
    fromCbor(cbor, path) {
      if (!Array.isArray(cbor)) refuse(path, 'an array')
      const items = cbor as readonly Cbor[]
      check(items.length, path)
      return items.map((each, i) => item.fromCbor(each, `${path}[${i}]`))
    },
  }
}

export const nullable = <T>(codec: Codec<T>): Codec<T | null> => ({
  toCbor: (value) => (value === null ? null : codec.toCbor(value)),
  fromCbor: (cbor, path) => (cbor === null ? null : codec.fromCbor(cbor, path)),
})

/** The same bytes seen as another type, e.g. a point parsed from its encoding. `parse` throws a Fault for what is invalid. */
export const mapped = <A, B>(
  codec: Codec<A>,
  parse: (value: A) => B,
  format: (value: B) => A,
): Codec<B> => ({
  toCbor: (value) => codec.toCbor(format(value)),
  fromCbor: (cbor, path) => parse(codec.fromCbor(cbor, path)),
})

type Field<T, Optional extends boolean> = {
  readonly key: number
  readonly codec: Codec<T>
  readonly isOptional: Optional
}
export const field = <T>(key: number, codec: Codec<T>): Field<T, false> => ({
  key,
  codec,
  isOptional: false,
})
/** A field that may be absent; absent and `undefined` are the same. */
export const optional = <T>(key: number, codec: Codec<T>): Field<T, true> => ({
  key,
  codec,
  isOptional: true,
})

// biome-ignore lint/suspicious/noExplicitAny: any field, whatever it holds
type Fields = { readonly [name: string]: Field<any, boolean> }
type Simplify<T> = { [K in keyof T]: T[K] } & {}
export type RecordOf<F extends Fields> = Simplify<
  {
    readonly [K in keyof F as F[K]['isOptional'] extends true ? never : K]: F[K] extends Field<
      infer T,
      boolean
    >
      ? T
      : never
  } & {
    readonly [K in keyof F as F[K]['isOptional'] extends true ? K : never]?:
      | (F[K] extends Field<infer T, boolean> ? T : never)
      | undefined
  }
>

/** A map with the fields' integer keys. Unknown and missing keys are errors. */
export function record<F extends Fields>(fields: F): Codec<RecordOf<F>> {
  const rows = Object.entries(fields)
  const known = new Set(rows.map(([, { key }]) => key))
  return {
    toCbor(value) {
      const map = new Map<number, Cbor>()
      for (const [name, { key, codec, isOptional }] of rows) {
        const item = (value as { readonly [name: string]: unknown })[name]
        if (item === undefined) {
          if (!isOptional) refuse(name, 'a value')
        } else map.set(key, codec.toCbor(item))
      }
      return map
    },
    fromCbor(cbor, path) {
      if (!(cbor instanceof Map)) refuse(path, 'a map')
      const map = cbor as ReadonlyMap<number, Cbor>
      for (const key of map.keys()) if (!known.has(key)) refuse(path, `no key ${key}`)
      const out: { [name: string]: unknown } = {}
      for (const [name, { key, codec, isOptional }] of rows) {
        const item = map.get(key)
        if (item !== undefined) out[name] = codec.fromCbor(item, `${path}.${name}`)
        else if (!isOptional) refuse(`${path}.${name}`, 'a value')
      }
      return out as RecordOf<F>
    },
  }
}

// biome-ignore lint/suspicious/noExplicitAny: any variant, whatever it holds
type Variants = { readonly [kind: string]: readonly [key: number, codec: Codec<any>] }
export type UnionOf<V extends Variants> = {
  [K in keyof V & string]: { readonly kind: K; readonly value: CodecType<V[K][1]> }
}[keyof V & string]

/** One of several structures: the pair `[number of the variant, its value]`. */
export function union<V extends Variants>(variants: V): Codec<UnionOf<V>> {
  const byKey = new Map(
    Object.entries(variants).map(([kind, [key, codec]]) => [key, { kind, codec }]),
  )
  return {
    toCbor({ kind, value }) {
      const variant = variants[kind] ?? refuse('kind', 'a known variant')
      return [variant[0], variant[1].toCbor(value)]
    },
    fromCbor(cbor, path) {
      const [key, item] =
        Array.isArray(cbor) && cbor.length === 2
          ? (cbor as readonly Cbor[] as readonly [Cbor, Cbor])
          : refuse(path, 'a pair')
      const variant =
        (typeof key === 'number' ? byKey.get(key) : undefined) ?? refuse(path, 'a known variant')
      return {
        kind: variant.kind,
        value: variant.codec.fromCbor(item, `${path}.${variant.kind}`) as unknown,
      } as UnionOf<V>
    },
  }
}

/** The canonical bytes of a value. @throws base/malformed for a value its own codec refuses */
export const encode = <T>(codec: Codec<T>, value: T): Uint8Array => encodeCbor(codec.toCbor(value))

/** The value of canonical bytes. @throws base/too-large before parsing, base/malformed, base/not-canonical */
export const decode = <T>(
  codec: Codec<T>,
  encoded: Uint8Array,
  limits: { readonly maxBytes: number },
): T => codec.fromCbor(decodeCbor(encoded, limits), 'record')

/** A short, printable fingerprint of bytes for logs and messages: the first four as hex. */
export const shortHex = (value: Uint8Array): string => toHex(value.subarray(0, 4))
