/**
 * Checks a statement and its values before any driver sees them: drivers differ in what they do
 * with a missing value (NULL), a second statement (ignored) or a stray object (abort).
 */
import { Fault } from '@quorate/base'
import type { SqlValue } from './port.ts'

export type StatementKind = 'read' | 'write'

const FIRST_WORDS: { readonly [K in StatementKind]: ReadonlySet<string> } = {
  read: new Set(['SELECT', 'WITH', 'VALUES']),
  write: new Set(['INSERT', 'UPDATE', 'DELETE', 'REPLACE', 'WITH']),
}
const CHANGING = ['INSERT', 'UPDATE', 'DELETE', 'REPLACE']
const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n
const MAX_CACHED = 1000

function refuse(detail: string): never {
  throw new Fault('platform/bad-sql', { detail })
}

type Analysis = {
  readonly parameters: number
  readonly words: ReadonlySet<string>
  readonly first: string
}

/** One token: quoted text, comment, word or number, parameter, or any other character. */
const TOKEN =
  /'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|[A-Za-z0-9_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*|\s+|\?\d*|[:@$#]\S|[\s\S]/gy

/** The tokens of a statement; joined they are the statement again. */
export const tokensOf = (sql: string): readonly string[] =>
  Array.from(sql.matchAll(TOKEN), ([token]) => token)

function analyse(sql: string): Analysis {
  if (sql.includes('\0')) refuse('a NUL character in the statement')
  let parameters = 0
  let isEnded = false
  let first = ''
  const words = new Set<string>()
  for (const token of tokensOf(sql)) {
    const start = token[0]!
    if (/\s/.test(start) || token.startsWith('--') || token.startsWith('/*')) continue
    if (isEnded) refuse('more than one statement')
    if (token === ';') isEnded = true
    else if (token === '?') parameters++
    else if (start === '?' || (':@$#'.includes(start) && token.length > 1))
      refuse('a numbered or named parameter')
    else if (token.length === 1 && '\'"`['.includes(start)) refuse('a quote that is not closed')
    else if (/[A-Za-z_]/.test(start)) {
      const word = token.toUpperCase()
      first ||= word
      words.add(word)
    }
  }
  return { parameters, words, first }
}

const analyses = new Map<string, Analysis>()

function analysisOf(sql: string): Analysis {
  const known = analyses.get(sql)
  if (known !== undefined) return known
  const analysis = analyse(sql)
  // Statements are constants of the program; the bound only matters to one that builds them.
  if (analyses.size >= MAX_CACHED) analyses.clear()
  analyses.set(sql, analysis)
  return analysis
}

/** Most texts; quicker to tell than the ones that must be refused. */
const PLAIN_TEXT = /^[\t\n -~]*$/

function checkValue(value: unknown, position: number): SqlValue {
  switch (typeof value) {
    case 'string':
      // SQLite ends text at a NUL in places, and a lone surrogate has no UTF-8.
      return !PLAIN_TEXT.test(value) && /[\0\p{Surrogate}]/u.test(value)
        ? refuse(`value ${position}: text with a NUL or a lone surrogate`)
        : value
    case 'number':
      return Number.isSafeInteger(value)
        ? value
        : refuse(`value ${position}: a number that is not a safe integer`)
    case 'bigint':
      return value >= MIN_INT64 && value <= MAX_INT64
        ? value
        : refuse(`value ${position}: an integer over 64 bits`)
    default:
      if (value === null) return null
      // The copy keeps the caller free to wipe its own, and drops whatever shares a pooled buffer.
      if (ArrayBuffer.isView(value) && value instanceof Uint8Array) return new Uint8Array(value)
      return refuse(`value ${position}: neither text, integer, bytes nor null`)
  }
}

/**
 * The values, copied, where `sql` is one statement of that kind with one `?` for each.
 * @throws platform/bad-sql
 */
export function checkStatement(
  kind: StatementKind,
  sql: unknown,
  params: unknown,
): readonly SqlValue[] {
  if (typeof sql !== 'string') refuse('a statement that is not text')
  if (!Array.isArray(params)) refuse('values that are not an array')
  const { parameters, words, first } = analysisOf(sql)
  if (!FIRST_WORDS[kind].has(first)) refuse(`not a statement for a ${kind}`)
  if (kind === 'write') {
    if (words.has('RETURNING')) refuse('RETURNING in a write')
    if (!CHANGING.some((word) => words.has(word))) refuse('a write that changes nothing')
  }
  if (params.length !== parameters) refuse(`${parameters} parameters, ${params.length} values`)
  return Array.from(params, (value: unknown, i) => checkValue(value, i + 1))
}
