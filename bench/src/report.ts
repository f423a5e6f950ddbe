/** What every bench yields, and how it is shown. */
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'

export type Row = {
  /** Stable: `<area>/<what>/<shape>/<operation>`. */
  readonly name: string
  readonly value: number
  readonly unit: 'ms' | 'µs' | 'per s' | 'bytes'
  /** The same work done by the implementation that the bench compares with, in the same unit and run. */
  readonly baseline?: number
  /** How many times better than the baseline. */
  readonly ratio?: number
}

export type Bench = {
  /** One line on what the numbers are, for the table's head. */
  readonly about: string
  /** Yields rows as they are measured. */
  run(): AsyncIterable<Row>
}

/** A row in milliseconds, with its ratio where there is a baseline. */
export const row = (name: string, value: number, baseline?: number): Row => ({
  name,
  value: rounded(value),
  unit: 'ms',
  ...(baseline !== undefined && {
    baseline: rounded(baseline),
    ratio: Math.round((baseline / value) * 10) / 10,
  }),
})

const rounded = (value: number): number => Math.round(value * 1000) / 1000

export const formatRow = ({ name, value, unit, baseline, ratio }: Row): string => {
  const figures = [`${Number.isInteger(value) ? value : value.toFixed(3)} ${unit}`.padStart(14)]
  if (baseline !== undefined)
    figures.push(
      `${Number.isInteger(baseline) ? baseline : baseline.toFixed(3)} ${unit}`.padStart(16),
      `${ratio}x`.padStart(8),
    )
  return name.padEnd(44) + figures.join('')
}

export const formatHead = (about: string): string =>
  `${about}\n${'name'.padEnd(44)}${'value'.padStart(14)}${'baseline'.padStart(16)}${'ratio'.padStart(8)}`

export const report = (bench: string, rows: readonly Row[]): string =>
  JSON.stringify({ bench, machine: machine(), commit: commit(), rows }, null, 2)

function machine(): string {
  const all = cpus()
  return `${all.length} x ${all[0]?.model ?? 'unknown processor'}, ${process.platform}-${process.arch}, Node ${process.version}`
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}
