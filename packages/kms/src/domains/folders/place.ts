/**
 * Where a secret is, as people write it: an environment's slug and the path of a folder in it.
 * Ids are what records are bound to; a place is looked up anew in each request.
 */
import { Fault } from '@quorate/base'

export type Place = {
  /** Slug, e.g. `development`. */
  readonly environment: string
  /** Canonical: `/`, or `/a/b` without a slash at the end. */
  readonly path: string
}

/** Nesting of folders. */
export const MAX_DEPTH = 16
const FOLDER = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/
const ENVIRONMENT = /^(?=.{1,64}$)[a-z0-9]+(-[a-z0-9]+)*$/
const SECRET = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/

/** Folder names have no dot, so that a reference can use it between them. */
export const isFolderName = (text: string): boolean => FOLDER.test(text)
export const isEnvironmentSlug = (text: string): boolean => ENVIRONMENT.test(text)
/** A name that a secret may have: that of a variable, or of a file such as `tls.crt`. */
export const isSecretName = (text: string): boolean => SECRET.test(text)

/** The patterns above, for JSON schemas. */
export const FOLDER_NAME_PATTERN: string = FOLDER.source
export const ENVIRONMENT_PATTERN: string = '^[a-z0-9]+(-[a-z0-9]+)*$'
export const SECRET_NAME_PATTERN: string = SECRET.source
/** Of a path as it may be sent; `parsePath` says the rest. */
export const MAX_PATH_LENGTH: number = MAX_DEPTH * 65

/** The canonical form of a path; one slash too many at its end does no harm. @throws kms/bad-path */
export function parsePath(text: string): string {
  return pathOf(segmentsOf(text))
}

/** The folder names in a path, outermost first. @throws kms/bad-path */
export function segmentsOf(text: string): readonly string[] {
  if (!text.startsWith('/')) throw new Fault('kms/bad-path', { detail: 'it begins with /' })
  const trimmed = text.replace(/\/$/, '')
  const segments = trimmed === '' ? [] : trimmed.slice(1).split('/')
  if (segments.length > MAX_DEPTH)
    throw new Fault('kms/bad-path', { detail: `at most ${MAX_DEPTH} folders deep` })
  if (!segments.every(isFolderName))
    throw new Fault('kms/bad-path', {
      detail: 'a folder is named with 1 to 64 letters, digits, - and _',
    })
  return segments
}

/** The canonical path of these folder names. */
export const pathOf = (segments: readonly string[]): string => `/${segments.join('/')}`

/** `development:/app`, as errors and answers name it. */
export const placeText = ({ environment, path }: Place): string => `${environment}:${path}`

/** `development:/app/NAME`. */
export const secretText = ({ environment, path }: Place, name: string): string =>
  `${environment}:${path === '/' ? '' : path}/${name}`
