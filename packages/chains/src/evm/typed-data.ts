/**
 * Typed structured data (EIP-712), as wallets are given it: JSON with the types, the domain and the
 * message. What is signed is
 *
 *   0x19 0x01 ‖ hashStruct(domain) ‖ hashStruct(message)
 *
 * and everything in the JSON is bound by it: types that the message does not use are refused.
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8 } from '@quorate/base'
import { toBytesBe } from '@quorate/math'
import { refuse } from './fields.ts'
import {
  addressOfJson,
  bytesOf,
  integerOf,
  type JsonObject,
  objectOf,
  parseJson,
  propertyOf,
  quoteAddress,
  quoteBytes,
  sameText,
  textOf,
} from './json.ts'

const DOMAIN = 'EIP712Domain'
/** EIP-712: the fields a domain may have, in this order. */
const DOMAIN_FIELDS: readonly Field[] = [
  { name: 'name', type: 'string' },
  { name: 'version', type: 'string' },
  { name: 'chainId', type: 'uint256' },
  { name: 'verifyingContract', type: 'address' },
  { name: 'salt', type: 'bytes32' },
]
const MAX_TYPES = 64
const MAX_FIELDS = 64
/** Structs and lists within each other. */
const MAX_DEPTH = 8
const MAX_VALUES = 4096
const MAX_TYPE_LENGTH = 128
/** Some applications put a colon into the name of a type. */
const NAME = /^[A-Za-z_$][\w$:]{0,79}$/
const ATOMIC = /^(address|bool|string|bytes([1-9]|[12][0-9]|3[0-2])?|u?int([0-9]{1,3}))$/

type Field = { readonly name: string; readonly type: string }
type Types = ReadonlyMap<string, readonly Field[]>

/** Bytes for addresses and bytes, bigint for numbers, maps in the order of their fields for structs. */
export type TypedValue =
  | Uint8Array
  | bigint
  | boolean
  | string
  | readonly TypedValue[]
  | ReadonlyMap<string, TypedValue>

export type TypedData = {
  /** EIP-712's encodeType: the primary type with its fields, then the types that it uses, by name. */
  readonly encodedType: string
  readonly primaryType: string
  readonly domain: ReadonlyMap<string, TypedValue>
  readonly message: ReadonlyMap<string, TypedValue>
  /** Every value that is no struct and no list: where it is, and how it is written. */
  readonly leaves: readonly { readonly path: string; readonly text: string }[]
  /** The JSON, in its one spelling. */
  readonly text: string
  /** What is signed. */
  readonly preimage: Uint8Array
}

/** @throws chains/malformed-transaction, chains/not-canonical, chains/transaction-too-large, chains/bad-address */
export function readTypedData(bytes: Uint8Array): TypedData {
  const typed = typedDataOf(parseJson(bytes))
  sameText(bytes, typed.text)
  return typed
}

/**
 * The bytes that `parse` takes for typed data as libraries have it: numbers may be bigint, and hex in
 * any case. @throws chains/malformed-transaction, chains/bad-address
 */
export const encodeTypedData = (typedData: unknown): Uint8Array => utf8(typedDataOf(typedData).text)

function typedDataOf(json: unknown): TypedData {
  const top = objectOf(json, ['types', 'primaryType', 'domain', 'message'], 'the typed data')
  const primaryType = textOf(propertyOf(top, 'primaryType'), 'the primary type')
  const domainJson = objectOf(
    propertyOf(top, 'domain'),
    DOMAIN_FIELDS.map(({ name }) => name),
    'the domain',
  )
  const domainFields = DOMAIN_FIELDS.filter(({ name }) => Object.hasOwn(domainJson, name))
  const types = typesOf(propertyOf(top, 'types'), primaryType, domainFields)
  const reader = new ValueReader(types)
  const domain = reader.struct(DOMAIN, domainJson, 'domain', 0)
  const message = reader.struct(primaryType, propertyOf(top, 'message'), 'message', 0)
  const order = [DOMAIN, ...reachable(primaryType, types)]
  const typesText = order.map((name) => `${JSON.stringify(name)}:${fieldsText(types.get(name)!)}`)
  return {
    encodedType: encodeType(primaryType, types),
    primaryType,
    domain: domain.value,
    message: message.value,
    leaves: reader.leaves,
    text: `{"types":{${typesText.join(',')}},"primaryType":${JSON.stringify(primaryType)},"domain":${domain.text},"message":${message.text}}`,
    preimage: concatBytes(Uint8Array.of(0x19, 0x01), domain.word, message.word),
  }
}

const fieldsText = (fields: readonly Field[]): string =>
  `[${fields.map(({ name, type }) => `{"name":${JSON.stringify(name)},"type":${JSON.stringify(type)}}`).join(',')}]`

/** The type of one item of a list, or `undefined` for what is none. */
const itemOf = (type: string): { readonly item: string; readonly count: string } | undefined => {
  const match = /^(.+)\[([0-9]{0,4})\]$/.exec(type)
  return match === null ? undefined : { item: match[1]!, count: match[2]! }
}

function baseOf(type: string): string {
  const list = itemOf(type)
  return list === undefined ? type : baseOf(list.item)
}

function typesOf(json: unknown, primaryType: string, domainFields: readonly Field[]): Types {
  const names = typeof json === 'object' && json !== null ? Object.keys(json) : []
  const object = objectOf(json, names, 'the types')
  if (names.length > MAX_TYPES) refuse(`${names.length} types, at most ${MAX_TYPES}`)
  const types = new Map(names.map((name) => [name, readFields(name, object)]))
  const declared = types.get(DOMAIN)
  if (declared !== undefined && fieldsText(declared) !== fieldsText(domainFields))
    refuse('the type of the domain does not list the fields of the domain in their standard order')
  types.set(DOMAIN, domainFields)
  if (primaryType === DOMAIN || !types.has(primaryType))
    refuse('the primary type is not among the types')
  const used = reachable(primaryType, types)
  if (used.length + 1 !== types.size || used.includes(DOMAIN))
    refuse('types that the message does not use')
  return types
}

function readFields(name: string, types: JsonObject): readonly Field[] {
  if (!NAME.test(name) || ATOMIC.test(name)) refuse('a type without a proper name')
  const list = types[name]
  if (!Array.isArray(list) || list.length > MAX_FIELDS)
    return refuse(`a type that is no list of at most ${MAX_FIELDS} fields`)
  const fields = list.map((each): Field => {
    const field = objectOf(each, ['name', 'type'], 'a field')
    const read = {
      name: textOf(propertyOf(field, 'name'), 'the name of a field'),
      type: textOf(propertyOf(field, 'type'), 'the type of a field'),
    }
    if (read.type.length > MAX_TYPE_LENGTH) refuse('a type with too long a name')
    return NAME.test(read.name) ? read : refuse('a field without a proper name')
  })
  if (new Set(fields.map((field) => field.name)).size !== fields.length)
    refuse('two fields of one name')
  return fields
}

/** `primaryType` first, then all that it uses, by name. @throws chains/malformed-transaction for a type that is missing */
function reachable(primaryType: string, types: Types): readonly string[] {
  const found = new Set([primaryType])
  // A set yields what is added to it while it is walked through.
  for (const name of found)
    for (const { type } of types.get(name)!) {
      const base = baseOf(type)
      if (types.has(base)) found.add(base)
      else if (!ATOMIC.test(base)) refuse('a field of a type that is missing')
    }
  const [first, ...rest] = found
  return [first!, ...rest.sort()]
}

const encodeType = (name: string, types: Types): string =>
  reachable(name, types)
    .map((each) => {
      const fields = types.get(each)!.map(({ type, name: field }) => `${type} ${field}`)
      return `${each}(${fields.join(',')})`
    })
    .join('')

type Read<T> = {
  readonly value: T
  /** How it stands in the JSON. */
  readonly text: string
  /** The 32 bytes that stand for it in the struct it belongs to. */
  readonly word: Uint8Array
}

class ValueReader {
  readonly leaves: { readonly path: string; readonly text: string }[] = []
  readonly #types: Types
  readonly #typeHashes = new Map<string, Uint8Array>()

  constructor(types: Types) {
    this.#types = types
  }

  struct(
    name: string,
    json: unknown,
    path: string,
    depth: number,
  ): Read<ReadonlyMap<string, TypedValue>> {
    this.#descend(depth)
    const fields = this.#types.get(name)!
    const object = objectOf(
      json,
      fields.map((field) => field.name),
      'a value of a type',
    )
    const read = fields.map((field) => ({
      name: field.name,
      ...this.#value(
        field.type,
        propertyOf(object, field.name),
        `${path}.${field.name}`,
        depth + 1,
      ),
    }))
    return {
      value: new Map(read.map((each) => [each.name, each.value])),
      text: `{${read.map((each) => `${JSON.stringify(each.name)}:${each.text}`).join(',')}}`,
      word: keccak_256(concatBytes(this.#typeHash(name), ...read.map(({ word }) => word))),
    }
  }

  #value(type: string, json: unknown, path: string, depth: number): Read<TypedValue> {
    const list = itemOf(type)
    if (list !== undefined) return this.#list(list.item, list.count, json, path, depth)
    if (this.#types.has(type)) return this.struct(type, json, path, depth)
    const read = readAtomic(type, json)
    this.leaves.push({ path, text: read.text })
    if (this.leaves.length > MAX_VALUES) refuse(`more than ${MAX_VALUES} values`)
    return read
  }

  #list(
    item: string,
    count: string,
    json: unknown,
    path: string,
    depth: number,
  ): Read<readonly TypedValue[]> {
    this.#descend(depth)
    if (!Array.isArray(json) || json.length > MAX_VALUES)
      return refuse(`a list that is none, or of more than ${MAX_VALUES} items`)
    if (count !== '' && String(json.length) !== count) refuse('a list of another length')
    if (json.length === 0) this.leaves.push({ path, text: '[]' })
    const read = json.map((each, i) => this.#value(item, each, `${path}[${i}]`, depth + 1))
    return {
      value: read.map(({ value }) => value),
      text: `[${read.map(({ text }) => text).join(',')}]`,
      word: keccak_256(concatBytes(...read.map(({ word }) => word))),
    }
  }

  #descend(depth: number): void {
    if (depth > MAX_DEPTH) refuse('values nested too deep')
  }

  #typeHash(name: string): Uint8Array {
    const known = this.#typeHashes.get(name)
    if (known !== undefined) return known
    const hash = keccak_256(utf8(encodeType(name, this.#types)))
    this.#typeHashes.set(name, hash)
    return hash
  }
}

function readAtomic(type: string, json: unknown): Read<TypedValue> {
  switch (type) {
    case 'address': {
      const value = addressOfJson(json, 'an address')
      return {
        value,
        text: quoteAddress(value),
        word: concatBytes(new Uint8Array(12), value),
      }
    }
    case 'bool':
      if (typeof json !== 'boolean') return refuse('neither true nor false')
      return { value: json, text: String(json), word: toBytesBe(json ? 1n : 0n) }
    case 'string': {
      const value = textOf(json, 'a text')
      return { value, text: JSON.stringify(value), word: keccak_256(utf8(value)) }
    }
    case 'bytes': {
      const value = bytesOf(json, 'bytes')
      return { value, text: quoteBytes(value), word: keccak_256(value) }
    }
    default:
      return type.startsWith('bytes')
        ? readFixedBytes(Number(type.slice('bytes'.length)), json)
        : readInteger(type, json)
  }
}

function readFixedBytes(size: number, json: unknown): Read<TypedValue> {
  const value = bytesOf(json, 'bytes')
  if (value.length !== size) refuse('bytes of another length')
  return {
    value,
    text: quoteBytes(value),
    word: concatBytes(value, new Uint8Array(32 - size)),
  }
}

function readInteger(type: string, json: unknown): Read<TypedValue> {
  const isSigned = type.startsWith('int')
  const bits = Number(type.slice(isSigned ? 3 : 4))
  if (bits % 8 !== 0 || bits === 0 || bits > 256) refuse('a number of an unknown size')
  const value = integerOf(json, 'a number')
  const limit = 1n << BigInt(isSigned ? bits - 1 : bits)
  if (value >= limit || value < (isSigned ? -limit : 0n)) refuse('a number that is out of range')
  return { value, text: `"${value}"`, word: toBytesBe(value < 0n ? value + 2n ** 256n : value) }
}
