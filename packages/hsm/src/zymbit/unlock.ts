/** Unlocking what the device has locked, and telling a wrong ciphertext from a device that fails. */
import { equalBytes, Fault, utf8 } from '@quorate/base'
import type { ZymbitContext } from './context.ts'
import { faultOf } from './faults.ts'
import { ZymbitError } from './library.ts'

const PROBE = utf8('quorate')

/** The plaintext; wipe it after use. @throws hsm/cannot-open, DeviceFault */
export function unlockData(context: ZymbitContext, locked: Uint8Array): Uint8Array {
  try {
    return context.unlock(locked)
  } catch (error) {
    // Which error number stands for a ciphertext that does not verify is not documented.
    if (error instanceof ZymbitError && opensItsOwn(context)) throw new Fault('hsm/cannot-open')
    throw faultOf(error)
  }
}

function opensItsOwn(context: ZymbitContext): boolean {
  try {
    return equalBytes(context.unlock(context.lock(PROBE)), PROBE)
  } catch (error) {
    if (error instanceof ZymbitError) return false
    throw error
  }
}
