import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Secret, utf8 } from '@quorate/base'
import { type Attestation, verifySimulatedAttestation } from '@quorate/hsm'
import { diagnose } from '#src/doctor/diagnose.js'
import { type DoctorConfiguration, gatherFacts } from '#src/doctor/gather.js'
import { configurationFacts, fileFacts, libraryFacts, pinFacts } from '#src/doctor/local-facts.js'
import { vendorFacts } from '#src/doctor/vendor-files.js'
import { clock, openIn, scratch } from '../kit.ts'

const configuration: DoctorConfiguration = {
  environment: 'development',
  custody: 'software',
  type: 'simulated',
  uid: 0,
  mayProbe: true,
}

function directoryOf(t: TestContext): string {
  const directory = scratch(t)
  mkdirSync(directory, { mode: 0o700 })
  return directory
}

test('a provider without a token is checked as far as it goes', async (t) => {
  const provider = await openIn(scratch(t))
  const findings = diagnose(await gatherFacts({ provider }, configuration, clock))
  const states = new Map(findings.map(({ id, state }) => [id, state]))
  assert.deepEqual(
    findings.filter(({ state }) => state === 'found'),
    [],
  )
  for (const id of ['D17', 'D21', 'D22', 'D23']) assert.equal(states.get(id), 'clear', id)
  for (const id of ['D01', 'D13', 'D16', 'D20', 'D24'])
    assert.equal(states.get(id), 'not checked', id)
  assert.deepEqual(await provider.list(), [], 'keys were left behind')
})

test('a device that does not answer is a reason, not an error', async (t) => {
  const provider = await openIn(scratch(t))
  await provider.close()
  const facts = await gatherFacts({ provider }, configuration, clock)
  assert.deepEqual(
    [facts.gcm, facts.random],
    [{ unknown: 'hsm/closed' }, { unknown: 'hsm/closed' }],
  )
})

test('the clock is held against the reference', async (t) => {
  const provider = await openIn(scratch(t))
  const referenceTime = async (): Promise<number> => clock.now() - 40_000
  const facts = await gatherFacts({ provider, referenceTime }, configuration, clock)
  assert.deepEqual(facts.clockSkewMs, { value: 40_000 })
})

test('attestations are asked for afresh, and verified', async (t) => {
  const provider = await openIn(scratch(t))
  await provider.generateKey({ label: 'identity', algorithm: 'ed25519' })
  await provider.generateKey({ label: 'data', algorithm: 'aes-256' })
  const root = await provider.attestationRoot()
  const outcomes = async (change: (key: Uint8Array) => Uint8Array): Promise<unknown> => {
    const verifyAttestation = (attestation: Attestation, nonce: Uint8Array): Uint8Array => {
      const { publicKey } = verifySimulatedAttestation(attestation, { root, nonce })
      return change(publicKey ?? assert.fail())
    }
    const facts = await gatherFacts({ provider, verifyAttestation }, configuration, clock)
    return facts.attestations
  }
  assert.deepEqual(await outcomes((key) => key), {
    value: [{ label: 'identity', outcome: 'good' }],
  })
  assert.deepEqual(await outcomes(() => new Uint8Array(32)), {
    value: [{ label: 'identity', outcome: 'other-key' }],
  })
  assert.deepEqual(
    await outcomes(() => {
      throw new Error('does not verify')
    }),
    { value: [{ label: 'identity', outcome: 'invalid' }] },
  )
})

test('a PIN is judged, and not told', () => {
  const judged = (pin: string, type = 'softhsm') => {
    const facts = pinFacts({ origin: 'file', bytes: new Secret(utf8(pin)) }, type)
    return 'value' in facts ? facts.value : assert.fail()
  }
  for (const common of ['1234', '12345678', '0000', 'Password', '87654321', 'abcd', '2468'])
    assert.ok(judged(common).isCommon, common)
  for (const good of ['31415926', 'correct-horse-7']) assert.ok(!judged(good).isCommon, good)
  assert.deepEqual(judged('0001password', 'yubihsm2'), {
    origin: 'file',
    length: 8,
    isCommon: true,
    account: '0001',
  })
  assert.deepEqual(judged('signer:long-enough-9x', 'aws-cloudhsm'), {
    origin: 'file',
    length: 14,
    isCommon: false,
    account: 'signer',
  })
  assert.ok(!JSON.stringify(judged('correct-horse-7')).includes('horse'))
  assert.ok('unknown' in pinFacts(undefined, 'softhsm'))
})

test('files are looked at with their directory, and their hash taken', (t) => {
  const directory = directoryOf(t)
  const library = join(directory, 'module.so')
  writeFileSync(library, 'module')
  chmodSync(library, 0o640)
  const { value } = fileFacts(library) as { value: { mode: number; directory: { mode: number } } }
  assert.deepEqual([value.mode, value.directory.mode], [0o640, 0o700])
  assert.deepEqual(fileFacts(join(directory, 'none')), {
    unknown: `${join(directory, 'none')} cannot be read (ENOENT)`,
  })
  const settings = { driver: 'pkcs11', library, profile: 'softhsm', token: {}, env: {} } as const
  const facts = libraryFacts(settings, 'ff')
  assert.ok('value' in facts)
  assert.equal(facts.value.pinnedSha256, 'ff')
  // printf module | sha256sum
  assert.equal(
    facts.value.sha256,
    '120970d812836f19888625587a4606a5ad23cef31c8684e601771552548fc6b9',
  )
  assert.ok('unknown' in libraryFacts(undefined, undefined))
  const found = configurationFacts({ A: library, B: 'not a path', C: join(directory, 'none') })
  assert.deepEqual(
    found.map(({ path }) => path),
    [library],
  )
})

test('the files of vendors are read', (t) => {
  const directory = directoryOf(t)
  const put = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text)
    return join(directory, name)
  }
  const server = { hostname: '10.0.0.1', port: 2223 }
  const cluster = (...disabled: readonly boolean[]): string =>
    JSON.stringify({
      clusters: [
        {
          type: 'hsm1',
          cluster: { servers: disabled.map((off) => ({ ...server, enable: !off })) },
        },
      ],
    })
  const paths = {
    cloudHsm: put('cloudhsm', cluster(false, false, true)),
    nshield: put('nfast', '# none\n'),
  }
  const cloudHsm = (): unknown => vendorFacts('aws-cloudhsm', {}, paths).cloudHsm
  assert.deepEqual(cloudHsm(), { value: { servers: 2, isAvailabilityCheckOff: false } })
  put(
    'cloudhsm',
    '{"clusters":[{"cluster":{"servers":[],"options":{"disable_key_availability_check":true}}}]}',
  )
  assert.deepEqual(cloudHsm(), { value: { servers: 0, isAvailabilityCheckOff: true } })
  put('cloudhsm', '{"clusters":')
  assert.deepEqual(cloudHsm(), { unknown: `${paths.cloudHsm} cannot be read (damaged)` })

  const nshield = (env = {}): unknown => vendorFacts('nshield', env, paths).nshield
  assert.deepEqual(nshield(), { value: { isLoadSharing: false, isPooled: false } })
  assert.deepEqual(nshield({ CKNFAST_LOADSHARING: '1' }), {
    value: { isLoadSharing: true, isPooled: false },
  })
  put('nfast', 'CKNFAST_HSM_POOL = yes\n')
  assert.deepEqual(nshield(), { value: { isLoadSharing: false, isPooled: true } })

  const luna = (): unknown =>
    vendorFacts('luna', { ChrystokiConfigurationPath: directory }, paths).luna
  assert.ok('unknown' in (luna() as object))
  put('Chrystoki.conf', 'Chrystoki2 = {\n  LibUNIX64 = /usr/lib/x.so;\n}\n')
  assert.deepEqual(luna(), { value: { hasGroup: false, reconnectAttempts: undefined } })
  put(
    'Chrystoki.conf',
    'VirtualToken = {\n  VirtualToken00Members = 1, 2;\n}\nHAConfiguration = {\n  reconnAtt = 0;\n}\n',
  )
  assert.deepEqual(luna(), { value: { hasGroup: true, reconnectAttempts: 0 } })
  assert.ok('unknown' in vendorFacts('softhsm', {}, paths).luna)
})
