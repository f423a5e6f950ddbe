/** JSON schemas that the routes of access share, and lists page by page. */
import { toRfc3339 } from '@quorate/api'
import type { Id, IdPrefix } from '@quorate/base'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { EVERYWHERE, type Scope } from './model.ts'

export const strict = { additionalProperties: false } as const

export const idOf = (prefix: IdPrefix) =>
  Type.String({ pattern: `^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$` })
export const nameText = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' })
export const shortText = (maxLength: number) => Type.String({ minLength: 1, maxLength })
export const time = Type.String({
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$',
})
export const seconds = (maximum: number) => Type.Integer({ minimum: 1, maximum })

export const DEFAULT_PAGE = 100
const page = {
  cursor: Type.Optional(Type.String({ maxLength: 64, pattern: '^[a-z0-9_]*$' })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
}
/** Absent project: what belongs to the whole instance. */
export const listQuery = Type.Object({ ...page, project: Type.Optional(idOf('prj')) }, strict)
export const pageQuery = Type.Object(page, strict)
export type ListQuery = Static<typeof listQuery>
export type PageQuery = Static<typeof pageQuery>

export const listOf = (item: TSchema) =>
  Type.Object({ items: Type.Array(item), nextCursor: Type.Union([Type.String(), Type.Null()]) })

/** A page of what `load` finds after the cursor. */
export async function pageOf<T extends { readonly id: string }, J>(
  { cursor, limit = DEFAULT_PAGE }: PageQuery,
  load: (page: { readonly after: string; readonly limit: number }) => Promise<readonly T[]>,
  show: (item: T) => J,
): Promise<{ readonly items: readonly J[]; readonly nextCursor: string | null }> {
  const found = await load({ after: cursor ?? '', limit: limit + 1 })
  const items = found.slice(0, limit)
  return {
    items: items.map(show),
    nextCursor: found.length > limit ? (items.at(-1)?.id ?? null) : null,
  }
}

export const scopeOf = (project: string | undefined): Scope =>
  project === undefined ? EVERYWHERE : (project as Id<'prj'>)

/** The project of a scope as a resource and JSON have it. */
export const projectOf = (scope: Scope): Id<'prj'> | undefined =>
  scope === EVERYWHERE ? undefined : scope

export const rfc = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : toRfc3339(ms)
