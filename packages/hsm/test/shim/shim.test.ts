import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { after, beforeEach, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { p256 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { adopt } from '../modules/fixture.ts'
import { openModule } from '../modules/modules.ts'
import { RawModule, type RawSession, refusedWith, USER } from '../raw/raw-module.ts'
import { buildShim, FaultShim } from './shim.ts'

const ONCE = { next: 1 } as const
const OIDS = {
  p256: '06082a8648ce3d030107',
  secp256k1: '06052b8104000a',
} as const
const DIGEST = new Uint8Array(32).fill(7)
const AAD = Buffer.from('aad')

const softhsm = await openModule('softhsm', { after })
const built = buildShim()
const absent = softhsm.available ? built.reason : softhsm.reason
// Where something is absent, nothing below runs.
const [shim, raw] = load() ?? ([] as never)

function load(): readonly [FaultShim, RawModule] | undefined {
  if (!softhsm.available || built.reason !== undefined) return undefined
  const between = new FaultShim(softhsm.settings, { after })
  adopt(between.settings)
  return [between, new RawModule(between.settings.library)]
}

function session(): RawSession {
  const opened = raw.open(raw.slotOf('quorate test'))
  try {
    opened.login(USER, softhsm.available ? softhsm.pin : '')
  } catch (error) {
    if (!refusedWith('USER_ALREADY_LOGGED_IN')(error)) throw error
  }
  return opened
}

const pair = (on: RawSession, curve: keyof typeof OIDS) =>
  on.generatePair(
    'EC_KEY_PAIR_GEN',
    { EC_PARAMS: Buffer.from(OIDS[curve], 'hex'), VERIFY: true },
    { SIGN: true, SENSITIVE: true },
  )
const aes = (on: RawSession): bigint =>
  on.generateKey('AES_KEY_GEN', { VALUE_LEN: 32, ENCRYPT: true, DECRYPT: true })

describe('the shim', { skip: absent ?? false }, () => {
  beforeEach(() => shim.clear())

  test('forwards and counts calls', () => {
    const before = shim.calls()
    const on = session()
    assert.equal(on.sign({ name: 'ECDSA' }, pair(on, 'p256').privateKey, DIGEST).length, 64)
    on.close()
    const calls = shim.calls()
    assert.equal((calls.C_Sign ?? 0) - (before.C_Sign ?? 0), 1)
    assert.equal(calls.C_Initialize, 1)
    assert.equal(calls.C_WaitForSlotEvent, undefined)
  })

  test('answers in place of a call: at the next, at every k-th, at all', () => {
    const on = session()
    const key = pair(on, 'p256').privateKey
    const sign = (): unknown => on.sign({ name: 'ECDSA' }, key, DIGEST)
    const isFailing = (): boolean => {
      try {
        sign()
        return false
      } catch (error) {
        assert.ok(refusedWith('DEVICE_ERROR')(error))
        return true
      }
    }
    const seen = (count: number): readonly boolean[] => Array.from({ length: count }, isFailing)
    shim.fail('C_SignInit', { kind: 'answer', rv: 'DEVICE_ERROR', when: { next: 2 } })
    assert.deepEqual(seen(4), [true, true, false, false])
    shim.fail('C_SignInit', { kind: 'answer', rv: 'DEVICE_ERROR', when: { every: 3 } })
    assert.deepEqual(seen(6), [false, false, true, false, false, true])
    shim.fail('C_SignInit', { kind: 'answer', rv: 0x30 })
    assert.deepEqual(seen(3), [true, true, true])
    shim.clear()
    assert.deepEqual(seen(1), [false])
    on.close()
  })

  test('loses the answer of a call that was made', () => {
    const on = session()
    shim.fail('C_GenerateKeyPair', { kind: 'answerAfter', rv: 'DEVICE_ERROR', when: ONCE })
    const count = on.find({}).length
    assert.throws(() => pair(on, 'p256'), refusedWith('DEVICE_ERROR'))
    assert.equal(on.find({}).length, count + 2)
    on.close()
  })

  test('crashes and hangs processes, but only those that call', () => {
    const program = fileURLToPath(new URL('./victim.js', import.meta.url))
    const run = (timeout: number) =>
      spawnSync(process.execPath, [program, shim.settings.library], {
        timeout,
        killSignal: 'SIGKILL',
      })
    assert.equal(run(20_000).status, 0)
    shim.fail('C_GetSlotList', { kind: 'crash', when: ONCE })
    assert.equal(run(20_000).signal, 'SIGSEGV')
    assert.equal(run(20_000).status, 0)
    shim.fail('C_GetSlotList', { kind: 'crashAfter', when: ONCE })
    assert.equal(run(20_000).signal, 'SIGSEGV')
    shim.fail('C_GetSlotList', { kind: 'hang', when: ONCE })
    assert.equal(run(1_000).signal, 'SIGKILL')
  })

  test('takes the token away and gives it back without sessions', () => {
    const on = session()
    shim.unplug()
    assert.deepEqual(raw.slots(), [])
    assert.throws(() => on.find({}), refusedWith('DEVICE_REMOVED'))
    assert.throws(() => raw.open(0n), refusedWith('TOKEN_NOT_PRESENT'))
    shim.plugIn()
    assert.throws(() => on.find({}), refusedWith('SESSION_HANDLE_INVALID'))
    const again = raw.open(raw.slotOf('quorate test'))
    assert.throws(() => aes(again), refusedWith('USER_NOT_LOGGED_IN'))
    again.close()
    const loggedIn = session()
    assert.ok(aes(loggedIn) > 0n)
    loggedIn.close()
  })

  test('limits sessions', () => {
    const slot = raw.slotOf('quorate test')
    shim.set({ maxSessions: 2 })
    const open = [raw.open(slot), raw.open(slot)]
    assert.throws(() => raw.open(slot), refusedWith('SESSION_COUNT'))
    open.pop()?.close()
    open.push(raw.open(slot))
    for (const one of open) one.close()
  })

  for (const [curve, algorithm] of Object.entries({ p256, secp256k1 }) as [
    keyof typeof OIDS,
    typeof p256,
  ][])
    test(`bends signatures: ${curve}`, () => {
      const on = session()
      const { publicKey, privateKey } = pair(on, curve)
      const point = on.get(publicKey, 'EC_POINT').subarray(2)
      const signed = (): Uint8Array => on.sign({ name: 'ECDSA' }, privateKey, DIGEST)
      const verifies = (signature: Uint8Array): boolean =>
        algorithm.verify(signature, DIGEST, point, { prehash: false, lowS: false })
      shim.set({ highS: true })
      for (let i = 0; i < 8; i += 1) {
        const signature = signed()
        assert.ok(verifies(signature))
        assert.ok(algorithm.Signature.fromBytes(signature, 'compact').hasHighS())
      }
      shim.set({ highS: false, derSignatures: true })
      for (let i = 0; i < 16; i += 1)
        assert.ok(verifies(algorithm.Signature.fromBytes(signed(), 'der').toBytes('compact')))
      shim.set({ derSignatures: false, wrongSignatures: 1 })
      assert.ok(!verifies(signed()))
      assert.ok(verifies(signed()))
      on.close()
    })

  test('bends points and attributes', () => {
    const on = session()
    const { publicKey, privateKey } = pair(on, 'p256')
    const der = on.get(publicKey, 'EC_POINT')
    shim.set({ point: 'raw' })
    assert.deepEqual(on.get(publicKey, 'EC_POINT'), der.subarray(2))
    shim.set({ point: 'der' })
    assert.deepEqual(on.get(publicKey, 'EC_POINT'), der)
    assert.deepEqual([...on.get(privateKey, 'EXTRACTABLE')], [0])
    shim.set({ attributes: { EXTRACTABLE: true, SENSITIVE: false } })
    assert.deepEqual([...on.get(privateKey, 'EXTRACTABLE')], [1])
    assert.deepEqual([...on.get(privateKey, 'SENSITIVE')], [0])
    on.close()
  })

  test('takes no IV and writes its own into the parameters, as AWS CloudHSM', () => {
    const on = session()
    const key = aes(on)
    shim.set({ gcm: 'cloudhsm' })
    const caller = { iv: new Uint8Array(12).fill(1), aad: AAD }
    assert.throws(
      () => on.encrypt({ name: 'AES_GCM', gcm: caller }, key, DIGEST),
      refusedWith('MECHANISM_PARAM_INVALID'),
    )
    const { output, iv } = on.encryptGcm(key, new Uint8Array(12), AAD, DIGEST)
    assert.notDeepEqual(iv, new Uint8Array(12))
    assert.deepEqual(on.decrypt({ name: 'AES_GCM', gcm: { iv, aad: AAD } }, key, output), DIGEST)
    assert.throws(
      () => on.encryptGcm(key, new Uint8Array(12), AAD, new Uint8Array(16_385)),
      refusedWith('DATA_LEN_RANGE'),
    )
    assert.equal(on.encryptGcm(key, new Uint8Array(12), AAD, DIGEST).output.length, 48)
    on.close()
  })

  test('appends the IV that it made, as Luna in FIPS mode', () => {
    const on = session()
    const key = aes(on)
    shim.set({ gcm: 'luna-fips' })
    const gcm = { iv: new Uint8Array(), aad: AAD }
    const output = on.encrypt({ name: 'AES_GCM', gcm }, key, DIGEST)
    assert.equal(output.length, 32 + 16 + 16)
    const iv = output.subarray(-16)
    const opened = on.decrypt(
      { name: 'AES_GCM', gcm: { iv, aad: AAD } },
      key,
      output.subarray(0, -16),
    )
    assert.deepEqual(opened, DIGEST)
    on.close()
  })
})
