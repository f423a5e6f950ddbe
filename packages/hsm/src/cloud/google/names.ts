/**
 * How keys of ours are called in Google Cloud KMS: `quorate-` and the id in base32, for 63 characters must do
 * for 32 bytes. Labels there hold few characters, so a label that does not fit goes into several, in base32.
 */
import { fromHex, fromUtf8, toHex, utf8 } from '@quorate/base'
import type { KeyId } from '../../provider.ts'

const DIGITS = 'abcdefghijklmnopqrstuvwxyz234567'
const PREFIX = 'quorate-'
const LABEL = 'quorate-label'
const REQUEST = 'quorate-request'
const CHUNK = 63
const MAX_CHUNKS = 16

export type Labels = { readonly [name: string]: string }

/** Base32 (RFC 4648) in lower case, without padding. */
export function toBase32(bytes: Uint8Array): string {
  let text = ''
  let [rest, bits] = [0, 0]
  for (const byte of bytes) {
    rest = (rest << 8) | byte
    for (bits += 8; bits >= 5; bits -= 5) text += DIGITS[(rest >>> (bits - 5)) & 31]
    rest &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + DIGITS[(rest << (5 - bits)) & 31]
}

/** The bytes, or `undefined` for what `toBase32` does not write. */
export function fromBase32(text: string): Uint8Array | undefined {
  const bytes: number[] = []
  let [rest, bits] = [0, 0]
  for (const letter of text) {
    const digit = DIGITS.indexOf(letter)
    if (digit < 0) return undefined
    rest = (rest << 5) | digit
    bits += 5
    if (bits >= 8) {
      bits -= 8
      bytes.push(rest >>> bits)
      rest &= (1 << bits) - 1
    }
  }
  const found = Uint8Array.from(bytes)
  return toBase32(found) === text ? found : undefined
}

export const cryptoKeyId = (id: KeyId): string => `${PREFIX}${toBase32(fromHex(id))}`

/** The id of the key whose resource has that name; `undefined` for keys of others. */
export function keyIdOf(name: string): KeyId | undefined {
  const last = name.slice(name.lastIndexOf('/') + 1)
  const bytes = last.startsWith(PREFIX) ? fromBase32(last.slice(PREFIX.length)) : undefined
  return bytes !== undefined && bytes.length >= 1 && bytes.length <= 32
    ? (toHex(bytes) as KeyId)
    : undefined
}

export function labelsOf(label: string, request: string): Labels {
  if (/^[a-z0-9_-]{1,63}$/.test(label)) return { [LABEL]: label, [REQUEST]: request }
  const text = toBase32(utf8(label))
  const chunks = Array.from(
    { length: Math.ceil(text.length / CHUNK) },
    (_, i) => [`${LABEL}-${i}`, text.slice(i * CHUNK, (i + 1) * CHUNK)] as const,
  )
  return { ...Object.fromEntries(chunks), [REQUEST]: request }
}

/** The label, where labels of ours are there, and the request that made the key. */
export function labelIn(labels: Labels): {
  label: string | undefined
  request: string | undefined
} {
  const chunks: string[] = []
  for (let i = 0; i < MAX_CHUNKS && labels[`${LABEL}-${i}`] !== undefined; i++)
    chunks.push(labels[`${LABEL}-${i}`] ?? '')
  const long = chunks.length === 0 ? undefined : fromBase32(chunks.join(''))
  return {
    label: labels[LABEL] ?? (long === undefined ? undefined : fromUtf8(long)),
    request: labels[REQUEST],
  }
}
