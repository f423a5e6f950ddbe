/** What every bench yields, and how it is shown. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
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
  /** Part of the processors' time that other machines of the same host took while it was measured, from 0 to 1. */
  readonly stolen?: number
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

export const formatRow = ({ name, value, unit, baseline, ratio, stolen = 0 }: Row): string => {
  const figures = [`${Number.isInteger(value) ? value : value.toFixed(3)} ${unit}`.padStart(14)]
  if (baseline !== undefined)
    figures.push(
      `${Number.isInteger(baseline) ? baseline : baseline.toFixed(3)} ${unit}`.padStart(16),
      `${ratio}x`.padStart(8),
    )
  if (stolen >= WORTH_TELLING)
    figures.push(`   ${Math.round(100 * stolen)}% of the processors taken by other machines`)
  return name.padEnd(44) + figures.join('')
}

/** Of the processors' time: less changes no figure by more than others do. */
const WORTH_TELLING = 0.03

/** Rows that come so soon after another, in ticks, are of the same measurement. */
const SAME_TICKS = 50

/** From one call to the next, the part of the processors' time that the host gave to other machines; 0 where it does not say. */
export function stolenTime(): () => number {
  let before = processorTimes()
  let last = 0
  return () => {
    const now = processorTimes()
    const [all, stolen] = [now.all - before.all, now.stolen - before.stolen]
    if (all < SAME_TICKS) return last
    before = now
    last = Math.round((100 * stolen) / all) / 100
    return last
  }
}

/** In ticks since the start of this machine, as Linux counts them. */
function processorTimes(): { readonly all: number; readonly stolen: number } {
  if (process.platform !== 'linux') return { all: 0, stolen: 0 }
  const [first = ''] = readFileSync('/proc/stat', 'latin1').split('\n')
  // user, nice, system, idle, iowait, irq, softirq, steal; what guests use is in user already.
  const ticks = first.split(/ +/).slice(1, 9).map(Number)
  return { all: ticks.reduce((a, b) => a + b, 0), stolen: ticks[7] ?? 0 }
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
