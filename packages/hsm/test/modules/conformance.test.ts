/** Every real module, through the provider host, by the suite that every provider must pass. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Logger, utf8 } from '@quorate/base'
import { conformanceOf } from '@quorate/hsm'
import { HostedHsm } from '#src/host/hosted-hsm.js'
import { PACKAGE } from './fixture.ts'
import { MODULES, type ModuleName, openModule } from './modules.ts'

const SILENT: Logger = { log: () => undefined, with: () => SILENT }
const readme = readFileSync(join(PACKAGE, 'README.md'), 'utf8')

describe('the conformance suite passes, and the README says what each module can do:', async () => {
  for (const name of Object.keys(MODULES) as ModuleName[])
    test(name, async (t) => {
      const module = await openModule(name, t)
      if (!module.available) return t.skip(module.reason)
      const hsm = await HostedHsm.open({
        settings: module.settings,
        readPin: () => Promise.resolve(utf8(module.pin)),
        logger: SILENT,
      })
      t.after(() => hsm.close())
      const { algorithms, capabilities, results } = await conformanceOf(hsm)
      const failed = results.filter(({ outcome }) => outcome === 'failed')
      assert.deepEqual(failed, [])
      const passed = results.filter(({ outcome }) => outcome === 'passed').length
      const marks = Object.values({ ...algorithms, ...capabilities }).map((can) =>
        can ? 'yes' : '–',
      )
      const row = `| \`${name}\` | ${[...marks, `${passed} of ${results.length}`].join(' | ')} |`
      assert.ok(readme.includes(row), row)
    })
})
