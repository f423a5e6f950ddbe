import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '@quorate/base'
import { CONFORMANCE } from '@quorate/hsm'
import { HostedHsm, type HostedHsmOptions } from '#src/host/hosted-hsm.js'
import { openModule } from '../modules/modules.ts'
import { until } from './kit.ts'

const logger = { log: () => undefined, with: () => logger }

test('SoftHSM behind a host passes', async (t) => {
  const module = await openModule('softhsm', t)
  if (!module.available) return t.skip(module.reason)
  const options: HostedHsmOptions = {
    settings: module.settings,
    readPin: async () => utf8(module.pin),
    logger,
    pool: { size: 2, maxOverflow: 1 },
  }
  const hsm = await HostedHsm.open(options)
  t.after(() => hsm.close())

  await t.test('keys survive a host that is killed', async () => {
    const { id } = await hsm.generateKey({ label: 'k', algorithm: 'ed25519' })
    const { pid } = hsm.status()
    process.kill(pid ?? 0, 'SIGKILL')
    await until(() => hsm.status().restarts === 1, 'the next host')
    const message = Uint8Array.of(1)
    assert.ok(await hsm.verify(id, { message }, await hsm.sign(id, { message })))
    await hsm.destroy(id, { label: 'k' })
  })

  await t.test('a wrong PIN is refused', async () => {
    const wrong = { ...options, readPin: async () => utf8('wrong-pin-99') }
    await assert.rejects(HostedHsm.open(wrong), { code: 'hsm/pin-incorrect' })
  })

  for (const check of CONFORMANCE) await t.test(check.name, () => check.run(hsm))
})
