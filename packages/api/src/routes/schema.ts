/** Building blocks of the JSON schemas: a schema tied to its hand-written type, and common forms. */

import type { IdPrefix } from '@quorate/base'
import { type TSchema, Type } from '@sinclair/typebox'

/** A JSON schema (2020-12) whose values are `T`. */
export type Schema<T> = TSchema & { readonly static: T }

/** `schema` as one of `T`; does not compile where its values are not. */
export const schemaOf = <T>(schema: TSchema & { readonly static: T }): Schema<T> => schema

/** The same with a title, under which the OpenAPI document lists it. */
export const named = <T>(title: string, schema: TSchema & { readonly static: T }): Schema<T> => ({
  ...schema,
  title,
})

/** 26 digits of Crockford base 32, as in `base`'s ids. */
export const idSchema = (prefix: IdPrefix): Schema<string> =>
  Type.String({ pattern: `^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$` })

/** Lower-case hex of exactly `length` bytes, or of `min` (1 unless told) to `max`. */
export const hexSchema = (
  length: number | { readonly min?: number; readonly max: number },
): Schema<string> => {
  const [min, max] = typeof length === 'number' ? [length, length] : [length.min ?? 1, length.max]
  // One plain loop: a group in it, to ask for whole bytes, would cost stack on a long string.
  return Type.String({ pattern: '^[0-9a-f]*$', minLength: 2 * min, maxLength: 2 * max })
}

/** RFC 3339, UTC, with milliseconds. */
export const timeSchema: Schema<string> = Type.String({
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$',
})

/** A non-negative integer of any size in decimal. */
export const amountSchema: Schema<string> = Type.String({ pattern: '^(0|[1-9]\\d{0,77})$' })

export const slugSchema: Schema<string> = Type.String({
  pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
  maxLength: 64,
})

export const countSchema: Schema<number> = Type.Integer({ minimum: 0 })

/** One of the given texts. */
export const enumSchema = <const T extends string>(...values: readonly T[]): Schema<T> =>
  Type.Union(values.map((value) => Type.Literal(value))) as TSchema as Schema<T>

/** A page of a list. `nextCursor` is `null` on the last one. */
export type Page<T> = { readonly items: readonly T[]; readonly nextCursor: string | null }

export const pageSchema = <T>(item: Schema<T>): Schema<Page<T>> =>
  Type.Object({
    items: Type.Array(item),
    nextCursor: Type.Union([Type.String(), Type.Null()]),
  }) as TSchema as Schema<Page<T>>
