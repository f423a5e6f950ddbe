/** Small codecs that all signed formats share: ids, hashes, names, times, versions. */
import {
  bytes,
  type Codec,
  Fault,
  type Id,
  type IdPrefix,
  int,
  isName,
  mapped,
  parseId,
  text,
} from '@quorate/base'

/** Key of `v` in every versioned record. */
export const VERSION_KEY = 0

/**
 * `codec` behind a look at the version: a record of a later version may have keys that we do not
 * know, and must be refused as "newer", not as malformed.
 */
export function versioned<T>(current: number, codec: Codec<T>): Codec<T> {
  return {
    toCbor: (value) => codec.toCbor(value),
    fromCbor(cbor, path) {
      const version: unknown = cbor instanceof Map ? cbor.get(VERSION_KEY) : undefined
      if (typeof version === 'number' && version > current) throw new Fault('base/unknown-version')
      return codec.fromCbor(cbor, path)
    },
  }
}

/** An id of that prefix, checked both ways. */
export const id = <Prefix extends IdPrefix>(prefix: Prefix): Codec<Id<Prefix>> =>
  mapped(
    text(40),
    (value) => parseId(prefix, value),
    (value) => parseId(prefix, value),
  )

export const hash32: Codec<Uint8Array> = bytes(32)
export const signature64: Codec<Uint8Array> = bytes(64)

/** Milliseconds since the Unix epoch. */
export const timeMs: Codec<number> = int(0, 8_640_000_000_000_000)

/** A network as people write it: `bitcoin-testnet4`. */
export const slug: Codec<string> = text(64, /^[a-z0-9]+(-[a-z0-9]+)*$/)

function checkName(value: string): string {
  if (!isName(value))
    throw new Fault('base/malformed', {
      detail:
        'a name has 1 to 64 letters, digits, ".", "_" or "-", and starts with a letter or digit',
    })
  return value
}

/** A label people choose. */
export const name: Codec<string> = mapped(text(64), checkName, checkName)

export const generation: Codec<number> = int(0, 0xffffffff)
