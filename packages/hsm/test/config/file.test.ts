import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { type FaultCode, isFault } from '@quorate/base'
import {
  CUSTODY,
  checkHsmEnvironment,
  type DeviceConfig,
  HSM_SETTINGS,
  HSM_TYPES,
  isVendor,
  type ResolveOptions,
  resolveHsm,
  sampleConfig,
} from '@quorate/hsm'
import { loadConfig } from '@quorate/platform'
import fc from 'fast-check'
import { isCode } from '../kit.ts'

type Env = { [name: string]: string | undefined }
type Sources = {
  readonly env?: Env
  readonly flags?: { readonly [key: string]: string }
  readonly options?: Partial<ResolveOptions>
}

function resolved({ env = {}, flags = {}, options = {} }: Sources): DeviceConfig {
  const settings = loadConfig(HSM_SETTINGS, { env, flags })
  return resolveHsm(settings, {
    environment: 'development',
    directory: '/data/hsm',
    env,
    ...options,
  })
}

function place(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-config-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

function written(t: TestContext, content: string, name = 'hsm.yaml', mode = 0o600): string {
  const path = join(place(t), name)
  writeFileSync(path, content, { mode })
  return path
}

const refused = (code: FaultCode, detail: RegExp) => (error: unknown) =>
  isFault(error, code)
    ? assert.match(error.message, detail) === undefined
    : assert.fail(`expected ${code}, got ${String(error)}`)

describe('a file', () => {
  const read = (t: TestContext, content: string, options: Partial<ResolveOptions> = {}) =>
    resolved({ flags: { 'hsm.file': written(t, content) }, options })

  test('of AWS CloudHSM in JSON is taken as guides write it', (t) => {
    const pinFile = written(t, 'alice:correct-horse\n', 'pin')
    const json = JSON.stringify({
      hsm: {
        type: 'aws-cloudhsm',
        environment: 'production',
        libraryPath: '/opt/cloudhsm/lib/libcloudhsm_pkcs11.so',
        slot_id: '2305843009213693953',
        pin_file: pinFile,
        key_label: 'quorate-root',
        pool: { size: 5, max_overflow: 10, acquireTimeoutMs: 30000, idle_timeout: 60000 },
        failover: { enabled: false, maxPrimaryRetries: 3 },
        enclaveProvider: 'none',
      },
    })
    const { config, keyLabel, pin } = read(t, json, { environment: 'production' })
    assert.deepEqual(config, {
      type: 'aws-cloudhsm',
      environment: 'production',
      library: '/opt/cloudhsm/lib/libcloudhsm_pkcs11.so',
      token: { slot: '2305843009213693953' },
      env: [],
      pool: { size: 5, maxOverflow: 10, acquireTimeoutMs: 30_000, idleTimeoutMs: 60_000 },
    })
    assert.equal(keyLabel, 'quorate-root')
    assert.equal(Buffer.from(pin!.expose()).toString(), 'alice:correct-horse')
  })

  test('with hsmProvider and nothing else names the vendor', (t) => {
    const { config } = read(t, '{"hsmProvider": "aws-cloudhsm", "environment": "staging"}', {
      environment: 'staging',
    })
    assert.equal(config.type, 'aws-cloudhsm')
  })

  test('with an unknown key is refused with its line and the nearest name', (t) => {
    const wrong = '{"type": "softhsm",\n "libary": "/x.so"}'
    assert.throws(
      () => read(t, wrong),
      refused('platform/unknown-setting', /:2: libary; did you mean library\?/),
    )
    assert.throws(
      () => read(t, 'type: softhsm\npool:\n  sise: 3\n'),
      refused('platform/unknown-setting', /:3: pool.sise/),
    )
  })

  test('that asks for what is not there yet is refused, by name', (t) => {
    const cases: readonly (readonly [string, RegExp])[] = [
      ['rotation:\n  intervalDays: 30\n  overlapDays: 2\n', /rotation.intervalDays/],
      ['rotation:\n  enabled: true\n  rotationTime: "00:00:00"\n', /rotation/],
      ['enclaveProvider: nitro\n', /enclaves/],
    ]
    for (const [content, detail] of cases)
      assert.throws(
        () => read(t, `type: simulated\n${content}`),
        refused('hsm/not-yet-supported', detail),
      )
  })

  test('that switches such things off is taken', (t) => {
    const { config } = read(t, 'type: simulated\nrotation: { enabled: false, intervalDays: 30 }\n')
    assert.equal(config.type, 'simulated')
  })

  test('with a PIN in it is refused, and the PIN is not repeated', (t) => {
    for (const key of ['pin', 'password', 'user_pin'])
      assert.throws(
        () => read(t, `type: softhsm\n${key}: hunter2hunter2\n`),
        (error) => {
          assert.ok(isFault(error, 'hsm/pin-in-config'))
          assert.doesNotMatch(error.message, /hunter/)
          return true
        },
      )
  })

  test('of another environment than the program is refused', (t) => {
    assert.throws(
      () => read(t, 'type: simulated\nenvironment: production\n'),
      refused('platform/settings-disagree', /:2 says production/),
    )
    assert.throws(
      () => read(t, 'type: simulated\nenvironment: prod\n'),
      refused('platform/bad-setting', /one of development/),
    )
  })

  test('with two names for one thing is refused where they differ', (t) => {
    assert.throws(
      () => read(t, 'type: softhsm\ntoken: a\nhsm:\n  tokenLabel: b\n'),
      refused('platform/settings-disagree', /token/),
    )
    assert.deepEqual(read(t, 'type: softhsm\ntoken: a\nhsm:\n  tokenLabel: a\n').config.token, {
      label: 'a',
    })
  })
})

describe('the environment', () => {
  test('names of guides are taken, and a plain PIN is removed and reported', () => {
    const env: Env = {
      HSM_ENABLED: 'true',
      HSM_VENDOR: 'softhsm',
      HSM_LIBRARY_PATH: '/usr/lib/softhsm/libsofthsm2.so',
      HSM_LIB_PATH: '/usr/lib/softhsm/libsofthsm2.so',
      HSM_SLOT: '7',
      HSM_TOKEN_LABEL: 'main',
      HSM_KEY_LABEL: 'root',
      HSM_PIN: '1234',
      SOFTHSM2_CONF: '/tokens/softhsm2.conf',
    }
    const { config, keyLabel, pin, pinFrom } = resolved({ env })
    assert.deepEqual(config, {
      type: 'softhsm',
      environment: 'development',
      library: '/usr/lib/softhsm/libsofthsm2.so',
      token: { label: 'main', slot: '7' },
      env: ['SOFTHSM2_CONF=/tokens/softhsm2.conf'],
    })
    assert.equal(keyLabel, 'root')
    assert.equal(Buffer.from(pin!.expose()).toString(), '1234')
    assert.deepEqual(pinFrom, { origin: 'environment' })
    assert.ok(!('HSM_PIN' in env))
  })

  test('a PIN by file is taken, not reported, and its mode is checked', (t) => {
    const path = written(t, '1234\n', 'pin')
    const { pin, pinFrom } = resolved({ env: { HSM_VENDOR: 'softhsm', HSM_PIN_FILE: path } })
    assert.equal(Buffer.from(pin!.expose()).toString(), '1234')
    assert.deepEqual(pinFrom, { origin: 'file', path })
    const loose = written(t, '1234\n', 'pin', 0o640)
    assert.throws(
      () => resolved({ env: { HSM_VENDOR: 'softhsm', HSM_PIN_FILE: loose } }),
      isCode('platform/file-unreadable'),
    )
  })

  test('a credential of systemd is a source of the PIN', (t) => {
    const directory = place(t)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'hsm.pin'), 'from-systemd', { mode: 0o400 })
    const { pin, pinFrom } = resolved({
      env: { HSM_VENDOR: 'softhsm', CREDENTIALS_DIRECTORY: directory },
    })
    assert.equal(Buffer.from(pin!.expose()).toString(), 'from-systemd')
    assert.deepEqual(pinFrom, { origin: 'file', path: join(directory, 'hsm.pin') })
  })

  test('two names that disagree are an error', () => {
    for (const [one, two] of [
      ['HSM_SLOT', 'HSM_SLOT_ID'],
      ['HSM_LIBRARY_PATH', 'HSM_LIB_PATH'],
      ['HSM_SLOT', 'QUORATE_HSM_SLOT'],
    ] as const)
      assert.throws(
        () =>
          resolved({
            env: {
              HSM_VENDOR: 'softhsm',
              [one]: one.includes('SLOT') ? '1' : '/a',
              [two]: two.includes('SLOT') ? '2' : '/b',
            },
          }),
        isCode('platform/settings-disagree'),
      )
  })

  test('a slip in a name is found, names of other programs are not', () => {
    checkHsmEnvironment({ HSM_PIN_FILE: 'x', HSM_KEY_LABEL_HMAC: 'x', HSMX: 'x' })
    for (const [slip, meant] of [
      ['HSM_LIBARY_PATH', 'HSM_LIBRARY_PATH'],
      ['HSM_PIN_FIL', 'HSM_PIN_FILE'],
      ['hsm_vendor', 'HSM_VENDOR'],
    ] as const)
      assert.throws(
        () => checkHsmEnvironment({ [slip]: 'x' }),
        refused('platform/unknown-setting', new RegExp(`${slip}; did you mean ${meant}`)),
      )
  })

  test('HSM_ENABLED and the rest must fit together', () => {
    assert.throws(
      () => resolved({ env: { HSM_ENABLED: 'true' } }),
      refused('hsm/bad-config', /no HSM is named/),
    )
    assert.throws(
      () => resolved({ env: { HSM_ENABLED: 'false', HSM_VENDOR: 'luna' } }),
      refused('platform/settings-disagree', /HSM_VENDOR/),
    )
    assert.throws(
      () => resolved({ env: { HSM_ENABLED: 'false' }, options: { environment: 'production' } }),
      isCode('hsm/bad-config'),
    )
    assert.equal(resolved({ env: { HSM_ENABLED: 'false' } }).config.type, 'simulated')
  })
})

describe('a device', () => {
  test('that nobody names is the simulated one in the place given', () => {
    assert.deepEqual(resolved({}).config, {
      type: 'simulated',
      environment: 'development',
      directory: '/data/hsm',
    })
  })

  test('is told by the exact place of its module, and by nothing less', () => {
    const typeOf = (library: string) => resolved({ env: { HSM_LIBRARY_PATH: library } }).config.type
    assert.equal(typeOf('/opt/nfast/toolkits/pkcs11/libcknfast.so'), 'nshield')
    assert.equal(typeOf('/opt/cloudhsm/lib/libcloudhsm_pkcs11.so'), 'aws-cloudhsm')
    assert.equal(typeOf('/tmp/libcknfast.so'), 'pkcs11')
    assert.equal(CUSTODY.pkcs11, 'software')
  })

  test('by URI and by settings is one device, or an error', () => {
    const uri = 'pkcs11:token=main;object=root?module-path=/usr/lib/softhsm/libsofthsm2.so'
    const { config, keyLabel } = resolved({
      flags: { 'hsm.uri': uri },
      env: { HSM_TOKEN_LABEL: 'main' },
    })
    assert.equal(config.type, 'softhsm')
    assert.deepEqual(config.token, { label: 'main' })
    assert.equal(keyLabel, 'root')
    for (const env of [
      { HSM_TOKEN_LABEL: 'other' },
      { HSM_KEY_LABEL: 'other' },
      { HSM_LIBRARY_PATH: '/other.so' },
      { HSM_VENDOR: 'simulated' },
    ])
      assert.throws(
        () => resolved({ flags: { 'hsm.uri': uri }, env }),
        isCode('platform/settings-disagree'),
      )
    const vendor = resolved({
      flags: { 'hsm.uri': 'pkcs11:token=main' },
      env: { HSM_VENDOR: 'luna' },
    })
    assert.equal(vendor.config.type, 'luna')
  })

  test('by URI alone needs a vendor or a module', () => {
    assert.throws(
      () => resolved({ flags: { 'hsm.uri': 'pkcs11:token=main' } }),
      isCode('hsm/bad-config'),
    )
    assert.equal(
      resolved({ flags: { 'hsm.uri': 'pkcs11:token=main?x-vendor=yubihsm2' } }).config.type,
      'yubihsm2',
    )
  })

  test('has no settings of another kind of device', () => {
    for (const env of [
      { HSM_VENDOR: 'simulated', HSM_SLOT: '1' },
      { HSM_VENDOR: 'software', HSM_LIB_PATH: '/x.so' },
      { HSM_VENDOR: 'luna', QUORATE_HSM_DIRECTORY: '/x' },
      { HSM_VENDOR: 'simulated', QUORATE_HSM_KEY_FILE: '/x' },
    ])
      assert.throws(() => resolved({ env }), isCode('hsm/bad-config'))
  })

  test('in files is addressed by its directory', () => {
    const at = (uri: string) => resolved({ flags: { 'hsm.uri': uri } }).config
    assert.equal(at('simulated:/var/lib/x').directory, '/var/lib/x')
    assert.deepEqual(at('software:/var/lib/x%3fy?key-file=/etc/k').keyFile, '/etc/k')
    assert.equal(at('software:/var/lib/x%3fy').directory, '/var/lib/x?y')
    for (const bad of [
      'simulated:',
      'simulated:/x?key-file=/y',
      'software:/x?keyfile=/y',
      'software:/%zz',
      'other:/x',
    ])
      assert.throws(
        () => at(bad),
        (error) => isCode('hsm/bad-uri')(error) || isCode('platform/bad-setting')(error),
      )
  })
})

test('a PIN that two sources give differently is an error', (t) => {
  const [one, two] = [written(t, '1234', 'one'), written(t, '12345', 'two')]
  const from = (uriFile: string) =>
    resolved({
      env: { HSM_PIN_FILE: one },
      flags: { 'hsm.uri': `pkcs11:token=a?x-vendor=softhsm&pin-source=file:${uriFile}` },
    })
  assert.throws(() => from(two), isCode('platform/settings-disagree'))
  assert.equal(Buffer.from(from(one).pin!.expose()).toString(), '1234')
})

describe('the sample of', () => {
  for (const type of HSM_TYPES)
    test(`${type} is read as what it says`, (t) => {
      const sample = sampleConfig(type)
      const pin = written(t, '0001password', 'pin')
      const path = written(t, sample.replace('/etc/quorate/hsm.pin', pin))
      const { config } = resolved({ flags: { 'hsm.file': path } })
      assert.equal(config.type, type)
      assert.equal(config.token?.label !== undefined, isVendor(type))
      // Every line that is switched off is right too.
      const whole = sample.replaceAll(/^#(?=\S)/gm, '').replace('/etc/quorate/hsm.pin', pin)
      resolved({ flags: { 'hsm.file': written(t, whole) } })
    })

  test('an unknown type is answered with the known ones', () => {
    assert.throws(
      () => sampleConfig('__proto__'),
      refused('hsm/unknown-type', /aws-cloudhsm, nshield/),
    )
  })
})

test('no text makes anything but a configuration or a fault', (t) => {
  const path = written(t, '')
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.string(),
        fc
          .record({
            type: fc.constantFrom(...HSM_TYPES, 'x'),
            library: fc.oneof(fc.string(), fc.integer()),
            token: fc.string(),
            pool: fc.dictionary(
              fc.constantFrom('size', 'maxOverflow', 'idle_timeout'),
              fc.anything(),
            ),
          })
          .map((value) => JSON.stringify(value)),
      ),
      (content) => {
        writeFileSync(path, content)
        try {
          assert.ok(HSM_TYPES.includes(resolved({ flags: { 'hsm.file': path } }).config.type))
        } catch (error) {
          assert.ok(isFault(error), String(error))
        }
      },
    ),
    { numRuns: 300 },
  )
})
