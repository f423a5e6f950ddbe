/**
 * The container of a PSBT: maps of fields, one for the whole, then one for each input and output.
 * Everything keeps the place that it came in, so that what is written again is what was read.
 */
import { compareBytes, concatBytes, equalBytes, Fault, toHex, utf8 } from '@quorate/base'
import { ByteReader } from '../encoding/reader.ts'
import { compactSize, sized } from './encode.ts'
import type { Field, Fields } from './psbt-fields.ts'

/** One field: its type and what follows the type in its key, and its value. */
export type Entry = {
  readonly type: number
  readonly key: Uint8Array
  readonly value: Uint8Array
}
export type PsbtMap = readonly Entry[]

/** As much as an intent carries. */
const MAX_PSBT_BYTES = 1 << 20
/** In all maps together: room for every field of the most inputs and outputs. */
const MAX_ENTRIES = 8192
const MAGIC = concatBytes(utf8('psbt'), Uint8Array.of(0xff))
const BASE64_MAGIC = utf8('cHNidP')

const startsWith = (bytes: Uint8Array, start: Uint8Array): boolean =>
  equalBytes(bytes.subarray(0, start.length), start)

export const isPsbt = (bytes: Uint8Array): boolean => startsWith(bytes, MAGIC)

/**
 * All maps of `psbt`, at most `maxMaps` of them.
 * @throws chains/transaction-too-large, chains/malformed-transaction
 */
export function readMaps(psbt: Uint8Array, maxMaps: number): readonly PsbtMap[] {
  const tooLarge = (detail: string): never => {
    throw new Fault('chains/transaction-too-large', { detail })
  }
  const malformed = (detail: string): never => {
    throw new Fault('chains/malformed-transaction', { detail })
  }
  if (psbt.length > MAX_PSBT_BYTES) tooLarge(`${psbt.length} bytes, at most ${MAX_PSBT_BYTES}`)
  if (startsWith(psbt, BASE64_MAGIC)) malformed('a PSBT in base64 text: decode it first')
  if (!isPsbt(psbt)) malformed('not a PSBT')
  const reader = new ByteReader(psbt)
  reader.skip(MAGIC.length)
  const maps: PsbtMap[] = []
  for (let entries = 0; !reader.isAtEnd; ) {
    const map: Entry[] = []
    const keys = new Set<string>()
    for (let length = reader.compactSize(); length > 0; length = reader.compactSize()) {
      const key = reader.bytes(length)
      const name = toHex(key)
      if (keys.has(name)) malformed('a field that is there twice')
      keys.add(name)
      const keyReader = new ByteReader(key)
      map.push({
        type: keyReader.compactSize(),
        key: keyReader.rest(),
        value: reader.bytes(reader.compactSize()),
      })
      if (++entries > MAX_ENTRIES) tooLarge(`over ${MAX_ENTRIES} fields`)
    }
    maps.push(map)
    if (maps.length > maxMaps) tooLarge('too many inputs and outputs')
  }
  return maps
}

export const writeMaps = (maps: readonly PsbtMap[]): Uint8Array =>
  concatBytes(
    MAGIC,
    ...maps.flatMap((map) => [
      ...map.flatMap(({ type, key, value }) => [
        sized(concatBytes(compactSize(type), key)),
        sized(value),
      ]),
      Uint8Array.of(0),
    ]),
  )

/** The value of a field that has no key. */
export const valueIn = (map: PsbtMap, { type }: Field): Uint8Array | undefined =>
  map.find((entry) => entry.type === type)?.value

/** All fields of that type. */
export const entriesIn = (map: PsbtMap, { type }: Field): PsbtMap =>
  map.filter((entry) => entry.type === type)

export const entryOf = ({ type }: Field, value: Uint8Array, key?: Uint8Array): Entry => ({
  type,
  key: key ?? new Uint8Array(0),
  value,
})

/** `map` with `added`, in order of types where it was in order; a field that it has is replaced. */
export const withEntries = (map: PsbtMap, added: PsbtMap): PsbtMap =>
  added.reduce<PsbtMap>((before, entry) => {
    const same = before.findIndex((each) => order(each, entry) === 0)
    if (same >= 0) return before.with(same, entry)
    const next = before.findIndex((each) => order(each, entry) > 0)
    return before.toSpliced(next < 0 ? before.length : next, 0, entry)
  }, map)

const order = (a: Entry, b: Entry): number => a.type - b.type || compareBytes(a.key, b.key)

/**
 * Refuses a map that lacks a field of `fields`, or has one that breaks its form or the version.
 * @throws chains/malformed-transaction
 */
export function checkMap(map: PsbtMap, fields: Fields, version: 0 | 2, where: string): void {
  for (const [name, { type, hasKey, hasValue, versions, required }] of Object.entries(fields)) {
    const found = map.filter((entry) => entry.type === type)
    const isSound =
      (found.length > 0 || required !== version) &&
      (found.length === 0 || versions.includes(version)) &&
      found.every(({ key, value }) => hasKey(key) && hasValue(value))
    if (!isSound)
      throw new Fault('chains/malformed-transaction', {
        detail: `${where}: ${name} breaks BIP-174, BIP-370 or BIP-371`,
      })
  }
}
