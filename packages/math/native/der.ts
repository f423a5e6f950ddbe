/** The few pieces of DER in which OpenSSL takes Diffie–Hellman keys (PKCS #3, PKCS #8, RFC 5280). */

const INTEGER = 0x02
const BIT_STRING = 0x03
const OCTET_STRING = 0x04
const SEQUENCE = 0x30
/** dhKeyAgreement, 1.2.840.113549.1.3.1, tag and length included. */
const DH_KEY_AGREEMENT = Buffer.from('06092a864886f70d010301', 'hex')

/** `value` ≥ 0 in the least whole number of bytes, at least one, most significant first. */
export function magnitude(value: bigint): Buffer {
  const digits = value.toString(16)
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex')
}

export const fromMagnitude = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex')}`)

/** DER INTEGER of a magnitude; what is negative as two's complement gets a leading zero. */
export function derInteger(bytes: Buffer): Buffer {
  const isHigh = (bytes[0]! & 0x80) !== 0
  return Buffer.concat([header(INTEGER, bytes.length + Number(isHigh)), ZERO(isHigh), bytes])
}
const ZERO = (isThere: boolean): Buffer => Buffer.alloc(Number(isThere))
const VERSION_0 = derInteger(Buffer.of(0))

/** PKCS #8 of the private key `secret` over modulus and generator; those two as DER INTEGERs. */
export function dhPrivateKey(modulus: Buffer, generator: Buffer, secret: Buffer): Buffer {
  const parameters = sequence(DH_KEY_AGREEMENT, sequence(modulus, generator))
  const octets = header(OCTET_STRING, secret.length)
  return sequence(VERSION_0, parameters, octets, secret)
}

/** The public number in the SubjectPublicKeyInfo of a Diffie–Hellman key, or `undefined` where there is none. */
export function dhPublicNumber(spki: Buffer): bigint | undefined {
  const outer = contentsAt(spki, 0, SEQUENCE)
  const algorithm = outer && contentsAt(spki, outer.start, SEQUENCE)
  const bits = algorithm && contentsAt(spki, algorithm.end, BIT_STRING)
  // One byte counts the unused bits.
  const number = bits && contentsAt(spki, bits.start + 1, INTEGER)
  return number && fromMagnitude(spki.subarray(number.start, number.end))
}

function contentsAt(
  der: Buffer,
  at: number,
  tag: number,
): { readonly start: number; readonly end: number } | undefined {
  if (der[at] !== tag) return undefined
  const first = der[at + 1] ?? 0
  const extra = first < 0x80 ? 0 : first & 0x7f
  const start = at + 2 + extra
  const length = extra === 0 ? first : der.readUIntBE(at + 2, extra)
  return start + length <= der.length ? { start, end: start + length } : undefined
}

function sequence(...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([header(SEQUENCE, length), ...parts])
}

function header(tag: number, length: number): Buffer {
  if (length < 0x80) return Buffer.of(tag, length)
  const digits = magnitude(BigInt(length))
  return Buffer.concat([Buffer.of(tag, 0x80 | digits.length), digits])
}
