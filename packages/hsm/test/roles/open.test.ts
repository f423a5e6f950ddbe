import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { utf8 } from '@quorate/base'
import {
  HSM_SETTINGS,
  type HsmEnvironment,
  type MemoryState,
  memoryHsmState,
  openHsm,
  openRoleCustody,
  type RoleCustody,
  resolveHsm,
} from '@quorate/hsm'
import { loadConfig } from '@quorate/platform'
import { clock, scratch } from '../kit.ts'

const ROLE = 'transaction_signer'
const message = utf8('pay 7')

async function opened(
  t: TestContext,
  content: object,
  state: MemoryState = memoryHsmState(),
  environment: HsmEnvironment = 'development',
): Promise<RoleCustody> {
  const path = join(dirname(scratch(t)), 'hsm.json')
  writeFileSync(path, JSON.stringify(content))
  const settings = loadConfig(HSM_SETTINGS, { env: {}, flags: { 'hsm.file': path } })
  const device = resolveHsm(settings, { environment, env: {}, takesCustody: true })
  const custody = await openRoleCustody(
    { device, environment, env: {} },
    { clock, state, audit: { append: async () => undefined } },
  )
  t.after(() => custody.close())
  return custody
}

test('a file is a custody: its devices by priority, its roles with their keys', async (t) => {
  const [main, backup, last, files] = [scratch(t), scratch(t), scratch(t), scratch(t)]
  const keyFile = join(dirname(files), 'files.key')
  writeFileSync(keyFile, new Uint8Array(32).fill(4), { mode: 0o600 })
  const content = {
    type: 'simulated',
    directory: main,
    failover: { secondary: [`simulated:${backup}`] },
    emergency: { device: `simulated:${last}`, maxTransactions: 7 },
    fallback: { device: `software:${files}?key-file=${keyFile}` },
    policy: { keyGeneration: { curve: 'ed25519' } },
    roles: { transaction_signer: { key: 'payments' } },
    cache: { size: 4 },
  }
  const state = memoryHsmState()
  const first = await opened(t, content, state)
  assert.deepEqual(
    first.status.slots.map(({ name, place }) => [name, place]),
    [
      ['primary', 'primary'],
      ['secondary', 'secondary'],
      ['emergency', 'emergency'],
    ],
  )
  assert.equal(first.status.emergency?.maxTransactions, 7)
  assert.equal(first.status.fallback?.maxOperations, 100)
  const { label, algorithm, provider } = first.bindings.current(ROLE)
  assert.deepEqual([label, algorithm, provider], ['payments', 'ed25519', 'primary'])
  const signature = await first.signer(ROLE).sign({ message })
  await first.close()
  const again = await opened(t, content, memoryHsmState(state.contents()))
  assert.ok(await again.signer(ROLE).verify({ message }, signature))
  assert.deepEqual(again.bindings.current(ROLE), first.bindings.current(ROLE))
})

test('a key that is there is bound, and none is made beside it', async (t) => {
  const directory = scratch(t)
  const device = await openHsm(
    { uri: `simulated:${directory}`, environment: 'development' },
    { clock },
  )
  const { publicKey } = await device.provider.generateKey({ label: 'payments', algorithm: 'p256' })
  const content = {
    type: 'simulated',
    directory,
    roles: { transaction_signer: { key: 'payments' } },
  }
  const custody = await opened(t, content)
  assert.deepEqual(custody.bindings.current(ROLE).publicKey, publicKey)
  assert.equal((await device.provider.list()).length, 1)
  await device.close()
})

test('a device that keys are to be made on and that is not there is refused', async (t) => {
  const content = { type: 'simulated', directory: scratch(t), defaultBackend: 'vault' }
  await assert.rejects(opened(t, content), {
    code: 'hsm/bad-config',
    message: /defaultBackend vault .* none of primary/,
  })
})

test('production refuses software keys behind a device before it needs them', async (t) => {
  const [main, files] = [scratch(t), scratch(t)]
  const content = {
    type: 'simulated',
    allowSimulatedInProduction: true,
    directory: main,
    fallback: { device: `software:${files}` },
  }
  await assert.rejects(opened(t, content, memoryHsmState(), 'production'), {
    code: 'hsm/software-in-production',
  })
})
