/**
 * Solidity's ABI, read strictly: only the one layout that compilers and libraries write counts, so
 * that data has one meaning, is read in one pass, and nothing can hide between its parts.
 *
 *   head: one word for each static value, the offset of its tail for each dynamic one; then the tails
 *
 * Types: address, bool, uintN, bytesN, bytes, tuples (…), and arrays T[] of any of them.
 * Spec: https://docs.soliditylang.org/en/latest/abi-spec.html
 */
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, Fault, toHex, utf8 } from '@quorate/base'
import { fromBytesBe, toBytesBe } from '@quorate/math'
import { ADDRESS_BYTES, WORD_BYTES } from './fields.ts'

/** An address and bytes are bytes, numbers bigint, tuples and arrays lists. */
export type AbiValue = Uint8Array | bigint | boolean | readonly AbiValue[]

export type AbiType =
  | { readonly kind: 'address' | 'bool' | 'bytes' }
  | { readonly kind: 'uint'; readonly bits: number }
  | { readonly kind: 'word'; readonly size: number }
  | { readonly kind: 'array'; readonly item: AbiType }
  | { readonly kind: 'tuple'; readonly items: readonly AbiType[] }

export type Signature = {
  /** As written, e.g. `transfer(address,uint256)`. */
  readonly text: string
  /** The first four bytes of its Keccak-256 hash, in hex. */
  readonly selector: string
  readonly inputs: readonly AbiType[]
}

const SELECTOR_BYTES = 4

/** `text` is written by us: a name and its types, without spaces. */
export const signatureOf = (text: string): Signature => ({
  text,
  selector: toHex(keccak_256(utf8(text)).subarray(0, SELECTOR_BYTES)),
  inputs: abiTypes(text.slice(text.indexOf('('))),
})

/** The types between the parentheses of `text`. */
export function abiTypes(text: string): readonly AbiType[] {
  const type = typeOf(text)
  return type.kind === 'tuple' ? type.items : [type]
}

function typeOf(text: string): AbiType {
  if (text.endsWith('[]')) return { kind: 'array', item: typeOf(text.slice(0, -2)) }
  if (text.startsWith('(')) return { kind: 'tuple', items: partsOf(text.slice(1, -1)).map(typeOf) }
  if (text === 'address' || text === 'bool' || text === 'bytes') return { kind: text }
  const [, name, digits] = /^(uint|bytes)([0-9]+)$/.exec(text)!
  return name === 'uint'
    ? { kind: 'uint', bits: Number(digits) }
    : { kind: 'word', size: Number(digits) }
}

/** Splits at the commas that are in no parentheses. */
function partsOf(text: string): readonly string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at <= text.length; at++) {
    const char = text[at]
    if (char === '(') depth++
    if (char === ')') depth--
    if (depth === 0 && (char === ',' || char === undefined)) {
      parts.push(text.slice(from, at))
      from = at + 1
    }
  }
  return parts
}

const isDynamic = (type: AbiType): boolean =>
  type.kind === 'bytes' ||
  type.kind === 'array' ||
  (type.kind === 'tuple' && type.items.some(isDynamic))

const headSize = (type: AbiType): number =>
  type.kind === 'tuple' && !isDynamic(type)
    ? type.items.reduce((sum, item) => sum + headSize(item), 0)
    : WORD_BYTES

/** One value for each type. @throws chains/malformed-transaction for any other layout, or bytes left over */
export function decodeAbi(types: readonly AbiType[], data: Uint8Array): readonly AbiValue[] {
  const { values, end } = readSequence(types, data, 0)
  return end === data.length ? values : refuse()
}

/** `values` fit the types. */
export function encodeAbi(types: readonly AbiType[], values: readonly AbiValue[]): Uint8Array {
  const heads: Uint8Array[] = []
  const tails: Uint8Array[] = []
  let tail = types.reduce((sum, type) => sum + headSize(type), 0)
  types.forEach((type, i) => {
    const bytes = encodeValue(type, values[i]!)
    if (!isDynamic(type)) {
      heads.push(bytes)
      return
    }
    heads.push(toBytesBe(BigInt(tail)))
    tails.push(bytes)
    tail += bytes.length
  })
  return concatBytes(...heads, ...tails)
}

/** The data of a call: the selector, then the arguments. */
export const encodeCall = (signature: string, values: readonly AbiValue[]): Uint8Array =>
  concatBytes(
    keccak_256(utf8(signature)).subarray(0, SELECTOR_BYTES),
    encodeAbi(abiTypes(signature.slice(signature.indexOf('('))), values),
  )

function refuse(): never {
  throw new Fault('chains/malformed-transaction', { detail: 'call data in another layout' })
}

type Sequence = { readonly values: readonly AbiValue[]; readonly end: number }
type Read = { readonly value: AbiValue; readonly end: number }

function readSequence(types: readonly AbiType[], data: Uint8Array, base: number): Sequence {
  let head = base
  let tail = base + types.reduce((sum, type) => sum + headSize(type), 0)
  const values = types.map((type): AbiValue => {
    if (!isDynamic(type)) {
      const { value, end } = readStatic(type, data, head)
      head = end
      return value
    }
    // The tails lie behind each other in the order of their heads, without gaps.
    if (readNumber(data, head) !== BigInt(tail - base)) refuse()
    const { value, end } = readDynamic(type, data, tail)
    head += WORD_BYTES
    tail = end
    return value
  })
  return { values, end: tail }
}

function readStatic(type: AbiType, data: Uint8Array, at: number): Read {
  if (type.kind === 'tuple') {
    const { values, end } = readSequence(type.items, data, at)
    return { value: values, end }
  }
  return { value: readWord(type, slice(data, at, WORD_BYTES)), end: at + WORD_BYTES }
}

function readDynamic(type: AbiType, data: Uint8Array, at: number): Read {
  if (type.kind === 'tuple') {
    const { values, end } = readSequence(type.items, data, at)
    return { value: values, end }
  }
  const length = readNumber(data, at)
  const from = at + WORD_BYTES
  if (length > BigInt(data.length - from)) refuse()
  const count = Number(length)
  if (type.kind === 'array') {
    if (count * headSize(type.item) > data.length - from) refuse()
    const { values, end } = readSequence(Array(count).fill(type.item), data, from)
    return { value: values, end }
  }
  const padded = Math.ceil(count / WORD_BYTES) * WORD_BYTES
  const bytes = slice(data, from, padded)
  if (!isZero(bytes.subarray(count))) refuse()
  return { value: bytes.slice(0, count), end: from + padded }
}

function readWord(type: AbiType, word: Uint8Array): AbiValue {
  switch (type.kind) {
    case 'address':
      return isZero(word.subarray(0, WORD_BYTES - ADDRESS_BYTES))
        ? word.slice(WORD_BYTES - ADDRESS_BYTES)
        : refuse()
    case 'bool': {
      const value = fromBytesBe(word)
      return value > 1n ? refuse() : value === 1n
    }
    case 'uint': {
      const value = fromBytesBe(word)
      return value >> BigInt(type.bits) === 0n ? value : refuse()
    }
    case 'word':
      return isZero(word.subarray(type.size)) ? word.slice(0, type.size) : refuse()
    case 'bytes':
    case 'array':
    case 'tuple':
      return refuse()
  }
}

function readNumber(data: Uint8Array, at: number): bigint {
  return fromBytesBe(slice(data, at, WORD_BYTES))
}

function slice(data: Uint8Array, at: number, length: number): Uint8Array {
  return at + length <= data.length ? data.subarray(at, at + length) : refuse()
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

function encodeValue(type: AbiType, value: AbiValue): Uint8Array {
  switch (type.kind) {
    case 'address': {
      const bytes = value as Uint8Array
      return concatBytes(new Uint8Array(WORD_BYTES - bytes.length), bytes)
    }
    case 'bool':
      return toBytesBe(value === true ? 1n : 0n)
    case 'uint':
      return toBytesBe(value as bigint)
    case 'word':
      return paddedRight(value as Uint8Array)
    case 'bytes': {
      const bytes = value as Uint8Array
      return concatBytes(toBytesBe(BigInt(bytes.length)), paddedRight(bytes))
    }
    case 'array': {
      const values = value as readonly AbiValue[]
      const items: readonly AbiType[] = Array(values.length).fill(type.item)
      return concatBytes(toBytesBe(BigInt(values.length)), encodeAbi(items, values))
    }
    case 'tuple':
      return encodeAbi(type.items, value as readonly AbiValue[])
  }
}

function paddedRight(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(bytes.length / WORD_BYTES) * WORD_BYTES)
  out.set(bytes)
  return out
}
