/**
 * What a token must refuse by itself, and SoftHSM does; and what it lets pass, so that our layer has
 * to be narrower than the token.
 */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseKeyId } from '@quorate/hsm'
import { CKM, CKO } from '#src/pkcs11/constants.js'
import { isCode } from '../kit.ts'
import { RawError } from '../raw/raw-module.ts'
import {
  CBC,
  cbcDecrypt,
  isRefused,
  isValueOf,
  knownAes,
  makeOurKeys,
  openStage,
  rawAes,
} from './stage.ts'

const stage = await openStage()
const skip = 'absent' in stage ? stage.absent : false
const P256 = Buffer.from('06082a8648ce3d030107', 'hex')

describe('a stock token refuses', { skip }, () => {
  if ('absent' in stage) return
  const { raw } = stage

  test('to make a key less secret', () => {
    const key = rawAes(raw, { EXTRACTABLE: false })
    assert.throws(() => raw.set(key, { EXTRACTABLE: true }), isRefused)
    assert.throws(() => raw.set(key, { SENSITIVE: false }), isRefused)
    assert.throws(() => raw.get(key, 'VALUE'), isRefused)
  })

  test('that its user trusts a wrapping key, and to wrap under another what wants a trusted one', () => {
    assert.throws(() => rawAes(raw, { WRAP: true, TRUSTED: true }), isRefused)
    const wrapping = rawAes(raw, { WRAP: true })
    assert.throws(() => raw.set(wrapping, { TRUSTED: true }), isRefused)
    const victim = rawAes(raw, { EXTRACTABLE: true, WRAP_WITH_TRUSTED: true })
    assert.throws(() => raw.wrap(CBC, wrapping, victim), isRefused)
  })

  test('to wrap what may not leave', () => {
    const wrapping = rawAes(raw, { WRAP: true })
    const victim = rawAes(raw, { EXTRACTABLE: false })
    assert.throws(() => raw.wrap(CBC, wrapping, victim), isRefused)
  })

  test('mechanisms that a key does not allow', () => {
    const key = rawAes(raw, { ENCRYPT: true, ALLOWED_MECHANISMS: ['AES_GCM'] })
    assert.throws(() => raw.encrypt(CBC, key, new Uint8Array(16)), isRefused)
  })

  test('to derive a key from the bytes of another', () => {
    const base = rawAes(raw, { DERIVE: true })
    const template = { CLASS: CKO.SECRET_KEY, VALUE_LEN: 16, SENSITIVE: false, EXTRACTABLE: true }
    for (const name of Object.keys(CKM) as (keyof typeof CKM)[])
      if (/^(CONCATENATE|XOR|EXTRACT)_/.test(name))
        assert.throws(() => raw.derive({ name }, base, template), isRefused, name)
  })
})

describe('a stock token lets pass, and our layer does not', { skip }, () => {
  if ('absent' in stage) return
  const { raw, device } = stage

  test('digests of other lengths', () => {
    const { privateKey } = raw.generatePair(
      'EC_KEY_PAIR_GEN',
      { EC_PARAMS: P256, VERIFY: true },
      { SIGN: true, SENSITIVE: true },
    )
    const key = device.generateKey({ id: parseKeyId('b0'), label: 'lengths', algorithm: 'p256' })
    assert.equal(device.sign(key, new Uint8Array(32).fill(1)).length, 64)
    for (const length of [20, 48, 64]) {
      const digest = new Uint8Array(length).fill(1)
      assert.equal(raw.sign({ name: 'ECDSA' }, privateKey, digest).length, 64)
      assert.throws(() => device.sign(key, digest), isCode('hsm/bad-argument'))
    }
  })

  test('an IV without a single byte', () => {
    const key = rawAes(raw, { ENCRYPT: true, DECRYPT: true })
    const gcm = { iv: new Uint8Array() }
    assert.ok(raw.encrypt({ name: 'AES_GCM', gcm }, key, new Uint8Array(16)).length === 32)
    const ours = device.generateKey({ id: parseKeyId('b1'), label: 'iv', algorithm: 'aes-256' })
    const aad = new Uint8Array()
    const encrypted = device.encrypt(ours, new Uint8Array(16), aad)
    assert.equal(encrypted.iv.length, 12)
    assert.throws(
      () => device.decrypt(ours, { ...encrypted, iv: new Uint8Array() }, aad),
      isCode('hsm/cannot-open'),
    )
  })

  test('wrapping under a key that the attacker knows: our keys do not leave at all unless made to', () => {
    const value = new Uint8Array(32).fill(5)
    const wrapping = knownAes(raw, value, { WRAP: true })
    const victim = rawAes(raw, { EXTRACTABLE: true, ENCRYPT: true })
    assert.ok(isValueOf(raw, victim, cbcDecrypt(value, raw.wrap(CBC, wrapping, victim))))
    const { wrappableData, ...others } = makeOurKeys(stage)
    for (const key of Object.values(others))
      assert.throws(() => raw.wrap(CBC, wrapping, key), isRefused)
    // Who makes a key wrappable gives it to everybody with the PIN: the doctor says so (D06).
    assert.equal(raw.wrap(CBC, wrapping, wrappableData).length, 32)
  })
})

test('a refusal is not any error', () => {
  assert.ok(!isRefused(new RawError(CKM.AES_GCM, 'C_Sign')))
  assert.ok(!isRefused(new Error('C_Sign answers ACTION_PROHIBITED')))
})
