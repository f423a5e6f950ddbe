/** The files that secrets are imported from and exported to: .env, JSON and YAML, each one flat map of names to text. */
import { Fault } from '@quorate/base'
import { isMap, isScalar, parseDocument, stringify } from 'yaml'
import { isSecretName } from '../folders/place.ts'
import { formatDotenv, type Named, parseDotenv } from './dotenv.ts'

export type { Named } from './dotenv.ts'

export const FILE_FORMATS = ['env', 'json', 'yaml'] as const
export type FileFormat = (typeof FILE_FORMATS)[number]

type Form = {
  parse(content: string): readonly Named[]
  format(items: readonly Named[]): string
}

const mapOf = (items: readonly Named[]): { readonly [name: string]: string } =>
  Object.fromEntries(items.map(({ name, value }) => [name, value]))

const FORMS: { readonly [F in FileFormat]: Form } = {
  env: { parse: parseDotenv, format: formatDotenv },
  json: { parse: parseJson, format: (items) => `${JSON.stringify(mapOf(items), null, 2)}\n` },
  // Every value in quotes: a reader that knows other schemas would make numbers or dates of some.
  yaml: {
    parse: parseYaml,
    format: (items) =>
      items.length === 0
        ? '{}\n'
        : stringify(mapOf(items), {
            defaultStringType: 'QUOTE_DOUBLE',
            defaultKeyType: 'PLAIN',
            lineWidth: 0,
          }),
  },
}

/** Names and values of a file, in its order. @throws kms/bad-file saying where, and never what stands there */
export const parseFile = (format: FileFormat, content: string): readonly Named[] =>
  FORMS[format].parse(content)

/** The file; `parseFile` gives the same names and values back. @throws kms/bad-file */
export const formatFile = (format: FileFormat, items: readonly Named[]): string =>
  FORMS[format].format(items)

const refuse = (detail: string): never => {
  throw new Fault('kms/bad-file', { detail })
}

function named(name: unknown, value: unknown): Named {
  if (typeof name !== 'string' || !isSecretName(name)) return refuse('a key is no name of a secret')
  if (typeof value === 'string') return { name, value }
  // As they would be written anywhere else; a fraction has more than one form, and so none.
  if (typeof value === 'boolean' || Number.isSafeInteger(value))
    return { name, value: String(value) }
  return refuse(`${name} is not text; put quotes around it`)
}

function parseJson(content: string): readonly Named[] {
  let value: unknown
  try {
    value = JSON.parse(content.replace(/^\ufeff/, ''))
  } catch {
    return refuse('it is not JSON')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('it is not an object of names and values')
  return Object.entries(value).map(([name, each]) => named(name, each))
}

function parseYaml(content: string): readonly Named[] {
  // The failsafe schema keeps every scalar as it is written: 010 and no stay 010 and no.
  const document = parseDocument(content, {
    schema: 'failsafe',
    uniqueKeys: true,
    logLevel: 'silent',
  })
  const [error] = document.errors
  if (error !== undefined) {
    const line = error.linePos?.[0].line
    return refuse(`it is not YAML${line === undefined ? '' : `, line ${line}`}`)
  }
  const root = document.contents
  if (root === null) return []
  if (!isMap(root)) return refuse('it is not a map of names and values')
  return root.items.map(({ key, value }) => {
    const name = isScalar(key) ? key.value : undefined
    const anchor = isScalar(value) ? value.value : undefined
    return named(name, value === null ? '' : anchor)
  })
}
