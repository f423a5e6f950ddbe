import { deepEqual, equal, match } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const REPORTER = fileURLToPath(new URL('../test-report.mjs', import.meta.url))

const SOME_TESTS = `
import { equal } from 'node:assert/strict'
import { test } from 'node:test'
test('outer', async (t) => {
  await t.test('wrong', () => equal(1, 2))
  await t.test('right', () => equal(1, 1))
})
test('left out', { skip: 'for a reason' }, () => {})
`

test('a report names what failed, once, with its error, counts it, and names what was skipped', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-report-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const file = join(directory, 'some.test.mjs')
  writeFileSync(file, SOME_TESTS)
  // A runner below a runner would report to that one.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { stdout } = spawnSync(process.execPath, ['--test', `--test-reporter=${REPORTER}`, file], {
    encoding: 'utf8',
    env,
  })
  const { counts, skipped, failed, failures } = JSON.parse(stdout)
  equal(counts.pass, 1)
  deepEqual(skipped, [{ name: 'left out', reason: 'for a reason' }])
  deepEqual(
    failed.map(({ name, file }) => ({ name, file })),
    [{ name: 'wrong', file }],
  )
  deepEqual(failures, { [file]: 2 })
  match(failed[0].error.join('\n'), /strictly equal[\s\S]*1 !== 2/)
})
