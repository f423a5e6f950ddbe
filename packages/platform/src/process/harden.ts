/**
 * Closes what a Node process opens by itself to those who may signal it or read its files: the
 * inspector, heap snapshots, reports. Node has no setrlimit and no prctl, so core dumps and access
 * through /proc by the same user stay the business of whoever starts the process (`ulimit -c 0`,
 * systemd `LimitCORE=0`); what is not closed is reported.
 */
import { readFileSync } from 'node:fs'

export type HardeningFinding = {
  readonly what: 'inspector' | 'heap-snapshot' | 'report' | 'core-dump'
  /** What is open and what to do. */
  readonly detail: string
}

/** Options, of the command line or of NODE_OPTIONS, under which memory can leave the process. */
const OPTIONS: readonly (readonly [RegExp, HardeningFinding['what']])[] = [
  [/^--inspect/, 'inspector'],
  [/^--heapsnapshot-/, 'heap-snapshot'],
  [/^--(heap|cpu)-prof/, 'heap-snapshot'],
  [/^--report-(on|signal|uncaught)/, 'report'],
  [/^--abort-on-uncaught-exception/, 'core-dump'],
]

/** The soft limit on core files: 0 where none is written. */
function coreLimit(): string {
  try {
    return (
      /^Max core file size\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1] ?? '0'
    )
  } catch {
    return '0'
  }
}

/**
 * Closes what can be closed and reports the rest; for daemons, and for everything that holds
 * secrets. Call it before the first secret is there.
 */
export function hardenProcess(): readonly HardeningFinding[] {
  // A handler of our own takes the place of Node's, which would open the inspector.
  process.on('SIGUSR1', () => {})
  if (process.report !== undefined) {
    process.report.reportOnFatalError = false
    process.report.reportOnSignal = false
    process.report.reportOnUncaughtException = false
  }
  const options = [...process.execArgv, ...(process.env['NODE_OPTIONS'] ?? '').split(/\s+/)]
  const findings = options.flatMap((option) =>
    OPTIONS.filter(([pattern]) => pattern.test(option)).map(
      ([, what]): HardeningFinding => ({
        what,
        detail: `${option.split('=')[0]} is set; start without it`,
      }),
    ),
  )
  const core = coreLimit()
  if (core === '0') return findings
  return [
    ...findings,
    { what: 'core-dump', detail: `core files may hold ${core} bytes; start with "ulimit -c 0"` },
  ]
}
