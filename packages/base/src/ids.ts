/**
 * Ids: `<prefix>_` and a 26-character ULID (https://github.com/ulid/spec): 48 bits of time,
 * 80 of randomness, Crockford base 32 in lower case. Immutable, bound into associated data;
 * names are labels beside them and never take their place.
 */
import type { Branded } from './brand.ts'
import { Fault } from './fault.ts'
import type { Random } from './ports.ts'

export const ID_PREFIXES = [
  'wal',
  'key',
  'prj',
  'req',
  'op',
  'apr',
  'cli',
  'nod',
  'clu',
  'pol',
  'sto',
  'idn',
  'tok',
  'rol',
  'grp',
  'grt',
  'aum',
  'cse',
  'arq',
  'apk',
  'apl',
  'env',
  'fld',
  'sec',
] as const
export type IdPrefix = (typeof ID_PREFIXES)[number]
export type Id<Prefix extends IdPrefix = IdPrefix> = Branded<`${Prefix}_${string}`, 'Id'>

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const LENGTH = 26

/** A new id; ids made at different milliseconds sort by time. */
export function newId<Prefix extends IdPrefix>(
  prefix: Prefix,
  nowMs: number,
  random: Random,
): Id<Prefix> {
  return idFrom(prefix, nowMs, random.bytes(10))
}

/** The id that `entropy` (10 bytes) stands for, e.g. one derived from a hash so that all nodes agree on it. */
export function idFrom<Prefix extends IdPrefix>(
  prefix: Prefix,
  nowMs: number,
  entropy: Uint8Array,
): Id<Prefix> {
  if (entropy.length !== 10 || !Number.isSafeInteger(nowMs) || nowMs < 0 || nowMs >= 2 ** 48)
    throw new Fault('base/bad-id')
  let value = BigInt(nowMs)
  for (const byte of entropy) value = (value << 8n) | BigInt(byte)
  let digits = ''
  for (let i = 0; i < LENGTH; i++) {
    digits = ALPHABET[Number(value & 31n)]! + digits
    value >>= 5n
  }
  return `${prefix}_${digits}` as Id<Prefix>
}

/** `text` as an id of that prefix. @throws base/bad-id */
export function parseId<Prefix extends IdPrefix>(prefix: Prefix, text: string): Id<Prefix> {
  if (!isId(prefix, text)) throw new Fault('base/bad-id', { detail: `expected ${prefix}_…` })
  return text
}

export function isId<Prefix extends IdPrefix>(prefix: Prefix, text: string): text is Id<Prefix> {
  // The first digit carries only three bits: 26 digits would hold 130.
  return (
    text.length === prefix.length + 1 + LENGTH &&
    text.startsWith(`${prefix}_`) &&
    /^[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(text.slice(prefix.length + 1))
  )
}

/** A label people choose: letters, digits, `-`, `_`, `.`, 1 to 64, starting with a letter or digit. */
export const isName = (text: string): boolean => /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)
