/**
 * Reading and writing .env files. The rules stand in docs/spec/secret-files.md; what is written is
 * read back as the same names and values, whatever the values hold.
 */
import { Fault } from '@quorate/base'
import { isSecretName } from '../folders/place.ts'

export type Named = { readonly name: string; readonly value: string; readonly comment?: string }

const NAME = /(?:export[ \t]+)?([^\s=#]+)[ \t]*=/y
/** What needs no quotes: nothing that this reader, a shell or another reader of .env takes specially. */
const PLAIN = /^[A-Za-z0-9_.,:/@%+-]*$/
const UNESCAPED: { readonly [letter: string]: string } = {
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  '\\': '\\',
  $: '$',
}

/** The file with one line for each; comments go on lines before it. @throws kms/bad-file for a value with a NUL */
export function formatDotenv(items: readonly Named[]): string {
  return items
    .map(({ name, value, comment = '' }) => {
      if (value.includes('\0'))
        throw new Fault('kms/bad-file', {
          detail: `${name} has a NUL character, which .env cannot hold`,
        })
      const before =
        comment === ''
          ? ''
          : comment
              .split(/\r\n|\r|\n/)
              .map((line) => `# ${line}\n`)
              .join('')
      return `${before}${name}=${quoted(value)}\n`
    })
    .join('')
}

function quoted(value: string): string {
  if (PLAIN.test(value)) return value
  // In single quotes nothing is special, so a dollar stays one for every reader.
  if (!/['\r\n\t]/.test(value)) return `'${value}'`
  return `"${value.replace(/[\\"\n\r\t]/g, (char) => `\\${LETTER[char] ?? char}`)}"`
}

const LETTER: { readonly [char: string]: string } = { '\n': 'n', '\r': 'r', '\t': 't' }

/**
 * Names and values in the order of the file.
 * @throws kms/bad-file naming the line, and never what stands in it
 */
export function parseDotenv(content: string): readonly Named[] {
  return new DotenvReader(content.replace(/^\ufeff/, '')).all()
}

class DotenvReader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  all(): readonly Named[] {
    const items: Named[] = []
    const seen = new Set<string>()
    for (;;) {
      this.#skip(/(?:[ \t\r\n]|#[^\n]*)*/y)
      if (this.#at >= this.#text.length) return items
      const start = this.#at
      NAME.lastIndex = start
      const match = NAME.exec(this.#text)
      const name = match?.[1] ?? ''
      if (match === null || !isSecretName(name)) this.#refuse(start, 'expected NAME=value')
      if (seen.has(name)) this.#refuse(start, `${name} stands there twice`)
      seen.add(name)
      this.#at = NAME.lastIndex
      this.#skip(/[ \t]*/y)
      items.push({ name, value: this.#value() })
    }
  }

  #value(): string {
    const quote = this.#text[this.#at]
    if (quote !== '"' && quote !== "'") return this.#plain()
    const start = this.#at++
    let value = ''
    for (;;) {
      const char = this.#text[this.#at++]
      if (char === undefined) this.#refuse(start, 'the quote is not closed')
      if (char === quote) break
      if (char === '\\' && quote === '"') value += this.#escape()
      else value += char
    }
    this.#skip(/[ \t]*(?:#[^\n]*)?\r?/y)
    if (this.#at < this.#text.length && this.#text[this.#at] !== '\n')
      this.#refuse(start, 'there is text after the quote')
    return value
  }

  /** An escape that nobody knows is left as it stands, as other readers do. */
  #escape(): string {
    const letter = this.#text[this.#at++] ?? ''
    return Object.hasOwn(UNESCAPED, letter) ? (UNESCAPED[letter] as string) : `\\${letter}`
  }

  /** To the end of the line or a comment, which begins with a blank before it. */
  #plain(): string {
    const end = this.#text.indexOf('\n', this.#at)
    const line = this.#text.slice(this.#at, end < 0 ? this.#text.length : end)
    this.#at += line.length
    return line.replace(/(^|[ \t])#.*$/s, '').trim()
  }

  #skip(pattern: RegExp): void {
    pattern.lastIndex = this.#at
    pattern.exec(this.#text)
    this.#at = Math.max(this.#at, pattern.lastIndex)
  }

  #refuse(at: number, why: string): never {
    const line = this.#text.slice(0, at).split('\n').length
    throw new Fault('kms/bad-file', { detail: `line ${line}: ${why}` })
  }
}
