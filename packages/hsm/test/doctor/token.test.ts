/** The doctor at a real token: it finds what is planted there, and nothing in what our layer makes. */
import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import { type Logger, Secret, utf8 } from '@quorate/base'
import { systemClock } from '@quorate/platform'
import { diagnose } from '#src/doctor/diagnose.js'
import { type DoctorConfiguration, gatherFacts } from '#src/doctor/gather.js'
import { HostedHsm } from '#src/host/hosted-hsm.js'
import type { Template } from '#src/pkcs11/attributes.js'
import { CKK, CKO } from '#src/pkcs11/constants.js'
import { adopt, type Module } from '../modules/fixture.ts'
import { openModule } from '../modules/modules.ts'
import { RawModule, type RawSession, USER } from '../raw/raw-module.ts'
import { buildShim, FaultShim } from '../shim/shim.ts'

const module = await openModule('softhsm', { after })
const shimBuild = buildShim()
const absent = module.available ? shimBuild.reason : module.reason
const silent: Logger = { log() {}, with: () => silent }

type Ready = Extract<Module, { available: true }>
type Bench = {
  readonly hsm: HostedHsm
  readonly raw: RawSession
  readonly shim: FaultShim
  readonly module: Ready
}

async function openBench(ready: Ready): Promise<Bench> {
  const shim = new FaultShim(ready.settings, { after })
  adopt(ready.settings)
  const cryptoki = new RawModule(ready.library)
  const raw = cryptoki.open(cryptoki.slotOf(ready.settings.token.label ?? ''))
  raw.login(USER, ready.pin)
  const hsm = await HostedHsm.open({
    settings: shim.settings,
    readPin: async () => utf8(ready.pin),
    logger: silent,
  })
  after(() => hsm.close())
  return { hsm, raw, shim, module: ready }
}

const bench = module.available && absent === undefined ? await openBench(module) : undefined

const foundBy = async (
  { hsm, module: { settings, pin } }: Bench,
  change: Partial<DoctorConfiguration> = {},
): Promise<ReadonlySet<string>> => {
  const configuration: DoctorConfiguration = {
    environment: 'staging',
    custody: 'software',
    type: 'softhsm',
    settings,
    uid: process.getuid?.() ?? 0,
    pin: { origin: 'descriptor', bytes: new Secret(utf8(pin)) },
    mayProbe: true,
    ...change,
  }
  const source = {
    provider: hsm,
    tokenFacts: () => hsm.token(),
    objects: () => hsm.objects(),
    errorRate: () => hsm.status().errorRate,
  }
  const findings = diagnose(await gatherFacts(source, configuration, systemClock))
  return new Set(findings.flatMap(({ state, id }) => (state === 'found' ? [id] : [])))
}

/** What a token does not hear of, it may permit: so every use is said. */
const USES: Template = {
  ENCRYPT: false,
  DECRYPT: false,
  SIGN: false,
  VERIFY: false,
  WRAP: false,
  UNWRAP: false,
  DERIVE: false,
}
const NAMED: Template = { TOKEN: true, LABEL: 'planted', ID: Uint8Array.of(0x77) }
const GUARDED: Template = {
  ...NAMED,
  PRIVATE: true,
  SENSITIVE: true,
  EXTRACTABLE: false,
  MODIFIABLE: false,
  COPYABLE: false,
}
const AES: Template = {
  ...GUARDED,
  ...USES,
  ENCRYPT: true,
  DECRYPT: true,
  ALLOWED_MECHANISMS: ['AES_GCM'],
}
const P256 = Buffer.from('06082a8648ce3d030107', 'hex')

const aes =
  (change: Template) =>
  (raw: RawSession): readonly bigint[] => [
    raw.generateKey('AES_KEY_GEN', { ...AES, VALUE_LEN: 32, ...change }),
  ]
const aesForAll = (raw: RawSession): readonly bigint[] => {
  const { ALLOWED_MECHANISMS: _, ...rest } = AES
  return [raw.generateKey('AES_KEY_GEN', { ...rest, VALUE_LEN: 32 })]
}
const signsAndDerives = (raw: RawSession): readonly bigint[] => {
  const { publicKey, privateKey } = raw.generatePair(
    'EC_KEY_PAIR_GEN',
    { ...NAMED, EC_PARAMS: P256, VERIFY: true },
    {
      ...GUARDED,
      SIGN: true,
      DERIVE: true,
      DECRYPT: false,
      UNWRAP: false,
      ALLOWED_MECHANISMS: ['ECDSA', 'ECDH1_DERIVE'],
    },
  )
  return [publicKey, privateKey]
}
const imported = (raw: RawSession): readonly bigint[] => {
  const VALUE = new Uint8Array(32).fill(3)
  return [raw.create({ CLASS: CKO.SECRET_KEY, KEY_TYPE: CKK.AES, VALUE, ...AES })]
}

/** What is planted, and which checks must find it: these and no other. */
const PLANTS: {
  readonly [what: string]: readonly [(raw: RawSession) => readonly bigint[], ...string[]]
} = {
  'an extractable key': [aes({ EXTRACTABLE: true }), 'D01', 'D06'],
  'a key whose value can be read': [
    aes({ SENSITIVE: false, EXTRACTABLE: true }),
    'D01',
    'D02',
    'D06',
  ],
  'an imported key': [imported, 'D03'],
  'a key that wraps and decrypts': [aes({ WRAP: true }), 'D04', 'D05'],
  'a key that unwraps and encrypts': [aes({ UNWRAP: true }), 'D04', 'D05'],
  'a wrapping key without templates': [
    aes({ ENCRYPT: false, DECRYPT: false, WRAP: true, UNWRAP: true }),
    'D05',
  ],
  'a modifiable key': [aes({ MODIFIABLE: true }), 'D08'],
  'a key that can be copied': [aes({ COPYABLE: true }), 'D08'],
  'a key that signs and derives': [signsAndDerives, 'D09'],
  'a key that everybody sees': [aes({ PRIVATE: false }), 'D10'],
  'a key for all mechanisms': [aesForAll, 'D11', 'D12'],
  'a key that allows ECB': [aes({ ALLOWED_MECHANISMS: ['AES_GCM', 'AES_ECB'] }), 'D12'],
  'two keys with one id and label': [(raw) => [...aes({})(raw), ...aes({})(raw)], 'D13'],
}

describe('at a SoftHSM token, the doctor', { skip: absent ?? false }, () => {
  if (bench === undefined) return
  const { hsm, raw, shim } = bench

  test('finds nothing in an empty one', async () => {
    assert.deepEqual(await foundBy(bench), new Set())
    assert.deepEqual(await hsm.list(), [], 'keys were left behind')
  })

  test('finds nothing in one with keys that our layer made', async () => {
    for (const algorithm of ['ed25519', 'p256', 'secp256k1', 'aes-256', 'hmac-sha256'] as const)
      await hsm.generateKey({ label: algorithm, algorithm })
    await hsm.generateKey({ label: 'wrapping', algorithm: 'aes-256', use: 'wrapping' })
    assert.deepEqual(await foundBy(bench), new Set())
    assert.equal((await hsm.list()).length, 6)
  })

  for (const [what, [plant, ...ids]] of Object.entries(PLANTS))
    test(`finds ${what}`, async () => {
      const planted = plant(raw)
      try {
        assert.deepEqual([...(await foundBy(bench))].sort(), ids)
      } finally {
        for (const object of planted) raw.destroy(object)
      }
    })

  test('finds a key that could be taken if it was made wrappable', async () => {
    const label = 'wrappable'
    const { id } = await hsm.generateKey({ label, algorithm: 'aes-256', isWrappable: true })
    assert.deepEqual([...(await foundBy(bench))].sort(), ['D01', 'D06'])
    await hsm.destroy(id, { label })
  })

  test('finds a PIN that everybody tries, and software in production', async () => {
    const pin = { origin: 'descriptor', bytes: new Secret(utf8('1234')) } as const
    assert.deepEqual(await foundBy(bench, { pin }), new Set(['D15']))
    const found = await foundBy(bench, { environment: 'production' })
    assert.ok(found.has('D17'))
  })

  test('finds signatures that are wrong, and encryption that differs from the profile', async () => {
    shim.set({ wrongSignatures: 1000 })
    assert.ok((await foundBy(bench)).has('D22'))
    shim.clear()
    shim.set({ gcm: 'cloudhsm' })
    const found = await foundBy(bench)
    assert.ok(found.has('D21') && !found.has('D22'))
    shim.clear()
  })

  test('does not use the device where it may not', async () => {
    const before = shim.calls()
    await foundBy(bench, { mayProbe: false })
    const { C_GenerateKeyPair, C_GenerateKey, C_Sign, C_Encrypt, C_GenerateRandom } = shim.calls()
    assert.deepEqual(
      [C_GenerateKeyPair, C_GenerateKey, C_Sign, C_Encrypt, C_GenerateRandom],
      [
        before.C_GenerateKeyPair,
        before.C_GenerateKey,
        before.C_Sign,
        before.C_Encrypt,
        before.C_GenerateRandom,
      ],
    )
  })
})
