/** The suite that every provider must pass, on a simulated Zymbit behind a real provider host. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { conformanceOf } from '@quorate/hsm'
import { PACKAGE } from '../modules/fixture.ts'
import { benchFor, skip } from './kit.ts'

test('the conformance suite passes, and the README says what a Zymbit can do', {
  skip,
}, async (t) => {
  const { hsm } = await benchFor(t)
  const { info, algorithms, capabilities, results } = await conformanceOf(hsm)
  assert.equal(info.type, 'zymbit')
  assert.deepEqual(
    results.filter(({ outcome }) => outcome === 'failed'),
    [],
  )
  assert.ok(!algorithms.ed25519, 'the device signs digests by ECDSA only')
  const passed = results.filter(({ outcome }) => outcome === 'passed').length
  const marks = Object.values({ ...algorithms, ...capabilities }).map((can) => (can ? 'yes' : '–'))
  const row = `| \`zymbit\` | ${[...marks, `${passed} of ${results.length}`].join(' | ')} |`
  assert.ok(readFileSync(join(PACKAGE, 'README.md'), 'utf8').includes(row), row)
})
