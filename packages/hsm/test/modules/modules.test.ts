import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import { RawModule, USER } from '../raw/raw-module.ts'
import { adopt, type Scope } from './fixture.ts'
import { MODULES, type ModuleName, openModule } from './modules.ts'

describe('a fresh token with its PIN set is there for', async () => {
  for (const name of Object.keys(MODULES) as ModuleName[])
    test(name, async (t) => {
      const module = await openModule(name, t)
      if (!module.available) return t.skip(module.reason)
      adopt(module.settings)
      const raw = new RawModule(module.library, module.settings.initArgs)
      try {
        const session = raw.open(raw.slotOf(module.settings.token.label ?? ''))
        session.login(USER, module.pin)
        assert.deepEqual(session.find({ TOKEN: true, PRIVATE: true }), [])
      } finally {
        // While its daemon is still there.
        raw.finalize()
      }
    })
})

test('what a module was given is gone afterwards', async (t) => {
  const ends: (() => void | Promise<void>)[] = []
  const scope: Scope = { after: (end) => ends.push(end) }
  const module = await openModule('softhsm', scope)
  if (!module.available) return t.skip(module.reason)
  const { SOFTHSM2_CONF: configuration = '' } = module.settings.env
  assert.ok(existsSync(configuration))
  for (const end of ends) await end()
  assert.ok(!existsSync(configuration))
})
