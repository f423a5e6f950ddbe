/**
 * One session with one token, renewed whenever it is lost. What runs in it never sees that, except
 * that handles are forgotten: they belong to the session that found them.
 */
import { bug, type Fault } from '@quorate/base'
import type { DeviceSettings } from '../device.ts'
import { DeviceFault } from '../errors.ts'
import { Arena } from './arena.ts'
import { CKF_RW_SESSION, CKF_SERIAL_SESSION, CKR } from './constants.ts'
import { CkrError, type Cryptoki, loadCryptoki } from './cryptoki.ts'
import { faultOf, recoveryOf } from './faults.ts'
import { type Credentials, isLoggedIn, type LoginGate, login } from './login.ts'
import type { Profile } from './profiles/profile.ts'
import { findToken } from './slots.ts'

/** What single operations see of a connection. */
export type OpenSession = {
  readonly cryptoki: Cryptoki
  readonly arena: Arena
  readonly session: bigint
  readonly profile: Profile
}

export class Connection implements OpenSession {
  readonly cryptoki: Cryptoki
  readonly arena: Arena = new Arena()
  readonly profile: Profile
  readonly #wanted: DeviceSettings['token']
  readonly #credentials: Credentials
  readonly #gate: LoginGate
  #slot: bigint
  #session: bigint | undefined
  #isClosed = false
  /** Called when handles found so far are worth nothing any more. */
  onRenewed: () => void = () => undefined

  /** A session that is open and logged in. @throws what loading, finding the token and logging in throw */
  constructor(
    settings: DeviceSettings,
    profile: Profile,
    credentials: Credentials,
    gate: LoginGate,
  ) {
    this.profile = profile
    this.#wanted = settings.token
    this.#credentials = credentials
    this.#gate = gate
    try {
      // One thread at a time: modules may not bear two C_Initialize at once.
      this.cryptoki = gate.run(() => loadCryptoki(settings.library, settings.initArgs))
      this.#slot = findToken(this.cryptoki, this.arena, this.#wanted).slot
      this.#open()
    } catch (error) {
      this.close()
      throw error instanceof CkrError ? this.faultOf(error) : error
    }
  }

  get slot(): bigint {
    return this.#slot
  }

  /** The handle of the session. Only inside of `run`. */
  get session(): bigint {
    return this.#session ?? bug('a session is used outside of an operation')
  }

  /**
   * What `operation` gives. Where it failed for the session's sake, it is run once more in a sound
   * one, so it must not do harm when done twice.
   * @throws hsm/closed, DeviceFault and hsm/bad-argument as the table of `faults.ts` says, what `operation` throws
   */
  run<T>(operation: () => T): T {
    for (let isRetry = false; ; isRetry = true) {
      try {
        return this.once(operation)
      } catch (error) {
        if (!(error instanceof CkrError)) throw error
        if (!this.recover(error) || isRetry) throw this.faultOf(error)
      }
    }
  }

  /** What `operation` gives, tried once. @throws CkrError */
  once<T>(operation: () => T): T {
    if (this.#isClosed) throw new DeviceFault('hsm/closed')
    if (this.#session === undefined) this.#reopen()
    return this.arena.scope(operation)
  }

  /** Ends a session that is not sound after `error`; whether the operation is worth another try. */
  recover(error: CkrError): boolean {
    const recovery = recoveryOf(error.ckr)
    if (recovery !== 'keep') this.#drop()
    return recovery === 'reopen'
  }

  faultOf(error: CkrError): Fault {
    return faultOf(error, this.profile.throttle)
  }

  /**
   * A session that was logged out does not see private objects, so what a search found counts only
   * once this has been called. @throws CkrError that `run` answers with a login
   */
  demandLogin(): void {
    if (this.#credentials.userType === 'none' || this.#credentials.pin === undefined) return
    if (!isLoggedIn(this.cryptoki, this.arena, this.session))
      throw new CkrError(CKR.USER_NOT_LOGGED_IN, 'C_GetSessionInfo')
  }

  close(): void {
    if (this.#isClosed) return
    this.#drop()
    this.#isClosed = true
    this.#credentials.pin?.[Symbol.dispose]()
    this.arena.free()
  }

  /** The token may sit in another slot by now: some modules number them anew. */
  #reopen(): void {
    this.#slot = findToken(this.cryptoki, this.arena, this.#wanted).slot
    this.#open()
  }

  #open(): void {
    this.#session = this.arena.scope(() => {
      const handle = this.arena.reserve(8)
      const open = (flags: number): void =>
        this.cryptoki.C_OpenSession(this.#slot, flags, 0, 0, handle)
      try {
        open(CKF_SERIAL_SESSION | CKF_RW_SESSION)
      } catch (error) {
        if (!(error instanceof CkrError && error.ckr === CKR.TOKEN_WRITE_PROTECTED)) throw error
        open(CKF_SERIAL_SESSION)
      }
      return this.arena.readUlong(handle)
    })
    try {
      this.#login()
    } catch (error) {
      this.#drop()
      throw error
    }
  }

  #login(): void {
    const { cryptoki, arena, slot, session } = this
    this.#gate.run(() => login(cryptoki, arena, slot, session, this.#credentials))
  }

  /** Without a word of complaint: the session may be gone already. */
  #drop(): void {
    const session = this.#session
    this.#session = undefined
    if (session === undefined) return
    this.onRenewed()
    try {
      this.cryptoki.C_CloseSession(session)
    } catch (error) {
      if (!(error instanceof CkrError)) throw error
    }
  }
}
