/**
 * A process that initialises one token and ends: the module then starts anew, with the token in it. The
 * plan, with both PINs, comes on standard input, and an error code goes to standard output.
 */
import { readFileSync } from 'node:fs'
import { isFault, utf8 } from '@quorate/base'
import { DeviceFault } from '../errors.ts'
import { Arena } from '../pkcs11/arena.ts'
import { CKF_RW_SESSION, CKF_SERIAL_SESSION, TOKEN_FLAGS } from '../pkcs11/constants.ts'
import { CkrError, type Cryptoki, loadCryptoki } from '../pkcs11/cryptoki.ts'
import { faultOf } from '../pkcs11/faults.ts'
import { listSlots, readTokenInfo } from '../pkcs11/slots.ts'

export type TokenPlan = {
  /** Absolute path of the module. */
  readonly library: string
  readonly label: string
  readonly pin: string
  readonly soPin: string
}

const CKU_SO = 0
const LABEL_BYTES = 32

/** The first slot whose token was never initialised: no other may be touched. @throws hsm/token-absent */
function emptySlot(cryptoki: Cryptoki, arena: Arena): bigint {
  const empty = listSlots(cryptoki, arena).find(
    (slot) => (readTokenInfo(cryptoki, arena, slot).flags & TOKEN_FLAGS.TOKEN_INITIALIZED) === 0,
  )
  if (empty === undefined)
    throw new DeviceFault('hsm/token-absent', { detail: 'no slot has an empty token' })
  return empty
}

function initialise({ library, label, pin, soPin }: TokenPlan): void {
  const cryptoki = loadCryptoki(library)
  const arena = new Arena()
  arena.scope(() => {
    const slot = emptySlot(cryptoki, arena)
    const padded = new Uint8Array(LABEL_BYTES).fill(0x20)
    padded.set(utf8(label))
    const [so, user] = [utf8(soPin), utf8(pin)]
    cryptoki.C_InitToken(slot, arena.put(so), so.length, arena.put(padded))
    const handle = arena.reserve(8)
    cryptoki.C_OpenSession(slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, 0, 0, handle)
    const session = arena.readUlong(handle)
    cryptoki.C_Login(session, CKU_SO, arena.put(so), so.length)
    cryptoki.C_InitPIN(session, arena.put(user), user.length)
    cryptoki.C_CloseSession(session)
  })
}

/** The code of what went wrong; empty where nothing did. */
function outcome(): string {
  try {
    initialise(JSON.parse(readFileSync(0, 'utf8')) as TokenPlan)
    return ''
  } catch (error) {
    const known = error instanceof CkrError ? faultOf(error) : error
    return isFault(known) ? known.code : 'hsm/unavailable'
  }
}

process.stdout.write(outcome())
