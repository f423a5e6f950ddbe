/** What the errors of the library mean to callers. */
import { type DeviceCode, DeviceFault } from '../errors.ts'
import { ERRNO, ZymbitError } from './library.ts'

const CODES: ReadonlyMap<number, DeviceCode> = new Map<number, DeviceCode>([
  [ERRNO.ENODEV, 'hsm/token-absent'],
  [ERRNO.ENXIO, 'hsm/token-absent'],
  [ERRNO.ECONNREFUSED, 'hsm/token-absent'],
  [ERRNO.ENOSPC, 'hsm/device-full'],
  [ERRNO.ENOSYS, 'hsm/unsupported'],
  [ERRNO.EOPNOTSUPP, 'hsm/unsupported'],
  [ERRNO.EBUSY, 'hsm/busy'],
  [ERRNO.EAGAIN, 'hsm/busy'],
])

/** Errors by which the library says that it does not take the slot or the value, and not that it is broken. */
const REFUSALS: readonly number[] = [ERRNO.EINVAL, ERRNO.ENOENT, ERRNO.EACCES, ERRNO.EPERM]

export const isRefusal = (error: unknown): error is ZymbitError =>
  error instanceof ZymbitError && REFUSALS.includes(error.errno)

/** An error of the library as a fault of the device; any other as it is. */
export function faultOf(error: unknown): unknown {
  if (!(error instanceof ZymbitError)) return error
  const code = CODES.get(error.errno) ?? 'hsm/unavailable'
  return new DeviceFault(code, { detail: error.message, cause: error })
}

/** What `action` gives, with every error of the library as a fault of the device. */
export function asFaults<T>(action: () => T): T {
  try {
    return action()
  } catch (error) {
    throw faultOf(error)
  }
}
