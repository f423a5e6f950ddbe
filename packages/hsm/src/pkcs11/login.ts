/**
 * Logging in, which all sessions of a process share.
 *
 * Devices lock or erase themselves after a few wrong PINs. So threads that lose their login at the
 * same time log in one after the other, the first refusal stops all of them, and the last try that
 * a device has left is never used.
 */
import { Fault, type Secret } from '@quorate/base'
import type { DeviceSettings } from '../device.ts'
import { type DeviceCode, DeviceFault } from '../errors.ts'
import type { Arena } from './arena.ts'
import { CKR, CKU_USER, TOKEN_FLAGS, USER_STATES } from './constants.ts'
import { CkrError, type Cryptoki } from './cryptoki.ts'
import { faultOf } from './faults.ts'
import { readTokenInfo } from './slots.ts'

/** Places in the shared memory of a gate. */
const LOCK = 0
const REFUSAL = 1

const REFUSALS: readonly DeviceCode[] = [
  'hsm/pin-incorrect',
  'hsm/pin-final-try',
  'hsm/pin-locked',
  'hsm/pin-expired',
]

/** One per process and token. Its memory is handed to every thread that opens a session there. */
export class LoginGate {
  readonly memory: SharedArrayBuffer
  readonly #cells: Int32Array

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(8)) {
    this.memory = memory
    this.#cells = new Int32Array(memory)
  }

  /**
   * What `enter` gives, run while no other thread is inside. After a refused PIN nothing is run any more.
   * @throws the refusal, whichever thread met it
   */
  run<T>(enter: () => T): T {
    while (Atomics.compareExchange(this.#cells, LOCK, 0, 1) !== 0)
      Atomics.wait(this.#cells, LOCK, 1)
    try {
      const refusal = REFUSALS[Atomics.load(this.#cells, REFUSAL) - 1]
      if (refusal !== undefined)
        throw new DeviceFault(refusal, { detail: 'another session met it, and none tried again' })
      return enter()
    } catch (error) {
      const code =
        error instanceof DeviceFault ? (REFUSALS as readonly string[]).indexOf(error.code) : -1
      if (code >= 0) Atomics.store(this.#cells, REFUSAL, code + 1)
      throw error
    } finally {
      Atomics.store(this.#cells, LOCK, 0)
      Atomics.notify(this.#cells, LOCK, 1)
    }
  }
}

export type Credentials = {
  readonly pin: Secret<Uint8Array> | undefined
  readonly userType: NonNullable<DeviceSettings['userType']>
}

const has = (flags: number, name: keyof typeof TOKEN_FLAGS): boolean =>
  (flags & TOKEN_FLAGS[name]) !== 0

/** CK_SESSION_INFO: slot, state, flags, device error. */
export function isLoggedIn(cryptoki: Cryptoki, arena: Arena, session: bigint): boolean {
  return arena.scope(() => {
    const at = arena.reserve(32)
    cryptoki.C_GetSessionInfo(session, at)
    return USER_STATES.includes(Number(arena.readUlong(at + 8)))
  })
}

/**
 * Makes sure that the process is logged in to the token.
 * @throws hsm/bad-pin where one is needed and none given, hsm/pin-…, and what the module answers
 */
export function login(
  cryptoki: Cryptoki,
  arena: Arena,
  slot: bigint,
  session: bigint,
  { pin, userType }: Credentials,
): void {
  if (userType === 'none' || isLoggedIn(cryptoki, arena, session)) return
  const { flags } = readTokenInfo(cryptoki, arena, slot)
  if (has(flags, 'USER_PIN_LOCKED')) throw new DeviceFault('hsm/pin-locked')
  if (has(flags, 'USER_PIN_FINAL_TRY')) throw new DeviceFault('hsm/pin-final-try')
  if (pin === undefined && !has(flags, 'PROTECTED_AUTHENTICATION_PATH')) {
    if (!has(flags, 'LOGIN_REQUIRED')) return
    throw new Fault('hsm/bad-pin', { detail: 'the token needs a PIN' })
  }
  arena.scope(() => {
    const bytes = pin?.expose()
    try {
      if (bytes === undefined) cryptoki.C_Login(session, CKU_USER, 0, 0)
      else cryptoki.C_Login(session, CKU_USER, arena.put(bytes), bytes.length)
    } catch (error) {
      if (!(error instanceof CkrError)) throw error
      if (error.ckr !== CKR.USER_ALREADY_LOGGED_IN) throw faultOf(error)
    }
  })
}
