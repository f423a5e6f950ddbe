/**
 * A Cryptoki module with nothing between it and the test: what the standard lets an application do,
 * this does. Calls block, and anything but CKR_OK is thrown as a `RawError`.
 */
import koffi from 'koffi'
import { Arena, ULONG_BYTES } from '#src/pkcs11/arena.js'
import { putTemplate, type Template } from '#src/pkcs11/attributes.js'
import { CKA, CKF_OS_LOCKING_OK, CKM, CKR, type MechanismName } from '#src/pkcs11/constants.js'

/** Place in CK_FUNCTION_LIST and number of arguments. */
const FUNCTIONS = {
  C_Initialize: [0, 1],
  C_Finalize: [1, 1],
  C_GetSlotList: [4, 3],
  C_GetTokenInfo: [6, 2],
  C_GetMechanismList: [7, 3],
  C_InitToken: [9, 4],
  C_InitPIN: [10, 3],
  C_SetPIN: [11, 5],
  C_OpenSession: [12, 5],
  C_CloseSession: [13, 1],
  C_Login: [18, 4],
  C_Logout: [19, 1],
  C_CreateObject: [20, 4],
  C_CopyObject: [21, 5],
  C_DestroyObject: [22, 2],
  C_GetAttributeValue: [24, 4],
  C_SetAttributeValue: [25, 4],
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
  C_DeriveKey: [62, 6],
  C_GenerateRandom: [64, 3],
} as const satisfies { readonly [name: string]: readonly [index: number, args: number] }
export type RawFunction = keyof typeof FUNCTIONS

const LIST_ENTRIES = 68
const LIST_HEADER_BYTES = 8
const TOKEN_INFO_BYTES = 208
const RW_SERIAL = 6
const MAX_OUTPUT = 32_768
const MAX_OBJECTS = 256

export const SO = 0
export const USER = 1

export class RawError extends Error {
  readonly ckr: number
  readonly call: RawFunction

  constructor(ckr: number, call: RawFunction) {
    const name = Object.entries(CKR).find(([, code]) => code === ckr)?.[0]
    super(`${call} answers ${name ?? `0x${ckr.toString(16)}`}`)
    this.ckr = ckr
    this.call = call
  }
}

/** For assert.throws: the module refused with one of `names`. */
export const refusedWith =
  (...names: readonly (keyof typeof CKR)[]) =>
  (error: unknown): boolean =>
    error instanceof RawError && names.some((name) => CKR[name] === error.ckr)

type Argument = number | bigint
type Native = (...args: readonly Argument[]) => number | bigint

/** A module whose library object is collected is unloaded, under the function pointers that were taken from it. */
const LOADED: unknown[] = []

export class RawModule {
  readonly arena = new Arena()
  readonly #calls = new Map<RawFunction, Native>()

  /** Loads and initialises; a module that the process has initialised already is used as it is. */
  constructor(library: string, initArgs?: string) {
    const loaded = koffi.load(library, { deep: true })
    LOADED.push(loaded)
    const getFunctionList = loaded.func('C_GetFunctionList', 'uint64', ['uint64']) as Native
    const list = this.arena.reserve(ULONG_BYTES)
    getFunctionList(list)
    const pointers = koffi.decode(
      this.arena.readUlong(list),
      LIST_HEADER_BYTES,
      koffi.array('uint64', LIST_ENTRIES),
    ) as ArrayLike<number | bigint>
    for (const [name, [index, args]] of Object.entries(FUNCTIONS)) {
      const type = koffi.proto(
        'uint64',
        Array.from({ length: args }, () => 'uint64'),
      )
      this.#calls.set(
        name as RawFunction,
        koffi.decode(BigInt(pointers[index] ?? 0), type) as Native,
      )
    }
    this.initialize(initArgs)
  }

  initialize(initArgs?: string): void {
    const reserved = initArgs === undefined ? 0 : this.arena.put(Buffer.from(`${initArgs}\0`))
    const args = this.arena.putUlongs(0, 0, 0, 0, CKF_OS_LOCKING_OK, reserved)
    const rv = this.answer('C_Initialize', args)
    if (rv !== CKR.OK && rv !== CKR.CRYPTOKI_ALREADY_INITIALIZED)
      throw new RawError(rv, 'C_Initialize')
  }

  finalize(): void {
    this.call('C_Finalize', 0)
  }

  /** The return value of a call. */
  answer(name: RawFunction, ...args: readonly Argument[]): number {
    return Number(this.#calls.get(name)?.(...args))
  }

  call(name: RawFunction, ...args: readonly Argument[]): void {
    const rv = this.answer(name, ...args)
    if (rv !== CKR.OK) throw new RawError(rv, name)
  }

  /** Slots with a token. */
  slots(): readonly bigint[] {
    return this.arena.scope(() => {
      const count = this.arena.putUlongs(64)
      const list = this.arena.reserve(64 * ULONG_BYTES)
      this.call('C_GetSlotList', 1, list, count)
      return Array.from({ length: Number(this.arena.readUlong(count)) }, (_, i) =>
        this.arena.readUlong(list + i * ULONG_BYTES),
      )
    })
  }

  /** Label and flags of the token in a slot. */
  token(slot: bigint): { readonly label: string; readonly flags: bigint } {
    return this.arena.scope(() => {
      const at = this.arena.reserve(TOKEN_INFO_BYTES)
      this.call('C_GetTokenInfo', slot, at)
      const label = Buffer.from(this.arena.read(at, 32)).toString().trimEnd()
      return { label, flags: this.arena.readUlong(at + 96) }
    })
  }

  /** The slot whose token has this label. */
  slotOf(label: string): bigint {
    const slot = this.slots().find((candidate) => this.token(candidate).label === label)
    if (slot === undefined) throw new Error(`no token ${label}`)
    return slot
  }

  initToken(slot: bigint, soPin: string, label: string): void {
    this.arena.scope(() => {
      const pin = Buffer.from(soPin)
      this.call(
        'C_InitToken',
        slot,
        this.arena.put(pin),
        pin.length,
        this.arena.put(Buffer.from(label.padEnd(32))),
      )
    })
  }

  open(slot: bigint): RawSession {
    return this.arena.scope(() => {
      const handle = this.arena.reserve(ULONG_BYTES)
      this.call('C_OpenSession', slot, RW_SERIAL, 0, 0, handle)
      return new RawSession(this, this.arena.readUlong(handle))
    })
  }
}

export type RawMechanism = {
  readonly name: MechanismName
  readonly param?: Uint8Array
  readonly gcm?: { readonly iv: Uint8Array; readonly aad?: Uint8Array; readonly ivBits?: number }
}

export class RawSession {
  readonly handle: bigint
  readonly #module: RawModule

  constructor(module: RawModule, handle: bigint) {
    this.#module = module
    this.handle = handle
  }

  #call(name: RawFunction, ...args: readonly Argument[]): void {
    this.#module.call(name, this.handle, ...args)
  }

  /** What `use` gives, with memory that lives as long as the call. */
  #with<T>(use: (arena: Arena) => T): T {
    return this.#module.arena.scope(() => use(this.#module.arena))
  }

  close(): void {
    this.#call('C_CloseSession')
  }

  login(user: typeof SO | typeof USER, pin: string): void {
    this.#with((arena) => this.#call('C_Login', user, ...text(arena, pin)))
  }

  logout(): void {
    this.#call('C_Logout')
  }

  initPin(pin: string): void {
    this.#with((arena) => this.#call('C_InitPIN', ...text(arena, pin)))
  }

  setPin(from: string, to: string): void {
    this.#with((arena) => this.#call('C_SetPIN', ...text(arena, from), ...text(arena, to)))
  }

  create(template: Template): bigint {
    return this.#with((arena) => {
      const handle = arena.reserve(ULONG_BYTES)
      this.#call('C_CreateObject', ...putTemplate(arena, template), handle)
      return arena.readUlong(handle)
    })
  }

  generateKey(mechanism: MechanismName, template: Template): bigint {
    return this.#with((arena) => {
      const handle = arena.reserve(ULONG_BYTES)
      const at = mechanismAt(arena, { name: mechanism })
      this.#call('C_GenerateKey', at, ...putTemplate(arena, template), handle)
      return arena.readUlong(handle)
    })
  }

  generatePair(
    mechanism: MechanismName,
    publicTemplate: Template,
    privateTemplate: Template,
  ): { readonly publicKey: bigint; readonly privateKey: bigint } {
    return this.#with((arena) => {
      const handles = arena.reserve(2 * ULONG_BYTES)
      this.#call(
        'C_GenerateKeyPair',
        mechanismAt(arena, { name: mechanism }),
        ...putTemplate(arena, publicTemplate),
        ...putTemplate(arena, privateTemplate),
        handles,
        handles + ULONG_BYTES,
      )
      return {
        publicKey: arena.readUlong(handles),
        privateKey: arena.readUlong(handles + ULONG_BYTES),
      }
    })
  }

  find(template: Template): readonly bigint[] {
    return this.#with((arena) => {
      this.#call('C_FindObjectsInit', ...putTemplate(arena, template))
      const list = arena.reserve(MAX_OBJECTS * ULONG_BYTES)
      const count = arena.reserve(ULONG_BYTES)
      this.#call('C_FindObjects', list, MAX_OBJECTS, count)
      this.#call('C_FindObjectsFinal')
      return Array.from({ length: Number(arena.readUlong(count)) }, (_, i) =>
        arena.readUlong(list + i * ULONG_BYTES),
      )
    })
  }

  /** The bytes of one attribute. */
  get(object: bigint, name: keyof typeof CKA): Uint8Array {
    return this.#with((arena) => {
      const value = arena.reserve(1024)
      const at = arena.putUlongs(CKA[name].code, value, 1024)
      this.#call('C_GetAttributeValue', object, at, 1)
      return arena.read(value, Number(arena.readUlong(at + 2 * ULONG_BYTES)))
    })
  }

  set(object: bigint, template: Template): void {
    this.#with((arena) =>
      this.#call('C_SetAttributeValue', object, ...putTemplate(arena, template)),
    )
  }

  copy(object: bigint, template: Template): bigint {
    return this.#with((arena) => {
      const handle = arena.reserve(ULONG_BYTES)
      this.#call('C_CopyObject', object, ...putTemplate(arena, template), handle)
      return arena.readUlong(handle)
    })
  }

  destroy(object: bigint): void {
    this.#call('C_DestroyObject', object)
  }

  encrypt(mechanism: RawMechanism, key: bigint, data: Uint8Array): Uint8Array {
    return this.#crypt('C_EncryptInit', 'C_Encrypt', mechanism, key, data)
  }

  /** Also the IV as it stands in the parameters after C_Encrypt. */
  encryptGcm(
    key: bigint,
    iv: Uint8Array,
    aad: Uint8Array,
    data: Uint8Array,
  ): { readonly output: Uint8Array; readonly iv: Uint8Array } {
    return this.#with((arena) => {
      const ivAt = arena.put(iv)
      const params = arena.putUlongs(ivAt, iv.length, 0, arena.put(aad), aad.length, 128)
      const mechanism = arena.putUlongs(CKM.AES_GCM, params, 6 * ULONG_BYTES)
      this.#call('C_EncryptInit', mechanism, key)
      const input = arena.put(data)
      const result = output(arena, (...at) => this.#call('C_Encrypt', input, data.length, ...at))
      return { output: result, iv: arena.read(ivAt, iv.length) }
    })
  }

  decrypt(mechanism: RawMechanism, key: bigint, data: Uint8Array): Uint8Array {
    return this.#crypt('C_DecryptInit', 'C_Decrypt', mechanism, key, data)
  }

  sign(mechanism: RawMechanism, key: bigint, data: Uint8Array): Uint8Array {
    return this.#crypt('C_SignInit', 'C_Sign', mechanism, key, data)
  }

  #crypt(
    start: RawFunction,
    finish: RawFunction,
    mechanism: RawMechanism,
    key: bigint,
    data: Uint8Array,
  ): Uint8Array {
    return this.#with((arena) => {
      this.#call(start, mechanismAt(arena, mechanism), key)
      const input = arena.put(data)
      return output(arena, (...at) => this.#call(finish, input, data.length, ...at))
    })
  }

  wrap(mechanism: RawMechanism, wrapping: bigint, key: bigint): Uint8Array {
    return this.#with((arena) => {
      const at = mechanismAt(arena, mechanism)
      return output(arena, (...to) => this.#call('C_WrapKey', at, wrapping, key, ...to))
    })
  }

  unwrap(
    mechanism: RawMechanism,
    unwrapping: bigint,
    wrapped: Uint8Array,
    template: Template,
  ): bigint {
    return this.#with((arena) => {
      const handle = arena.reserve(ULONG_BYTES)
      this.#call(
        'C_UnwrapKey',
        mechanismAt(arena, mechanism),
        unwrapping,
        arena.put(wrapped),
        wrapped.length,
        ...putTemplate(arena, template),
        handle,
      )
      return arena.readUlong(handle)
    })
  }

  derive(mechanism: RawMechanism, base: bigint, template: Template): bigint {
    return this.#with((arena) => {
      const handle = arena.reserve(ULONG_BYTES)
      const at = mechanismAt(arena, mechanism)
      this.#call('C_DeriveKey', at, base, ...putTemplate(arena, template), handle)
      return arena.readUlong(handle)
    })
  }
}

const text = (arena: Arena, value: string): readonly [number, number] => {
  const bytes = Buffer.from(value)
  return [arena.put(bytes), bytes.length]
}

/** What the call wrote: it gets the address of the buffer and that of its length. */
function output(arena: Arena, call: (buffer: number, length: number) => void): Uint8Array {
  const buffer = arena.reserve(MAX_OUTPUT)
  const length = arena.putUlongs(MAX_OUTPUT)
  call(buffer, length)
  return arena.read(buffer, Number(arena.readUlong(length)))
}

/** The address of a CK_MECHANISM. */
function mechanismAt(arena: Arena, { name, param, gcm }: RawMechanism): number {
  if (gcm !== undefined) {
    const { iv, aad = new Uint8Array(), ivBits = iv.length * 8 } = gcm
    const params = arena.putUlongs(
      arena.put(iv),
      iv.length,
      ivBits,
      aad.length === 0 ? 0 : arena.put(aad),
      aad.length,
      128,
    )
    return arena.putUlongs(CKM[name], params, 6 * ULONG_BYTES)
  }
  const bytes = param ?? new Uint8Array()
  return arena.putUlongs(CKM[name], bytes.length === 0 ? 0 : arena.put(bytes), bytes.length)
}
