/** hsm conformance: what an HSM can do, and whether it does it as it should. */
import { Fault } from '@quorate/base'
import { type ConformanceReport, conformanceOf } from '@quorate/hsm'
import type { Run } from '../command.ts'
import { withHsm } from '../hsm-open.ts'
import { table } from '../output.ts'

export const conformance: Run = (given, output) =>
  withHsm(given, output, async ({ provider, custody }) => {
    const report = await conformanceOf(provider, (name) => output.progress(name))
    output.result({ custody, ...report }, () => describe(report, custody))
    const failed = report.results.filter(({ outcome }) => outcome === 'failed')
    if (failed.length > 0)
      throw new Fault('cli/findings', { detail: `${failed.length} checks failed` })
  })

const MARKS = { passed: 'ok', failed: 'FAILED', skipped: '-' } as const

function describe(report: ConformanceReport, custody: string): readonly string[] {
  const { info, algorithms, capabilities, results } = report
  const count = (outcome: string): number =>
    results.filter((result) => result.outcome === outcome).length
  const yesOrNo = Object.entries({ ...algorithms, ...capabilities }).map(([name, has]) => [
    `  ${name}`,
    has ? 'yes' : 'no',
  ])
  return [
    `${info.name}, custody ${custody}`,
    ...table(yesOrNo),
    '',
    ...table(
      results.map(({ name, outcome, detail }) => [
        MARKS[outcome],
        detail === undefined ? name : `${name} (${detail})`,
      ]),
    ),
    '',
    `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} not applicable`,
  ]
}
