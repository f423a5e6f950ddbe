import assert from 'node:assert/strict'
import { createHash, sign } from 'node:crypto'
import { describe, test } from 'node:test'
import { type FaultCode, isFault } from '@quorate/base'
import {
  type Attestation,
  AttestationChallenges,
  type AttestationExpectation,
  type AttestationTrust,
  type AttestedKey,
  attestationRoot,
  attestationSigner,
  countBoot,
  DOCUMENT_FORMAT,
  documentAttester,
  type HsmProvider,
  type KeyInfo,
  lastBootOf,
  memoryHsmState,
  openDocument,
  proofMessage,
  rememberBoot,
  type SimulatedHsm,
  VENDOR_ROOTS,
  vendorAttestation,
  verifyKeyAttestation,
} from '@quorate/hsm'
import { ManualTime, systemRandom } from '@quorate/platform'
import { derBitString, derOctetString, derUnsigned, derUtf8String } from '@quorate/trust'
import fc from 'fast-check'
import { isCode, NOW, openIn, scratch } from '../kit.ts'
import { flipped, issue, newKeys, spkiOf } from './pki.ts'

const invalid = isCode('hsm/attestation-invalid')
const stale = isCode('hsm/attestation-stale')
const NONCE = new Uint8Array(32).fill(9)
const DEVICE = 'softhsm-7'

type Stage = {
  readonly provider: SimulatedHsm
  readonly key: AttestedKey
  readonly info: KeyInfo
  readonly signer: Awaited<ReturnType<typeof attestationSigner>>
  readonly trust: AttestationTrust
  make(options?: {
    boot?: number
    nonce?: Uint8Array
    device?: string
    now?: number
  }): Promise<Attestation>
}

const keyOf = ({ algorithm, publicKey }: KeyInfo): AttestedKey => ({
  algorithm: algorithm as AttestedKey['algorithm'],
  publicKey: publicKey ?? assert.fail(),
})

async function stage(
  t: Parameters<typeof scratch>[0],
  chain: readonly Uint8Array[] = [],
): Promise<Stage> {
  const provider = await openIn(scratch(t))
  const info = await provider.generateKey({ label: 'signer', algorithm: 'secp256k1' })
  const attesting = await provider.generateKey({ label: 'attest', algorithm: 'p256' })
  const signer = await attestationSigner(provider, attesting.id, chain)
  const key = keyOf(info)
  return {
    provider,
    key,
    info,
    signer,
    trust: { roots: VENDOR_ROOTS, enrolled: [{ ...keyOf(attesting), device: DEVICE }] },
    make: ({ boot = 3, nonce = NONCE, device = DEVICE, now = NOW } = {}) =>
      documentAttester({
        provider,
        signer,
        device,
        clock: { now: () => now, monotonic: () => 0 },
        boot,
        policyOf: () => [{ name: 'role', value: 'transaction_signer' }],
      }).attestKey(info.id, nonce),
  }
}

const expecting = (
  key: AttestedKey,
  more: Partial<AttestationExpectation> = {},
): AttestationExpectation => ({
  key,
  nonce: NONCE,
  now: NOW,
  ...more,
})

test('a document shows key, device, policy and start, at the level self-attested', async (t) => {
  const { make, key, trust } = await stage(t)
  assert.deepEqual(verifyKeyAttestation(await make(), expecting(key), trust), {
    level: 'self-attested',
    format: DOCUMENT_FORMAT,
    key,
    device: DEVICE,
    trustedBy: ['enrolled key'],
    time: NOW,
    boot: 3,
    policy: [{ name: 'role', value: 'transaction_signer' }],
  })
})

describe('a document is refused', () => {
  const cases: readonly (readonly [
    string,
    FaultCode,
    (stage: Stage) => Promise<readonly [Attestation, AttestationExpectation, AttestationTrust]>,
  ])[] = [
    [
      'for another nonce',
      'hsm/attestation-stale',
      async ({ make, key, trust }) => [
        await make({ nonce: new Uint8Array(32) }),
        expecting(key),
        trust,
      ],
    ],
    [
      'that is too old',
      'hsm/attestation-stale',
      async ({ make, key, trust }) => [await make(), expecting(key, { now: NOW + 300_001 }), trust],
    ],
    [
      'from the future',
      'hsm/attestation-stale',
      async ({ make, key, trust }) => [await make({ now: NOW + 60_001 }), expecting(key), trust],
    ],
    [
      'from an earlier start',
      'hsm/attestation-stale',
      async ({ make, key, trust }) => [
        await make({ boot: 2 }),
        expecting(key, { minBoot: 3 }),
        trust,
      ],
    ],
    [
      'of another key',
      'hsm/attestation-invalid',
      async ({ make, signer, trust }) => [await make(), expecting(signer), trust],
    ],
    [
      'by a key that is not enrolled',
      'hsm/attestation-invalid',
      async ({ make, key }) => [await make(), expecting(key), { roots: [] }],
    ],
    [
      'by a key that is enrolled for another device',
      'hsm/attestation-invalid',
      async ({ make, key, trust }) => [await make({ device: 'luna-1' }), expecting(key), trust],
    ],
    [
      'where hardware is demanded',
      'hsm/weak-custody',
      async ({ make, key, trust }) => [
        await make(),
        expecting(key, { atLeast: 'hardware' }),
        trust,
      ],
    ],
    [
      'in a format that nobody understands',
      'hsm/attestation-invalid',
      async ({ make, key, trust }) => [
        { ...(await make()), format: 'hardware' },
        expecting(key),
        trust,
      ],
    ],
  ]
  for (const [what, code, given] of cases)
    test(what, async (t) => {
      const args = await given(await stage(t))
      assert.throws(() => verifyKeyAttestation(...args), isCode(code))
    })

  test('of a key that can leave its device', async (t) => {
    const { provider, key, signer, info, trust } = await stage(t)
    const leaky = new Proxy(provider as HsmProvider, {
      get: (target, name) =>
        name === 'find'
          ? () => Promise.resolve({ ...info, isExtractable: true })
          : (Reflect.get(target, name, target) as unknown),
    })
    const attester = documentAttester({
      provider: leaky,
      signer,
      device: DEVICE,
      clock: { now: () => NOW, monotonic: () => 0 },
      boot: 3,
    })
    const made = await attester.attestKey(info.id, NONCE)
    assert.throws(() => verifyKeyAttestation(made, expecting(key), trust), invalid)
  })

  test('once a single bit is another', async (t) => {
    const { make, key, trust } = await stage(t)
    const { format, document } = await make()
    fc.assert(
      fc.property(fc.nat(document.length - 1), fc.nat(7), (at, bit) => {
        const changed = { format, document: flipped(document, at, 1 << bit) }
        try {
          verifyKeyAttestation(changed, expecting(key), trust)
          return false
        } catch (error) {
          return isFault(error, 'hsm/attestation-invalid')
        }
      }),
      { numRuns: 400 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        assert.throws(() => openDocument(bytes), invalid)
      }),
    )
  })
})

describe('a certified attestation key', () => {
  const keys = { root: newKeys(), leaf: newKeys('ed25519') }
  const root = issue({ subject: 'our root', keys: keys.root, isCa: true })
  const sha256 = createHash('sha256').update(root).digest('hex')
  const leaf = issue({
    subject: 'attester',
    keys: keys.leaf,
    issuer: { name: 'our root', keys: keys.root },
  })
  const publicKey = spkiOf(keys.leaf.open).subarray(-32)

  const made = async (
    t: Parameters<typeof scratch>[0],
    chain: readonly Uint8Array[],
    own = publicKey,
  ) => {
    const { provider, info, key } = await stage(t)
    const attester = documentAttester({
      provider,
      signer: {
        algorithm: 'ed25519',
        publicKey: own,
        chain,
        sign: (message) => Promise.resolve(new Uint8Array(sign(null, message, keys.leaf.secret))),
      },
      device: DEVICE,
      clock: { now: () => NOW, monotonic: () => 0 },
      boot: 1,
    })
    return { key, attestation: await attester.attestKey(info.id, NONCE) }
  }

  test('is trusted under its root, and shows no hardware', async (t) => {
    const { key, attestation } = await made(t, [leaf, root])
    const trust = { roots: [attestationRoot(DOCUMENT_FORMAT, sha256, 'our root')] }
    const shown = verifyKeyAttestation(attestation, expecting(key), trust)
    assert.deepEqual([shown.level, shown.trustedBy], ['self-attested', ['our root']])
    assert.throws(
      () => verifyKeyAttestation(attestation, expecting(key, { atLeast: 'hardware' }), trust),
      isCode('hsm/weak-custody'),
    )
    assert.throws(() => verifyKeyAttestation(attestation, expecting(key), { roots: [] }), invalid)
    // A root of another format is none of this one.
    const other = { roots: [attestationRoot('yubihsm-x509', sha256, 'our root')] }
    assert.throws(() => verifyKeyAttestation(attestation, expecting(key), other), invalid)
  })

  test('is not trusted where its certificate is of another key, or missing', async (t) => {
    const trust = { roots: [attestationRoot(DOCUMENT_FORMAT, sha256, 'our root')] }
    const another = issue({
      subject: 'attester',
      keys: newKeys('ed25519'),
      issuer: { name: 'our root', keys: keys.root },
    })
    for (const chain of [[another, root], [root]]) {
      const { key, attestation } = await made(t, chain)
      assert.throws(() => verifyKeyAttestation(attestation, expecting(key), trust), invalid)
    }
  })
})

describe('nothing that a simulated device says makes it hardware', () => {
  test('its own attestation is of the level simulated', async (t) => {
    const { provider, info, key } = await stage(t)
    const root = await provider.attestationRoot()
    const attestation = await provider.attestKey(info.id, NONCE)
    const trust = { roots: VENDOR_ROOTS, simulated: [root] }
    assert.equal(verifyKeyAttestation(attestation, expecting(key), trust).level, 'simulated')
    assert.throws(
      () => verifyKeyAttestation(attestation, expecting(key, { atLeast: 'self-attested' }), trust),
      isCode('hsm/weak-custody'),
    )
    assert.throws(
      () => verifyKeyAttestation(attestation, expecting(key), { roots: VENDOR_ROOTS }),
      invalid,
    )
  })

  test('its document under the name of a vendor is none', async (t) => {
    const { provider, info, key, make } = await stage(t)
    const own = await provider.attestKey(info.id, NONCE)
    for (const { document } of [own, await make()])
      for (const format of ['yubihsm-x509', 'marvell-hsm'])
        assert.throws(
          () => verifyKeyAttestation({ format, document }, expecting(key), { roots: VENDOR_ROOTS }),
          invalid,
        )
  })

  test('nor does a chain of its own with every claim of a YubiHSM', async (t) => {
    const { provider, info, key } = await stage(t)
    const [ca, device] = [newKeys(), newKeys()]
    const root = issue({ subject: 'Yubico YubiHSM Root CA', keys: ca, isCa: true })
    const arc = '1.3.6.1.4.1.41482.4'
    const certificates = [
      issue({
        subject: 'YubiHSM Attestation id:0x0001',
        keys: { secret: device.secret, open: newKeys('secp256k1').open },
        issuer: { name: 'YubiHSM Attestation (1)', keys: device },
        extensions: [
          [`${arc}.1`, derOctetString(Uint8Array.of(2, 4, 1))],
          [`${arc}.2`, derUnsigned(Uint8Array.of(1))],
          [`${arc}.3`, derBitString(Uint8Array.of(1))],
          [`${arc}.4`, derBitString(Uint8Array.of(0, 1))],
          [`${arc}.5`, derBitString(new Uint8Array(8))],
          [`${arc}.6`, derUnsigned(Uint8Array.of(1))],
          [`${arc}.9`, derUtf8String('signer')],
        ],
      }),
      issue({
        subject: 'YubiHSM Attestation (1)',
        keys: device,
        issuer: { name: 'Yubico YubiHSM Root CA', keys: ca },
        isCa: true,
      }),
      root,
    ]
    const signature = await provider.sign(info.id, { message: proofMessage(NONCE, NOW) })
    const forged = vendorAttestation('yubihsm-x509', {
      certificates,
      proof: { time: NOW, signature },
    })
    assert.throws(
      () =>
        verifyKeyAttestation(forged, expecting(key, { atLeast: 'hardware' }), {
          roots: VENDOR_ROOTS,
        }),
      invalid,
    )
  })

  test('and no root can be pinned for a level that its format does not have', () => {
    assert.throws(
      () => attestationRoot('quorate-simulated', '00'.repeat(32), 'x'),
      isCode('hsm/bad-argument'),
    )
    assert.throws(
      () => attestationRoot('marvell-hsm', '00'.repeat(32), 'x'),
      isCode('hsm/bad-argument'),
    )
    assert.throws(() => attestationRoot('yubihsm-x509', 'abc', 'x'), invalid)
  })
})

describe('an attestation of a YubiHSM', () => {
  const keys = {
    root: newKeys(),
    device: newKeys(),
    key: newKeys('ed25519'),
    other: newKeys('ed25519'),
  }
  const arc = '1.3.6.1.4.1.41482.4'
  const root = issue({ subject: 'root', keys: keys.root, isCa: true })
  const device = issue({
    subject: 'device',
    keys: keys.device,
    issuer: { name: 'root', keys: keys.root },
    isCa: true,
  })
  const leaf = issue({
    subject: 'key',
    keys: keys.key,
    issuer: { name: 'device', keys: keys.device },
    extensions: [
      [`${arc}.1`, derOctetString(Uint8Array.of(2, 4, 1))],
      [`${arc}.2`, derUnsigned(Uint8Array.of(77))],
      [`${arc}.3`, derBitString(Uint8Array.of(1))],
      [`${arc}.4`, derBitString(Uint8Array.of(0, 1))],
      [`${arc}.5`, derBitString(Uint8Array.of(0, 0, 0, 0, 0, 0, 1, 0))],
      [`${arc}.6`, derUnsigned(Uint8Array.of(5))],
      [`${arc}.9`, derUtf8String('signer')],
    ],
  })
  const sha256 = createHash('sha256').update(root).digest('hex')
  const trust = { roots: [attestationRoot('yubihsm-x509', sha256, 'root of a maker')] }
  const key: AttestedKey = { algorithm: 'ed25519', publicKey: spkiOf(keys.key.open).slice(-32) }
  const by = (signer = keys.key, nonce = NONCE, time = NOW): Attestation =>
    vendorAttestation('yubihsm-x509', {
      certificates: [leaf, device, root],
      proof: {
        time,
        signature: new Uint8Array(sign(null, proofMessage(nonce, time), signer.secret)),
      },
    })

  test('reaches hardware, with a fresh signature of the key itself', () => {
    const shown = verifyKeyAttestation(by(), expecting(key, { atLeast: 'hardware' }), trust)
    assert.deepEqual(
      [shown.level, shown.device, shown.trustedBy, shown.time],
      ['hardware', '77', ['root of a maker'], NOW],
    )
  })

  test('is refused without it, and for any other key', () => {
    assert.throws(() => verifyKeyAttestation(by(keys.other), expecting(key), trust), stale)
    assert.throws(
      () => verifyKeyAttestation(by(keys.key, new Uint8Array(32)), expecting(key), trust),
      stale,
    )
    assert.throws(
      () => verifyKeyAttestation(by(keys.key, NONCE, NOW - 300_001), expecting(key), trust),
      stale,
    )
    const other: AttestedKey = {
      algorithm: 'ed25519',
      publicKey: spkiOf(keys.other.open).slice(-32),
    }
    assert.throws(() => verifyKeyAttestation(by(), expecting(other), trust), invalid)
    assert.throws(
      () => verifyKeyAttestation(by(), expecting(key), { roots: VENDOR_ROOTS }),
      invalid,
    )
  })
})

test('starts are counted durably, and an earlier one is told from what was seen', async (t) => {
  const state = memoryHsmState()
  assert.deepEqual([await countBoot(state), await countBoot(state)], [1, 2])
  assert.equal(await countBoot(memoryHsmState(state.contents())), 3)
  const { make, key, trust } = await stage(t)
  const seen = memoryHsmState()
  const verify = async (boot: number) => {
    const minBoot = lastBootOf(seen, DEVICE)
    const expected = expecting(key, minBoot === undefined ? {} : { minBoot })
    await rememberBoot(seen, verifyKeyAttestation(await make({ boot }), expected, trust))
  }
  await verify(3)
  await verify(3)
  await verify(4)
  await assert.rejects(verify(3), stale)
  const earlier = verifyKeyAttestation(await make({ boot: 3 }), expecting(key), trust)
  await assert.rejects(rememberBoot(seen, earlier), stale)
  assert.equal(lastBootOf(seen, DEVICE), 4)
})

test('a nonce is good once, and for five minutes', () => {
  const time = new ManualTime()
  const challenges = new AttestationChallenges(time, systemRandom)
  const [first, second] = [challenges.draw(), challenges.draw()]
  assert.equal(first.length, 32)
  challenges.take(first)
  assert.throws(() => challenges.take(first), stale)
  assert.throws(() => challenges.take(new Uint8Array(32)), stale)
  time.advance(300_001)
  assert.throws(() => challenges.take(second), stale)
  const kept = Array.from({ length: 1001 }, () => challenges.draw())
  assert.throws(() => challenges.take(kept[0]!), stale)
  challenges.take(kept[1]!)
})
