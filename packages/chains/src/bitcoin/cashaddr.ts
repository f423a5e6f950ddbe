/**
 * The addresses of Bitcoin Cash (https://github.com/bitcoincashorg/bitcoincash.org, spec/cashaddr.md):
 * prefix, colon, then in base 32 a version byte, the hash, and a checksum of 40 bits over all of it.
 */
import { concatBytes } from '@quorate/base'
import { bech32 } from '@scure/base'

const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const CHECKSUM_LENGTH = 8
const GENERATORS = [
  0x98f2bc8e61n,
  0x79b76d99e2n,
  0xf33e5fb3c4n,
  0xae2eabe2a8n,
  0x1e4f43e470n,
] as const
/** The lengths in bytes that the low three bits of the version byte stand for. */
const LENGTHS = [20, 24, 28, 32, 40, 48, 56, 64] as const

/** The longest hash, its version and its checksum. */
const MAX_SYMBOLS = 112

export type CashPayload = {
  /** 0 for the hash of a key, 1 for that of a script. */
  readonly type: number
  readonly hash: Uint8Array
}

/** The address in lower case, with its prefix. */
export function encodeCashaddr(prefix: string, { type, hash }: CashPayload): string {
  const version = (type << 3) | LENGTHS.indexOf(hash.length as (typeof LENGTHS)[number])
  const payload = bech32.toWords(concatBytes(Uint8Array.of(version), hash))
  const sum = checksum(prefix, [...payload, ...Array.from({ length: CHECKSUM_LENGTH }, () => 0)])
  const symbols = [
    ...payload,
    ...Array.from({ length: CHECKSUM_LENGTH }, (_, i) =>
      Number((sum >> BigInt(5 * (7 - i))) & 31n),
    ),
  ]
  return `${prefix}:${symbols.map((symbol) => ALPHABET[symbol]).join('')}`
}

/**
 * What `text` holds; `undefined` if it is no address with that prefix. The prefix may be left out: the
 * checksum covers it all the same. Upper case is read too, mixed case is not.
 */
export function decodeCashaddr(prefix: string, text: string): CashPayload | undefined {
  if (text.length > prefix.length + 1 + MAX_SYMBOLS) return undefined
  if (text !== text.toLowerCase() && text !== text.toUpperCase()) return undefined
  const lower = text.toLowerCase()
  const body = lower.startsWith(`${prefix}:`) ? lower.slice(prefix.length + 1) : lower
  const symbols = Array.from(body, (letter) => ALPHABET.indexOf(letter))
  if (symbols.length <= CHECKSUM_LENGTH || symbols.includes(-1)) return undefined
  if (checksum(prefix, symbols) !== 0n) return undefined
  return payloadOf(symbols.slice(0, -CHECKSUM_LENGTH))
}

function payloadOf(symbols: number[]): CashPayload | undefined {
  let bytes: Uint8Array
  try {
    bytes = bech32.fromWords(symbols)
  } catch {
    // The bits that fill the last symbol up are not zero.
    return undefined
  }
  const version = bytes[0]!
  const hash = bytes.slice(1)
  const payload = { type: version >> 3, hash }
  // The highest bit of the version byte is reserved.
  return version < 0x80 && hash.length === LENGTHS[version & 7] ? payload : undefined
}

/** Zero over an address with its checksum; with zeros in the place of the checksum, the checksum. */
function checksum(prefix: string, symbols: readonly number[]): bigint {
  let sum = 1n
  for (const value of [
    ...Array.from(prefix, (letter) => letter.charCodeAt(0) & 31),
    0,
    ...symbols,
  ]) {
    const top = sum >> 35n
    sum = ((sum & 0x07ffffffffn) << 5n) ^ BigInt(value)
    GENERATORS.forEach((generator, i) => {
      if (((top >> BigInt(i)) & 1n) === 1n) sum ^= generator
    })
  }
  return sum ^ 1n
}
