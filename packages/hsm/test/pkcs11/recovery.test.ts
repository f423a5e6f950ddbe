/** What a session survives, and what it must not try again. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { utf8 } from '@quorate/base'
import type { PinnedKey } from '#src/device.js'
import { CKR } from '#src/pkcs11/constants.js'
import { isCode } from '../kit.ts'
import { RawModule } from '../raw/raw-module.ts'
import { deviceFault, freshId, openBench, pinnedOf } from './kit.ts'

const bench = await openBench('softhsm')
const DIGEST = new Uint8Array(32).fill(1)
const AAD = utf8('context')

if ('skip' in bench) test('a session', { skip: bench.skip })
else
  describe('a session', () => {
    const { module, shim, open } = bench
    const session = open()
    const raw = new RawModule(shim.settings.library)
    const slot = raw.slotOf(module.settings.token.label ?? '')
    const make = (algorithm: 'p256' | 'aes-256' | 'hmac-sha256'): PinnedKey =>
      pinnedOf(session.generateKey({ id: freshId(), label: 'key', algorithm }))
    const [signing, cipher, mac] = [make('p256'), make('aes-256'), make('hmac-sha256')]

    const OPERATIONS: { readonly [name: string]: () => unknown } = {
      sign: () => session.sign(signing, DIGEST),
      encrypt: () => session.decrypt(cipher, session.encrypt(cipher, DIGEST, AAD), AAD),
      hmac: () => session.hmac(mac, DIGEST),
      random: () => session.random(8),
      find: () => session.find({ id: signing.id }),
      list: () => assert.ok(session.list().length >= 3),
      objects: () => assert.ok(session.objects().length >= 3),
      probe: () => session.probe(),
    }

    for (const [name, operation] of Object.entries(OPERATIONS)) {
      test(`survives in ${name} that somebody logged out`, () => {
        operation()
        const other = raw.open(slot)
        other.logout()
        other.close()
        operation()
      })

      test(`survives in ${name} that its session was closed`, () => {
        operation()
        shim.plugIn()
        operation()
      })
    }

    for (const [call, name] of [
      ['C_SignInit', 'sign'],
      ['C_Sign', 'sign'],
      ['C_EncryptInit', 'encrypt'],
      ['C_Decrypt', 'encrypt'],
      ['C_GenerateRandom', 'random'],
      ['C_FindObjectsInit', 'list'],
      ['C_FindObjects', 'find'],
      ['C_FindObjectsFinal', 'find'],
    ] as const)
      for (const rv of [
        'SESSION_HANDLE_INVALID',
        'SESSION_CLOSED',
        'USER_NOT_LOGGED_IN',
        'OPERATION_ACTIVE',
        'KEY_HANDLE_INVALID',
      ] as const)
        test(`tries again after ${rv} from ${call}, and once only`, () => {
          shim.fail(call, { when: { next: 1 }, kind: 'answer', rv })
          OPERATIONS[name]?.()
          shim.fail(call, { kind: 'answer', rv })
          assert.throws(
            () => OPERATIONS[name]?.(),
            deviceFault('hsm/unavailable', { ckr: CKR[rv] }),
          )
          shim.clear()
          OPERATIONS[name]?.()
        })

    for (const rv of ['DEVICE_ERROR', 'GENERAL_ERROR', 'FUNCTION_FAILED'] as const)
      test(`does not try again after ${rv}, and is sound the next time`, () => {
        const before = shim.calls()['C_Sign'] ?? 0
        shim.fail('C_Sign', { when: { next: 1 }, kind: 'answer', rv })
        assert.throws(
          () => session.sign(signing, DIGEST),
          deviceFault('hsm/unavailable', { ckr: CKR[rv], failover: 'same' }),
        )
        assert.equal((shim.calls()['C_Sign'] ?? 0) - before, 1)
        session.sign(signing, DIGEST)
      })

    test('says what is missing while the token is out, and goes on when it is back', () => {
      shim.unplug()
      assert.throws(() => session.sign(signing, DIGEST), deviceFault('hsm/token-absent'))
      assert.throws(() => session.probe(), deviceFault('hsm/token-absent', { failover: 'next' }))
      shim.plugIn()
      session.sign(signing, DIGEST)
    })

    for (const kind of ['answer', 'answerAfter'] as const)
      for (const rv of ['SESSION_HANDLE_INVALID', 'DEVICE_ERROR'] as const)
        test(`makes one key, not two, when C_GenerateKeyPair says ${rv} ${kind === 'answer' ? 'instead' : 'afterwards'}`, () => {
          const request = { id: freshId(), label: 'made', algorithm: 'p256' } as const
          shim.fail('C_GenerateKeyPair', { when: { next: 1 }, kind, rv })
          const isLost = kind === 'answer' && rv === 'DEVICE_ERROR'
          if (isLost)
            assert.throws(
              () => session.generateKey(request),
              deviceFault('hsm/unavailable', { ckr: CKR[rv] }),
            )
          else assert.equal(session.generateKey(request).id, request.id)
          const objects = session.objects().filter(({ id }) => id === request.id)
          assert.equal(objects.length, isLost ? 0 : 2)
        })

    test('takes a destroyed key for destroyed when the answer was lost', () => {
      const { id } = make('p256')
      shim.fail('C_DestroyObject', {
        when: { next: 1 },
        kind: 'answerAfter',
        rv: 'SESSION_HANDLE_INVALID',
      })
      session.destroy(id, 'key')
      assert.throws(() => session.find({ id }), isCode('hsm/key-not-found'))
    })

    test('never says that a key is missing because it was logged out', () => {
      const other = raw.open(slot)
      other.logout()
      assert.equal(session.find({ id: signing.id }).id, signing.id)
      other.logout()
      assert.throws(
        () => session.generateKey({ id: signing.id, label: 'x', algorithm: 'p256' }),
        isCode('hsm/key-exists'),
      )
      other.close()
    })
  })

if (!('skip' in bench))
  describe('of PINs', () => {
    const { module, shim, open } = bench
    const raw = new RawModule(shim.settings.library)
    const logOut = (): void => {
      shim.plugIn()
      raw.slotOf(module.settings.token.label ?? '')
    }

    test('a wrong one is tried once by all sessions of a process together', () => {
      logOut()
      const gate = new SharedArrayBuffer(8)
      const before = shim.calls()['C_Login'] ?? 0
      for (const pin of ['wrong-pin', 'wrong-pin', undefined])
        assert.throws(
          () => open({}, pin, gate),
          deviceFault('hsm/pin-incorrect', { failover: 'never' }),
        )
      assert.equal((shim.calls()['C_Login'] ?? 0) - before, 1)
    })

    for (const [rv, code] of [
      ['PIN_LOCKED', 'hsm/pin-locked'],
      ['PIN_EXPIRED', 'hsm/pin-expired'],
      ['USER_PIN_NOT_INITIALIZED', 'hsm/pin-expired'],
    ] as const)
      test(`${rv} is ${code}, and not for another device to try`, (t) => {
        t.after(() => shim.clear())
        logOut()
        shim.fail('C_Login', { kind: 'answer', rv })
        assert.throws(() => open(), deviceFault(code, { ckr: CKR[rv], failover: 'never' }))
      })

    test('no message shows one', () => {
      logOut()
      for (const pin of ['secret-pin-1', 'secret\npin'])
        assert.throws(
          () => open({}, pin),
          (error: unknown) =>
            error instanceof Error && !/secret/.test(`${error.message}${error.stack}`),
        )
    })
  })
