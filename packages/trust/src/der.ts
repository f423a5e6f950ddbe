/**
 * Strict DER (ITU-T X.690, section 10): the subset that X.509 certificates of ours and of peers
 * need. The writer cannot produce anything else than DER; the reader refuses everything else:
 * indefinite or long-form-but-short lengths, high tag numbers, bytes left over.
 */
import { concatBytes, Fault, fromUtf8, utf8 } from '@quorate/base'

export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const

/** The largest element that is read or written: no certificate of a peer comes near it. */
const MAX_LENGTH = 0xffff

function refuse(detail: string): never {
  throw new Fault('trust/malformed-der', { detail })
}

/** One element: tag byte, shortest length, content. @throws trust/malformed-der over 65535 bytes */
export function der(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = concatBytes(...content)
  if (body.length > MAX_LENGTH) refuse('an element over 65535 bytes')
  const head =
    body.length < 0x80
      ? [tag, body.length]
      : body.length < 0x100
        ? [tag, 0x81, body.length]
        : [tag, 0x82, body.length >> 8, body.length & 0xff]
  return concatBytes(Uint8Array.from(head), body)
}

export const derSequence = (...items: readonly Uint8Array[]): Uint8Array =>
  der(DER.sequence, ...items)
export const derOctetString = (bytes: Uint8Array): Uint8Array => der(DER.octetString, bytes)
export const derUtf8String = (text: string): Uint8Array => der(DER.utf8String, utf8(text))
export const derTrue: Uint8Array = der(DER.boolean, Uint8Array.of(0xff))

/** A context-specific, constructed element `[number]`, 0 to 30, around whole elements. */
export const derExplicit = (number: number, ...items: readonly Uint8Array[]): Uint8Array =>
  der(0xa0 | number, ...items)

/** The non-negative integer whose big-endian bytes are given; leading zeros do not matter. */
export function derUnsigned(bigEndian: Uint8Array): Uint8Array {
  let start = 0
  while (start < bigEndian.length - 1 && bigEndian[start] === 0) start++
  const digits = bigEndian.length === 0 ? Uint8Array.of(0) : bigEndian.subarray(start)
  // A set top bit would mean a negative number.
  return digits[0]! & 0x80 ? der(DER.integer, Uint8Array.of(0), digits) : der(DER.integer, digits)
}

/** Bits in whole bytes, or with the last `unusedBits` (0 to 7) of them meaning nothing and zero. */
export function derBitString(bytes: Uint8Array, unusedBits = 0): Uint8Array {
  const last = bytes.at(-1) ?? 0
  if ((bytes.length === 0 && unusedBits > 0) || (last & ((1 << unusedBits) - 1)) !== 0)
    refuse('unused bits that are not zero')
  return der(DER.bitString, Uint8Array.of(unusedBits), bytes)
}

/** An object identifier such as `1.3.101.112`. @throws trust/malformed-der */
export function derOid(dotted: string): Uint8Array {
  if (!/^[0-2](\.(0|[1-9]\d{0,8}))+$/.test(dotted)) refuse('an object identifier in dotted form')
  const [first, second, ...rest] = dotted.split('.').map(Number) as [number, number, ...number[]]
  if (first < 2 && second > 39) refuse('an object identifier with a second part over 39')
  const out: number[] = []
  for (const part of [first * 40 + second, ...rest]) {
    const digits = [part & 0x7f]
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128))
      digits.unshift((left & 0x7f) | 0x80)
    out.push(...digits)
  }
  return der(DER.oid, Uint8Array.from(out))
}

/**
 * A time to the second, from milliseconds since the epoch: UTCTime up to 2049, then
 * GeneralizedTime (RFC 5280, section 4.1.2.5). @throws trust/malformed-der before 1950 or after 9999
 */
export function derTime(ms: number): Uint8Array {
  const { year, month, day, hour, minute, second } = civil(Math.floor(ms / 1000))
  if (!(year >= 1950 && year <= 9999)) refuse('a time between 1950 and 9999')
  const two = (value: number): string => String(value).padStart(2, '0')
  const rest = [month, day, hour, minute, second].map(two).join('')
  return year < 2050
    ? der(DER.utcTime, utf8(`${two(year % 100)}${rest}Z`))
    : der(DER.generalizedTime, utf8(`${String(year).padStart(4, '0')}${rest}Z`))
}

type Civil = Record<'year' | 'month' | 'day' | 'hour' | 'minute' | 'second', number>

/** The proleptic Gregorian date of seconds since the epoch, by days counted from 1 March 0000. */
function civil(seconds: number): Civil {
  const days = Math.floor(seconds / 86400)
  const rest = seconds - days * 86400
  const shifted = days + 719468
  const era = Math.floor(shifted / 146097)
  const dayOfEra = shifted - era * 146097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36524) -
      Math.floor(dayOfEra / 146096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
    hour: Math.floor(rest / 3600),
    minute: Math.floor((rest % 3600) / 60),
    second: rest % 60,
  }
}

export type DerElement = {
  readonly tag: number
  readonly content: Uint8Array
  /** Tag, length and content. */
  readonly raw: Uint8Array
}

/** Reads the elements of a byte string one after the other. Variable-time: public inputs only. */
export class DerReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** The tag byte of the next element, or `undefined` at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#at]
  }

  /** The next element, which must have `tag`. @throws trust/malformed-der */
  read(tag: number): DerElement {
    const start = this.#at
    if (this.#bytes[start] !== tag) refuse(`expected tag 0x${tag.toString(16)}`)
    let length = this.#bytes[start + 1] ?? refuse('ends too early')
    let at = start + 2
    if (length >= 0x80) {
      const size = length & 0x7f
      if (size !== 1 && size !== 2) refuse('an indefinite length, or one over 65535')
      length = 0
      for (let i = 0; i < size; i++)
        length = length * 256 + (this.#bytes[at++] ?? refuse('ends too early'))
      if (length < (size === 1 ? 0x80 : 0x100)) refuse('a length that is not shortest')
    }
    if (at + length > this.#bytes.length) refuse('ends too early')
    this.#at = at + length
    return {
      tag,
      content: this.#bytes.subarray(at, this.#at),
      raw: this.#bytes.subarray(start, this.#at),
    }
  }

  /** A reader of what the next element, which must have `tag`, contains. */
  enter(tag: number): DerReader {
    return new DerReader(this.read(tag).content)
  }

  /** The bytes of a bit string without unused bits. */
  bitString(): Uint8Array {
    const { content } = this.read(DER.bitString)
    if (content[0] !== 0) refuse('a bit string in whole bytes')
    return content.subarray(1)
  }

  /** The text of a UTF8String. */
  utf8String(): string {
    return fromUtf8(this.read(DER.utf8String).content) ?? refuse('text that is UTF-8')
  }

  /** @throws trust/malformed-der where something is left */
  end(): void {
    if (!this.isAtEnd) refuse('bytes after the end')
  }
}
