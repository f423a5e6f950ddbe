/** From words to a Zymbit: URIs, settings, levels, and the doctor. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, test } from 'node:test'
import {
  checkCustody,
  deviceSettings,
  diagnose,
  gatherFacts,
  type HsmConfig,
  openHsm,
  sampleConfig,
  zymbitDevice,
  zymbitWallets,
} from '@quorate/hsm'
import { systemClock } from '@quorate/platform'
import { hsmConfigOf } from '#src/config/resolve.js'
import type { HsmValues } from '#src/config/settings.js'
import { parseHsmUri } from '#src/config/uri.js'
import { isCode, openIn, scratch } from '../kit.ts'
import { skip } from './kit.ts'
import { ZymbitSimulator } from './simulator.ts'

const configOf = (values: Partial<HsmValues>): HsmConfig =>
  hsmConfigOf((key) => values[key], { environment: 'production', env: {} })

describe('the URI of a Zymbit', () => {
  test('names the directory of its labels, and library and serial number where needed', () => {
    assert.deepEqual(parseHsmUri('zymbit:/var/lib/q%20x'), {
      type: 'zymbit',
      directory: '/var/lib/q x',
    })
    assert.deepEqual(parseHsmUri('zymbit:/d?serial=0A&library=/opt/lib.so'), {
      type: 'zymbit',
      directory: '/d',
      library: '/opt/lib.so',
      serial: '0A',
    })
  })

  for (const uri of [
    'zymbit:',
    'zymbit:?library=/x',
    'zymbit:/d?',
    'zymbit:/d?pin=1',
    'zymbit:/d?library',
    'zymbit:/d?library=',
    'zymbit:/d?library=/x&library=/y',
    'zymbit:/d?library=/x?serial=1',
    'zymbit:/%zz',
  ])
    test(`is not ${uri}`, () => {
      assert.throws(() => parseHsmUri(uri), isCode('hsm/bad-uri'))
    })
})

describe('the settings of a Zymbit', () => {
  test('are its directory, library, serial number and environment', () => {
    assert.deepEqual(configOf({ type: 'zymbit', directory: '/d', serial: '0A', env: ['A=b'] }), {
      type: 'zymbit',
      environment: 'production',
      directory: '/d',
      token: { serial: '0A' },
      env: ['A=b'],
    })
  })

  test('are not those of modules: it asks no PIN and has one session', () => {
    for (const other of [
      { login: 'none' },
      { initArgs: 'x' },
      { token: 'x' },
      { slot: '1' },
      { keyFile: '/x' },
      { 'pool.size': 2 },
      { pinDescriptor: 5 },
      { region: 'eu-central-1' },
    ] as const)
      assert.throws(
        () => configOf({ type: 'zymbit', directory: '/d', ...other }),
        isCode('hsm/bad-config'),
      )
    assert.throws(() => configOf({ type: 'zymbit' }), isCode('hsm/bad-config'))
  })

  test('have the usual library, and a fault where it is not', {
    skip: existsSync('/usr/lib/libzk_app_utils.so'),
  }, () => {
    assert.throws(
      () => deviceSettings(configOf({ type: 'zymbit', directory: '/d' })),
      (error) => isCode('hsm/library-missing')(error) && /libzk_app_utils/.test(String(error)),
    )
  })

  test('are in the sample, which says what the device has not', () => {
    const sample = sampleConfig('zymbit')
    assert.match(sample, /^library: \/usr\/lib\/libzk_app_utils\.so$/m)
    assert.match(sample, /no Ed25519/)
    assert.match(sample, /^requireCustody: hardware$/m)
  })
})

test('production takes the device, and not its simulator', () => {
  const config = configOf({ type: 'zymbit', directory: '/d' })
  assert.equal(checkCustody({ ...config, requireCustody: 'hardware' }), 'hardware')
  const simulated = { ...config, env: ['QUORATE_ZYMBIT_SIMULATOR=/x'] }
  assert.throws(() => checkCustody(simulated), isCode('hsm/software-in-production'))
  assert.equal(checkCustody({ ...simulated, environment: 'development' }), 'software')
})

test('an opened device signs, counts as what it is, and the doctor sees its perimeter', {
  skip,
}, async (t) => {
  const simulator = new ZymbitSimulator(t)
  const { library, env } = simulator.settings
  const config: HsmConfig = {
    type: 'zymbit',
    environment: 'development',
    directory: simulator.directory,
    library,
    env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
  }
  const opened = await openHsm(config, { clock: systemClock })
  t.after(() => opened.close())
  const { provider, custody, hosted } = opened
  assert.ok(hosted !== undefined)
  assert.equal(custody, 'software')
  assert.equal((await provider.info()).type, 'zymbit')
  const { id } = await provider.generateKey({ label: 'k', algorithm: 'secp256k1' })
  assert.equal((await provider.sign(id, { message: new Uint8Array(3) })).length, 64)
  simulator.set({ battery: 2.2, isLocked: false })
  simulator.breach(1, 1_800_000_000)
  const facts = await gatherFacts(
    {
      provider,
      tokenFacts: () => hosted.token(),
      objects: () => hosted.objects(),
      zymbit: async () => (await zymbitDevice(hosted)).state(),
    },
    {
      environment: 'production',
      custody,
      type: 'zymbit',
      uid: 0,
      mayProbe: true,
      settings: deviceSettings(config),
    },
    systemClock,
  )
  const found = diagnose(facts).flatMap((finding) =>
    finding.state === 'found' && finding.id === 'D27' ? [finding.severity] : [],
  )
  assert.deepEqual(found, ['critical', 'high', 'medium'])
  assert.deepEqual(
    diagnose(facts).filter(
      ({ id: check, state }) => ['D21', 'D22', 'D23'].includes(check) && state !== 'clear',
    ),
    [],
  )
})

test('other devices have neither wallets nor a perimeter', async (t) => {
  const hsm = await openIn(scratch(t))
  const stranger = hsm as unknown as Parameters<typeof zymbitDevice>[0]
  await assert.rejects(zymbitDevice(stranger), isCode('hsm/bad-argument'))
  await assert.rejects(zymbitWallets(stranger), isCode('hsm/bad-argument'))
})
