/** Byte strings: joining, comparing, hex and base64. Every decoder is strict. */
import { Fault } from './fault.ts'

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Whether both hold the same bytes. Takes the same time whatever the bytes are (lengths are public). */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a[i]! ^ b[i]!
  return difference === 0
}

/** Bytewise lexicographic order: negative, zero or positive. Variable-time: public inputs only. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length)
  for (let i = 0; i < shorter; i++) {
    const difference = a[i]! - b[i]!
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

const HEX = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
/** Bytes that become text at once; the arguments of more might not fit on the stack. */
const CHUNK = 2048

/**
 * Put together piece by piece, a string stays a chain of pieces until somebody reads it: a kilobyte for a hash,
 * which is too much for names that are kept.
 */
function hexOf(bytes: Uint8Array): string {
  const codes: number[] = []
  for (const byte of bytes) codes.push(HEX[byte >> 4]!, HEX[byte & 15]!)
  return String.fromCharCode(...codes)
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  if (bytes.length <= CHUNK) return hexOf(bytes)
  const parts: string[] = []
  for (let i = 0; i < bytes.length; i += CHUNK) parts.push(hexOf(bytes.subarray(i, i + CHUNK)))
  return parts.join('')
}

/** The value of one hex digit by its character code, or −1. */
function nibble(code: number): number {
  if (code >= 48 && code <= 57) return code - 48
  const letter = code | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** Bytes of lower- or upper-case hex without prefix. @throws base/malformed */
export function fromHex(hex: string): Uint8Array {
  const out = new Uint8Array(hex.length >> 1)
  let wrong = hex.length & 1
  for (let i = 0; i < out.length; i++) {
    const byte = (nibble(hex.charCodeAt(2 * i)) << 4) | nibble(hex.charCodeAt(2 * i + 1))
    wrong |= byte < 0 ? 1 : 0
    out[i] = byte
  }
  if (wrong !== 0)
    throw new Fault('base/malformed', { detail: 'expected an even number of hex digits' })
  return out
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

function encode64(bytes: Uint8Array, alphabet: string, padded: boolean): string {
  let out = ''
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i
    const word = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0)
    out += alphabet[word >> 18]! + alphabet[(word >> 12) & 63]!
    if (left > 1) out += alphabet[(word >> 6) & 63]!
    else if (padded) out += '='
    if (left > 2) out += alphabet[word & 63]!
    else if (padded) out += '='
  }
  return out
}

function decode64(text: string, alphabet: string, padded: boolean): Uint8Array {
  const refuse = (): never => {
    throw new Fault('base/malformed', { detail: 'not canonical base64' })
  }
  if (padded && text.length % 4 !== 0) refuse()
  const digits = padded ? text.replace(/={1,2}$/, '') : text
  if (digits.length % 4 === 1) refuse()
  const out = new Uint8Array(Math.floor((digits.length * 3) / 4))
  let word = 0
  let bits = 0
  let at = 0
  for (const digit of digits) {
    const value = alphabet.indexOf(digit)
    if (value < 0) refuse()
    word = ((word << 6) | value) & 0xffffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      out[at++] = (word >> bits) & 0xff
    }
  }
  // Bits past the last byte must be zero, or two texts would mean the same bytes.
  if ((word & ((1 << bits) - 1)) !== 0) refuse()
  return out
}

export const toBase64 = (bytes: Uint8Array): string => encode64(bytes, BASE64, true)
/** @throws base/malformed */
export const fromBase64 = (text: string): Uint8Array => decode64(text, BASE64, true)
export const toBase64url = (bytes: Uint8Array): string => encode64(bytes, BASE64URL, false)
/** @throws base/malformed */
export const fromBase64url = (text: string): Uint8Array => decode64(text, BASE64URL, false)
