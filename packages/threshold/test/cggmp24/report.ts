/** The head of every report: when, of what, where. */
import { execFileSync } from 'node:child_process'
import { cpus } from 'node:os'

export function headOf(level: string): readonly string[] {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const all = cpus()
  return [
    `- Date: ${new Date().toISOString().slice(0, 10)}; commit ${commit}; ${level}`,
    `- Machine: ${all.length} x ${all[0]?.model ?? 'unknown'}, Node ${process.version}`,
  ]
}
