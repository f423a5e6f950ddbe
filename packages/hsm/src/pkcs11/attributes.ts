/**
 * Attribute templates: encoding, also of nested ones, and reading them back from tokens that do
 * not know, do not tell, or trip over some attribute.
 */
import { fromUtf8, utf8 } from '@quorate/base'
import { type Arena, LITTLE_ENDIAN, ULONG_BYTES } from './arena.ts'
import {
  type AttributeKind,
  type AttributeName,
  CK_UNAVAILABLE_INFORMATION,
  CKA,
  CKM,
  CKR,
  type MechanismName,
} from './constants.ts'
import { CkrError, type Cryptoki } from './cryptoki.ts'

type Values = {
  bool: boolean
  ulong: number
  bytes: Uint8Array
  text: string
  /** YYYY-MM-DD */
  date: string
  mechanisms: readonly MechanismName[]
  template: Template
}
type ValueOf<N extends AttributeName> = Values[(typeof CKA)[N]['kind']]

export type Template = { readonly [N in AttributeName]?: ValueOf<N> }

/** What a token told. Absent: it does not know the attribute, or keeps it to itself. Mechanisms come as codes. */
export type Attributes = {
  readonly [N in AttributeName]?: (typeof CKA)[N]['kind'] extends 'mechanisms'
    ? readonly bigint[]
    : (typeof CKA)[N]['kind'] extends 'template'
      ? boolean
      : ValueOf<N>
}

/** CK_ATTRIBUTE: type, pValue, ulValueLen. */
const ATTRIBUTE_BYTES = 3 * ULONG_BYTES
/** Most values that are not fixed in length fit in here: labels, ids, points. */
const GUESS_BYTES = 256
const MAX_BYTES = 65_536

/** Address and count of the CK_ATTRIBUTE array, as every call takes them. */
export function putTemplate(arena: Arena, template: Template): readonly [number, number] {
  const entries = Object.entries(template) as [AttributeName, ValueOf<AttributeName>][]
  const address = arena.reserve(entries.length * ATTRIBUTE_BYTES)
  for (const [i, [name, value]] of entries.entries()) {
    const { code, kind } = CKA[name]
    const [at, length] = putValue(arena, kind, value)
    writeAttribute(arena, address + i * ATTRIBUTE_BYTES, code, at, length)
  }
  return [address, entries.length]
}

function writeAttribute(
  arena: Arena,
  at: number,
  code: number,
  value: number,
  length: number,
): void {
  arena.writeUlong(at, code)
  arena.writeUlong(at + ULONG_BYTES, value)
  arena.writeUlong(at + 2 * ULONG_BYTES, length)
}

/** Address and length in bytes of one value. */
function putValue(
  arena: Arena,
  kind: AttributeKind,
  value: Values[AttributeKind],
): readonly [number, number] {
  const put = (bytes: Uint8Array): readonly [number, number] => [arena.put(bytes), bytes.length]
  switch (kind) {
    case 'bool':
      return put(Uint8Array.of(value ? 1 : 0))
    case 'ulong':
      return [arena.putUlongs(value as number), ULONG_BYTES]
    case 'bytes':
      return put(value as Uint8Array)
    case 'text':
      return put(utf8(value as string))
    case 'date':
      return put(utf8((value as string).replaceAll('-', '')))
    case 'mechanisms': {
      const codes = (value as readonly MechanismName[]).map((name) => CKM[name])
      return [arena.putUlongs(...codes), codes.length * ULONG_BYTES]
    }
    case 'template': {
      const [address, count] = putTemplate(arena, value as Template)
      return [address, count * ATTRIBUTE_BYTES]
    }
  }
}

const FIXED_BYTES: { readonly [K in AttributeKind]?: number } = { bool: 1, ulong: ULONG_BYTES }

/** Answers that speak of attributes, not of the call. */
const UNTOLD: readonly number[] = [
  CKR.ATTRIBUTE_SENSITIVE,
  CKR.ATTRIBUTE_TYPE_INVALID,
  CKR.ATTRIBUTE_VALUE_INVALID,
  CKR.BUFFER_TOO_SMALL,
  // Out of the standard, but some modules answer so for an attribute that they do not have.
  CKR.FUNCTION_FAILED,
  CKR.GENERAL_ERROR,
]

/**
 * The attributes of an object that the token tells. One call where the token behaves; where it
 * does not, one by one.
 * @throws CkrError for what concerns the object or session, and not single attributes
 */
export function readAttributes(
  cryptoki: Cryptoki,
  arena: Arena,
  session: bigint,
  object: bigint,
  names: readonly AttributeName[],
): Attributes {
  const read: { [name: string]: unknown } = {}
  const missing = arena.scope(() => {
    const { slots, isComplete } = readAtOnce(cryptoki, arena, session, object, names)
    return slots
      .filter(({ name, value, length }) => {
        const bytes = told(arena, name, value, length, isComplete)
        if (bytes !== undefined) read[name] = parse(CKA[name].kind, bytes)
        return bytes === undefined
      })
      .map(({ name }) => name)
  })
  for (const name of missing) {
    const bytes = arena.scope(() => readOne(cryptoki, arena, session, object, name))
    if (bytes !== undefined) read[name] = parse(CKA[name].kind, bytes)
  }
  return read as Attributes
}

type Slot = { readonly name: AttributeName; readonly value: number; readonly length: number }

function readAtOnce(
  cryptoki: Cryptoki,
  arena: Arena,
  session: bigint,
  object: bigint,
  names: readonly AttributeName[],
): { readonly slots: readonly Slot[]; readonly isComplete: boolean } {
  const address = arena.reserve(names.length * ATTRIBUTE_BYTES)
  const slots = names.map((name, i) => {
    const bytes = FIXED_BYTES[CKA[name].kind] ?? GUESS_BYTES
    const value = arena.reserve(bytes)
    // No token writes 0xff.. as a boolean or a number, so what it left alone shows.
    arena.fill(value, bytes, 0xff)
    const at = address + i * ATTRIBUTE_BYTES
    // The value of an array attribute is itself a template to be filled in: only its length is asked.
    const isArray = CKA[name].kind === 'template'
    writeAttribute(arena, at, CKA[name].code, isArray ? 0 : value, isArray ? 0 : bytes)
    return { name, value, length: at + 2 * ULONG_BYTES }
  })
  try {
    cryptoki.C_GetAttributeValue(session, object, address, names.length)
    return { slots, isComplete: true }
  } catch (error) {
    if (error instanceof CkrError && UNTOLD.includes(error.ckr)) return { slots, isComplete: false }
    throw error
  }
}

/** The bytes of an attribute after a call for several, or undefined where it must be asked for alone. */
function told(
  arena: Arena,
  name: AttributeName,
  value: number,
  lengthAt: number,
  isComplete: boolean,
): Uint8Array | undefined {
  const length = arena.readCount(lengthAt)
  const { kind } = CKA[name]
  if (length === undefined) return undefined
  if (kind === 'template') return isComplete ? Uint8Array.of(length > 0 ? 1 : 0) : undefined
  const fixed = FIXED_BYTES[kind]
  if (fixed === undefined) {
    const isSure = isComplete || length < GUESS_BYTES
    return isSure && length <= GUESS_BYTES ? untouchedOr(arena.read(value, length)) : undefined
  }
  return length === fixed ? untouchedOr(arena.read(value, length)) : undefined
}

const untouchedOr = (bytes: Uint8Array): Uint8Array | undefined =>
  bytes.length > 0 && bytes.every((byte) => byte === 0xff) ? undefined : bytes

/** Length first, then value: as PKCS#11 2.40, §5.7 demands of every token. */
function readOne(
  cryptoki: Cryptoki,
  arena: Arena,
  session: bigint,
  object: bigint,
  name: AttributeName,
): Uint8Array | undefined {
  const at = arena.reserve(ATTRIBUTE_BYTES)
  const { code, kind } = CKA[name]
  const ask = (value: number, length: number): number | undefined => {
    writeAttribute(arena, at, code, value, length)
    try {
      cryptoki.C_GetAttributeValue(session, object, at, 1)
    } catch (error) {
      if (error instanceof CkrError && UNTOLD.includes(error.ckr)) return undefined
      throw error
    }
    return arena.readCount(at + 2 * ULONG_BYTES)
  }
  const length = ask(0, 0)
  if (length === undefined || length > MAX_BYTES) return undefined
  if (kind === 'template') return Uint8Array.of(length > 0 ? 1 : 0)
  if (length === 0) return new Uint8Array()
  const value = arena.reserve(length)
  const written = ask(value, length)
  return written === undefined || written > length ? undefined : arena.read(value, written)
}

/** Undefined for bytes that are no such value. */
function parse(kind: AttributeKind, bytes: Uint8Array): unknown {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  switch (kind) {
    case 'bool':
      return bytes.length === 1 ? bytes[0] !== 0 : undefined
    case 'template':
      return bytes[0] === 1
    case 'ulong': {
      if (bytes.length !== ULONG_BYTES) return undefined
      const value = ulongAt(view, 0)
      return value === CK_UNAVAILABLE_INFORMATION ? undefined : Number(value)
    }
    case 'bytes':
      return bytes
    case 'text':
      return textOf(bytes)
    case 'date':
      return dateOf(bytes)
    case 'mechanisms':
      return Array.from({ length: Math.floor(bytes.length / ULONG_BYTES) }, (_, i) =>
        ulongAt(view, i * ULONG_BYTES),
      )
  }
}

const ulongAt = (view: DataView, at: number): bigint => view.getBigUint64(at, LITTLE_ENDIAN)

/** Text as tokens keep it: perhaps padded, perhaps not UTF-8. */
function textOf(bytes: Uint8Array): string {
  return fromUtf8(bytes)?.replace(/[\0 ]+$/, '') ?? ''
}

function dateOf(bytes: Uint8Array): string | undefined {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(textOf(bytes)) ?? []
  return year === undefined ? undefined : `${year}-${month}-${day}`
}
