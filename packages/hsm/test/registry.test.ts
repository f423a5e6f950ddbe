import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { isFault } from '@quorate/base'
import { type HsmConfig, type HsmProvider, hasCapability, openHsm } from '@quorate/hsm'
import { clock, isCode, scratch } from './kit.ts'

test('the simulated provider opens, says so loudly, and counts as software', async (t) => {
  const { provider, custody } = await openHsm(
    { type: 'simulated', directory: scratch(t), environment: 'staging' },
    clock,
  )
  assert.equal(custody, 'software')
  const info = await provider.info()
  assert.match(info.name, /SIMULATED/)
  assert.equal(info.type, 'simulated')
})

test('production refuses it, unless told so in so many words', async (t) => {
  const directory = scratch(t)
  const config = { type: 'simulated', directory, environment: 'production' } as const
  await assert.rejects(openHsm(config, clock), isCode('hsm/simulated-in-production'))
  await assert.rejects(
    openHsm({ ...config, allowSimulatedInProduction: 'yes' as unknown as true }, clock),
    isCode('hsm/simulated-in-production'),
  )
  assert.ok(!existsSync(directory), 'a refused device was made')
  const { custody } = await openHsm({ ...config, allowSimulatedInProduction: true }, clock)
  assert.equal(custody, 'software')
})

test('an unknown type is answered with the known ones', async () => {
  for (const type of ['pkcs11', 'constructor', '__proto__'])
    await assert.rejects(openHsm({ type } as unknown as HsmConfig, clock), (error) => {
      assert.ok(isFault(error, 'hsm/unknown-type'))
      assert.match(error.message, /known types: simulated$/)
      return true
    })
})

test('capabilities are what the provider can do', async (t) => {
  const { provider } = await openHsm(
    { type: 'simulated', directory: scratch(t), environment: 'development' },
    clock,
  )
  assert.ok(hasCapability(provider, 'attest'))
  for (const absent of ['wrap', 'import', 'derive', 'tamper'] as const)
    assert.ok(!hasCapability(provider, absent), absent)
  const half = { wrapKey: () => Promise.resolve(new Uint8Array()) } as unknown as HsmProvider
  assert.ok(!hasCapability(half, 'wrap'))
})
