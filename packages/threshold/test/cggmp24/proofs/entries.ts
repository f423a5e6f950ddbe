/** Alterations of proofs whose fields are lists, one entry for each repetition. */
import assert from 'node:assert/strict'
import { getDiffieHellman } from 'node:crypto'
import { type Codec, decode, encode, isFault } from '@quorate/base'
import { type Element, secp256k1 } from '@quorate/math'
import type { Level } from '#src/cggmp24/level.js'

/** Every proof that differs from `good` in one field: in one entry, or in how many there are. */
export function* entryAlterations<T extends object>(
  good: T,
): Generator<readonly [what: string, altered: T]> {
  for (const [name, value] of Object.entries(good) as [keyof T & string, unknown][]) {
    if (!Array.isArray(value)) {
      for (const [how, altered] of slightly(value))
        yield [`${name} ${how}`, { ...good, [name]: altered }]
      continue
    }
    const list = value as readonly unknown[]
    for (const k of [0, list.length - 1])
      for (const [how, altered] of slightly(list[k]))
        yield [`${name}[${k}] ${how}`, { ...good, [name]: list.with(k, altered) }]
    yield [`no ${name}`, { ...good, [name]: [] }]
    yield [`${name} shortened`, { ...good, [name]: list.slice(1) }]
    yield [`${name} lengthened`, { ...good, [name]: [...list, list[0]] }]
  }
}

function* slightly(value: unknown): Generator<readonly [how: string, altered: unknown]> {
  if (typeof value === 'boolean') yield ['flipped', !value]
  else if (typeof value === 'bigint') {
    yield ['+ 1', value + 1n]
    yield ['as 0', 0n]
    yield ['as −1', -1n]
    yield ['as a giant', 1n << 7000n]
  } else {
    yield ['+ G', secp256k1.add(value as Element, secp256k1.generator)]
    yield ['as identity', secp256k1.identity]
  }
}

/**
 * Asserts that neither side of the codec takes lists of another length: a proof of `repeat` entries
 * is encoded as for a level that has as many, and must not be read at `level`.
 */
export function assertLengthsAreFixed<T extends object>(
  codecOf: (level: Level) => Codec<T>,
  level: Level,
  proof: T,
): void {
  for (const repetitions of [0, level.repetitions - 1, level.repetitions + 1]) {
    const other = Object.fromEntries(
      Object.entries(proof).map(([name, value]) => [
        name,
        Array.isArray(value)
          ? Array.from({ length: repetitions }, (_, k) => value[k] ?? value[0])
          : value,
      ]),
    ) as T
    const encoded = encode(codecOf({ ...level, repetitions }), other)
    assert.throws(
      () => decode(codecOf(level), encoded, { maxBytes: encoded.length }),
      (error) => isFault(error, 'base/malformed'),
      `${repetitions} entries`,
    )
    assert.throws(
      () => encode(codecOf(level), other),
      (error) => isFault(error, 'base/malformed'),
      `${repetitions} entries`,
    )
  }
}

/** A prime of as many bits as a modulus has, 3 modulo 4: groups 14 and 15 of RFC 3526. */
export const primeAsLongAsModulus = ({ maxModulusBits }: Level): bigint =>
  BigInt(`0x${getDiffieHellman(maxModulusBits === 2048 ? 'modp14' : 'modp15').getPrime('hex')}`)

/** The list with `n` added to the first entry that has room for it in `bits` bits. */
export function withNonCanonical(
  list: readonly bigint[],
  n: bigint,
  bits: number,
): readonly bigint[] {
  const k = list.findIndex((value) => (value + n) >> BigInt(bits) === 0n)
  assert.notEqual(k, -1)
  return list.with(k, list[k]! + n)
}
