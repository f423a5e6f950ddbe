/**
 * Patterns of names and folder paths. In both, `*` stands for any characters, and nothing else is
 * special. In a path it stays within one segment, and the segment `**` stands for any number of
 * segments, also none: `/app/**` is the folder `/app` and all below it.
 *
 * Matching takes time in the product of the lengths at most; there are no regular expressions.
 */
import { Fault } from '@quorate/base'

export const MAX_PATTERN = 256

export type Pattern = {
  readonly text: string
  matches(value: string): boolean
}

/** @throws kms/bad-rule over 256 characters or empty */
export function namePattern(text: string): Pattern {
  if (text === '' || text.length > MAX_PATTERN) refuse('a pattern has 1 to 256 characters')
  if (!text.includes('*')) return { text, matches: (value) => value === text }
  if (/^\*+$/.test(text)) return { text, matches: () => true }
  return { text, matches: (value) => matchesText(text, value, false) }
}

/** @throws kms/bad-rule unless it is `/` or begins with one, has no empty segment, and `**` only whole */
export function pathPattern(text: string): Pattern {
  if (text.length > MAX_PATTERN || !text.startsWith('/')) refuse('a path pattern starts with "/"')
  const segments = segmentsOf(text)
  if (segments.includes('')) refuse('a path pattern has an empty segment')
  if (segments.some((segment) => segment.includes('**') && segment !== '**'))
    refuse('"**" is a whole segment of a path pattern')
  if (!text.includes('*')) return { text, matches: (value) => value === text }
  const base = text.slice(0, -'/**'.length)
  // The two forms that nearly all rules have.
  if (text === '/**') return { text, matches: () => true }
  if (text.endsWith('/**') && !base.includes('*'))
    return { text, matches: (value) => value === base || value.startsWith(`${base}/`) }
  return { text, matches: (value) => matchesSegments(segments, segmentsOf(value), false) }
}

/** Whether everything that `inner` matches is surely matched by `outer`. Sound, not complete. */
export const coversName = (outer: string, inner: string): boolean => matchesText(outer, inner, true)
export const coversPath = (outer: string, inner: string): boolean =>
  matchesSegments(segmentsOf(outer), segmentsOf(inner), true)

/** Whether surely nothing is matched by both: their fixed beginnings differ. Sound, not complete. */
export function areDisjointPatterns(a: string, b: string): boolean {
  const [fixedA, fixedB] = [fixedPart(a), fixedPart(b)]
  const length = Math.min(fixedA.length, fixedB.length)
  if (fixedA.slice(0, length) !== fixedB.slice(0, length)) return true
  // A pattern without stars is one text.
  return (
    (fixedA === a && fixedB.length > fixedA.length) ||
    (fixedB === b && fixedA.length > fixedB.length)
  )
}

/** Up to the first star; without the slash before it, for `/a/**` matches `/a` too. */
function fixedPart(pattern: string): string {
  const star = pattern.indexOf('*')
  if (star < 0) return pattern
  return pattern.startsWith('**', star)
    ? pattern.slice(0, Math.max(0, star - 1))
    : pattern.slice(0, star)
}

const segmentsOf = (path: string): readonly string[] =>
  path === '/' ? [] : path.slice(1).split('/')

/** With `symbolic`, `value` is a pattern itself, and its stars are taken only by stars of `pattern`. */
function matchesText(pattern: string, value: string, symbolic: boolean): boolean {
  return matchesWith(
    pattern.length,
    value.length,
    (p) => pattern[p] === '*',
    (p, v) => pattern[p] === value[v] && !(symbolic && value[v] === '*'),
  )
}

function matchesSegments(
  pattern: readonly string[],
  value: readonly string[],
  symbolic: boolean,
): boolean {
  return matchesWith(
    pattern.length,
    value.length,
    (p) => pattern[p] === '**',
    (p, v) => !(symbolic && value[v] === '**') && matchesText(pattern[p]!, value[v]!, symbolic),
  )
}

/** Wildcard matching with one way back: to the last star, which then takes one more. */
function matchesWith(
  patternLength: number,
  valueLength: number,
  isStar: (p: number) => boolean,
  isSame: (p: number, v: number) => boolean,
): boolean {
  let p = 0
  let v = 0
  let star = -1
  let taken = 0
  while (v < valueLength) {
    if (p < patternLength && isStar(p)) {
      star = p++
      taken = v
    } else if (p < patternLength && isSame(p, v)) {
      p++
      v++
    } else if (star >= 0) {
      p = star + 1
      v = ++taken
    } else return false
  }
  while (p < patternLength && isStar(p)) p++
  return p === patternLength
}

function refuse(detail: string): never {
  throw new Fault('kms/bad-rule', { detail })
}
