import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type FaultCode, isFault } from '@quorate/base'
import { type DeviceConfig, HSM_SETTINGS, resolveHsm, sampleConfig } from '@quorate/hsm'
import { loadConfig } from '@quorate/platform'
import { ROLES } from '@quorate/policy'
import { type CustodyConfig, custodyConfigOf } from '#src/config/custody.js'
import { CUSTODY_SETTINGS } from '#src/config/custody-settings.js'
import { spellingsOf } from '#src/config/section.js'
import { PACKAGE } from '../modules/fixture.ts'

function written(t: TestContext, content: string | object, name = 'hsm.yaml'): string {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-config-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, name)
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content, null, 1))
  return path
}

function device(t: TestContext, content: string | object, takesCustody = true): DeviceConfig {
  const settings = loadConfig(HSM_SETTINGS, { env: {}, flags: { 'hsm.file': written(t, content) } })
  return resolveHsm(settings, {
    environment: 'development',
    directory: '/data/hsm',
    env: {},
    takesCustody,
  })
}

const custody = (t: TestContext, content: string | object): CustodyConfig =>
  custodyConfigOf(device(t, content).sections)

const refused = (code: FaultCode, detail: RegExp) => (error: unknown) =>
  isFault(error, code)
    ? assert.match(error.message, detail) === undefined
    : assert.fail(`expected ${code}, got ${String(error)}`)

const FAILOVER = {
  enabled: true,
  maxPrimaryRetries: 3,
  primaryRetryInterval: 5000,
  maxSecondaryRetries: 3,
  secondaryRetryInterval: 10000,
}
const EMERGENCY = { maxTransactions: 1000, maxTimeSeconds: 3600, allowedOperations: ['sign'] }

describe('failover in a file', () => {
  const expected = {
    primary: { maxRetries: 3, retryIntervalMs: 5000 },
    secondary: { maxRetries: 3, retryIntervalMs: 10_000, devices: [] },
    emergency: { ...EMERGENCY, device: undefined },
  }
  const partOf = ({ primary, secondary, emergency }: CustodyConfig) => ({
    primary,
    secondary,
    emergency,
  })

  test('is read as it is written, wherever the emergency stands', (t) => {
    for (const hsm of [
      { failover: FAILOVER, emergency: EMERGENCY },
      { failover: { ...FAILOVER, emergency: EMERGENCY } },
      { failover: { ...FAILOVER, ...EMERGENCY } },
      { failover: FAILOVER, emergencyMode: { enabled: true, ...EMERGENCY } },
      { ...FAILOVER, enabled: undefined, ...EMERGENCY },
      { failover: { max_primary_retries: 3, primary_retry_interval: '5s' } },
      {},
    ]) {
      assert.deepEqual(partOf(custody(t, { hsm: { type: 'simulated', ...hsm } })), expected)
      const { enabled: _enabled, ...alone } = hsm as { enabled?: unknown }
      assert.deepEqual(partOf(custody(t, { type: 'simulated', ...alone })), expected)
    }
  })

  test('names devices by address or by file, in order', (t) => {
    const { secondary, emergency } = custody(t, {
      type: 'simulated',
      failover: { secondary: ['pkcs11:token=b', '/etc/c.yaml'], maxSecondaryRetries: 1 },
      emergency: { device: 'software:/x', max_transactions: 7 },
    })
    assert.deepEqual(secondary.devices, ['pkcs11:token=b', '/etc/c.yaml'])
    assert.equal(secondary.maxRetries, 1)
    assert.deepEqual([emergency.device, emergency.maxTransactions], ['software:/x', 7])
  })

  test('that is switched off names none', (t) => {
    const off = custody(t, {
      type: 'simulated',
      failover: { enabled: false, secondary: 'pkcs11:token=b', maxPrimaryRetries: 9 },
      emergency: { device: 'software:/x' },
    })
    assert.deepEqual(off.secondary.devices, [])
    assert.equal(off.emergency.device, undefined)
    assert.deepEqual(off.primary, { maxRetries: 0, retryIntervalMs: 1000 })
  })
})

test('the software fallback is read as it is written, in any spelling', (t) => {
  const expected = {
    device: 'software:/x',
    isAutomatic: true,
    timeoutMs: 5000,
    maxOperations: 100,
  }
  for (const section of [
    {
      enabled: true,
      auto_fallback_on_error: true,
      fallback_timeout: 5000,
      max_fallback_operations: 100,
    },
    { enabled: true, autoFallbackOnError: true, fallbackTimeoutMs: 5000 },
    {},
  ])
    for (const name of ['fallback', 'softwareFallback', 'software_fallback'])
      assert.deepEqual(
        custody(t, { type: 'simulated', [name]: { ...section, device: 'software:/x' } }).fallback,
        expected,
      )
  assert.equal(custody(t, { type: 'simulated' }).fallback, undefined)
  assert.throws(
    () => custody(t, 'type: simulated\nfallback:\n  enabled: true\n'),
    refused('hsm/bad-config', /fallback.device.*:3\)/),
  )
})

describe('policy in a file', () => {
  test('is read as it is written: roles, rate, audit, keys, bridge', (t) => {
    const { policy } = custody(t, {
      type: 'simulated',
      policy: {
        require_hsm_for_roles: ['validator', 'oracle'],
        allow_software_fallback: true,
        max_signing_rate: 500,
        audit_all_operations: false,
        key_generation: { default_backend: 'primary', extractable: true, curve: 'p256' },
        bridge: { minimumSignatures: 2, maximum_transaction_value: '10' },
      },
      roles: { own: ['relayer'], transaction_signer: { maxSigningRate: 5 } },
    })
    assert.deepEqual([...policy.roles.keys()].sort(), [...ROLES, 'oracle', 'relayer'].sort())
    const inHardware = [...policy.roles].filter(([, { requireHsm }]) => requireHsm)
    assert.deepEqual(inHardware.map(([name]) => name).sort(), ['admin', 'oracle', 'validator'])
    const relayer = policy.roles.get('relayer')
    assert.deepEqual(
      [relayer?.maxSigningRate, relayer?.auditAllOperations, relayer?.allowSoftwareFallback],
      [500, false, true],
    )
    assert.deepEqual(relayer?.keyGeneration, {
      defaultBackend: 'primary',
      extractable: true,
      sensitive: true,
      size: 256,
      curve: 'p256',
    })
    const signer = policy.roles.get('transaction_signer')
    assert.equal(signer?.maxSigningRate, 5)
    assert.equal(signer?.bridge?.maximumTransactionValue, 10n)
  })

  test('without a section stands by its own names', (t) => {
    const { policy } = custody(t, 'type: simulated\nrequire_hsm_for_roles: [validator]\n')
    assert.equal(policy.roles.get('validator')?.requireHsm, true)
  })

  test('of its own is a file of JSON, and then the only one', (t) => {
    const file = written(t, { maxSigningRate: 3, roles: { relayer: {} } }, 'policy.json')
    const { policy } = custody(t, {
      type: 'simulated',
      policy: { file },
      roles: { validator: { key: 'v' } },
    })
    assert.equal(policy.roles.get('relayer')?.maxSigningRate, 3)
    assert.throws(
      () => custody(t, { type: 'simulated', policy: { file, maxSigningRate: 4 } }),
      refused('hsm/bad-config', /policy.maxSigningRate .*:\d+\) belongs into the policy file/),
    )
    const wrong = written(t, { maxSigningRate: 0 }, 'policy.json')
    assert.throws(
      () => custody(t, { type: 'simulated', policy: { file: wrong } }),
      refused('policy/malformed', /maxSigningRate: expected a whole number from 1/),
    )
  })
})

test('keys of roles and the cache are named', (t) => {
  const { keys, cacheSize } = custody(t, {
    type: 'simulated',
    roles: { validator: { key: 'v-1' }, admin: { key_label: 'a' } },
    signature_cache: { enabled: true },
  })
  assert.deepEqual(
    [...keys],
    [
      ['validator', 'v-1'],
      ['admin', 'a'],
    ],
  )
  assert.equal(cacheSize, 1000)
  assert.equal(custody(t, 'type: simulated\ncacheSize: 5\n').cacheSize, 5)
  assert.equal(
    custody(t, 'type: simulated\ncache: { enabled: false, size: 5 }\n').cacheSize,
    undefined,
  )
})

test('the file that the README shows is read as what it says', (t) => {
  const readme = readFileSync(join(PACKAGE, 'README.md'), 'utf8')
  const [, yaml = ''] = /```yaml\n([\s\S]*?)```/.exec(readme) ?? []
  const pin = written(t, '1234', 'pin')
  chmodSync(pin, 0o600)
  const { primary, secondary, emergency, fallback, policy, keys, cacheSize } = custody(
    t,
    yaml.replace('/etc/quorate/primary.pin', pin),
  )
  assert.deepEqual(primary, { maxRetries: 3, retryIntervalMs: 5000 })
  assert.deepEqual([secondary.maxRetries, secondary.retryIntervalMs], [3, 10_000])
  assert.equal(secondary.devices.length, 1)
  assert.deepEqual(emergency, { ...EMERGENCY, device: '/etc/quorate/last.yaml' })
  assert.deepEqual([fallback?.timeoutMs, fallback?.maxOperations], [5000, 100])
  assert.equal(policy.roles.get('validator')?.requireHsm, true)
  assert.equal(policy.roles.get('validator')?.allowSoftwareFallback, false)
  assert.equal(policy.roles.get('transaction_signer')?.allowSoftwareFallback, true)
  assert.deepEqual([[...keys], cacheSize], [[['transaction_signer', 'payments']], 1000])
})

test('what a sample shows of failover, switched on, is what holds without it', (t) => {
  const pin = written(t, '1234', 'pin')
  chmodSync(pin, 0o600)
  const lines = sampleConfig('softhsm').replace('/etc/quorate/hsm.pin', pin).split('\n')
  const from = lines.indexOf('# failover:')
  const until = lines.indexOf('', from)
  const shown = lines.map((line, i) => (i >= from && i < until ? line.slice(2) : line))
  const config = custody(t, shown.join('\n'))
  assert.deepEqual(config.secondary.devices, ['/etc/quorate/backup-hsm.yaml'])
  const { devices: _devices, ...secondary } = config.secondary
  const usual = custody(t, 'type: simulated\n')
  const { devices: _none, ...usually } = usual.secondary
  assert.deepEqual(
    [config.primary, secondary, { ...config.emergency, device: undefined }],
    [usual.primary, usually, usual.emergency],
  )
})

test('what is wrong is answered with its line', (t) => {
  for (const [content, detail] of [
    [
      'failover:\n  maxPrimaryRetries: many\n',
      /failover.maxPrimaryRetries: expected an integer.*:3\)/,
    ],
    ['emergency:\n  allowedOperations: [sign, steal]\n', /emergency.allowedOperations.*:3\)/],
    ['policy:\n  max_signing_rate: 0\n', /policy.maxSigningRate.*:3\)/],
    ['fallback:\n  fallback_timeout: soon\n', /fallback.fallbackTimeout.*:3\)/],
  ] as const)
    assert.throws(
      () => device(t, `type: simulated\n${content}`),
      refused('platform/bad-setting', detail),
    )
  assert.throws(
    () => device(t, 'type: simulated\nfailover:\n  maxPrimaryRetrys: 3\n'),
    refused(
      'platform/unknown-setting',
      /:3: failover.maxPrimaryRetrys; did you mean failover.maxPrimaryRetries/,
    ),
  )
  assert.throws(
    () => device(t, 'type: simulated\nmaxTransactions: 3\nemergency:\n  max_transactions: 4\n'),
    refused('platform/settings-disagree', /emergency.maxTransactions/),
  )
})

describe('a program that uses one device', () => {
  test('refuses a file that asks for more, with the line', (t) => {
    for (const [content, key] of [
      ['failover:\n  maxPrimaryRetries: 3\n', /failover.maxPrimaryRetries .*:3\)/],
      ['maxPrimaryRetries: 3\n', /failover.maxPrimaryRetries/],
      ['emergency:\n  maxTransactions: 1000\n', /emergency/],
      ['fallback:\n  enabled: true\n  auto_fallback_on_error: true\n', /fallback/],
      ['cacheSize: 3\n', /cache/],
      ['roles:\n  validator:\n    key: v\n', /roles.validator.key/],
    ] as const)
      assert.throws(
        () => device(t, `type: simulated\n${content}`, false),
        refused('hsm/not-yet-supported', key),
      )
  })

  test('takes one that switches these off, and heeds what policy says of its role', (t) => {
    const off = {
      type: 'simulated',
      failover: { enabled: false, maxPrimaryRetries: 3 },
      emergency: EMERGENCY,
      fallback: { enabled: false, max_fallback_operations: 100 },
      allow_software_fallback: false,
    }
    assert.equal(device(t, off, false).config.requireCustody, undefined)
    const demanding = { ...off, require_hsm_for_roles: ['node_identity'] }
    assert.equal(device(t, demanding, false).config.requireCustody, 'hardware')
  })
})

test('no name stands for two settings', () => {
  const seen = new Map<string, string>()
  for (const [key, { aliases }] of Object.entries(CUSTODY_SETTINGS))
    for (const name of new Set([key, ...aliases].flatMap(spellingsOf))) {
      assert.ok(seen.get(name) === undefined, `${name}: ${seen.get(name)} and ${key}`)
      seen.set(name, key)
    }
})
