/** doctor: what is wrong or weak here, and how to put it right. */
import { Fault } from '@quorate/base'
import type { Run } from '../command.ts'
import { homeOf } from '../dev/home.ts'
import { clusterFindings } from '../doctor/cluster.ts'
import type { Finding } from '../doctor/finding.ts'
import { machineFindings } from '../doctor/machine.ts'
import { nodeFindings } from '../doctor/node.ts'

const MARKS = { ok: 'ok      ', warning: 'warning ', error: 'ERROR   ' } as const

export const doctor: Run = async (given, output) => {
  const home = homeOf(given)
  output.progress('looking at this machine')
  const findings: readonly Finding[] = [
    ...(await machineFindings(home)),
    ...(given.has('url')
      ? await nodeFindings(given)
      : await clusterFindings(home, (text) => output.progress(text))),
  ]
  const errors = findings.filter(({ level }) => level === 'error').length
  output.result({ isOk: errors === 0, findings }, () =>
    findings.flatMap(({ level, what, detail, fix }) => [
      `${MARKS[level]}${what}: ${detail}`,
      ...(fix === undefined ? [] : [`        ${fix}`]),
    ]),
  )
  if (errors > 0)
    throw new Fault('cli/findings', { detail: `${errors} of ${findings.length} are errors` })
}
