/** Turns what a library throws into our fault. */
import { Fault, type FaultCode, isFault } from '@quorate/base'

/**
 * The result of `read`, or the fault `code` where it throws. The library's own message is dropped:
 * it may quote what a stranger sent.
 */
export function guarded<T>(code: FaultCode, detail: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (isFault(error)) throw error
    throw new Fault(code, { detail })
  }
}
