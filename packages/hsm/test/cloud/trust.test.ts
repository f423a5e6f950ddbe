/** What a service cannot make us believe: other signatures, other keys, changed bytes, keys outside of modules. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { array, bytes, decode, field, int, record, utf8 } from '@quorate/base'
import { proofMessage } from '#src/attest/verify.js'
import { MAX_ATTEMPTS } from '#src/cloud/calls.js'
import { crc32c } from '#src/cloud/google/crc32c.js'
import { CLOUD_TYPES, type CloudType } from '#src/config/model.js'
import { verifyDigest } from '#src/ecdsa.js'
import { failoverOf } from '#src/errors.js'
import { hasCapability, parseKeyId } from '#src/provider.js'
import { isCode } from '../kit.ts'
import { awsBench, azureBench, BENCHES, googleBench, NOW } from './kit.ts'
import { SimulatedKey } from './simulator/keys.ts'
import type { Body } from './simulator/server.ts'

const SIGN: { readonly [T in CloudType]: string } = {
  'aws-kms': 'Sign',
  'azure-hsm': 'sign',
  'google-hsm': 'asymmetricSign',
}
const digest = new Uint8Array(32).fill(5)
const id = parseKeyId('0b'.repeat(16))

/** The answer of the service with this signature. */
const signedBy =
  (type: CloudType, signature: (der: boolean) => Uint8Array) =>
  (answer: Body): Body => {
    const made = signature(type !== 'azure-hsm')
    const base64 = Buffer.from(made).toString(type === 'azure-hsm' ? 'base64url' : 'base64')
    if (type === 'aws-kms') return { ...answer, Signature: base64 }
    if (type === 'azure-hsm') return { ...answer, value: base64 }
    return { ...answer, signature: base64, signatureCrc32c: String(crc32c(made)) }
  }

/** What an attestation of a vendor's module consists of. */
const evidenceCodec = record({
  certificates: field(0, array(bytes({ max: 1 << 16 }), { max: 12 })),
  blob: field(1, bytes({ max: 1 << 16 })),
  proof: field(2, record({ time: field(0, int()), signature: field(1, bytes(64)) })),
})

for (const type of CLOUD_TYPES)
  describe(`${type}:`, () => {
    test('a signature of another key, or none at all, does not leave', async (t) => {
      const bench = await BENCHES[type](t)
      const provider = await bench.open()
      for (const algorithm of ['p256', 'secp256k1'] as const) {
        const { id: key } = await provider.generateKey({ label: 'main', algorithm })
        const other = new SimulatedKey(algorithm)
        const wrong: readonly ((der: boolean) => Uint8Array)[] = [
          (der) => other.signDigest(digest, der ? 'der' : 'compact'),
          () => new Uint8Array(),
          () => new Uint8Array(64),
          () => new Uint8Array(70).fill(0x30),
          (der) =>
            Buffer.concat([other.signDigest(digest, der ? 'der' : 'compact'), Buffer.alloc(1)]),
        ]
        for (const signature of wrong) {
          bench.server.plan(SIGN[type], { kind: 'changed', change: signedBy(type, signature) })
          await assert.rejects(provider.sign(key, { digest }), (error) => {
            assert.ok(isCode('hsm/wrong-result')(error), String(error))
            return failoverOf(error) === 'next'
          })
        }
        await provider.sign(key, { digest })
      }
    })

    test('no bytes but a signature verify', async (t) => {
      const provider = await (await BENCHES[type](t)).open()
      for (const algorithm of ['p256', 'secp256k1'] as const) {
        const { id: key } = await provider.generateKey({ label: 'main', algorithm })
        for (const wrong of [
          new Uint8Array(64),
          new Uint8Array(64).fill(0xff),
          new Uint8Array(65).fill(1),
          new Uint8Array(),
        ])
          assert.equal(await provider.verify(key, { digest }, wrong), false)
      }
    })

    test('a public key that is another one later is refused', async (t) => {
      const bench = await BENCHES[type](t)
      const provider = await bench.open()
      const made = await provider.generateKey({ label: 'main', algorithm: 'p256', id })
      const { keys } = bench.service as unknown as { keys: Map<string, unknown> }
      const [name, stored] = [...keys][0]!
      const replaced = (each: object): object =>
        Object.assign(Object.create(Object.getPrototypeOf(each) as object) as object, each, {
          key: new SimulatedKey('p256'),
        })
      keys.set(name, Array.isArray(stored) ? stored.map(replaced) : replaced(stored as object))
      await assert.rejects(provider.find({ id }), isCode('hsm/key-changed'))
      await assert.rejects(provider.list(), isCode('hsm/key-changed'))
      await assert.rejects(provider.publicKey(id), isCode('hsm/key-changed'))
      await assert.rejects(provider.sign(id, { digest }), isCode('hsm/wrong-result'))
      // One that never met the key takes what it finds: whoever needs more pins the key itself.
      assert.notDeepEqual(await (await bench.open()).publicKey(id), made.publicKey)
    })
  })

test('Ed25519: a signature of another key does not leave', async (t) => {
  for (const [type, operation] of [
    ['aws-kms', 'Sign'],
    ['google-hsm', 'asymmetricSign'],
  ] as const) {
    const bench = await BENCHES[type](t)
    const provider = await bench.open()
    const { id: key } = await provider.generateKey({ label: 'main', algorithm: 'ed25519' })
    const message = utf8('message')
    const change = signedBy(type, () => new SimulatedKey('ed25519').signMessage(message))
    bench.server.plan(operation, { kind: 'changed', change })
    await assert.rejects(provider.sign(key, { message }), isCode('hsm/wrong-result'))
  }
})

test('AWS KMS: what another key made is not taken', async (t) => {
  const bench = await awsBench(t)
  const provider = await bench.open()
  const sealing = await provider.generateKey({ label: 'a', algorithm: 'aes-256' })
  const tagging = await provider.generateKey({ label: 'b', algorithm: 'hmac-sha256' })
  const change = (answer: Body): Body => ({ ...answer, KeyId: 'arn:aws:kms:x:1:key/other' })
  bench.server.plan('Encrypt', { kind: 'changed', change })
  bench.server.plan('GenerateMac', { kind: 'changed', change })
  await assert.rejects(
    provider.encrypt(sealing.id, utf8('x'), utf8('y')),
    isCode('hsm/wrong-result'),
  )
  await assert.rejects(provider.hmac(tagging.id, utf8('x')), isCode('hsm/wrong-result'))
})

describe('Google Cloud HSM:', () => {
  test('bytes that do not fit their checksum are asked for again, and never used', async (t) => {
    const bench = await googleBench(t)
    const provider = await bench.open()
    const signing = await provider.generateKey({ label: 'a', algorithm: 'p256' })
    const sealing = await provider.generateKey({ label: 'b', algorithm: 'aes-256' })
    const tagging = await provider.generateKey({ label: 'c', algorithm: 'hmac-sha256' })
    const sealed = await provider.encrypt(sealing.id, utf8('x'), utf8('y'))
    const fields: readonly (readonly [string, readonly string[], () => Promise<unknown>])[] = [
      ['asymmetricSign', ['signatureCrc32c'], () => provider.sign(signing.id, { digest })],
      ['macSign', ['macCrc32c'], () => provider.hmac(tagging.id, utf8('x'))],
      ['generateRandomBytes', ['dataCrc32c'], () => provider.random(32)],
      [
        'rawEncrypt',
        ['ciphertextCrc32c', 'initializationVectorCrc32c'],
        () => provider.encrypt(sealing.id, utf8('x'), utf8('y')),
      ],
      ['rawDecrypt', ['plaintextCrc32c'], () => provider.decrypt(sealing.id, sealed, utf8('y'))],
    ]
    for (const [operation, names, use] of fields)
      for (const name of names) {
        const change = (answer: Body): Body => ({ ...answer, [name]: '1' })
        bench.server.plan(operation, { kind: 'changed', change })
        await use()
        bench.server.plan(operation, { kind: 'changed', change }, MAX_ATTEMPTS)
        await assert.rejects(use(), isCode('hsm/wrong-result'), `${operation} ${name}`)
      }
  })

  test('a service that did not compare our checksums is not believed', async (t) => {
    const bench = await googleBench(t)
    const provider = await bench.open()
    const signing = await provider.generateKey({ label: 'a', algorithm: 'ed25519' })
    const change = (answer: Body): Body => ({ ...answer, verifiedDataCrc32c: undefined })
    bench.server.plan('asymmetricSign', { kind: 'changed', change }, MAX_ATTEMPTS)
    await assert.rejects(
      provider.sign(signing.id, { message: utf8('x') }),
      isCode('hsm/wrong-result'),
    )
  })

  test('an answer from outside of a module, or of another version, is not taken', async (t) => {
    const bench = await googleBench(t)
    const provider = await bench.open()
    const { id: key } = await provider.generateKey({ label: 'a', algorithm: 'p256' })
    for (const wrong of [{ protectionLevel: 'SOFTWARE' }, { name: 'projects/other' }]) {
      bench.server.plan('asymmetricSign', {
        kind: 'changed',
        change: (answer) => ({ ...answer, ...wrong }),
      })
      await assert.rejects(provider.sign(key, { digest }), isCode('hsm/wrong-result'))
    }
  })

  test('a key attests itself: what its module said, and its signature over the nonce', async (t) => {
    const bench = await googleBench(t)
    const provider = await bench.open()
    const key = await provider.generateKey({ label: 'a', algorithm: 'p256' })
    assert.ok(hasCapability(provider, 'attest'))
    const nonce = new Uint8Array(16).fill(3)
    const { format, document } = await provider.attestKey(key.id, nonce)
    assert.equal(format, 'marvell-hsm')
    const evidence = decode(evidenceCodec, document, { maxBytes: 1 << 18 })
    assert.equal(Buffer.from(evidence.blob).toString(), 'simulated statement')
    assert.equal(evidence.certificates.length, 3)
    assert.equal(evidence.proof.time, NOW)
    const signed = createHash('sha256').update(proofMessage(nonce, NOW)).digest()
    assert.ok(verifyDigest('p256', key.publicKey!, signed, evidence.proof.signature))
    for (const length of [0, 15, 65])
      await assert.rejects(
        provider.attestKey(key.id, new Uint8Array(length)),
        isCode('hsm/bad-argument'),
      )
    const secret = await provider.generateKey({ label: 'b', algorithm: 'aes-256' })
    await assert.rejects(provider.attestKey(secret.id, nonce), isCode('hsm/bad-argument'))
  })
})

describe('a key that is not in a module is refused, and is not listed:', () => {
  const weak = isCode('hsm/weak-custody')

  test('AWS KMS, imported or in a store outside', async (t) => {
    const bench = await awsBench(t)
    await (await bench.open()).generateKey({ label: 'main', algorithm: 'aes-256', id })
    const [stored] = bench.service.keys.values()
    for (const origin of ['EXTERNAL', 'EXTERNAL_KEY_STORE', 'SOMETHING_NEW']) {
      stored!.origin = origin
      const provider = await bench.open()
      await assert.rejects(provider.find({ id }), weak)
      await assert.rejects(provider.encrypt(id, utf8('x'), utf8('y')), weak)
      assert.deepEqual(await provider.list(), [])
    }
    stored!.origin = 'AWS_CLOUDHSM'
    await (await bench.open()).find({ id })
  })

  test('Azure, of a type without HSM, or one that may be released', async (t) => {
    const bench = await azureBench(t)
    await (await bench.open()).generateKey({ label: 'main', algorithm: 'p256', id })
    const [[stored] = []] = bench.service.keys.values()
    stored!.kty = 'EC'
    const provider = await bench.open()
    await assert.rejects(provider.sign(id, { digest }), weak)
    assert.deepEqual(await provider.list(), [])
    stored!.kty = 'EC-HSM'
    bench.server.plan('get', {
      kind: 'changed',
      change: (answer) => ({ ...answer, attributes: { enabled: true, exportable: true } }),
    })
    await assert.rejects((await bench.open()).find({ id }), weak)
  })

  test('Google, of another protection level, or imported', async (t) => {
    const bench = await googleBench(t)
    for (const level of ['SOFTWARE', 'EXTERNAL', 'EXTERNAL_VPC']) {
      bench.service.keys.clear()
      bench.service.protectionLevel = level
      const provider = await bench.open()
      await assert.rejects(provider.generateKey({ label: 'main', algorithm: 'p256', id }), weak)
      await assert.rejects(provider.sign(id, { digest }), weak)
      assert.deepEqual(await provider.list(), [])
    }
    bench.service.keys.clear()
    bench.service.protectionLevel = 'HSM_SINGLE_TENANT'
    const provider = await bench.open()
    await provider.generateKey({ label: 'main', algorithm: 'p256', id })
    bench.server.plan('getVersion', {
      kind: 'changed',
      change: (answer) => ({ ...answer, importTime: '2026-01-01T00:00:00Z' }),
    })
    await assert.rejects(provider.find({ id }), weak)
  })
})
