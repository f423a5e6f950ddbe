/**
 * Structured logs: one line for each event, as JSON or for people. Text that came from outside
 * cannot begin a line, colour a terminal or turn its direction. Logging never fails its caller.
 */
import type { Clock, LogFields, Logger, LogLevel } from '@quorate/base'

const LEVELS: { readonly [Level in LogLevel]: number } = { debug: 0, info: 1, warn: 2, error: 3 }

export type LogSink = { write(line: string): void }

export type LoggerOptions = {
  readonly level: LogLevel
  /** `pretty` is for a terminal; programs read `json`. */
  readonly format: 'json' | 'pretty'
  readonly sink: LogSink
  readonly clock: Clock
}

const MAX_TEXT = 2000
/** Controls, line separators, and marks that change the direction of text; unpaired surrogates. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu

/** `text` with everything that could drive a terminal replaced, cut to a sane length. */
export const printable = (text: string): string => {
  const short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
  return short.replace(UNSAFE, ' ')
}

type Plain = string | number | boolean
const plain = (value: string | number | bigint | boolean): Plain =>
  typeof value === 'string'
    ? printable(value)
    : typeof value === 'bigint'
      ? value.toString()
      : value

/** Fields that every line has; others of the same name get a line below. */
const FIXED = new Set(['time', 'level', 'event'])

function plainFields(fields: LogFields): readonly (readonly [string, Plain])[] {
  return Object.entries(fields).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [[FIXED.has(name) ? `${name}_` : printable(name), plain(value)] as const],
  )
}

function jsonLine(time: string, level: LogLevel, event: string, fields: LogFields): string {
  return JSON.stringify({
    time,
    level,
    event: printable(event),
    ...Object.fromEntries(plainFields(fields)),
  })
}

const COLOURS: { readonly [Level in LogLevel]: string } = {
  debug: '2',
  info: '36',
  warn: '33',
  error: '31',
}

function prettyLine(time: string, level: LogLevel, event: string, fields: LogFields): string {
  const pairs = plainFields(fields).map(([name, value]) => ` \u001b[2m${name}=\u001b[0m${value}`)
  return `${time.slice(11, 23)} \u001b[${COLOURS[level]}m${level.padEnd(5)}\u001b[0m ${printable(event)}${pairs.join('')}`
}

/** A logger that writes lines of at least `level` to the sink. */
export function createLogger(options: LoggerOptions, fixed: LogFields = {}): Logger {
  const { level: least, format, sink, clock } = options
  const lineOf = format === 'json' ? jsonLine : prettyLine
  return {
    log(level, event, fields = {}) {
      if (LEVELS[level] < LEVELS[least]) return
      const time = new Date(clock.now()).toISOString()
      sink.write(`${lineOf(time, level, event, { ...fixed, ...fields })}\n`)
    },
    with: (fields) => createLogger(options, { ...fixed, ...fields }),
  }
}
