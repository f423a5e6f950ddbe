import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CHECKS, diagnose } from '#src/doctor/diagnose.js'
import { known } from '#src/doctor/facts.js'
import { renderTable, toJson, toSarif } from '#src/doctor/report.js'
import { clean, signing } from './clean.ts'

const ESCAPE = '\u001b'
const findings = diagnose({
  ...clean,
  custody: 'software',
  objects: known([
    {
      ...signing,
      label: `evil${ESCAPE}[2J`,
      flags: { ...signing.flags, MODIFIABLE: true },
    },
  ]),
})

test('the table shows the worst first, what was not checked, and the counts', () => {
  const lines = renderTable(findings).split('\n')
  assert.match(lines[0] ?? '', /^critical +D17 {2}No hardware/)
  assert.match(lines[1] ?? '', /^ +fix: Configure/)
  assert.match(lines[2] ?? '', /^medium +D08 {2}.*"evil \[2J" \(id a1\): CKA_MODIFIABLE is true$/)
  assert.ok(lines.some((line) => /^ {2}D26 {2}.*: only of a YubiHSM 2$/.test(line)))
  const clear = findings.filter(({ state }) => state === 'clear').length
  const notChecked = findings.filter(({ state }) => state === 'not checked').length
  assert.equal(lines.at(-2), `2 found, ${clear} checks clear, ${notChecked} not checked`)
  assert.ok(!renderTable(findings).includes(ESCAPE))
})

test('the table of a clean device is short', () => {
  assert.match(renderTable(diagnose(clean)), /^Not checked:\n( {2}D\d\d.*\n)+\n0 found, /)
})

test('JSON holds every check', () => {
  const { v, worst, findings: all } = JSON.parse(toJson(findings))
  assert.deepEqual([v, worst], [1, 'critical'])
  assert.deepEqual(all, findings)
  assert.equal(new Set(all.map(({ id }: { id: string }) => id)).size, CHECKS.length)
  assert.equal(JSON.parse(toJson(diagnose(clean))).worst, null)
})

test('SARIF has a rule for each check and a result for each finding', () => {
  const log = JSON.parse(toSarif(findings, 'pkcs11:token=main'))
  assert.equal(log.version, '2.1.0')
  const [{ tool, results, invocations }] = log.runs
  assert.deepEqual(
    tool.driver.rules.map(({ id }: { id: string }) => id),
    CHECKS.map(({ id }) => id),
  )
  const shown = results.map((result: { ruleId: string; ruleIndex: number; level: string }) => [
    result.ruleId,
    result.level,
    tool.driver.rules[result.ruleIndex].id,
  ])
  assert.deepEqual(shown, [
    ['D17', 'error', 'D17'],
    ['D08', 'warning', 'D08'],
  ])
  for (const { message, locations, properties } of results) {
    assert.ok(message.text.length > 0)
    assert.equal(locations[0].logicalLocations[0].fullyQualifiedName, 'pkcs11:token=main')
    assert.ok(Number(properties['security-severity']) > 0)
  }
  const notChecked = findings.filter(({ state }) => state === 'not checked')
  assert.equal(invocations[0].toolConfigurationNotifications.length, notChecked.length)
})
