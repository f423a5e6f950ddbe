import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { decode, encode, isFault, Secret, utf8 } from '@quorate/base'
import {
  CUSTODY,
  custodyOf,
  deviceSettings,
  HSM_TYPES,
  type HsmConfig,
  type HsmProvider,
  hasCapability,
  hsmConfigCodec,
  isVendor,
  openHsm,
  reaches,
  weaker,
} from '@quorate/hsm'
import { clock, isCode, scratch } from './kit.ts'

const passphrase = () => new Secret(utf8('correct horse battery'))

test('the simulated provider opens, says so loudly, and counts as software', async (t) => {
  const { provider, custody, hosted } = await openHsm(
    { type: 'simulated', directory: scratch(t), environment: 'staging' },
    { clock },
  )
  assert.equal(custody, 'software')
  assert.equal(hosted, undefined)
  const info = await provider.info()
  assert.match(info.name, /SIMULATED/)
  assert.equal(info.type, 'simulated')
})

test('the software provider opens by passphrase or key file, and wipes what opened it', async (t) => {
  const directory = scratch(t)
  const pin = passphrase()
  const config = { type: 'software', directory, environment: 'development' } as const
  const opened = await openHsm(config, { clock, pin })
  assert.equal(opened.custody, 'software')
  assert.ok(pin.isWiped)
  await opened.close()
  await assert.rejects(opened.provider.list(), isCode('hsm/closed'))
  await assert.rejects(openHsm(config, { clock }), isCode('hsm/bad-pin'))
  const [other, keyFile] = [scratch(t), scratch(t)]
  writeFileSync(keyFile, new Uint8Array(32).fill(5), { mode: 0o600 })
  await openHsm({ ...config, directory: other, keyFile }, { clock })
  await openHsm({ uri: `software:${other}?key-file=${keyFile}`, environment: 'staging' }, { clock })
})

describe('production', () => {
  test('refuses a simulated device, unless told in so many words', async (t) => {
    const directory = scratch(t)
    const config = { type: 'simulated', directory, environment: 'production' } as const
    await assert.rejects(openHsm(config, { clock }), isCode('hsm/simulated-in-production'))
    for (const wrong of [
      { allowSimulatedInProduction: 'yes' as unknown as true },
      { allowSoftwareInProduction: true },
    ])
      await assert.rejects(
        openHsm({ ...config, ...wrong }, { clock }),
        isCode('hsm/simulated-in-production'),
      )
    assert.ok(!existsSync(directory), 'a refused device was made')
    const { custody } = await openHsm({ ...config, allowSimulatedInProduction: true }, { clock })
    assert.equal(custody, 'software')
  })

  test('refuses every other device that is software, before its module is touched', async (t) => {
    for (const type of HSM_TYPES) {
      if (CUSTODY[type] !== 'software' || type === 'simulated') continue
      const config: HsmConfig = { type, directory: scratch(t), environment: 'production' }
      const pin = passphrase()
      await assert.rejects(openHsm(config, { clock, pin }), isCode('hsm/software-in-production'))
      assert.ok(pin.isWiped, 'the PIN stays in memory')
    }
    const config = { type: 'software', directory: scratch(t), environment: 'production' } as const
    await openHsm({ ...config, allowSoftwareInProduction: true }, { clock, pin: passphrase() })
  })
})

test('a level that is demanded is checked before anything is opened', async (t) => {
  const directory = scratch(t)
  for (const requireCustody of ['sealed', 'hardware'] as const)
    await assert.rejects(
      openHsm(
        { type: 'software', directory, environment: 'development', requireCustody },
        { clock, pin: passphrase() },
      ),
      (error) => {
        assert.ok(isFault(error, 'hsm/weak-custody'))
        assert.match(
          error.message,
          new RegExp(`software is software, ${requireCustody} is demanded`),
        )
        return true
      },
    )
  assert.ok(!existsSync(directory))
  await openHsm(
    { type: 'simulated', directory, environment: 'development', requireCustody: 'software' },
    { clock },
  )
})

test('levels are in order, and a TPM that is called a simulator counts as software', () => {
  assert.ok(
    reaches('hardware', 'sealed') && reaches('sealed', 'sealed') && !reaches('software', 'sealed'),
  )
  assert.equal(weaker('hardware', 'sealed'), 'sealed')
  assert.equal(weaker('software', 'sealed'), 'software')
  const tpm = { type: 'tpm2', environment: 'production' } as const
  assert.equal(custodyOf(tpm), 'sealed')
  assert.equal(custodyOf({ ...tpm, env: ['TPM2_PKCS11_TCTI=device:/dev/tpmrm0'] }), 'sealed')
  assert.equal(custodyOf({ ...tpm, env: ['TPM2_PKCS11_TCTI=swtpm:port=2321'] }), 'software')
})

test('an unknown type is answered with the known ones', async () => {
  for (const type of ['zymbit9', 'constructor', '__proto__'])
    await assert.rejects(openHsm({ type } as unknown as HsmConfig, { clock }), (error) => {
      assert.ok(isFault(error, 'hsm/unknown-type'))
      assert.match(error.message, /known types: aws-cloudhsm, .*simulated$/)
      return true
    })
})

describe('a PKCS#11 device', () => {
  test('is handed to its host with the profile of its vendor', () => {
    const config: HsmConfig = {
      type: 'luna',
      environment: 'production',
      library: '/usr/safenet/lunaclient/lib/libCryptoki2_64.so',
      token: { label: 'main', serial: undefined },
      env: ['ChrystokiConfigurationPath=/etc', 'A=b=c'],
      login: 'user',
    }
    assert.deepEqual(deviceSettings(config), {
      driver: 'pkcs11',
      library: '/usr/safenet/lunaclient/lib/libCryptoki2_64.so',
      profile: 'luna',
      token: { label: 'main' },
      env: { ChrystokiConfigurationPath: '/etc', A: 'b=c' },
      userType: 'user',
    })
  })

  test('without a known vendor takes the profile that its file name points to, and no level from it', () => {
    const config: HsmConfig = {
      type: 'pkcs11',
      environment: 'development',
      library: '/tmp/libcknfast.so',
    }
    assert.equal(deviceSettings(config).profile, 'nshield')
    assert.equal(custodyOf(config), 'software')
  })

  test('whose module is nowhere says where it was looked for', () => {
    assert.throws(
      () => deviceSettings({ type: 'utimaco', environment: 'development' }),
      (error) => isFault(error, 'hsm/library-missing') && /libcs_pkcs11_R3/.test(error.message),
    )
  })

  test('that needs more than its module says so', () => {
    assert.throws(
      () => deviceSettings({ type: 'nss', environment: 'development', library: '/x.so' }),
      isCode('hsm/bad-config'),
    )
  })

  test('has a profile for each vendor', () => {
    for (const type of HSM_TYPES) {
      if (!isVendor(type)) continue
      const { profile } = deviceSettings({
        type,
        environment: 'staging',
        library: '/x.so',
        initArgs: 'x',
      })
      assert.equal(profile, type === 'pkcs11' ? 'generic' : type)
    }
  })
})

test('a configuration crosses to another process unchanged', () => {
  const config: HsmConfig = {
    type: 'aws-cloudhsm',
    environment: 'production',
    requireCustody: 'hardware',
    library: '/x.so',
    token: { slot: '2305843009213693953' },
    env: ['A=b'],
    pool: { size: 3, idleTimeoutMs: 5 },
  }
  const again = decode(hsmConfigCodec, encode(hsmConfigCodec, config), { maxBytes: 1000 })
  assert.deepEqual(again, config)
})

test('capabilities are what the provider can do', async (t) => {
  const { provider } = await openHsm(
    { type: 'simulated', directory: scratch(t), environment: 'development' },
    { clock },
  )
  for (const there of ['attest', 'wrap', 'import'] as const)
    assert.ok(hasCapability(provider, there), there)
  for (const absent of ['derive', 'tamper'] as const)
    assert.ok(!hasCapability(provider, absent), absent)
  const half = { wrapKey: () => Promise.resolve(new Uint8Array()) } as unknown as HsmProvider
  assert.ok(!hasCapability(half, 'wrap'))
})
