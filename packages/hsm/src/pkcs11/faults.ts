/** What each answer of a module means for the caller, and what to do with the session that gave it. */
import { Fault } from '@quorate/base'
import { type DeviceCode, DeviceFault, type Failover } from '../errors.ts'
import { CKR } from './constants.ts'
import type { CkrError } from './cryptoki.ts'

/**
 * keep     the session is sound
 * drop     it may be poisoned: the next operation gets a new one
 * reopen   it is lost, logged out, in the middle of something, or its handles are stale: the same operation
 *          is tried again in a new one. Nothing less helps: a call that failed may have left an operation
 *          active, which only the end of the session ends.
 */
export type Recovery = 'keep' | 'drop' | 'reopen'

type Row = {
  readonly code: DeviceCode | 'hsm/bad-argument'
  readonly recovery: Recovery
  readonly failover?: Failover
}

const row = (code: Row['code'], recovery: Recovery, failover?: Failover): Row =>
  failover === undefined ? { code, recovery } : { code, recovery, failover }

const LOST = row('hsm/unavailable', 'reopen')
const BROKEN = row('hsm/unavailable', 'drop')
const GONE = row('hsm/token-absent', 'drop')
const INCAPABLE = row('hsm/unsupported', 'keep')
const REFUSED = row('hsm/forbidden', 'keep')
const WRONG = row('hsm/bad-argument', 'keep')
const FULL = row('hsm/busy', 'drop')

const TABLE: { readonly [name in keyof typeof CKR]?: Row } = {
  SESSION_HANDLE_INVALID: LOST,
  SESSION_CLOSED: LOST,
  OPERATION_ACTIVE: LOST,
  OPERATION_NOT_INITIALIZED: LOST,
  BUFFER_TOO_SMALL: LOST,
  USER_NOT_LOGGED_IN: LOST,
  OBJECT_HANDLE_INVALID: LOST,
  KEY_HANDLE_INVALID: LOST,
  WRAPPING_KEY_HANDLE_INVALID: LOST,
  UNWRAPPING_KEY_HANDLE_INVALID: LOST,

  DEVICE_ERROR: BROKEN,
  GENERAL_ERROR: BROKEN,
  FUNCTION_FAILED: BROKEN,
  FUNCTION_CANCELED: BROKEN,
  HOST_MEMORY: BROKEN,
  ARGUMENTS_BAD: BROKEN,
  // Only another process can initialise the module anew.
  CRYPTOKI_NOT_INITIALIZED: BROKEN,
  CANT_LOCK: row('hsm/unsupported', 'drop'),
  DEVICE_REMOVED: GONE,
  TOKEN_NOT_PRESENT: GONE,
  TOKEN_NOT_RECOGNIZED: GONE,
  SLOT_ID_INVALID: GONE,
  SESSION_COUNT: FULL,
  DEVICE_MEMORY: FULL,

  PIN_INCORRECT: row('hsm/pin-incorrect', 'drop'),
  PIN_INVALID: row('hsm/pin-incorrect', 'drop'),
  PIN_LEN_RANGE: row('hsm/pin-incorrect', 'drop'),
  PIN_LOCKED: row('hsm/pin-locked', 'drop'),
  PIN_EXPIRED: row('hsm/pin-expired', 'drop'),
  USER_PIN_NOT_INITIALIZED: row('hsm/pin-expired', 'drop'),
  USER_TYPE_INVALID: row('hsm/forbidden', 'drop'),
  USER_ANOTHER_ALREADY_LOGGED_IN: row('hsm/forbidden', 'drop'),
  USER_TOO_MANY_TYPES: row('hsm/forbidden', 'drop'),

  MECHANISM_INVALID: INCAPABLE,
  MECHANISM_PARAM_INVALID: INCAPABLE,
  KEY_TYPE_INCONSISTENT: INCAPABLE,
  KEY_SIZE_RANGE: INCAPABLE,
  CURVE_NOT_SUPPORTED: INCAPABLE,
  DOMAIN_PARAMS_INVALID: INCAPABLE,
  FUNCTION_NOT_SUPPORTED: INCAPABLE,
  RANDOM_NO_RNG: INCAPABLE,
  ATTRIBUTE_TYPE_INVALID: INCAPABLE,
  ATTRIBUTE_VALUE_INVALID: INCAPABLE,
  TEMPLATE_INCOMPLETE: INCAPABLE,
  TEMPLATE_INCONSISTENT: INCAPABLE,

  ACTION_PROHIBITED: REFUSED,
  FUNCTION_REJECTED: REFUSED,
  ATTRIBUTE_READ_ONLY: REFUSED,
  ATTRIBUTE_SENSITIVE: REFUSED,
  KEY_FUNCTION_NOT_PERMITTED: REFUSED,
  KEY_NOT_WRAPPABLE: REFUSED,
  KEY_UNEXTRACTABLE: REFUSED,
  SESSION_READ_ONLY: REFUSED,
  TOKEN_WRITE_PROTECTED: REFUSED,

  DATA_INVALID: WRONG,
  DATA_LEN_RANGE: WRONG,
  ENCRYPTED_DATA_INVALID: WRONG,
  ENCRYPTED_DATA_LEN_RANGE: WRONG,
  SIGNATURE_INVALID: WRONG,
  SIGNATURE_LEN_RANGE: WRONG,
  WRAPPED_KEY_INVALID: WRONG,
  WRAPPED_KEY_LEN_RANGE: WRONG,
}

const BY_CODE: ReadonlyMap<number, Row> = new Map(
  Object.entries(TABLE).map(([name, value]) => [CKR[name as keyof typeof CKR], value]),
)

/** Codes without a row, the vendors' own among them, tell nothing good of the session. */
const rowOf = (ckr: number): Row => BY_CODE.get(ckr) ?? BROKEN

export const recoveryOf = (ckr: number): Recovery => rowOf(ckr).recovery

/**
 * The fault to throw for what a module answered. Its detail names the return value and the call, and
 * nothing else. `throttle`: return values by which this vendor says that it is busy.
 */
export function faultOf(error: CkrError, throttle: readonly number[] = []): Fault {
  const { code, failover } = throttle.includes(error.ckr) ? FULL : rowOf(error.ckr)
  const options = { detail: error.message, cause: error }
  if (code === 'hsm/bad-argument') return new Fault(code, options)
  return new DeviceFault(code, {
    ...options,
    ckr: error.ckr,
    ...(failover === undefined ? {} : { failover }),
  })
}

/** Return values that speak of what the device is able to do, not of its state. */
export const isIncapable = (ckr: number): boolean => rowOf(ckr) === INCAPABLE
