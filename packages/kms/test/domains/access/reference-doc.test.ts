/** What the reference says is what happens: every example in it is evaluated. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { Value } from '@sinclair/typebox/value'
import { checkRules, ruleSchema } from '#src/domains/access/model.js'
import { BUILT_IN_ROLES } from '#src/domains/access/roles.js'
import { ACCESS_DEFAULTS } from '#src/domains/access/service.js'
import { policyFileSchema, testPolicyFile } from '#src/domains/access/simulate.js'

function rootDirectory(): string {
  let at = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(at, 'docs', 'reference'))) at = dirname(at)
  return at
}
const text = readFileSync(join(rootDirectory(), 'docs', 'reference', 'kms-access.md'), 'utf8')
const blocks = (kind: string): readonly unknown[] =>
  [...text.matchAll(new RegExp(`\`\`\`json ${kind}\\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, json]) =>
    JSON.parse(json!),
  )

test('the rules of the reference are rules', () => {
  const rules = blocks('rule')
  assert.ok(rules.length > 0)
  for (const rule of rules) {
    assert.ok(Value.Check(ruleSchema, rule), JSON.stringify(rule))
    checkRules([rule])
  }
})

test('every case of its policy files decides as it says', async () => {
  const files = blocks('policy')
  assert.ok(files.length > 0)
  for (const file of files) {
    assert.ok(
      Value.Check(policyFileSchema, file),
      JSON.stringify([...Value.Errors(policyFileSchema, file)][0]),
    )
    const report = await testPolicyFile(file)
    assert.deepEqual(
      report.cases.filter(({ passed }) => !passed),
      [],
    )
    assert.equal(report.passed, file.cases.length)
  }
})

test('a case that expects something else fails, and says why', async () => {
  const [file] = blocks('policy') as [Parameters<typeof testPolicyFile>[0]]
  const [first, ...rest] = file.cases
  const report = await testPolicyFile({ ...file, cases: [{ ...first!, expect: 'deny' }, ...rest] })
  assert.equal(report.failed, 1)
  assert.ok(report.cases[0]!.why.some(({ because }) => because.includes('environment prod*')))
})

test('its tables name the built-in roles and the default rates', () => {
  for (const role of Object.keys(BUILT_IN_ROLES)) assert.ok(text.includes(`| \`${role}\` |`), role)
  const { identityRate, addressRate } = ACCESS_DEFAULTS
  assert.ok(
    text.includes(`| ${identityRate.perSecond} a second, 10 000 at once |`) &&
      identityRate.burst === 10_000,
  )
  assert.ok(text.includes(`| ${addressRate.perSecond} a second, ${addressRate.burst} at once |`))
})
