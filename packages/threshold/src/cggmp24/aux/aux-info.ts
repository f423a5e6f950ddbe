/**
 * Auxiliary information: a Paillier modulus and ring-Pedersen parameters of every party, made once for
 * a set of nodes and used by many keys. A party keeps the secrets of its own; proofs about a party's
 * values are made under the keys of that party, so all of them are needed in public.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import {
  array,
  bytes,
  type Codec,
  decode,
  encode,
  Fault,
  field,
  oneOf,
  type Random,
  record,
  Secret,
} from '@quorate/base'
import {
  fromBytesBe,
  Modulus,
  PaillierKey,
  PaillierSecretKey,
  RingPedersen,
  RingPedersenSecret,
  Transcript,
  toUnsignedBytes,
} from '@quorate/math'
import { MAX_PARTIES, type PartyId, party } from '../../session/party.ts'
import { LEVELS, type Level, type LevelId } from '../level.ts'
import { modulusLength } from '../wire.ts'

/** What everybody knows of one party. */
export type PartyKeys = { readonly paillier: PaillierKey; readonly parameters: RingPedersen }

/** The same of oneself: operations are faster with the factors. */
export type OwnKeys = {
  readonly paillier: PaillierSecretKey
  readonly parameters: RingPedersenSecret
}

/** Four safe primes of `level.primeBits` bits, used for one party's keys and never again. */
export type AuxPrimes = readonly [p: bigint, q: bigint, pHat: bigint, qHat: bigint]

/** In ascending order of parties. */
export type AuxKeys = ReadonlyMap<PartyId, PartyKeys>

export type AuxInfo = {
  readonly level: Level
  /** 32 bytes that name this auxiliary information and cover all moduli. */
  readonly digest: Uint8Array
  readonly keys: AuxKeys
  readonly self: PartyId
  readonly own: OwnKeys
}

/** A party's keys from its primes. Treats them as secret. */
export const keysOfPrimes = ([p, q, pHat, qHat]: AuxPrimes, random: Random): OwnKeys => ({
  paillier: new PaillierSecretKey(p, q),
  parameters: RingPedersenSecret.create(pHat, qHat, random),
})

/** 32 bytes over every modulus and parameter, in order. */
export function auxDigest(level: Level, keys: AuxKeys): Uint8Array {
  const length = modulusLength(level)
  const transcript = new Transcript('cggmp24-aux', sha256).text('level', level.id)
  for (const [index, { paillier, parameters }] of keys) {
    transcript.number('party', index)
    for (const value of [paillier.n, parameters.n, parameters.s, parameters.t])
      transcript.bytes('value', toUnsignedBytes(value, length))
  }
  return transcript.digest()
}

const MAX_BYTES = 1 << 18
const MAX_LENGTH = 384

type Stored = {
  readonly v: 1
  readonly level: LevelId
  readonly keys: readonly {
    readonly party: PartyId
    readonly n: Uint8Array
    readonly nHat: Uint8Array
    readonly s: Uint8Array
    readonly t: Uint8Array
  }[]
}
const number = bytes({ min: 1, max: MAX_LENGTH })
const level = oneOf(
  'CGGMP24-secp256k1-SHA256-128-v1',
  'CGGMP24-secp256k1-SHA256-112-v1',
) as Codec<LevelId>
const storedKeys: Codec<Stored> = record({
  v: field(1, oneOf(1)),
  level: field(2, level),
  keys: field(
    3,
    array(
      record({
        party: field(1, party),
        n: field(2, number),
        nHat: field(3, number),
        s: field(4, number),
        t: field(5, number),
      }),
      { min: 1, max: MAX_PARTIES },
    ),
  ),
})

type StoredOwn = {
  readonly public: Uint8Array
  readonly self: PartyId
  readonly primes: readonly Uint8Array[]
  readonly lambda: Uint8Array
}
const storedOwn: Codec<StoredOwn> = record({
  public: field(1, bytes({ max: MAX_BYTES })),
  self: field(2, party),
  primes: field(3, array(number, { min: 4, max: 4 })),
  lambda: field(4, number),
})

/** The public keys of all parties, for records and for judges of evidence. */
export function encodeAuxKeys(of: Level, keys: AuxKeys): Uint8Array {
  const length = modulusLength(of)
  const write = (value: bigint): Uint8Array => toUnsignedBytes(value, length)
  return encode(storedKeys, {
    v: 1,
    level: of.id,
    keys: [...keys].map(
      ([
        index,
        {
          paillier,
          parameters: { n, s, t },
        },
      ]) => ({
        party: index,
        n: write(paillier.n),
        nHat: write(n),
        s: write(s),
        t: write(t),
      }),
    ),
  })
}

/** @throws base/malformed, base/not-canonical, base/too-large, math/bad-modulus */
export function decodeAuxKeys(encoded: Uint8Array): {
  readonly level: Level
  readonly keys: AuxKeys
} {
  const stored = decode(storedKeys, encoded, { maxBytes: MAX_BYTES })
  const keys = new Map(
    stored.keys.map(({ party: index, n, nHat, s, t }): [PartyId, PartyKeys] => [
      index,
      {
        paillier: PaillierKey.of(fromBytesBe(n)),
        parameters: new RingPedersen(Modulus.of(fromBytesBe(nHat)), fromBytesBe(s), fromBytesBe(t)),
      },
    ]),
  )
  return { level: LEVELS[stored.level], keys }
}

/** One party's auxiliary information with its secrets in the clear: goes into a sealer and nowhere else. */
export function encodeAuxInfo({ level: of, keys, self, own }: AuxInfo): Secret<Uint8Array> {
  const length = modulusLength(of)
  const { paillier, parameters } = own
  const primes = [paillier.factors, parameters.factors].flatMap(({ p, q }) => [p.n, q.n])
  return new Secret(
    encode(storedOwn, {
      public: encodeAuxKeys(of, keys),
      self,
      primes: primes.map((prime) => toUnsignedBytes(prime, of.primeBits / 8)),
      lambda: toUnsignedBytes(parameters.lambda, length),
    }),
  )
}

/**
 * Treats `encoded` as secret.
 * @throws threshold/inconsistent-share where the secrets are not those of the public keys; base/…
 */
export function decodeAuxInfo(encoded: Uint8Array): AuxInfo {
  const stored = decode(storedOwn, encoded, { maxBytes: 2 * MAX_BYTES })
  const { level: of, keys } = decodeAuxKeys(stored.public)
  const { self } = stored
  const [p, q, pHat, qHat] = stored.primes.map(fromBytesBe) as [bigint, bigint, bigint, bigint]
  const known = keys.get(self)
  if (known === undefined) throw new Fault('threshold/inconsistent-share')
  const own: OwnKeys = {
    paillier: new PaillierSecretKey(p, q),
    parameters: RingPedersenSecret.restore(
      pHat,
      qHat,
      known.parameters.t,
      fromBytesBe(stored.lambda),
    ),
  }
  const fits =
    own.paillier.n === known.paillier.n &&
    own.parameters.n === known.parameters.n &&
    own.parameters.s === known.parameters.s
  if (!fits) throw new Fault('threshold/inconsistent-share')
  const all = new Map(keys).set(self, own)
  return { level: of, digest: auxDigest(of, all), keys: all, self, own }
}
