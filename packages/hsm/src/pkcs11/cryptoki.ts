/**
 * A Cryptoki module in this process. Calls are synchronous and block their thread; anything but
 * CKR_OK is thrown.
 *
 * Functions are taken from the module's C_GetFunctionList, the one symbol that every module must
 * export: modules in between (spies, filters) replace its entries and not the other symbols.
 * CK_ULONG is passed as `number | bigint` and is exact; pointers are addresses of an `Arena`.
 */
import { isAbsolute } from 'node:path'
import { Fault, utf8 } from '@quorate/base'
import koffi, { type LibraryHandle } from 'koffi'
import { DeviceFault } from '../errors.ts'
import { Arena, ULONG_BYTES } from './arena.ts'
import { CKF_OS_LOCKING_OK, CKR, nameOf } from './constants.ts'

/** Place in CK_FUNCTION_LIST (PKCS#11 2.40, §5.1) and number of arguments. */
const FUNCTIONS = {
  C_Initialize: [0, 1],
  C_GetInfo: [2, 1],
  C_GetSlotList: [4, 3],
  C_GetTokenInfo: [6, 2],
  C_GetMechanismList: [7, 3],
  C_GetMechanismInfo: [8, 3],
  C_InitToken: [9, 4],
  C_InitPIN: [10, 3],
  C_OpenSession: [12, 5],
  C_CloseSession: [13, 1],
  C_GetSessionInfo: [15, 2],
  C_Login: [18, 4],
  C_CreateObject: [20, 4],
  C_DestroyObject: [22, 2],
  C_GetAttributeValue: [24, 4],
  C_FindObjectsInit: [26, 3],
  C_FindObjects: [27, 4],
  C_FindObjectsFinal: [28, 1],
  C_EncryptInit: [29, 3],
  C_Encrypt: [30, 5],
  C_DecryptInit: [33, 3],
  C_Decrypt: [34, 5],
  C_SignInit: [42, 3],
  C_Sign: [43, 5],
  C_GenerateKey: [58, 5],
  C_GenerateKeyPair: [59, 8],
  C_WrapKey: [60, 6],
  C_UnwrapKey: [61, 8],
  C_GenerateRandom: [64, 3],
} as const
export type FunctionName = keyof typeof FUNCTIONS

const LIST_ENTRIES = 68
/** CK_VERSION, padded to the alignment of the pointers behind it. */
const LIST_HEADER_BYTES = 8

/** What a Cryptoki function answered instead of CKR_OK. */
export class CkrError extends Error {
  override readonly name: string = 'CkrError'
  readonly ckr: number
  readonly call: FunctionName

  constructor(ckr: number, call: FunctionName) {
    super(`${nameOf('CKR', CKR, ckr)} from ${call}`)
    this.ckr = ckr
    this.call = call
  }
}

export type Argument = number | bigint
type Native = (...args: readonly Argument[]) => number | bigint
export type Cryptoki = {
  readonly [F in FunctionName]: (...args: readonly Argument[]) => void
}

/**
 * The module at `path` (absolute), initialised for several threads. `initArgs` goes into pReserved.
 * A module that another thread of the process has initialised already is used as it is.
 * @throws hsm/library-missing, hsm/unsupported on other than 64-bit Unix, CkrError
 */
export function loadCryptoki(path: string, initArgs?: string): Cryptoki {
  if (koffi.sizeof('unsigned long') !== ULONG_BYTES || koffi.sizeof('void *') !== ULONG_BYTES)
    throw new DeviceFault('hsm/unsupported', { detail: 'PKCS#11 needs a 64-bit Unix' })
  const cryptoki = bind(path)
  initialise(cryptoki, initArgs)
  return cryptoki
}

function bind(path: string): Cryptoki {
  if (!isAbsolute(path))
    throw new Fault('hsm/bad-argument', { detail: 'the path of a library must be absolute' })
  const table = functionTable(path)
  const calls = Object.entries(FUNCTIONS).map(([name, [index, args]]) => [
    name,
    throwing(name as FunctionName, table[index] ?? 0n, args),
  ])
  return Object.fromEntries(calls) as Cryptoki
}

/**
 * Modules are never unloaded: they keep threads and sessions of their own. Without this the collector
 * would do it, for koffi does not know that function pointers lead into a library.
 */
const LOADED = new Map<string, LibraryHandle>()

function load(path: string): LibraryHandle {
  // Node carries an OpenSSL of its own, which must not answer for that of the module.
  const library = LOADED.get(path) ?? koffi.load(path, { deep: true })
  LOADED.set(path, library)
  return library
}

/** The function pointers of the module, in the order of CK_FUNCTION_LIST. */
function functionTable(path: string): readonly bigint[] {
  const arena = new Arena()
  try {
    const getFunctionList = load(path).func('C_GetFunctionList', 'uint64', ['uint64']) as Native
    const list = arena.reserve(ULONG_BYTES)
    if (Number(getFunctionList(list)) !== CKR.OK) throw new Error('C_GetFunctionList fails')
    const entries = koffi.array('uint64', LIST_ENTRIES)
    const pointers = koffi.decode(arena.readUlong(list), LIST_HEADER_BYTES, entries) as Iterable<
      number | bigint
    >
    return Array.from(pointers, BigInt)
  } catch (error) {
    throw new DeviceFault('hsm/library-missing', { detail: reasonOf(error), cause: error })
  } finally {
    arena.free()
  }
}

/** The loader's own words name paths and missing libraries, which is what an operator needs. */
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown')

function throwing(
  name: FunctionName,
  pointer: bigint,
  args: number,
): (...values: readonly Argument[]) => void {
  if (pointer === 0n)
    return () => {
      throw new CkrError(CKR.FUNCTION_NOT_SUPPORTED, name)
    }
  const type = koffi.proto(
    'uint64',
    Array.from({ length: args }, () => 'uint64'),
  )
  const native = koffi.decode(pointer, type) as Native
  return (...values) => {
    const rv = native(...values)
    if (rv !== 0) throw new CkrError(Number(rv), name)
  }
}

function initialise(cryptoki: Cryptoki, initArgs: string | undefined): void {
  const arena = new Arena()
  try {
    const reserved = initArgs === undefined ? 0 : arena.put(utf8(`${initArgs}\0`))
    cryptoki.C_Initialize(arena.putUlongs(0, 0, 0, 0, CKF_OS_LOCKING_OK, reserved))
  } catch (error) {
    if (!(error instanceof CkrError && error.ckr === CKR.CRYPTOKI_ALREADY_INITIALIZED)) throw error
  } finally {
    arena.free()
  }
}
