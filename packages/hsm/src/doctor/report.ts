/** Findings for people, for programs, and for code scanning. */
import { printable } from '@quorate/platform'
import { SEVERITIES, type Severity } from './check.ts'
import { CHECKS, type Finding } from './diagnose.ts'

type Found = Extract<Finding, { state: 'found' }>
type NotChecked = Extract<Finding, { state: 'not checked' }>

const foundIn = (findings: readonly Finding[]): readonly Found[] =>
  findings
    .filter((finding) => finding.state === 'found')
    .sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity))
const notCheckedIn = (findings: readonly Finding[]): readonly NotChecked[] =>
  findings.filter((finding) => finding.state === 'not checked')

const WIDTH = Math.max(...SEVERITIES.map((severity) => severity.length))

/** Worst first; then what could not be looked at, and a last line with the counts. Ends with a line feed. */
export function renderTable(findings: readonly Finding[]): string {
  const found = foundIn(findings)
  const notChecked = notCheckedIn(findings)
  const clear = findings.filter(({ state }) => state === 'clear')
  const indent = ' '.repeat(WIDTH + 7)
  const lines = found.flatMap(({ id, severity, title, evidence, fix }) => [
    `${severity.padEnd(WIDTH)}  ${id}  ${title}: ${printable(evidence)}`,
    `${indent}fix: ${fix}`,
  ])
  if (notChecked.length > 0) {
    if (lines.length > 0) lines.push('')
    lines.push('Not checked:')
    for (const { id, title, reason } of notChecked)
      lines.push(`  ${id}  ${title}: ${printable(reason)}`)
  }
  const counts = `${found.length} found, ${clear.length} checks clear, ${notChecked.length} not checked`
  return `${[...lines, ...(lines.length > 0 ? [''] : []), counts].join('\n')}\n`
}

/** One JSON document with every finding, in the order of the checks. */
export function toJson(findings: readonly Finding[]): string {
  const worst = foundIn(findings)[0]?.severity ?? null
  return `${JSON.stringify({ v: 1, worst, findings }, null, 2)}\n`
}

/** SARIF knows three levels; code scanning sorts by the number (0 to 10). */
const SARIF: { readonly [S in Severity]: readonly [level: string, score: string] } = {
  critical: ['error', '9.5'],
  high: ['error', '8.0'],
  medium: ['warning', '5.0'],
  low: ['note', '2.0'],
  info: ['note', '0.0'],
}

/** SARIF 2.1.0 (OASIS, 2020). `device`: what people call it, e.g. its URI without the PIN. */
export function toSarif(findings: readonly Finding[], device: string): string {
  const location = { logicalLocations: [{ fullyQualifiedName: device, kind: 'resource' }] }
  const results = foundIn(findings).map(({ id, severity, evidence, fix }) => ({
    ruleId: id,
    ruleIndex: CHECKS.findIndex((check) => check.id === id),
    level: SARIF[severity][0],
    message: { text: `${evidence}. ${fix}` },
    locations: [location],
    properties: { severity, 'security-severity': SARIF[severity][1] },
  }))
  const rules = CHECKS.map(({ id, title, severity, fix }) => ({
    id,
    shortDescription: { text: title },
    help: { text: fix },
    defaultConfiguration: { level: SARIF[severity][0] },
    properties: { 'security-severity': SARIF[severity][1], tags: ['security'] },
  }))
  const notifications = notCheckedIn(findings).map(({ id, reason }) => ({
    associatedRule: { id },
    level: 'note',
    message: { text: `not checked: ${reason}` },
  }))
  const run = {
    tool: { driver: { name: 'quorate hsm doctor', rules } },
    invocations: [{ executionSuccessful: true, toolConfigurationNotifications: notifications }],
    results,
  }
  const schema = 'https://json.schemastore.org/sarif-2.1.0.json'
  return `${JSON.stringify({ $schema: schema, version: '2.1.0', runs: [run] }, null, 2)}\n`
}
