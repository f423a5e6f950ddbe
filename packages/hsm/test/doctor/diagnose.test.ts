import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ObjectFacts, TokenFacts } from '#src/device.js'
import type { Severity } from '#src/doctor/check.js'
import { CHECKS, diagnose, exitCodeOf, type Finding } from '#src/doctor/diagnose.js'
import {
  type DoctorFacts,
  type FileFacts,
  known,
  type PinFacts,
  unknown,
} from '#src/doctor/facts.js'
import type { ZymbitState } from '#src/zymbit/commands.js'
import { NOW } from '../kit.ts'
import { clean, data, OWN_UID, rootFile, signing, token, wrapping, zymbit } from './clean.ts'

type Planted = Partial<DoctorFacts>
type Plant = readonly [what: string, severity: Severity, facts: Planted]

const DAY_MS = 86_400_000
const withFlags = (object: ObjectFacts, flags: ObjectFacts['flags']): Planted => ({
  objects: known([{ ...object, flags: { ...object.flags, ...flags } }]),
})
const withTokenFlags = (...flags: readonly string[]): Planted => ({
  token: known({ ...token, flags: [...token.flags, ...flags] }),
})
const withToken = (change: Partial<TokenFacts>): Planted => ({
  token: known({ ...token, ...change }),
})
const withZymbit = (change: Partial<ZymbitState>): Planted => ({
  type: 'zymbit',
  vendor: { ...clean.vendor, zymbit: known({ ...zymbit, ...change }) },
})
const withPin = (change: Partial<PinFacts>): Planted => ({
  pin: known({ origin: 'file', length: 16, isCommon: false, ...change }),
})
const withLibrary = (change: Partial<FileFacts>): Planted => ({
  library: known({
    file: { ...rootFile('/usr/lib/module.so'), ...change },
    sha256: 'ab',
    pinnedSha256: 'AB',
  }),
})
const rsa = (kind: string, flags: ObjectFacts['flags']): ObjectFacts => ({
  ...signing,
  class: kind,
  keyType: 'CKK_RSA',
  flags: { ...signing.flags, SIGN: false, ...flags },
})

/** One fault each, the only thing that is wrong, and how bad it is. */
const PLANTS: { readonly [id: string]: readonly Plant[] } = {
  D01: [
    [
      'an extractable key',
      'high',
      withFlags(signing, { EXTRACTABLE: true, WRAP_WITH_TRUSTED: true }),
    ],
  ],
  D02: [
    [
      'a key that may not leave, but is not sensitive',
      'medium',
      withFlags(data, { SENSITIVE: false }),
    ],
  ],
  D03: [
    ['an imported key', 'medium', withFlags(signing, { LOCAL: false })],
    ['a key that once was not sensitive', 'medium', withFlags(data, { ALWAYS_SENSITIVE: false })],
    ['a key that once was extractable', 'medium', withFlags(data, { NEVER_EXTRACTABLE: false })],
  ],
  D04: [
    [
      'a key that wraps and decrypts',
      'critical',
      withFlags(wrapping, { DECRYPT: true, UNWRAP: false }),
    ],
    [
      'a key that unwraps and encrypts',
      'critical',
      withFlags(wrapping, { ENCRYPT: true, WRAP: false }),
    ],
    [
      'an RSA pair of which one half wraps and the other decrypts',
      'critical',
      {
        objects: known([
          rsa('CKO_PRIVATE_KEY', { DECRYPT: true }),
          rsa('CKO_PUBLIC_KEY', { WRAP: true }),
        ]),
      },
    ],
  ],
  D05: [
    [
      'a key without unwrap template',
      'high',
      { objects: known([{ ...wrapping, hasUnwrapTemplate: false }]) },
    ],
    [
      'a key without wrap template',
      'low',
      { objects: known([{ ...wrapping, hasWrapTemplate: false }]) },
    ],
  ],
  D07: [['a trusted key nobody listed', 'medium', withFlags(wrapping, { TRUSTED: true })]],
  D08: [
    ['a modifiable key', 'medium', withFlags(signing, { MODIFIABLE: true })],
    ['a copyable key', 'low', withFlags(signing, { COPYABLE: true })],
    ['a key that can be destroyed', 'info', withFlags(signing, { DESTROYABLE: true })],
  ],
  D09: [
    ['a key that signs and derives', 'medium', withFlags(signing, { DERIVE: true })],
    ['a key that signs and decrypts', 'medium', withFlags(signing, { DECRYPT: true })],
  ],
  D10: [['a key that everybody sees', 'high', withFlags(data, { PRIVATE: false })]],
  D11: [
    ['a key for any mechanism', 'low', { objects: known([{ ...signing, allowedMechanisms: [] }]) }],
  ],
  D12: [
    [
      'a key that allows ECB',
      'low',
      { objects: known([{ ...data, allowedMechanisms: ['CKM_AES_GCM', 'CKM_AES_ECB'] }]) },
    ],
    [
      'a key for DES',
      'low',
      { objects: known([{ ...data, keyType: 'CKK_DES3', allowedMechanisms: ['CKM_DES3_CBC'] }]) },
    ],
  ],
  D13: [
    [
      'two keys with one id',
      'medium',
      { objects: known([signing, { ...signing, label: 'other' }]) },
    ],
    ['two keys with one label', 'medium', { objects: known([signing, { ...signing, id: 'a2' }]) }],
  ],
  D14: [
    ['a key past its end', 'high', { objects: known([{ ...signing, endDate: '2025-12-30' }]) }],
    ['an old key', 'medium', { objects: known([{ ...signing, startDate: '2024-11-01' }]) }],
  ],
  D15: [
    ['a locked PIN', 'high', withTokenFlags('USER_PIN_LOCKED')],
    ['one try left', 'high', withTokenFlags('USER_PIN_FINAL_TRY')],
    ['wrong tries', 'medium', withTokenFlags('USER_PIN_COUNT_LOW')],
    ['the delivered PIN of the officer', 'high', withTokenFlags('SO_PIN_TO_BE_CHANGED')],
    ['a common PIN', 'high', withPin({ isCommon: true, length: 4, account: 'u' })],
    ['a short PIN', 'medium', withPin({ length: 6, account: 'u' })],
    ['a PIN among the arguments', 'high', withPin({ origin: 'argument', account: 'u' })],
    ['a PIN in the environment', 'medium', withPin({ origin: 'environment', account: 'u' })],
    [
      'a PIN file that all can read',
      'high',
      withPin({ account: 'u', file: { ...rootFile('/run/pin'), mode: 0o644 } }),
    ],
    [
      'a PIN file that a group can read',
      'medium',
      withPin({ account: 'u', file: { ...rootFile('/run/pin'), mode: 0o640 } }),
    ],
  ],
  D16: [
    ['a module that others can write', 'high', withLibrary({ mode: 0o666 })],
    [
      'a directory that others can write',
      'high',
      withLibrary({ directory: { mode: 0o777, uid: 0 } }),
    ],
    ['a module of the service', 'medium', withLibrary({ uid: OWN_UID })],
    [
      'another module than the pinned one',
      'critical',
      {
        library: known({ file: rootFile('/m.so'), sha256: 'ab', pinnedSha256: 'ac' }),
      },
    ],
    [
      'a module that is not pinned',
      'low',
      { library: known({ file: rootFile('/m.so'), sha256: 'ab' }) },
    ],
    [
      'a configuration that a group can write',
      'high',
      { configuration: [{ ...rootFile('/etc/c'), mode: 0o664 }] },
    ],
  ],
  D17: [['software in production', 'critical', { custody: 'software' }]],
  D18: [
    ['a login as administrator', 'high', withPin({ account: 'admin' })],
    ['a login as crypto officer', 'high', withPin({ account: 'Crypto Officer' })],
  ],
  D19: [
    ['a single HSM', 'high', { hasSecondHsm: known(false) }],
    ['a restore that was never tried', 'high', { lastRestoreDrill: known(undefined) }],
    ['a restore of long ago', 'medium', { lastRestoreDrill: known(NOW - 200 * DAY_MS) }],
  ],
  D20: (['missing', 'invalid', 'other-key'] as const).map((outcome) => [
    `an attestation that is ${outcome}`,
    'high',
    { attestations: known([{ label: 'identity', outcome }]) },
  ]),
  D21: [
    [
      'one IV for two',
      'critical',
      { gcm: known({ ivsDiffer: false, opens: true, refusesAltered: true }) },
    ],
    [
      'no way back',
      'high',
      { gcm: known({ ivsDiffer: true, opens: false, refusesAltered: true }) },
    ],
    [
      'no authentication',
      'critical',
      { gcm: known({ ivsDiffer: true, opens: true, refusesAltered: false }) },
    ],
    ['a failure', 'high', { gcm: known({ trouble: 'hsm/unavailable' }) }],
  ],
  D22: [
    [
      'a wrong signature',
      'critical',
      { signing: known([{ algorithm: 'p256', outcome: 'wrong' }]) },
    ],
    ['a high s', 'medium', { signing: known([{ algorithm: 'p256', outcome: 'high-s' }]) }],
    [
      'a signature that was kept back',
      'critical',
      { signing: known([{ algorithm: 'p256', outcome: { trouble: 'hsm/wrong-result' } }]) },
    ],
    [
      'a failure',
      'high',
      { signing: known([{ algorithm: 'p256', outcome: { trouble: 'hsm/unavailable' } }]) },
    ],
  ],
  D23: [['too few bytes', 'critical', { random: known(new Uint8Array(16)) }]],
  D24: [
    ['a fast clock', 'medium', { clockSkewMs: known(31_000) }],
    ['a slow clock', 'medium', { clockSkewMs: known(-31_000) }],
  ],
  D25: [
    ['many sessions', 'medium', withToken({ openSessions: 80 })],
    ['slow signatures', 'medium', { latency: known({ p99Ms: 700, samples: 100 }) }],
    ['many errors', 'medium', { errorRate: known(0.02) }],
  ],
  D28: [
    [
      'a cluster that may have one HSM',
      'high',
      {
        type: 'aws-cloudhsm',
        vendor: { ...clean.vendor, cloudHsm: known({ servers: 3, isAvailabilityCheckOff: true }) },
      },
    ],
  ],
  D27: [
    ['a breach', 'critical', withZymbit({ breaches: [0, 1_767_225_600] })],
    ['an empty battery', 'high', withZymbit({ batteryVolts: 2.4 })],
    ['heat', 'medium', withZymbit({ cpuCelsius: 70 })],
    ['no binding', 'high', withZymbit({ isBound: false, isBindingLocked: false })],
    ['a binding that is not locked', 'medium', withZymbit({ isBindingLocked: false })],
  ],
  D29: [
    [
      'no load sharing',
      'medium',
      {
        type: 'nshield',
        vendor: { ...clean.vendor, nshield: known({ isLoadSharing: false, isPooled: false }) },
      },
    ],
  ],
  D30: [
    [
      'no recovery of members',
      'medium',
      { vendor: { ...clean.vendor, luna: known({ hasGroup: true, reconnectAttempts: 0 }) } },
    ],
    ['a curve that the policy forbids', 'info', withToken({ algorithms: ['p256', 'aes-256'] })],
  ],
}
/** These can look at nothing from here. */
const NEVER_LOOK = ['D26']

const foundIn = (facts: DoctorFacts): readonly (readonly [string, Severity])[] =>
  diagnose(facts).flatMap((finding) =>
    finding.state === 'found' ? [[finding.id, finding.severity] as const] : [],
  )

test('nothing is found where nothing is wrong', () => {
  assert.deepEqual(foundIn(clean), [])
  assert.equal(exitCodeOf(diagnose(clean)), 0)
})

for (const [id, plants] of Object.entries(PLANTS))
  describe(`${id} finds, and nothing else does,`, () => {
    for (const [what, severity, facts] of plants)
      test(what, () => {
        assert.deepEqual(foundIn({ ...clean, ...facts }), [[id, severity]])
      })
  })

test('what leads to more than one finding', () => {
  const bare = withFlags(data, { EXTRACTABLE: true, SENSITIVE: false, WRAP_WITH_TRUSTED: false })
  assert.deepEqual(foundIn({ ...clean, ...bare }), [
    ['D01', 'high'],
    ['D02', 'critical'],
    ['D06', 'high'],
  ])
})

test('every check is planted for, or says that it never looks', () => {
  const ids = CHECKS.map(({ id }) => id)
  assert.deepEqual(
    ids,
    Array.from({ length: 30 }, (_, i) => `D${String(i + 1).padStart(2, '0')}`),
  )
  assert.deepEqual([...Object.keys(PLANTS), 'D06', ...NEVER_LOOK].sort(), ids)
})

describe('random bytes that are wrong:', () => {
  const good = 'value' in clean.random ? clean.random.value : assert.fail()
  const bad: { readonly [what: string]: Uint8Array } = {
    'all zero': new Uint8Array(4096),
    'one block twice': Uint8Array.from(good, (byte, i) => (i < 16 ? (good[i + 64] ?? byte) : byte)),
    'one bit too often': Uint8Array.from(good, (byte) => byte | 0x10),
    'half of the values': Uint8Array.from(good, (byte, i) => (i % 2 === 0 ? 0x0f : byte)),
  }
  for (const [what, bytes] of Object.entries(bad))
    test(what, () => {
      const found = foundIn({ ...clean, random: known(bytes) })
      assert.ok(found.length > 0)
      for (const finding of found) assert.deepEqual(finding, ['D23', 'critical'])
    })
})

describe('a check that cannot look says so:', () => {
  const reason = 'nobody knows'
  const dark: DoctorFacts = {
    ...clean,
    ...Object.fromEntries(
      Object.entries(clean)
        .filter(([, value]) => typeof value === 'object' && value !== null && 'value' in value)
        .map(([name]) => [name, unknown(reason)]),
    ),
    vendor: {
      cloudHsm: unknown(reason),
      nshield: unknown(reason),
      luna: unknown(reason),
      zymbit: unknown(reason),
    },
  }
  for (const finding of diagnose(dark))
    test(finding.id, () => {
      if (finding.id === 'D17') return assert.equal(finding.state, 'clear', 'it needs no device')
      assert.ok(finding.state === 'not checked')
      assert.ok(finding.reason.length > 0)
    })

  const untold = (object: ObjectFacts): Finding[] =>
    diagnose({ ...clean, objects: known([object]) }).filter(({ state }) => state === 'not checked')
  test('about attributes that the token does not tell', () => {
    const {
      allowedMechanisms: _mechanisms,
      startDate: _start,
      ...rest
    } = { ...signing, flags: { SIGN: true } }
    const ids = untold(rest).map(({ id }) => id)
    for (const id of ['D01', 'D02', 'D03', 'D08', 'D10', 'D11', 'D14'])
      assert.ok(ids.includes(id), id)
  })
  test('about attributes that the vendor is known to tell wrongly', () => {
    const facts = { ...clean, ...withFlags(signing, { LOCAL: false }) }
    assert.deepEqual(foundIn({ ...facts, unreliable: ['LOCAL'] }), [])
  })
})

test('in development only what is weak everywhere is found', () => {
  const facts: DoctorFacts = {
    ...clean,
    ...withFlags(signing, { DESTROYABLE: true }),
    environment: 'development',
    custody: 'software',
    hasSecondHsm: known(false),
    library: known({ file: { ...rootFile('/m.so'), uid: OWN_UID }, sha256: 'ab' }),
  }
  assert.deepEqual(foundIn(facts), [])
})

test('a key that the officer trusted may be listed', () => {
  const facts = { ...clean, ...withFlags(wrapping, { TRUSTED: true }), trustedKeys: [wrapping.id] }
  assert.deepEqual(foundIn(facts), [])
})

test('the exit code follows the severity', () => {
  const findings = diagnose({ ...clean, ...withFlags(signing, { DESTROYABLE: true }) })
  assert.equal(exitCodeOf(findings), 0)
  assert.equal(exitCodeOf(findings, 'info'), 7)
  const worse = diagnose({ ...clean, custody: 'software' })
  assert.equal(exitCodeOf(worse), 7)
  assert.equal(exitCodeOf(worse, 'critical'), 7)
})
