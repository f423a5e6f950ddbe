/** All checks in one table, and what they say of a device. */
import { type Check, SEVERITIES, type Severity } from './check.ts'
import type { DoctorFacts } from './facts.ts'
import { KEY_CHECKS } from './keys.ts'
import { MECHANISM_CHECKS } from './mechanisms.ts'
import { PLACE_CHECKS } from './places.ts'
import { PROBE_CHECKS } from './probes.ts'
import { VENDOR_CHECKS } from './vendors.ts'

export type Finding =
  | {
      readonly state: 'found'
      readonly id: string
      readonly title: string
      readonly severity: Severity
      readonly evidence: string
      readonly fix: string
    }
  | { readonly state: 'clear'; readonly id: string; readonly title: string }
  | {
      readonly state: 'not checked'
      readonly id: string
      readonly title: string
      readonly reason: string
    }

export const CHECKS: readonly Check[] = [
  ...KEY_CHECKS,
  ...MECHANISM_CHECKS,
  ...PLACE_CHECKS,
  ...PROBE_CHECKS,
  ...VENDOR_CHECKS,
].sort((a, b) => a.id.localeCompare(b.id))

/** What every check says: a finding for each weakness, or one that there is none, or that it could not look. */
export const diagnose = (facts: DoctorFacts): readonly Finding[] =>
  CHECKS.flatMap((check) => findingsOf(check, facts))

function findingsOf(
  { id, title, severity, fix, look }: Check,
  facts: DoctorFacts,
): readonly Finding[] {
  const { weaknesses, blind } = look(facts)
  if (weaknesses.length > 0)
    return weaknesses.map((weakness) => ({ state: 'found', id, title, severity, fix, ...weakness }))
  return blind === undefined
    ? [{ state: 'clear', id, title }]
    : [{ state: 'not checked', id, title, reason: blind }]
}

const FINDINGS = 7

/** 7 where something at least as severe as `from` was found, else 0. */
export const exitCodeOf = (findings: readonly Finding[], from: Severity = 'low'): number =>
  findings.some(
    (finding) =>
      finding.state === 'found' && SEVERITIES.indexOf(finding.severity) >= SEVERITIES.indexOf(from),
  )
    ? FINDINGS
    : 0
