/**
 * References in the value of a secret: `${NAME}` and `${environment.folder.NAME}`.
 * Syntax and escaping are specified in docs/spec/secret-references.md, section 1.
 */
import { Fault } from '@quorate/base'
import {
  isEnvironmentSlug,
  isFolderName,
  isSecretName,
  MAX_DEPTH,
  type Place,
  pathOf,
  placeText,
  secretText,
} from '../folders/place.ts'

export type Reference = {
  /** Where to look; absent where the reference means the folder of the secret that holds it. */
  readonly place?: Place
  readonly name: string
}
/** Text as it stands, or what is to be put in its place. */
export type Part = string | Reference

/** A run of dollars before a brace: two are one dollar, and one that is left begins a reference. */
const RUN = /(\$+)\{/g
/** Longest name with all its dots escaped, and folders before it. */
const MAX_REFERENCE = 2 * 128 + 65 * (MAX_DEPTH + 1)

/** Whether the value has to be expanded at all. */
export const hasReferences = (value: string): boolean => value.includes('${')

/**
 * The parts of a value, no two texts beside each other.
 * @throws kms/bad-reference naming the offset (in UTF-16 units) and never the text
 */
export function parseTemplate(value: string): readonly Part[] {
  const parts: Part[] = []
  let text = ''
  let at = 0
  RUN.lastIndex = 0
  for (let run = RUN.exec(value); run !== null; run = RUN.exec(value)) {
    const dollars = (run[1] as string).length
    text += value.slice(at, run.index) + '$'.repeat(dollars >> 1)
    at = RUN.lastIndex
    if (dollars % 2 === 0) {
      text += '{'
      continue
    }
    const end = value.indexOf('}', at)
    const offset = at - 2
    if (end < 0) throw badReference(offset, 'it is not closed with }')
    if (text !== '') parts.push(text)
    text = ''
    parts.push(parseReference(value.slice(at, end), offset))
    at = end + 1
    RUN.lastIndex = at
  }
  text += value.slice(at)
  if (text !== '') parts.push(text)
  return parts
}

function parseReference(inner: string, offset: number): Reference {
  if (inner.length > MAX_REFERENCE) throw badReference(offset, 'it is too long')
  const segments = inner.split(/(?<!\\)\./).map((segment) => segment.replaceAll('\\.', '.'))
  const name = segments.at(-1) ?? ''
  if (!isSecretName(name)) throw badReference(offset, 'it does not end with the name of a secret')
  if (segments.length === 1) return { name }
  const [environment = '', ...folders] = segments.slice(0, -1)
  if (!isEnvironmentSlug(environment))
    throw badReference(offset, 'it does not begin with the slug of an environment')
  if (folders.length > MAX_DEPTH || !folders.every(isFolderName))
    throw badReference(offset, 'a folder in it has no valid name')
  return { place: { environment, path: pathOf(folders) }, name }
}

const badReference = (offset: number, why: string): Fault =>
  new Fault('kms/bad-reference', { detail: `at character ${offset + 1}: ${why}` })

/** A value that stands for exactly `text`: dollars before a brace are doubled. */
export const escapeText = (text: string): string =>
  text.replace(RUN, (_, dollars: string) => `${dollars}${dollars}{`)

/** The reference as it is written in a value. */
export function formatReference({ place, name }: Reference): string {
  const last = name.replaceAll('.', '\\.')
  if (place === undefined) return `\${${last}}`
  const folders = place.path === '/' ? [] : place.path.slice(1).split('/')
  return `\${${[place.environment, ...folders, last].join('.')}}`
}

/** As errors name it: the place where it is looked for, and its name. */
export const referenceText = (reference: Reference, home: Place): string =>
  secretText(reference.place ?? home, reference.name)

/** Steps of a lookup, as errors show them. */
export const trailText = (steps: readonly string[]): string => steps.join(' → ')

/** Places of a chain of imports, as errors show them. */
export const placesText = (places: readonly Place[]): string => trailText(places.map(placeText))
