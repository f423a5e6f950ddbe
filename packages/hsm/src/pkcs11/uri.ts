/**
 * PKCS#11 URIs (RFC 7512): where a token or an object is, in text.
 *
 *   pkcs11:token=main;object=node?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/pin
 *
 * `pin-value` is refused: URIs stand in logs, histories and process lists. For the same reason no
 * message repeats anything of the URI that it refuses.
 */
import { Fault, fromUtf8, utf8 } from '@quorate/base'

const PATH = {
  token: 'token',
  manufacturer: 'manufacturer',
  serial: 'serial',
  model: 'model',
  libraryManufacturer: 'library-manufacturer',
  libraryDescription: 'library-description',
  libraryVersion: 'library-version',
  slotManufacturer: 'slot-manufacturer',
  slotDescription: 'slot-description',
  slotId: 'slot-id',
  object: 'object',
  type: 'type',
  id: 'id',
} as const
const QUERY = {
  modulePath: 'module-path',
  moduleName: 'module-name',
  pinSource: 'pin-source',
} as const

const TYPES = ['public', 'private', 'cert', 'secret-key', 'data'] as const
export type ObjectType = (typeof TYPES)[number]

type TextField = Exclude<keyof typeof PATH | keyof typeof QUERY, 'id' | 'type'>

/** Attributes of other vendors stand in the order of the URI; whoever uses them must know them. */
export type Pkcs11Uri = { readonly [F in TextField]?: string } & {
  readonly type?: ObjectType
  /** CKA_ID. */
  readonly id?: Uint8Array
  readonly vendorPath?: readonly VendorAttribute[]
  readonly vendorQuery?: readonly VendorAttribute[]
}
export type VendorAttribute = { readonly name: string; readonly value: string }

/** What may stand for itself in path and query (RFC 7512, §2.3); all else is percent-encoded. */
const PATH_CHARACTER = /^[A-Za-z0-9._~:[\]@!$'()*+,=&-]$/
const QUERY_CHARACTER = /^[A-Za-z0-9._~:[\]@!$'()*+,=/?|-]$/
const VENDOR_NAME = /^[A-Za-z0-9_-]+$/
const MAX_LENGTH = 4096

function refuse(detail: string): never {
  throw new Fault('hsm/bad-uri', { detail })
}

/** @throws hsm/bad-uri, hsm/pin-in-uri */
export function parsePkcs11Uri(uri: string): Pkcs11Uri {
  if (uri.length > MAX_LENGTH) refuse(`longer than ${MAX_LENGTH} characters`)
  if (!/^pkcs11:/i.test(uri)) refuse('it does not begin with pkcs11:')
  const rest = uri.slice('pkcs11:'.length)
  const at = rest.indexOf('?')
  const path = at < 0 ? rest : rest.slice(0, at)
  const query = at < 0 ? '' : rest.slice(at + 1)
  const fields: { [field: string]: unknown } = {}
  const vendorPath = collect(path, ';', PATH_CHARACTER, PATH, fields)
  const vendorQuery = collect(query, '&', QUERY_CHARACTER, QUERY, fields)
  if (vendorPath.length > 0) fields['vendorPath'] = vendorPath
  if (vendorQuery.length > 0) fields['vendorQuery'] = vendorQuery
  return fields as Pkcs11Uri
}

/** Puts the attributes that `known` names into `fields`, and gives the others. */
function collect(
  part: string,
  separator: string,
  character: RegExp,
  known: { readonly [field: string]: string },
  fields: { [field: string]: unknown },
): readonly VendorAttribute[] {
  if (part === '') return []
  const vendor: VendorAttribute[] = []
  for (const attribute of part.split(separator)) {
    const equals = attribute.indexOf('=')
    if (equals < 1) refuse('an attribute is written name=value')
    const name = attribute.slice(0, equals)
    if (name === 'pin-value') throw new Fault('hsm/pin-in-uri')
    const bytes = percentDecoded(attribute.slice(equals + 1), character)
    const field = Object.keys(known).find((each) => known[each] === name)
    if (field === undefined) {
      if (!VENDOR_NAME.test(name)) refuse('the name of an attribute has other characters')
      if (character === PATH_CHARACTER && vendor.some((each) => each.name === name)) refuse(TWICE)
      vendor.push({ name, value: textOf(bytes) })
      continue
    }
    if (Object.hasOwn(fields, field)) refuse(TWICE)
    fields[field] = field === 'id' ? bytes : checked(field, textOf(bytes))
  }
  return vendor
}

const TWICE = 'an attribute stands there twice'

function checked(field: string, value: string): string {
  if (field === 'type' && !TYPES.some((type) => type === value))
    refuse(`type is one of ${TYPES.join(', ')}`)
  if (field === 'slotId' && !/^\d{1,20}$/.test(value)) refuse('slot-id is a decimal number')
  if (field === 'libraryVersion' && !/^\d+(\.\d+)?$/.test(value))
    refuse('library-version is a number, or two with a point between')
  if (field === 'modulePath' && !value.startsWith('/')) refuse('module-path is an absolute path')
  if (field === 'moduleName' && !/^[^/\0]+$/.test(value)) refuse('module-name is no path')
  return value
}

function percentDecoded(value: string, character: RegExp): Uint8Array {
  const bytes: number[] = []
  for (let i = 0; i < value.length; i++) {
    const [, hex] = /^%([0-9A-Fa-f]{2})/.exec(value.slice(i, i + 3)) ?? []
    if (hex !== undefined) {
      bytes.push(Number.parseInt(hex, 16))
      i += 2
    } else if (character.test(value.charAt(i))) bytes.push(value.charCodeAt(i))
    else refuse('a character that must be percent-encoded')
  }
  return Uint8Array.from(bytes)
}

const textOf = (bytes: Uint8Array): string => fromUtf8(bytes) ?? refuse('a value is not UTF-8')

/** The URI in its one normal form. @throws hsm/bad-uri for values that no URI can hold */
export function formatPkcs11Uri(uri: Pkcs11Uri): string {
  const path = [
    ...known(uri, PATH, PATH_CHARACTER),
    ...vendorOf(uri.vendorPath, PATH_CHARACTER),
  ].join(';')
  const query = [
    ...known(uri, QUERY, QUERY_CHARACTER),
    ...vendorOf(uri.vendorQuery, QUERY_CHARACTER),
  ].join('&')
  const text = `pkcs11:${path}${query === '' ? '' : `?${query}`}`
  parsePkcs11Uri(text)
  return text
}

const known = (
  uri: Pkcs11Uri,
  names: { readonly [field: string]: string },
  character: RegExp,
): readonly string[] =>
  Object.entries(names).flatMap(([field, name]) => {
    const value = uri[field as keyof Pkcs11Uri]
    if (value instanceof Uint8Array) return `${name}=${percentEncoded(value, /^$/)}`
    return typeof value === 'string' ? `${name}=${percentEncoded(utf8(value), character)}` : []
  })

const vendorOf = (
  attributes: readonly VendorAttribute[] = [],
  character: RegExp,
): readonly string[] =>
  attributes.map(({ name, value }) => `${name}=${percentEncoded(utf8(value), character)}`)

function percentEncoded(bytes: Uint8Array, character: RegExp): string {
  return Array.from(bytes, (byte) => {
    const letter = String.fromCharCode(byte)
    // A reader that splits before it decodes takes these for separators.
    if (character.test(letter) && !'=&?'.includes(letter)) return letter
    return `%${byte.toString(16).padStart(2, '0').toUpperCase()}`
  }).join('')
}
