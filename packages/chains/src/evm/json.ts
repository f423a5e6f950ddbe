/**
 * JSON in the one spelling that this program writes, so that a document has one meaning and one form:
 * no spaces, keys in their documented order and once, numbers as decimal text, bytes in lower-case
 * hex, addresses with their checksum.
 */
import { Fault, fromHex, fromUtf8, toHex, utf8 } from '@quorate/base'
import { decodeAddress, formatAddress } from './address.ts'
import { refuse } from './fields.ts'

/** More than any wallet shows. */
export const MAX_JSON_BYTES: number = 64 * 1024

export type JsonObject = { readonly [key: string]: unknown }

/** @throws chains/malformed-transaction, chains/transaction-too-large */
export function parseJson(bytes: Uint8Array): unknown {
  if (bytes.length > MAX_JSON_BYTES)
    refuse(`${bytes.length} bytes, at most ${MAX_JSON_BYTES}`, 'chains/transaction-too-large')
  const text = fromUtf8(bytes)
  if (text === undefined) return refuse('text that is not UTF-8')
  try {
    return JSON.parse(text) as unknown
  } catch {
    return refuse('not JSON')
  }
}

/** `bytes`, where they are `text`. @throws chains/not-canonical */
export function sameText(bytes: Uint8Array, text: string): void {
  if (fromUtf8(bytes) !== text)
    throw new Fault('chains/not-canonical', {
      detail: 'JSON with spaces, other keys, or values in another spelling',
    })
}

/** @throws chains/malformed-transaction where it is no object, or has keys that are not `allowed` */
export function objectOf(json: unknown, allowed: readonly string[], what: string): JsonObject {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return refuse(`${what} is no object`)
  if (Object.keys(json).some((key) => !allowed.includes(key)))
    refuse(`${what} has a key that does not belong there`)
  return json as JsonObject
}

/** The own property, or `undefined`. */
export const propertyOf = (object: JsonObject, key: string): unknown =>
  Object.hasOwn(object, key) ? object[key] : undefined

/** A text that UTF-8 can hold. @throws chains/malformed-transaction */
export function textOf(json: unknown, what: string): string {
  if (typeof json !== 'string') return refuse(`${what} is no text`)
  return fromUtf8(utf8(json)) === json ? json : refuse(`${what} has half a character`)
}

/** Of `0x` and an even number of digits, in any case. @throws chains/malformed-transaction */
export function bytesOf(json: unknown, what: string): Uint8Array {
  if (typeof json !== 'string' || !/^0x([0-9a-fA-F]{2})*$/.test(json))
    return refuse(`${what} is not 0x and hexadecimal digits`)
  return fromHex(json.slice(2).toLowerCase())
}

/** @throws chains/bad-address, chains/malformed-transaction */
export const addressOfJson = (json: unknown, what: string): Uint8Array =>
  typeof json === 'string' ? decodeAddress(json) : refuse(`${what} is no address`)

/** From decimal or 0x text, a bigint, or a number that is exact. @throws chains/malformed-transaction */
export function integerOf(json: unknown, what: string): bigint {
  if (typeof json === 'bigint') return json
  if (typeof json === 'number' && Number.isSafeInteger(json)) return BigInt(json)
  if (typeof json === 'string' && /^(-?[0-9]{1,78}|0x[0-9a-fA-F]{1,64})$/.test(json))
    return BigInt(json)
  return refuse(`${what} is no whole number in text`)
}

export const quoteBytes = (bytes: Uint8Array): string => `"0x${toHex(bytes)}"`
export const quoteAddress = (address: Uint8Array): string => `"${formatAddress(address)}"`
