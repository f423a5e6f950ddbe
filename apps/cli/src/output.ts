/**
 * What a command prints: its result on stdout, as lines or as one JSON document; progress and
 * errors on stderr. On a terminal, progress is one line that is written over.
 */
import type { Fault } from '@quorate/base'

export type Streams = {
  readonly out: { write(text: string): unknown }
  readonly err: {
    write(text: string): unknown
    readonly isTTY?: boolean
    readonly columns?: number
  }
}

/** Controls, and marks that change the direction of text: they could drive the terminal. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
const safe = (line: string): string => line.replace(UNSAFE, ' ')

export class Output {
  readonly isJson: boolean
  readonly #streams: Streams
  #isLineOpen = false
  #last = ''

  constructor(isJson: boolean, streams: Streams) {
    this.isJson = isJson
    this.#streams = streams
  }

  /** The result: `value` with --json, else `lines`. Once for each command. */
  result(value: unknown, lines: () => readonly string[]): void {
    this.#closeLine()
    if (this.isJson) this.#streams.out.write(`${JSON.stringify(value)}\n`)
    else this.lines(lines())
  }

  /** Lines of a result that comes bit by bit. */
  lines(lines: readonly string[]): void {
    this.#closeLine()
    for (const line of lines) this.#streams.out.write(`${safe(line)}\n`)
  }

  /** Where the work stands; the same twice is said once. */
  progress(text: string): void {
    if (this.isJson || text === this.#last) return
    this.#last = text
    const { err } = this.#streams
    if (err.isTTY !== true) {
      err.write(`${safe(text)}\n`)
      return
    }
    err.write(`\r\u001b[2K${safe(text).slice(0, (err.columns ?? 80) - 1)}`)
    this.#isLineOpen = true
  }

  /** Something to know beside the result. */
  note(...lines: readonly string[]): void {
    if (this.isJson) return
    this.#closeLine(true)
    for (const line of lines) this.#streams.err.write(`${safe(line)}\n`)
  }

  /** A fault: what was wrong, what to do, and the code to look up. */
  fault(fault: Fault): void {
    this.#closeLine()
    const { code, message, detail, remedy, retryable, entry } = fault
    const { err } = this.#streams
    if (this.isJson) {
      const error = {
        code,
        message,
        ...(detail !== undefined && { detail }),
        remedy,
        retryable,
        exit: entry.exit,
      }
      err.write(`${JSON.stringify({ error })}\n`)
      return
    }
    err.write(`error: ${safe(message)}\n  ${safe(remedy)}\n  [${code}]\n`)
  }

  #closeLine(isKept = false): void {
    if (!this.#isLineOpen) return
    this.#streams.err.write(isKept ? '\n' : '\r\u001b[2K')
    this.#isLineOpen = false
  }
}

/** Rows as columns of equal width. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  )
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join('  '),
  )
}
