/**
 * libzk_app_utils.so in this process: synchronous calls that block their thread, and the memory that they
 * hand out. Prototypes are those of Zymbit's zk_app_utils.h; every function returns an int, below zero for
 * -errno. What the library allocates is copied, zeroed and given back to its malloc here, and nowhere else.
 */

import { constants } from 'node:os'
import { isAbsolute } from 'node:path'
import { Fault, wipe } from '@quorate/base'
import koffi, { type LibraryHandle } from 'koffi'
import { DeviceFault } from '../errors.ts'
import { Arena, LITTLE_ENDIAN } from '../pkcs11/arena.ts'

/**
 * Kinds of the arguments, in their order: p a pointer (the first is the context, except for zkOpen), i an int
 * or enum, u a uint32_t, b a bool.
 */
export const FUNCTIONS = {
  zkOpen: 'p',
  zkClose: 'p',
  zkGetRandBytes: 'ppi',
  zkGenKeyPair: 'pi',
  zkRemoveKey: 'pib',
  zkExportPubKey: 'pppib',
  zkDisablePubKeyExport: 'pib',
  zkGetAllocSlotsList: 'pbppp',
  zkGenECDSASigFromDigest: 'ppipp',
  zkVerifyECDSASigFromDigest: 'ppipi',
  zkDoECDHAndKDF: 'piipipipiiip',
  zkLockDataB2B: 'ppippb',
  zkUnlockDataB2B: 'ppippb',
  zkGenWalletMasterSeedWithBIP39: 'pipppipp',
  zkRestoreWalletMasterSeedFromBIP39Mnemonic: 'pipppipp',
  zkGenWalletMasterSeedWithSLIP39: 'pipppiiiip',
  zkSetSLIP39GroupInfo: 'piii',
  zkAddSLIP39MemberPassword: 'ppp',
  zkRestoreWalletMasterSeedFromSLIP39: 'pipppip',
  zkAddRestoreSLIP39Mnemonic: 'ppp',
  zkCancelSLIP39Session: 'p',
  zkGenWalletChildKey: 'piubbp',
  zkGetWalletNodeAddrFromKeySlot: 'pippp',
  zkGetWalletKeySlotFromNodeAddr: 'pppip',
  zkSetPerimeterEventAction: 'piu',
  zkWaitForPerimeterEvent: 'pu',
  zkGetPerimeterDetectInfo: 'ppp',
  zkClearPerimeterDetectEvents: 'p',
  zkLockBinding: 'p',
  zkGetCurrentBindingInfo: 'ppp',
  zkGetCPUTemp: 'pp',
  zkGetBatteryVoltage: 'pp',
  zkGetTime: 'ppb',
  zkGetModelNumberString: 'pp',
  zkGetFirmwareVersionString: 'pp',
  zkGetSerialNumberString: 'pp',
} as const
export type FunctionName = keyof typeof FUNCTIONS

const KINDS: { readonly [kind: string]: string } = { p: 'uint64', i: 'int', u: 'uint32', b: 'bool' }

/** ZK_EC_KEY_TYPE. */
export const KEY_TYPES = { p256: 0, secp256k1: 1 } as const

export const ERRNO: typeof constants.errno = constants.errno

/** What a function answered below zero. */
export class ZymbitError extends Error {
  override readonly name: string = 'ZymbitError'
  readonly call: FunctionName
  /** Above zero. */
  readonly errno: number

  constructor(call: FunctionName, errno: number) {
    const known = Object.entries(constants.errno).find(([, value]) => value === errno)
    super(`${known?.[0] ?? `error ${errno}`} from ${call}`)
    this.call = call
    this.errno = errno
  }
}

type Native = (...args: readonly (number | boolean)[]) => number
type Functions = { readonly [name in FunctionName]?: Native | undefined }

const POINTER_BYTES = 8
/** Longer than any string that the library gives. */
const MAX_TEXT_BYTES = 4096
/** A length above this is no length: the largest data that one call handles is far below. */
const MAX_BUFFER_BYTES = 1 << 26

/** Libraries are never unloaded: they keep threads of their own. */
const LOADED = new Map<string, LibraryHandle>()

export class ZymbitLibrary {
  /** Of the calls of this thread; one scope for each call. */
  readonly arena: Arena = new Arena()
  readonly #functions: Functions
  readonly #memcpy: (to: number, from: number, length: number) => number
  readonly #memset: (to: number, byte: number, length: number) => number
  readonly #strnlen: (text: number, max: number) => number
  readonly #free: (pointer: number) => void

  /** @throws hsm/library-missing, hsm/unsupported on other than 64-bit Unix, hsm/bad-argument for a relative path */
  constructor(path: string) {
    if (!isAbsolute(path))
      throw new Fault('hsm/bad-argument', { detail: 'the path of a library must be absolute' })
    if (koffi.sizeof('void *') !== POINTER_BYTES)
      throw new DeviceFault('hsm/unsupported', { detail: 'a 64-bit Unix is needed' })
    const [library, libc] = [load(path), load('libc.so.6')]
    const bound = Object.entries(FUNCTIONS).map(([name, kinds]) => [
      name,
      bind(library, name, kinds),
    ])
    this.#functions = Object.fromEntries(bound) as Functions
    if (this.#functions.zkOpen === undefined)
      throw new DeviceFault('hsm/library-missing', { detail: `${path} has no zkOpen` })
    this.#memcpy = libc.func('memcpy', 'uint64', ['uint64', 'uint64', 'uint64'])
    this.#memset = libc.func('memset', 'uint64', ['uint64', 'int', 'uint64'])
    this.#strnlen = libc.func('strnlen', 'uint64', ['uint64', 'uint64'])
    this.#free = libc.func('free', 'void', ['uint64'])
  }

  /** Whether this version of the library has the function. */
  has(name: FunctionName): boolean {
    return this.#functions[name] !== undefined
  }

  /** What the function answers, below zero too. @throws hsm/unsupported */
  ask(name: FunctionName, ...args: readonly (number | boolean)[]): number {
    const native = this.#functions[name]
    if (native === undefined)
      throw new DeviceFault('hsm/unsupported', { detail: `the library has no ${name}` })
    return native(...args)
  }

  /** What the function answers, from zero up. @throws ZymbitError, hsm/unsupported */
  call(name: FunctionName, ...args: readonly (number | boolean)[]): number {
    const result = this.ask(name, ...args)
    if (result < 0) throw new ZymbitError(name, -result)
    return result
  }

  /** The address of eight zero bytes, for an output. */
  out(): number {
    return this.arena.reserve(POINTER_BYTES)
  }

  putText(text: Uint8Array): number {
    if (text.includes(0)) throw new Fault('hsm/bad-argument', { detail: 'a zero byte in a text' })
    const terminated = new Uint8Array(text.length + 1)
    terminated.set(text)
    const address = this.arena.put(terminated)
    wipe(terminated)
    return address
  }

  readInt(address: number): number {
    return this.#view(address, 4).getInt32(0, LITTLE_ENDIAN)
  }

  readUint(address: number): number {
    return this.#view(address, 4).getUint32(0, LITTLE_ENDIAN)
  }

  readFloat(address: number): number {
    return this.#view(address, 4).getFloat32(0, LITTLE_ENDIAN)
  }

  readBool(address: number): boolean {
    return this.arena.read(address, 1)[0] !== 0
  }

  /** The buffer whose address the library has written to `out`, which is then given back. */
  takeBytes(out: number, length: number): Uint8Array {
    const pointer = Number(this.arena.readUlong(out))
    if (pointer === 0) return missing()
    try {
      if (length < 0 || length > MAX_BUFFER_BYTES) return missing()
      const copy = this.arena.reserve(length)
      this.#memcpy(copy, pointer, length)
      this.#memset(pointer, 0, length)
      return this.arena.read(copy, length)
    } finally {
      this.#free(pointer)
      this.arena.writeUlong(out, 0)
    }
  }

  /** The text whose address the library has written to `out`, without its zero. It is given back. */
  takeText(out: number): Uint8Array {
    const pointer = Number(this.arena.readUlong(out))
    if (pointer === 0) return missing()
    return this.takeBytes(out, this.#strnlen(pointer, MAX_TEXT_BYTES))
  }

  /** Gives back what the library has written to `out`, if anything: it may also allocate and then fail. */
  drop(out: number): void {
    const pointer = Number(this.arena.readUlong(out))
    if (pointer === 0) return
    this.#free(pointer)
    this.arena.writeUlong(out, 0)
  }

  #view(address: number, length: number): DataView {
    const bytes = this.arena.read(address, length)
    return new DataView(bytes.buffer, bytes.byteOffset, length)
  }
}

function missing(): never {
  throw new DeviceFault('hsm/wrong-result', { detail: 'the library says done and gives nothing' })
}

function load(path: string): LibraryHandle {
  try {
    // Node carries an OpenSSL of its own, which must not answer for that of the library.
    const library = LOADED.get(path) ?? koffi.load(path, { deep: isAbsolute(path) })
    LOADED.set(path, library)
    return library
  } catch (error) {
    const detail = error instanceof Error ? error.message : 'unknown'
    throw new DeviceFault('hsm/library-missing', { detail, cause: error })
  }
}

/** Older versions lack some functions. */
function bind(library: LibraryHandle, name: string, kinds: string): Native | undefined {
  try {
    return library.func(
      name,
      'int',
      Array.from(kinds, (kind) => KINDS[kind]!),
    ) as Native
  } catch {
    return undefined
  }
}
