import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { ERRORS, Secret, utf8 } from '@quorate/base'
import { DeviceFault } from '#src/errors.js'
import { Arena } from '#src/pkcs11/arena.js'
import { CKR, TOKEN_FLAGS } from '#src/pkcs11/constants.js'
import { CkrError, type Cryptoki } from '#src/pkcs11/cryptoki.js'
import { faultOf, recoveryOf } from '#src/pkcs11/faults.js'
import { LoginGate, login } from '#src/pkcs11/login.js'
import { isCode } from '../kit.ts'
import { deviceFault } from './kit.ts'

describe('the gate', () => {
  test('gives what is done in it, and is free again, also after an error', () => {
    const gate = new LoginGate()
    assert.equal(
      gate.run(() => 7),
      7,
    )
    assert.throws(
      () =>
        gate.run(() => {
          throw new DeviceFault('hsm/unavailable')
        }),
      deviceFault('hsm/unavailable'),
    )
    assert.equal(
      gate.run(() => 8),
      8,
    )
  })

  test('lets nobody in after a refused PIN, with the same refusal for all threads', () => {
    for (const code of [
      'hsm/pin-incorrect',
      'hsm/pin-final-try',
      'hsm/pin-locked',
      'hsm/pin-expired',
    ] as const) {
      const gate = new LoginGate()
      const refuse = (): never => {
        throw new DeviceFault(code)
      }
      assert.throws(() => gate.run(refuse), deviceFault(code))
      const other = new LoginGate(gate.memory)
      assert.throws(() => other.run(() => assert.fail('let in')), deviceFault(code))
    }
  })

  test('holds one thread at a time', async () => {
    const gate = new LoginGate()
    const counts = new Int32Array(new SharedArrayBuffer(8))
    const url = import.meta.resolve('#src/pkcs11/login.js')
    const source = `
      import { workerData } from 'node:worker_threads'
      const { LoginGate } = await import(workerData.url)
      const gate = new LoginGate(workerData.memory)
      for (let i = 0; i < 200; i++) gate.run(() => {
        if (Atomics.add(workerData.counts, 0, 1) !== 0) throw new Error('two inside')
        Atomics.add(workerData.counts, 1, 1)
        Atomics.sub(workerData.counts, 0, 1)
      })`
    const workerData = { url, memory: gate.memory, counts }
    const threads = Array.from(
      { length: 4 },
      () =>
        new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData }),
    )
    const codes = await Promise.all(threads.map((thread) => once(thread, 'exit')))
    assert.deepEqual(codes.flat(), [0, 0, 0, 0])
    assert.equal(counts[1], 800)
  })
})

describe('logging in', () => {
  /** What the module was asked, where the token has these flags. */
  function attempt(flags: number, answer: number = CKR.OK, state = 2): readonly string[] {
    const arena = new Arena()
    const calls: string[] = []
    const module = {
      C_GetSessionInfo: (_session: bigint, at: number) => arena.writeUlong(at + 8, state),
      C_GetTokenInfo: (_slot: bigint, at: number) => arena.writeUlong(at + 96, flags),
      C_Login: (_session: bigint, _user: number, pin: number, length: number) => {
        calls.push(Buffer.from(pin === 0 ? [] : arena.read(pin, length)).toString())
        if (answer !== CKR.OK) throw new CkrError(answer, 'C_Login')
      },
    } as unknown as Cryptoki
    const credentials = { pin: new Secret(utf8('1234')), userType: 'user' } as const
    try {
      login(module, arena, 1n, 1n, credentials)
      return calls
    } catch (error) {
      assert.ok(error instanceof DeviceFault)
      return [...calls, error.code]
    } finally {
      arena.free()
    }
  }

  test('is one call with the PIN, or none where it is done already', () => {
    assert.deepEqual(attempt(TOKEN_FLAGS.LOGIN_REQUIRED), ['1234'])
    assert.deepEqual(attempt(TOKEN_FLAGS.LOGIN_REQUIRED, CKR.OK, 3), [])
    assert.deepEqual(attempt(TOKEN_FLAGS.LOGIN_REQUIRED, CKR.USER_ALREADY_LOGGED_IN), ['1234'])
    assert.deepEqual(attempt(0, CKR.PIN_INCORRECT), ['1234', 'hsm/pin-incorrect'])
  })

  test('never uses the last try, nor knocks at a locked door', () => {
    assert.deepEqual(attempt(TOKEN_FLAGS.USER_PIN_FINAL_TRY), ['hsm/pin-final-try'])
    assert.deepEqual(attempt(TOKEN_FLAGS.USER_PIN_LOCKED), ['hsm/pin-locked'])
    assert.deepEqual(attempt(TOKEN_FLAGS.USER_PIN_COUNT_LOW), ['1234'])
  })
})

describe('what a module answers', () => {
  test('becomes a fault that names return value and call, and nothing else', () => {
    for (const [name, ckr] of Object.entries(CKR)) {
      const fault = faultOf(new CkrError(ckr, 'C_Sign'))
      assert.equal(fault.detail, `CKR_${name} from C_Sign`)
      assert.ok(fault.code in ERRORS)
      if (fault instanceof DeviceFault) assert.equal(fault.ckr, ckr)
    }
    assert.match(faultOf(new CkrError(0x80000123, 'C_Sign')).message, /0x80000123 from C_Sign/)
  })

  test('is worth another try only where a new session can help', () => {
    const again = Object.entries(CKR).filter(([, ckr]) => recoveryOf(ckr) === 'reopen')
    assert.deepEqual(again.map(([name]) => name).sort(), [
      'BUFFER_TOO_SMALL',
      'KEY_HANDLE_INVALID',
      'OBJECT_HANDLE_INVALID',
      'OPERATION_ACTIVE',
      'OPERATION_NOT_INITIALIZED',
      'SESSION_CLOSED',
      'SESSION_HANDLE_INVALID',
      'UNWRAPPING_KEY_HANDLE_INVALID',
      'USER_NOT_LOGGED_IN',
      'WRAPPING_KEY_HANDLE_INVALID',
    ])
    // A vendor's own code says nothing good of the session.
    assert.equal(recoveryOf(0x80000123), 'drop')
  })

  test('about PINs is never tried again, here or elsewhere', () => {
    for (const name of ['PIN_INCORRECT', 'PIN_LOCKED', 'PIN_EXPIRED', 'PIN_LEN_RANGE'] as const) {
      const fault = faultOf(new CkrError(CKR[name], 'C_Login'))
      assert.ok(fault instanceof DeviceFault && fault.failover === 'never')
      assert.notEqual(recoveryOf(CKR[name]), 'reopen')
    }
  })

  test('may mean busy where the vendor says so', () => {
    const error = new CkrError(CKR.FUNCTION_FAILED, 'C_Sign')
    assert.ok(isCode('hsm/unavailable')(faultOf(error)))
    assert.ok(isCode('hsm/busy')(faultOf(error, [CKR.FUNCTION_FAILED])))
  })
})
