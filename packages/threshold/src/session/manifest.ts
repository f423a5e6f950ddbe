/**
 * Manifest v1: what a session is about. Its hash is the session id, so parties that differ in any
 * field are in different sessions; every signer countersigns it before round one.
 */
import {
  array,
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  type Id,
  int,
  mapped,
  oneOf,
  optional,
  parseId,
  record,
  shortHex,
  TAGS,
  tagged,
  taggedHash,
  text,
} from '@quorate/base'
import { Abort } from './abort.ts'
import type { EnvelopeCrypto, SignatureVerifier } from './envelope-crypto.ts'
import { MAX_PARTIES, type PartyId, party } from './party.ts'

const MAX_MANIFEST_BYTES = 8192
/** Most nonces or presignatures that one session makes for a pool. */
export const MAX_POOLED = 256
/** Most items that one session signs from a pool. */
export const MAX_POOLED_ITEMS = 64

export const walletId: Codec<Id<'wal'>> = mapped(text(30), (id) => parseId('wal', id), String)
/** Name of a protocol, e.g. `frost`. */
export const protocolName: Codec<string> = text(32, /^[a-z0-9][a-z0-9-]*$/)
/** Exact name of a suite, e.g. `FROST-ED25519-SHA512-v1`. */
export const suiteName: Codec<string> = text(64, /^[A-Za-z0-9][A-Za-z0-9-]*$/)

export type Manifest = {
  readonly v: 1
  readonly cluster: Uint8Array
  /** Hash of the request that the session serves; 32 random bytes where it serves none. */
  readonly request: Uint8Array
  /**
   * `aux` makes the auxiliary information of CGGMP24, which a key generation or refresh then names;
   * `pool` makes nonces or presignatures ahead of signatures, for no request.
   */
  readonly purpose: 'keygen' | 'sign' | 'refresh' | 'repair' | 'aux' | 'pool'
  readonly wallet: Id<'wal'>
  readonly generation: number
  readonly protocol: string
  readonly suite: string
  readonly threshold: number
  /** In ascending order of parties. */
  readonly signers: readonly ManifestSigner[]
  /** 0, 1, … of the same request. */
  readonly attempt: number
  readonly coordinator: PartyId
  readonly policyHash: Uint8Array
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly expiresAt: number
  /** Lowest protocol version that all signers announced. */
  readonly minVersion: number
  /** The party whose share is restored; for a repair only. */
  readonly repaired?: PartyId | undefined
  /** Digest of the auxiliary information that the new shares are for, 32 bytes; of CGGMP24 only. */
  readonly aux?: Uint8Array | undefined
  /** How many nonces or presignatures are made; for a pool only. */
  readonly count?: number | undefined
  /** What each item is signed from, in order, where all were made ahead; for signing only. */
  readonly pooled?: readonly PooledItem[] | undefined
}
/** One nonce or presignature of a pool: the session that made it, and which of those it made. */
export type PooledItem = { readonly session: Uint8Array; readonly index: number }
export type ManifestSigner = {
  readonly party: PartyId
  /** Random per start of a node, so that a restarted node has left its sessions. */
  readonly bootId: Uint8Array
  /** Id of the epoch key that signs its envelopes. */
  readonly epoch: Uint8Array
}

const manifest: Codec<Manifest> = record({
  v: field(1, oneOf(1)),
  cluster: field(2, bytes(32)),
  request: field(3, bytes(32)),
  purpose: field(4, oneOf('keygen', 'sign', 'refresh', 'repair', 'aux', 'pool')),
  wallet: field(5, walletId),
  generation: field(6, int()),
  protocol: field(7, protocolName),
  suite: field(8, suiteName),
  threshold: field(9, int(1, MAX_PARTIES)),
  signers: field(
    10,
    array(
      record({ party: field(1, party), bootId: field(2, bytes(16)), epoch: field(3, bytes(16)) }),
      {
        min: 1,
        max: MAX_PARTIES,
      },
    ),
  ),
  attempt: field(11, int(0, 65535)),
  coordinator: field(12, party),
  policyHash: field(13, bytes(32)),
  createdAt: field(14, int()),
  expiresAt: field(15, int()),
  minVersion: field(16, int(1, 65535)),
  repaired: optional(17, party),
  aux: optional(18, bytes(32)),
  count: optional(19, int(1, MAX_POOLED)),
  pooled: optional(
    20,
    array(record({ session: field(1, bytes(32)), index: field(2, int(0, MAX_POOLED - 1)) }), {
      min: 1,
      max: MAX_POOLED_ITEMS,
    }),
  ),
})

/** @throws threshold/bad-manifest */
function check(value: Manifest): Manifest {
  const refuse = (detail: string): never => {
    throw new Fault('threshold/bad-manifest', { detail })
  }
  const { signers, coordinator, threshold, createdAt, expiresAt, purpose, repaired, aux } = value
  const { count, pooled } = value
  if (signers.some(({ party }, i) => i > 0 && signers[i - 1]!.party >= party))
    refuse('signers are not in ascending order')
  if (!signers.some(({ party }) => party === coordinator)) refuse('the coordinator is not a signer')
  if ((purpose === 'repair') !== (repaired !== undefined))
    refuse('a repair names one party, and nothing else does')
  if (repaired !== undefined && !signers.some(({ party }) => party === repaired))
    refuse('the repaired party does not take part')
  if (aux !== undefined && purpose !== 'keygen' && purpose !== 'refresh')
    refuse('only new shares are made for auxiliary information')
  if ((purpose === 'pool') !== (count !== undefined))
    refuse('a pool says how much is made, and nothing else does')
  if (pooled !== undefined && purpose !== 'sign') refuse('only signatures are made from a pool')
  if (signers.length - (repaired === undefined ? 0 : 1) < threshold)
    refuse('fewer signers than the threshold')
  if (expiresAt <= createdAt) refuse('it expires before it is made')
  return value
}

/** The canonical bytes. @throws threshold/bad-manifest, base/malformed */
export const encodeManifest = (value: Manifest): Uint8Array => encode(manifest, check(value))
/** @throws threshold/bad-manifest, base/malformed, base/not-canonical, base/too-large */
export const decodeManifest = (encoded: Uint8Array): Manifest =>
  check(decode(manifest, encoded, { maxBytes: MAX_MANIFEST_BYTES }))
/** The session id, 32 bytes. */
export function sessionId(value: Manifest): Uint8Array {
  const known = ids.get(value)
  if (known !== undefined) return known.slice()
  const id = taggedHash(TAGS.manifestHash, encodeManifest(value))
  ids.set(value, id)
  return id.slice()
}

/** A manifest never changes, and many ask for its id. */
const ids = new WeakMap<Manifest, Uint8Array>()
/** The parties of the session, ascending. */
export const partiesOf = ({ signers }: Manifest): readonly PartyId[] =>
  signers.map(({ party }) => party)

export const countersignatureCodec: Codec<Countersignature> = record({
  party: field(1, party),
  sid: field(2, bytes(32)),
  signature: field(3, bytes(64)),
})
/** One signer's word that it takes part in exactly this session. The coordinator's is its signature of the manifest. */
export type Countersignature = {
  readonly party: PartyId
  readonly sid: Uint8Array
  readonly signature: Uint8Array
}

const statement = (sid: Uint8Array, by: PartyId): Uint8Array =>
  tagged(TAGS.countersignature, sid, Uint8Array.of(by))

/** @throws threshold/bad-manifest where `by` is no signer */
export function countersign(
  value: Manifest,
  by: PartyId,
  crypto: Pick<EnvelopeCrypto, 'sign'>,
): Countersignature {
  if (!partiesOf(value).includes(by))
    throw new Fault('threshold/bad-manifest', { detail: `party ${by} is not a signer` })
  const sid = sessionId(value)
  return { party: by, sid, signature: crypto.sign(statement(sid, by)) }
}

/**
 * Checks a countersignature by a signer's epoch key (Ed25519, 32 bytes).
 * @throws threshold/ssid-mismatch, blaming nobody, where it is for another manifest;
 *   threshold/bad-manifest where the party is no signer; threshold/bad-signature
 */
export function verifyCountersignature(
  value: Manifest,
  given: Countersignature,
  epochKey: Uint8Array,
  crypto: SignatureVerifier,
): void {
  if (!partiesOf(value).includes(given.party))
    throw new Fault('threshold/bad-manifest', { detail: `party ${given.party} is not a signer` })
  const sid = sessionId(value)
  // The signature first: only the signer itself may say that it is in another session.
  if (!crypto.verify(epochKey, statement(given.sid, given.party), given.signature))
    throw new Fault('threshold/bad-signature')
  if (!equalBytes(sid, given.sid))
    throw new Abort('threshold/ssid-mismatch', {
      detail: `ours begins ${shortHex(sid)}, theirs ${shortHex(given.sid)}`,
    })
}
