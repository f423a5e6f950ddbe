/** JSON schemas that the routes of projects, folders and secrets share. */
import { DEFAULT_LIMIT, MAX_LIMIT } from '@quorate/api'
import { Fault, type Id, parseId } from '@quorate/base'
import { type TObject, type TSchema, Type } from '@sinclair/typebox'
import type { Principal } from '../access/port.ts'
import { DEFAULT_ENVIRONMENT } from '../projects/model.ts'
import {
  ENVIRONMENT_PATTERN,
  FOLDER_NAME_PATTERN,
  MAX_PATH_LENGTH,
  type Place,
  parsePath,
  SECRET_NAME_PATTERN,
} from './place.ts'

const ULID = '[0-7][0-9a-hjkmnp-tv-z]{25}'
const idOf = (prefix: string): TSchema => Type.String({ pattern: `^${prefix}_${ULID}$` })

export const projectId: TSchema = idOf('prj')
export const folderId: TSchema = idOf('fld')
export const secretId: TSchema = idOf('sec')
export const environmentSlug: TSchema = Type.String({ pattern: ENVIRONMENT_PATTERN, maxLength: 64 })
export const folderName: TSchema = Type.String({ pattern: FOLDER_NAME_PATTERN })
export const secretName: TSchema = Type.String({ pattern: SECRET_NAME_PATTERN })
export const folderPath: TSchema = Type.String({ pattern: '^/', maxLength: MAX_PATH_LENGTH })
export const label: TSchema = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$' })
/** RFC 3339, UTC, with milliseconds. */
export const time: TSchema = Type.String({
  pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$',
})
/** In a query, where everything is text. */
export const yesOrNo: TSchema = Type.Union([Type.Literal('true'), Type.Literal('false')])

/** An object of exactly these properties. */
export const exactly = (properties: { readonly [name: string]: TSchema }): TObject =>
  Type.Object({ ...properties }, { additionalProperties: false })
/** The same, each of which may be left out. */
export const anyOf = (properties: { readonly [name: string]: TSchema }): TObject =>
  exactly(
    Object.fromEntries(
      Object.entries(properties).map(([name, schema]) => [name, Type.Optional(schema)]),
    ),
  )

export const pageQuery: { readonly [name: string]: TSchema } = {
  cursor: Type.String({ maxLength: 256 }),
  limit: Type.Integer({ minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT }),
}
export type PageQuery = { readonly cursor?: string; readonly limit?: number }

/** Whether a switch of a query is on. */
export const isOn = (value: string | undefined, otherwise: boolean): boolean =>
  value === undefined ? otherwise : value === 'true'

/** Where a request that may leave parts out means to be. */
export type PlaceInput = {
  readonly project?: string
  readonly environment?: string
  readonly path?: string
}
export type ProjectPlace = { readonly project: Id<'prj'>; readonly place: Place }

/**
 * The place of a request: the token's project, `development` and `/` where nothing is said.
 * `undefined` where no project is named and the token has none. @throws kms/bad-path
 */
export function placeOfInput(input: PlaceInput, principal: Principal): ProjectPlace | undefined {
  const project = input.project === undefined ? principal.project : parseId('prj', input.project)
  if (project === undefined) return undefined
  const { environment = DEFAULT_ENVIRONMENT, path = '/' } = input
  return { project, place: { environment, path: parsePath(path) } }
}

/** @throws kms/no-project */
export function requirePlace(input: PlaceInput, principal: Principal): ProjectPlace {
  const found = placeOfInput(input, principal)
  if (found === undefined) throw new Fault('kms/no-project')
  return found
}

/** What `ETag` says of that version of a thing. */
export const etagOf = (version: number): string => `"${version}"`

/** The version that `If-Match` demands; `undefined` where any will do. @throws kms/version-mismatch where it is none of ours */
export function ifMatchOf(header: string | undefined): number | undefined {
  if (header === undefined || header === '*') return undefined
  const [, digits] = /^"(\d{1,15})"$/.exec(header) ?? []
  if (digits === undefined) throw new Fault('kms/version-mismatch')
  return Number(digits)
}

/** @throws kms/version-mismatch unless it is the version that was demanded */
export function checkMatch(demanded: number | undefined, version: number): void {
  if (demanded !== undefined && demanded !== version)
    throw new Fault('kms/version-mismatch', { detail: `the newest version is ${version}` })
}
