/**
 * KeyShare v1: what one party stores of one generation of a shared key.
 *
 * `key` is public and the same at all parties. Nothing in a record is tweaked: `tweaks` lists what
 * signing applies, in order and once each. The secret is an encoded scalar; the encoded record holds it
 * in the clear, so it goes from here into a sealer and nowhere else.
 */
import {
  array,
  bytes,
  type Codec,
  decode,
  decodeCbor,
  encode,
  Fault,
  field,
  type Id,
  int,
  mapped,
  oneOf,
  optional,
  parseId,
  record,
  Secret,
  text,
} from '@quorate/base'
import { type Tweak, tweakCodec } from '../frost/tweak.ts'
import { protocolName, suiteName, walletId } from '../session/manifest.ts'
import { MAX_PARTIES, type PartyId, party } from '../session/party.ts'

const VERSION = 1
const MAX_BYTES = 1 << 16

/** Where the secret is in the clear while it is in use. */
export type Custody = 'software' | 'hsm' | 'enclave'

/** How a generation came to be. */
export type Origin = {
  readonly kind: 'keygen' | 'refresh' | 'repair' | 'dealer'
  /** Everyone's signature of the result: recovery data of a key generation or refresh; absent after a dealer. */
  readonly certificate?: Uint8Array | undefined
}

export type WalletKey = {
  readonly wallet: Id<'wal'>
  readonly protocol: string
  readonly suite: string
  /** Counts refreshes and reshares of the key, from 0. */
  readonly generation: number
  /** Ascending. */
  readonly parties: readonly { readonly index: PartyId; readonly nodeId: Id<'nod'> }[]
  readonly threshold: number
  /** Encoded element, untweaked. */
  readonly groupKey: Uint8Array
  readonly tweaks: readonly Tweak[]
  /** Encoded elements in the order of `parties`, untweaked. Derived once, from the commitment. */
  readonly verifyingShares: readonly Uint8Array[]
  /** Feldman's commitment to the joint polynomial: t encoded elements, the first of them the group key. */
  readonly commitment: readonly Uint8Array[]
  readonly chainCode?: Uint8Array | undefined
  readonly createdBy: Origin
  /** Of a CGGMP24 key: what all parties contributed to when these shares were made, 32 bytes. */
  readonly rid?: Uint8Array | undefined
  /** Of a CGGMP24 key: digest of the auxiliary information that these shares sign with, 32 bytes. */
  readonly aux?: Uint8Array | undefined
}

export type KeyShare = {
  readonly v: typeof VERSION
  readonly key: WalletKey
  readonly party: PartyId
  /** Encoded scalar, 32 bytes, untweaked. */
  readonly secret: Secret<Uint8Array>
  readonly custody: Custody
}

const nodeId: Codec<Id<'nod'>> = mapped(text(30), (id) => parseId('nod', id), String)
const element = bytes({ min: 32, max: 33 })
const secretScalar: Codec<Secret<Uint8Array>> = mapped(
  bytes(32),
  (value) => new Secret(value.slice()),
  (secret) => secret.expose(),
)

/** The public part, also for records of wallets. */
export const walletKeyCodec: Codec<WalletKey> = record({
  wallet: field(1, walletId),
  protocol: field(2, protocolName),
  suite: field(3, suiteName),
  generation: field(4, int()),
  parties: field(
    5,
    array(record({ index: field(1, party), nodeId: field(2, nodeId) }), {
      min: 1,
      max: MAX_PARTIES,
    }),
  ),
  threshold: field(6, int(1, MAX_PARTIES)),
  groupKey: field(7, element),
  tweaks: field(8, array(tweakCodec, { max: 8 })),
  verifyingShares: field(9, array(element, { min: 1, max: MAX_PARTIES })),
  commitment: field(10, array(element, { min: 1, max: MAX_PARTIES })),
  chainCode: optional(11, bytes(32)),
  createdBy: field(
    12,
    record({
      kind: field(1, oneOf('keygen', 'refresh', 'repair', 'dealer')),
      certificate: optional(2, bytes({ max: 1 << 15 })),
    }),
  ),
  rid: optional(13, bytes(32)),
  aux: optional(14, bytes(32)),
})

const keyShareV1: Codec<KeyShare> = record({
  v: field(1, oneOf(VERSION)),
  key: field(2, walletKeyCodec),
  party: field(3, party),
  secret: field(4, secretScalar),
  custody: field(5, oneOf('software', 'hsm', 'enclave')),
})

/** Readers of the versions in use: this one and the one before, which 1 does not have. */
const READERS: { readonly [version: number]: Codec<KeyShare> } = { [VERSION]: keyShareV1 }

/** The record's bytes, the secret in the clear among them. Treats them as secret; the caller disposes of them. */
export const encodeKeyShare = (share: KeyShare): Secret<Uint8Array> =>
  new Secret(encode(keyShareV1, share))

/**
 * Reads a record; `validateShare` must follow. Treats `encoded` as secret and copies what it keeps.
 * @throws base/unknown-version for a version that this program does not know; base/malformed, base/not-canonical, base/too-large
 */
export function decodeKeyShare(encoded: Uint8Array): KeyShare {
  const limits = { maxBytes: MAX_BYTES }
  const outer = decodeCbor(encoded, limits)
  const version = outer instanceof Map ? (outer as ReadonlyMap<number, unknown>).get(1) : undefined
  if (typeof version === 'number' && version > VERSION) throw new Fault('base/unknown-version')
  const reader = typeof version === 'number' ? READERS[version] : undefined
  if (reader === undefined)
    throw new Fault('base/malformed', { detail: 'not a key share of a known version' })
  return decode(reader, encoded, limits)
}
