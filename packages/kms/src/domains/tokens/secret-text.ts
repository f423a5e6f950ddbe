/**
 * How tokens and client secrets are written: a prefix that scanners find, 256 random bits and a
 * checksum, `qkt_` and 59 digits. What is mistyped or cut off is refused before anything is looked up.
 */
import { createHash } from 'node:crypto'
import { equalBytes, type Random, utf8 } from '@quorate/base'

/** `qkt` an access token, `qks` the secret of a client, `qkb` the bootstrap secret, `qkd` a sign-in that waits. */
export type SecretPrefix = 'qkt' | 'qks' | 'qkb' | 'qkd'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const SECRET_BYTES = 32
const CHECK_BYTES = 4
/** 52 digits for 256 bits, 7 for 32. */
const LENGTH = 59
const FORM = /^[0-9a-hjkmnp-tv-z]{59}$/

/** A fresh secret as text. */
export const mintSecret = (prefix: SecretPrefix, random: Random): string =>
  secretText(prefix, random.bytes(SECRET_BYTES))

function secretText(prefix: SecretPrefix, secret: Uint8Array): string {
  return `${prefix}_${digits(secret, 52)}${digits(checksum(prefix, secret), 7)}`
}

/** The 32 bytes of such a text, or `undefined`. Treats `text` as secret. */
export function parseSecret(prefix: SecretPrefix, text: string): Uint8Array | undefined {
  if (text.length !== prefix.length + 1 + LENGTH || !text.startsWith(`${prefix}_`)) return undefined
  const body = text.slice(prefix.length + 1)
  if (!FORM.test(body)) return undefined
  const secret = bytesOf(body.slice(0, 52), SECRET_BYTES)
  const check = bytesOf(body.slice(52), CHECK_BYTES)
  if (secret === undefined || check === undefined) return undefined
  return equalBytes(check, checksum(prefix, secret)) ? secret : undefined
}

const checksum = (prefix: SecretPrefix, secret: Uint8Array): Uint8Array =>
  new Uint8Array(
    createHash('sha256').update(utf8(prefix)).update(secret).digest().subarray(0, CHECK_BYTES),
  )

/** Five bits to a digit from the front; the last digit is filled with zeros. */
function digits(bytes: Uint8Array, length: number): string {
  let out = ''
  let word = 0
  let bits = 0
  for (let i = 0; out.length < length; ) {
    if (bits < 5) {
      word = ((word & 31) << 8) | (bytes[i++] ?? 0)
      bits += 8
    }
    bits -= 5
    out += ALPHABET[(word >> bits) & 31]!
  }
  return out
}

function bytesOf(text: string, length: number): Uint8Array | undefined {
  const out = new Uint8Array(length)
  let word = 0
  let bits = 0
  let at = 0
  for (const digit of text) {
    word = ((word & 0xff) << 5) | ALPHABET.indexOf(digit)
    bits += 5
    if (bits >= 8 && at < length) {
      bits -= 8
      out[at++] = (word >> bits) & 0xff
    }
  }
  // Filled with anything but zeros, two texts would mean the same secret.
  return (word & ((1 << bits) - 1)) === 0 ? out : undefined
}
