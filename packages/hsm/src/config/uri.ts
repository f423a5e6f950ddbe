/**
 * Addresses of devices: `pkcs11:…` (RFC 7512), those of services in `cloud-uri.ts`, and for those in files
 * `simulated:DIR` and `software:DIR?key-file=PATH`, and for a Zymbit `zymbit:DIR`, all percent-encoded where a path holds `%` or `?`.
 */
import { Fault } from '@quorate/base'
import { type Pkcs11Uri, parsePkcs11Uri } from '../pkcs11/uri.ts'
import { cloudValues } from './cloud-uri.ts'
import { isCloud, isVendor, VENDORS, type Vendor } from './model.ts'
import type { HsmValues } from './settings.ts'

export type UriValues = { readonly [K in keyof HsmValues]?: HsmValues[K] } & {
  /** From `pin-source`. */
  readonly pinFile?: string
}

/** What the URI says. @throws hsm/bad-uri, hsm/pin-in-uri, hsm/bad-config */
export function parseHsmUri(uri: string): UriValues {
  if (uri.startsWith('pkcs11:')) return pkcs11Values(uri)
  const [cloud = ''] = uri.split(':', 1)
  if (isCloud(cloud)) return cloudValues(cloud, uri.slice(cloud.length + 1))
  if (uri.startsWith('zymbit:')) return zymbitValues(uri.slice('zymbit:'.length))
  const [, scheme, path = '', query = ''] =
    /^(simulated|software):([^?]+)(?:\?(.*))?$/s.exec(uri) ?? []
  if (scheme === undefined)
    throw new Fault('hsm/bad-uri', {
      detail:
        'it begins with pkcs11:, aws-kms:, azure-hsm:, google-hsm:, zymbit:, software: or simulated:',
    })
  const [, keyFile] = /^key-file=([^&]+)$/.exec(query) ?? []
  if (query !== '' && (keyFile === undefined || scheme === 'simulated'))
    throw new Fault('hsm/bad-uri', {
      detail: 'after ? only key-file=PATH of a software: URI is known',
    })
  return {
    type: scheme === 'software' ? 'software' : 'simulated',
    directory: decoded(path),
    ...(keyFile !== undefined && { keyFile: decoded(keyFile) }),
  }
}

/** `zymbit:DIR?library=PATH&serial=NUMBER`: the directory of its labels, and where it is not the usual one the library. */
function zymbitValues(address: string): UriValues {
  const [path = '', query, ...rest] = address.split('?')
  const named = (query === undefined ? [] : query.split('&')).map((each) => each.split('='))
  const values = new Map(named.map(([name = '', value = '']) => [name, value]))
  const isSound =
    path !== '' &&
    rest.length === 0 &&
    values.size === named.length &&
    named.every(
      ([name = '', value = '', ...more]) =>
        ['library', 'serial'].includes(name) && value !== '' && more.length === 0,
    )
  if (!isSound)
    throw new Fault('hsm/bad-uri', {
      detail: 'a Zymbit is zymbit:DIRECTORY, then ?library=PATH and serial=NUMBER where needed',
    })
  const [library, serial] = [values.get('library'), values.get('serial')]
  return {
    type: 'zymbit',
    directory: decoded(path),
    ...(library !== undefined && { library: decoded(library) }),
    ...(serial !== undefined && { serial: decoded(serial) }),
  }
}

function decoded(text: string): string {
  try {
    const path = decodeURIComponent(text)
    if (!path.includes('\0')) return path
  } catch {
    // Said below.
  }
  throw new Fault('hsm/bad-uri', { detail: 'a path is not percent-encoded as it should be' })
}

/** Attributes that select nothing here. To leave them out would be to take another token than was meant. */
const UNUSED = [
  'manufacturer',
  'model',
  'libraryManufacturer',
  'libraryDescription',
  'libraryVersion',
  'slotManufacturer',
  'slotDescription',
  'id',
  'type',
  'moduleName',
] as const

/** `object` is the label of the key that seals; `x-vendor` of the query is the type. */
function pkcs11Values(uri: string): UriValues {
  const parsed = parsePkcs11Uri(uri)
  if (UNUSED.some((name) => parsed[name] !== undefined) || parsed.vendorPath !== undefined)
    throw new Fault('hsm/bad-uri', {
      detail:
        'what is known is token, serial, slot-id, object, module-path, pin-source and x-vendor',
    })
  const { token, serial, slotId: slot, object: keyLabel, modulePath: library, pinSource } = parsed
  const pinFile = pinSource === undefined ? undefined : fileOf(pinSource)
  const given = { token, serial, slot, keyLabel, library, pinFile }
  return {
    type: vendorIn(parsed.vendorQuery ?? []) ?? 'pkcs11',
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  }
}

function vendorIn(query: NonNullable<Pkcs11Uri['vendorQuery']>): Vendor | undefined {
  const [first, ...others] = query
  if (first === undefined) return undefined
  if (first.name === 'x-vendor' && others.length === 0 && isVendor(first.value)) return first.value
  throw new Fault('hsm/bad-uri', {
    detail: `x-vendor is one of ${VENDORS.join(', ')}, and other x- attributes are unknown`,
  })
}

/** RFC 7512 also knows pipes; a program that a URI can start is more than an address. */
function fileOf(pinSource: string): string {
  const path = pinSource.replace(/^file:(\/\/)?(?=\/)/, '')
  if (path.startsWith('/')) return path
  throw new Fault('hsm/bad-uri', { detail: 'pin-source is the absolute path of a file' })
}
