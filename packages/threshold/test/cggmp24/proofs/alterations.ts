/** Statements and proofs that differ from good ones in one field, and the setups of the proof tests. */
import assert from 'node:assert/strict'
import { type Codec, decode, encode, isFault } from '@quorate/base'
import { type Element, EncryptionBatch, PaillierKey, RingPedersen, secp256k1 } from '@quorate/math'
import { LEVELS, type Level } from '#src/cggmp24/level.js'
import type { Batches, DirectedSetup } from '#src/cggmp24/proofs/setup.js'
import { partyId } from '#src/session/party.js'
import { testKeys } from '#src/testing/index.js'

export const L128 = LEVELS['CGGMP24-secp256k1-SHA256-128-v1']
export const TESTED = LEVELS['CGGMP24-secp256k1-SHA256-112-v1']
export const Q = secp256k1.order
export const HALF = (Q - 1n) / 2n

export const setupOf = (level: Level): DirectedSetup => ({
  level,
  context: new Uint8Array(32).fill(7),
  prover: partyId(1),
  verifier: partyId(2),
})

/** The keys of a party, 1 to 5, as it has them itself. */
export const secretsOf = (party: number, level: Level) => testKeys(partyId(party), level)

/** The same keys as others have them. */
export const publicsOf = (party: number, level: Level) => {
  const { paillier, ringPedersen } = secretsOf(party, level)
  return { paillier: publicKey(paillier), ringPedersen: publicParameters(ringPedersen) }
}
const publicKey = ({ n }: PaillierKey): PaillierKey => PaillierKey.of(n)
const publicParameters = ({ n, s, t }: RingPedersen): RingPedersen =>
  new RingPedersen(PaillierKey.of(n).modulus, s, t)

/** The statement with all keys as others have them. */
export const publicly = <T extends object>(statement: T): T =>
  mapFields(statement, (value) => {
    if (value instanceof PaillierKey) return publicKey(value)
    return value instanceof RingPedersen ? publicParameters(value) : value
  })

const mapFields = <T extends object>(record: T, change: (value: unknown) => unknown): T =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)])) as T

/** Every record that differs from `good` in one field: altered by the least, or as `other` has it. */
export function* alterations<T extends object>(
  good: T,
  other: T,
): Generator<readonly [what: string, altered: T]> {
  for (const [name, value] of Object.entries(good) as [keyof T & string, unknown][]) {
    for (const [how, altered] of slightly(value))
      yield [`${name} ${how}`, { ...good, [name]: altered } as T]
    if (!isSame(value, other[name])) yield [`another ${name}`, { ...good, [name]: other[name] }]
  }
}

function* slightly(value: unknown): Generator<readonly [how: string, altered: unknown]> {
  if (typeof value === 'bigint') {
    yield ['+ 1', value + 1n]
    yield ['negated', -value]
  } else if (typeof value === 'number') yield ['flipped', 1 - value]
  else if (value instanceof Uint8Array) yield ['with a bit flipped', flipped(value)]
  else if (value instanceof RingPedersen) {
    yield ['with s + 1', new RingPedersen(value.modulus, value.s + 1n, value.t)]
    yield ['with t + 1', new RingPedersen(value.modulus, value.s, value.t + 1n)]
    yield ['with s and t exchanged', new RingPedersen(value.modulus, value.t, value.s)]
  } else if (value instanceof PaillierKey) yield ['with N + 2', PaillierKey.of(value.n + 2n)]
  else {
    yield ['+ G', secp256k1.add(value as Element, secp256k1.generator)]
    yield ['negated', secp256k1.negate(value as Element)]
    yield ['as identity', secp256k1.identity]
  }
}

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === 'bigint' || typeof a === 'number') return a === b
  if (a instanceof PaillierKey || a instanceof RingPedersen)
    return a.n === (b as { readonly n: bigint }).n
  if (a instanceof Uint8Array) return false
  return secp256k1.equals(a as Element, b as Element)
}

export function flipped(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  copy[0]! ^= 1
  return copy
}

/** Setups in which a proof made for `setup` must not verify. */
export function* otherSetups(setup: DirectedSetup): Generator<readonly [string, DirectedSetup]> {
  yield ['another prover', { ...setup, prover: partyId(3) }]
  yield ['another verifier', { ...setup, verifier: partyId(3) }]
  yield [
    'prover and verifier exchanged',
    { ...setup, prover: setup.verifier, verifier: setup.prover },
  ]
  yield ['another context', { ...setup, context: flipped(setup.context) }]
}

/** Numbers that are no canonical unit modulo `n`, which p divides. */
export const nonUnits = (n: bigint, p: bigint): readonly bigint[] => [
  0n,
  n,
  n * n,
  n + 1n,
  p,
  p * 7n,
  -p,
  -1n,
]

/** A key with the modulus of `key` under which every ciphertext is 0. */
export const zeroKey = ({ n }: PaillierKey): PaillierKey => {
  class ZeroKey extends PaillierKey {
    override encrypt(): bigint {
      return 0n
    }
  }
  const { modulus, square } = PaillierKey.of(n)
  return new ZeroKey(modulus, square)
}

/** The key, but its ciphertexts are too large by N². */
export const looseKey = ({ n }: PaillierKey): PaillierKey => {
  class LooseKey extends PaillierKey {
    override encrypt(message: bigint, nonce: bigint): bigint {
      return super.encrypt(message, nonce) + this.square.n
    }
    override add(a: bigint, b: bigint): bigint {
      return super.add(a, b) + this.square.n
    }
  }
  const { modulus, square } = PaillierKey.of(n)
  return new LooseKey(modulus, square)
}

/** The parameters, but the commitment of that number, counted from 0, is too large by N̂. */
export const looseParameters = ({ n, s, t }: RingPedersen, number: number): RingPedersen => {
  class LooseParameters extends RingPedersen {
    #made = 0
    override commit(x: bigint, y: bigint): bigint {
      return super.commit(x, y) + (this.#made++ === number ? this.n : 0n)
    }
  }
  return new LooseParameters(PaillierKey.of(n).modulus, s, t)
}

/** What `work` returns for the first of many seeds for which it does not throw. */
export function untilItWorks<T>(work: (seed: number) => T): T {
  for (let seed = 0; seed < 64; seed++)
    try {
      return work(seed)
    } catch (error) {
      assert.ok(isFault(error, 'math/not-a-unit') || isFault(error, 'math/out-of-range'))
    }
  assert.fail('no seed works')
}

/** The setup with wider ranges for responses: what verifies there fails in `setup` for its range only. */
export const widened = (setup: DirectedSetup): DirectedSetup => {
  const { level } = setup
  return {
    ...setup,
    level: { ...level, ell: level.ell + 8192, ellPrime: level.ellPrime + 8192 },
  }
}

/** Batches of a verifier, and whether all of them hold. */
export function collecting(): { readonly batches: Batches; readonly hold: () => boolean } {
  const made = new Map<PaillierKey, EncryptionBatch>()
  return {
    batches: (key) => {
      const batch = made.get(key) ?? new EncryptionBatch(key)
      made.set(key, batch)
      return batch
    },
    hold: () => [...made.values()].every((batch) => batch.holds()),
  }
}

/**
 * Asserts that the fields of an encoded proof are `size` bytes together, that each is refused in any
 * other length, and that the encoding comes back as it was; the proof read back.
 */
export function assertWireForm<T>(codec: Codec<T>, proof: T, size: number): T {
  const fields = codec.toCbor(proof) as ReadonlyMap<number, Uint8Array>
  assert.equal(
    [...fields.values()].reduce((sum, { length }) => sum + length, 0),
    size,
  )
  const encoded = encode(codec, proof)
  const read = decode(codec, encoded, { maxBytes: encoded.length })
  assert.deepEqual(encode(codec, read), encoded)
  for (const [key, value] of fields)
    for (const other of [value.subarray(1), new Uint8Array(value.length + 1)])
      assert.throws(
        () => codec.fromCbor(new Map([...fields, [key, other]]), 'proof'),
        (error) => isFault(error),
      )
  return read
}
