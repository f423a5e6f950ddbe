/**
 * Faults of a device on demand: compiles fault-shim.c and controls it through the page of memory
 * that it shares with every process that has loaded it. A child that is started anew meets the
 * faults as they stand then.
 */
import { createHash } from 'node:crypto'
import {
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { DeviceSettings } from '#src/device.js'
import { CKA, CKR } from '#src/pkcs11/constants.js'
import { locate, PACKAGE, runOrThrow, type Scope, scratchIn } from '../modules/fixture.ts'
import { FUNCTIONS, type FunctionName } from './functions.ts'

/** How often a fault strikes: at the next n calls, at every k-th call, or at all of them. */
export type When = { readonly next: number } | { readonly every: number } | 'always'

/** What happens to a call of one function. */
export type CallFault = {
  /** `always` unless given. */
  readonly when?: When
  /**
   * answer          the return value `rv` instead of the call
   * answerAfter     the call is made, but `rv` is what the caller learns
   * crash           SIGSEGV instead of the call
   * crashAfter      SIGSEGV when the call has been made
   * hang            no answer until the fault is cleared
   */
  readonly kind: 'answer' | 'answerAfter' | 'crash' | 'crashAfter' | 'hang'
  readonly rv?: keyof typeof CKR | number
}

/** How the device deviates from the real one; what is not given stays as it is. */
export type Behaviour = {
  /** AWS CloudHSM: 12 zero bytes in, IV out during C_Encrypt. Luna in FIPS mode: IV of 16 bytes behind the tag. */
  readonly gcm?: 'plain' | 'cloudhsm' | 'luna-fips'
  /** Form of CKA_EC_POINT. */
  readonly point?: 'plain' | 'raw' | 'der'
  /** Every ECDSA signature gets its s in the upper half. */
  readonly highS?: boolean
  /** ECDSA signatures come as DER. */
  readonly derSignatures?: boolean
  /** So many of the next ECDSA and EdDSA signatures are wrong in one bit. */
  readonly wrongSignatures?: number
  /** Sessions that can be open at once; 0 for no limit of the shim. */
  readonly maxSessions?: number
  /** What attributes read as, whatever the token holds. Replaces the overrides before; at most eight. */
  readonly attributes?: { readonly [name in keyof typeof CKA]?: boolean }
}

const MODES = { never: 0, next: 1, every: 2, always: 3 } as const
const ACTIONS = { answer: 0, answerAfter: 1, crash: 2, crashAfter: 3, hang: 4 } as const
const GCM = { plain: 0, cloudhsm: 1, 'luna-fips': 2 } as const
const POINT = { plain: 0, raw: 1, der: 2 } as const
const HIGH_S = 1
const DER = 2

/** Offsets of `struct page`. */
const AT = {
  unplugged: 0,
  plugs: 4,
  removedRv: 8,
  sessionCap: 16,
  gcm: 20,
  signature: 24,
  spoil: 28,
  point: 32,
  overrides: 64,
  faults: 192,
} as const
const OVERRIDE_BYTES = 16
const OVERRIDES = 8
const FAULT_BYTES = 40
/** Offsets inside of one fault. */
const FAULT = { calls: 0, rv: 8, mode: 16, n: 20, action: 24, latencyUs: 28, seen: 32 } as const
const PAGE_BYTES = AT.faults + FUNCTIONS.length * FAULT_BYTES

/** The compiled shim, or why there is none. Compiles it where this source has not been compiled yet. */
export function buildShim():
  | { readonly library: string; readonly reason?: never }
  | { readonly reason: string } {
  const found = locate('shim')
  if ('reason' in found) return { reason: `no C compiler: ${found.reason}` }
  const [source, header] = ['fault-shim.c', 'shapes.h'].map((name) =>
    join(PACKAGE, 'test/shim', name),
  ) as [string, string]
  const sources = Buffer.concat([source, header].map((path) => readFileSync(path)))
  const hash = createHash('sha256').update(sources).digest('hex').slice(0, 16)
  const library = join(PACKAGE, `dist/test/shim/fault-shim-${hash}.so`)
  if (!existsSync(library)) {
    const unfinished = `${library}.${process.pid}`
    const flags = '-std=c11 -O1 -Wall -Wextra -Werror -fvisibility=hidden -shared -fPIC -pthread'
    runOrThrow(found[0]!, [...flags.split(' '), source, '-o', unfinished, '-ldl'])
    renameSync(unfinished, library)
  }
  return { library }
}

export class FaultShim {
  /** The settings that it was given, with the shim in between. */
  readonly settings: DeviceSettings
  readonly #file: number

  /** Puts the shim before the module of `settings`, without faults. @throws Error where it cannot be built */
  constructor(settings: DeviceSettings, scope: Scope) {
    const built = buildShim()
    if (built.reason !== undefined) throw new Error(built.reason)
    const control = join(scratchIn(scope), 'control')
    this.#file = openSync(control, 'wx+', 0o600)
    scope.after(() => closeSync(this.#file))
    writeSync(this.#file, new Uint8Array(PAGE_BYTES), 0, PAGE_BYTES, 0)
    this.settings = {
      ...settings,
      library: built.library,
      env: {
        ...settings.env,
        QUORATE_SHIM_MODULE: settings.library,
        QUORATE_SHIM_CONTROL: control,
      },
    }
  }

  /** A fault of one function, in place of the one before. The latency of the function stays. */
  fail(name: FunctionName, { when = 'always', kind, rv = 'OK' }: CallFault): void {
    const [mode, n] = modeOf(when)
    const at = faultAt(name)
    this.#write32(at + FAULT.mode, MODES.never)
    this.#write64(at + FAULT.rv, BigInt(typeof rv === 'number' ? rv : CKR[rv]))
    this.#write32(at + FAULT.n, n, ACTIONS[kind])
    this.#write32(at + FAULT.seen, 0)
    // Last, so that no call meets half of the new fault.
    this.#write32(at + FAULT.mode, mode)
  }

  /** Adds so much to every call of a function. */
  delay(name: FunctionName, microseconds: number): void {
    this.#write32(faultAt(name) + FAULT.latencyUs, microseconds)
  }

  set(behaviour: Behaviour): void {
    const { gcm, point, highS, derSignatures, wrongSignatures, maxSessions, attributes } = behaviour
    if (gcm !== undefined) this.#write32(AT.gcm, GCM[gcm])
    if (point !== undefined) this.#write32(AT.point, POINT[point])
    if (highS !== undefined) this.#flag(HIGH_S, highS)
    if (derSignatures !== undefined) this.#flag(DER, derSignatures)
    if (wrongSignatures !== undefined) this.#write32(AT.spoil, wrongSignatures)
    if (maxSessions !== undefined) this.#write32(AT.sessionCap, maxSessions)
    if (attributes !== undefined) this.#override(Object.entries(attributes))
  }

  /** The token is gone: calls that name a slot say TOKEN_NOT_PRESENT, those in a session `answer`. */
  unplug(answer: keyof typeof CKR = 'DEVICE_REMOVED'): void {
    this.#write64(AT.removedRv, BigInt(CKR[answer]))
    this.#write32(AT.unplugged, 1)
  }

  /** The token is back, with no session and nobody logged in. */
  plugIn(): void {
    this.#write32(AT.plugs, this.#read(AT.plugs, 4).readUInt32LE() + 1)
    this.#write32(AT.unplugged, 0)
  }

  /** Ends all faults, delays and behaviours; an unplugged token is plugged in again. Counts stay. */
  clear(): void {
    for (const name of FUNCTIONS) this.#write32(faultAt(name) + FAULT.mode, 0, 0, 0, 0, 0)
    this.set({ gcm: 'plain', point: 'plain', highS: false, derSignatures: false })
    this.set({ wrongSignatures: 0, maxSessions: 0, attributes: {} })
    if (this.#read(AT.unplugged, 4).readUInt32LE() === 1) this.plugIn()
  }

  /** How often each function was called since the shim was made, by all processes; only those that were. */
  calls(): { readonly [name in FunctionName]?: number } {
    const faults = this.#read(AT.faults, FUNCTIONS.length * FAULT_BYTES)
    const counts = FUNCTIONS.map((name, i): [FunctionName, number] => [
      name,
      Number(faults.readBigUInt64LE(i * FAULT_BYTES + FAULT.calls)),
    ])
    return Object.fromEntries(counts.filter(([, count]) => count > 0))
  }

  #flag(bit: number, isOn: boolean): void {
    const flags = this.#read(AT.signature, 4).readUInt32LE()
    this.#write32(AT.signature, isOn ? flags | bit : flags & ~bit)
  }

  #override(values: readonly [string, boolean | undefined][]): void {
    if (values.length > OVERRIDES) throw new Error(`at most ${OVERRIDES} attributes`)
    for (let i = 0; i < OVERRIDES; i += 1) {
      const at = AT.overrides + i * OVERRIDE_BYTES
      const [name, value] = values[i] ?? []
      const code = name === undefined ? 0 : CKA[name as keyof typeof CKA].code
      this.#write64(at, BigInt(code))
      this.#write32(at + 8, name === undefined ? 0 : 1, value === true ? 1 : 0)
    }
  }

  #read(at: number, length: number): Buffer {
    const bytes = Buffer.alloc(length)
    readSync(this.#file, bytes, 0, length, at)
    return bytes
  }

  #write32(at: number, ...values: readonly number[]): void {
    const bytes = Buffer.alloc(values.length * 4)
    for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, i * 4)
    writeSync(this.#file, bytes, 0, bytes.length, at)
  }

  #write64(at: number, value: bigint): void {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64LE(value)
    writeSync(this.#file, bytes, 0, 8, at)
  }
}

const faultAt = (name: FunctionName): number => AT.faults + FUNCTIONS.indexOf(name) * FAULT_BYTES

function modeOf(when: When): readonly [mode: number, n: number] {
  if (when === 'always') return [MODES.always, 0]
  return 'next' in when ? [MODES.next, when.next] : [MODES.every, when.every]
}
