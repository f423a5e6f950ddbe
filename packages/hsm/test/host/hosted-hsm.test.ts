import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CONFORMANCE } from '@quorate/hsm'
import { Bench } from './kit.ts'

describe('a hosted HSM passes', () => {
  for (const check of CONFORMANCE)
    test(check.name, async (t) => {
      const hsm = await new Bench(t).open()
      await check.run(hsm)
      if (check.name.startsWith('a closed')) return
      assert.deepEqual(await hsm.list(), [], 'keys were left behind')
    })
})
