/** Every service by its official client, over the wire, by the suite that every provider must pass. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { CLOUD_TYPES } from '#src/config/model.js'
import { conformanceOf } from '#src/conformance/report.js'
import { BENCHES } from './kit.ts'

const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')

describe('the conformance suite passes, and the README says what each service can do:', () => {
  for (const type of CLOUD_TYPES)
    test(type, async (t) => {
      const bench = await BENCHES[type](t)
      const { algorithms, capabilities, results } = await conformanceOf(await bench.open())
      assert.deepEqual(
        results.filter(({ outcome }) => outcome === 'failed'),
        [],
      )
      const passed = results.filter(({ outcome }) => outcome === 'passed').length
      const marks = Object.values({ ...algorithms, ...capabilities }).map((can) =>
        can ? 'yes' : '–',
      )
      const row = `| \`${type}\` | ${[...marks, `${passed} of ${results.length}`].join(' | ')} |`
      assert.ok(readme.includes(row), row)
    })
})
