/**
 * Envelope v1: what travels between the parties of a session, over any transport.
 *
 *   envelope = { header, signature, content }
 *   content  = the body                                          of a message to all
 *            | ChaCha20-Poly1305(key, nonce 0, body, AAD header)  of a message to one party
 *
 * The signature (Ed25519, the sender's epoch key) covers tagged(envelopeHeader, header); the header
 * holds bodyHash = H(envelopeBody, salt, body). Bodies for one party are sealed with a key used once:
 *
 *   shared     = X25519(fresh key, receiver's sealing prekey)
 *   key ‖ salt = HKDF-SHA256(shared, info = tagged(envelopeSeal, header with bodyHash set to zeros))
 *
 * so the key is bound to cluster, both epochs, both parties, session and round, and the salt keeps
 * short bodies from being guessed out of the signed hash. The receiver can show a sealed message to a
 * third party by giving away salt and body, and nothing else that it received.
 *
 * The sender is whoever's key verifies the header; no field of a body names it.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import {
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  int,
  oneOf,
  optional,
  record,
  TAGS,
  tagged,
  taggedHash,
  text,
  wipe,
} from '@quorate/base'
import type { EnvelopeCrypto, SignatureVerifier } from './envelope-crypto.ts'
import { MAX_PARTIES, type PartyId, party } from './party.ts'

/** Longest envelope that is parsed unless the caller sets another bound. */
export const MAX_ENVELOPE_BYTES: number = 1 << 20

export type EnvelopeHeader = {
  readonly v: 1
  readonly cluster: Uint8Array
  /** Id of the sender's epoch key. */
  readonly epoch: Uint8Array
  readonly sid: Uint8Array
  readonly protocol: string
  readonly round: number
  readonly from: PartyId
  /** A party, or 0 = all. */
  readonly to: number
  /** Counts the sender's envelopes of this session. */
  readonly seq: number
  /** 'control' is everything beside a running protocol: countersignatures, requests, heartbeats. */
  readonly kind: 'broadcast' | 'direct' | 'echo' | 'dispute' | 'control'
  readonly bodyHash: Uint8Array
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  /** Where sealed: the receiver's epoch, and the sender's fresh key. */
  readonly seal?: { readonly epoch: Uint8Array; readonly ephemeral: Uint8Array } | undefined
}

const header: Codec<EnvelopeHeader> = record({
  v: field(1, oneOf(1)),
  cluster: field(2, bytes(32)),
  epoch: field(3, bytes(16)),
  sid: field(4, bytes(32)),
  protocol: field(5, text(32, /^[a-z0-9][a-z0-9-]*$/)),
  round: field(6, int(0, 255)),
  from: field(7, party),
  to: field(8, int(0, MAX_PARTIES)),
  seq: field(9, int()),
  kind: field(10, oneOf('broadcast', 'direct', 'echo', 'dispute', 'control')),
  bodyHash: field(11, bytes(32)),
  expiresAt: field(12, int()),
  seal: optional(13, record({ epoch: field(1, bytes(16)), ephemeral: field(2, bytes(32)) })),
})

const envelope = record({
  header: field(1, bytes({ max: 512 })),
  signature: field(2, bytes(64)),
  /** Absent from an envelope that was stripped for a dispute. */
  content: optional(3, bytes({ max: MAX_ENVELOPE_BYTES })),
})

/** Salt and body of a message: what a third party needs besides the envelope in order to check bodyHash. */
export type Opening = { readonly salt: Uint8Array; readonly body: Uint8Array }
export const opening: Codec<Opening> = record({
  salt: field(1, bytes({ max: 32 })),
  body: field(2, bytes({ max: MAX_ENVELOPE_BYTES })),
})

export type Addressee =
  | 'all'
  | { readonly party: PartyId; readonly epoch: Uint8Array; readonly prekey: Uint8Array }
export type Outbound = Pick<
  EnvelopeHeader,
  'cluster' | 'epoch' | 'sid' | 'protocol' | 'round' | 'from' | 'seq' | 'kind' | 'expiresAt'
> & {
  readonly to: Addressee
  readonly body: Uint8Array
}

const hashBody = (salt: Uint8Array, body: Uint8Array): Uint8Array =>
  taggedHash(TAGS.envelopeBody, Uint8Array.of(salt.length), salt, body)

/** Whether the kind may travel so: round messages have one form each, control messages both. */
const isWellAddressed = ({ kind, to, seal, from }: EnvelopeHeader): boolean =>
  (to === 0) === (seal === undefined) &&
  to !== from &&
  (kind === 'control' || (kind === 'direct') === (to !== 0))

function sealingKeys(
  shared: Uint8Array,
  unhashed: EnvelopeHeader,
): { key: Uint8Array; salt: Uint8Array } {
  const info = tagged(
    TAGS.envelopeSeal,
    encode(header, { ...unhashed, bodyHash: new Uint8Array(32) }),
  )
  const both = hkdf(sha256, shared, undefined, info, 64)
  return { key: both.subarray(0, 32), salt: both.subarray(32) }
}

/** The bytes to send. Signs with this party's epoch key and, unless for all, seals the body. Treats the body as secret where it is sealed. */
export function sealEnvelope(
  { to, body, ...fields }: Outbound,
  crypto: EnvelopeCrypto,
): Uint8Array {
  const finish = (
    unsigned: EnvelopeHeader,
    content: (aad: Uint8Array) => Uint8Array,
  ): Uint8Array => {
    if (!isWellAddressed(unsigned))
      throw new Fault('threshold/bad-parameters', { detail: 'kind and addressee do not fit' })
    const encoded = encode(header, unsigned)
    const signature = crypto.sign(tagged(TAGS.envelopeHeader, encoded))
    return encode(envelope, { header: encoded, signature, content: content(encoded) })
  }
  if (to === 'all')
    return finish(
      { v: 1, ...fields, to: 0, bodyHash: hashBody(new Uint8Array(), body) },
      () => body,
    )

  const { ephemeral, shared } = crypto.encapsulate(to.prekey)
  const unhashed = {
    v: 1,
    ...fields,
    to: to.party,
    bodyHash: new Uint8Array(32),
    seal: { epoch: to.epoch, ephemeral },
  } as const
  const { key, salt } = sealingKeys(shared, unhashed)
  try {
    return finish({ ...unhashed, bodyHash: hashBody(salt, body) }, (aad) =>
      chacha20poly1305(key, new Uint8Array(12), aad).encrypt(body),
    )
  } finally {
    wipe(shared, key, salt)
  }
}

export type KeyLookup = {
  /** The Ed25519 epoch key (32 bytes) of a party, if that epoch is in force for it. */
  epochKey(from: PartyId, epoch: Uint8Array): Uint8Array | undefined
}

export type ReadEnvelope = {
  readonly header: EnvelopeHeader
  /** The body, where it was sent in the clear and not stripped; checked against the signed hash. */
  readonly body: Uint8Array | undefined
}

/**
 * The signed header of an envelope, and its body if that is public: all that a third party can check.
 * Time, session and addressee are not looked at.
 * @throws base/malformed, base/too-large, threshold/wrong-epoch, threshold/bad-signature
 */
export function readEnvelope(
  encoded: Uint8Array,
  keys: KeyLookup,
  crypto: SignatureVerifier,
  maxBytes: number = MAX_ENVELOPE_BYTES,
): ReadEnvelope {
  const { parsed, content } = verified(encoded, keys, crypto, maxBytes)
  return { header: parsed, body: parsed.to === 0 ? content : undefined }
}

function verified(
  encoded: Uint8Array,
  keys: KeyLookup,
  crypto: SignatureVerifier,
  maxBytes: number,
): { parsed: EnvelopeHeader; aad: Uint8Array; content: Uint8Array | undefined } {
  const outer = decode(envelope, encoded, { maxBytes })
  const parsed = decode(header, outer.header, { maxBytes: 512 })
  if (!isWellAddressed(parsed))
    throw new Fault('base/malformed', { detail: 'kind and addressee of the envelope do not fit' })
  const key = keys.epochKey(parsed.from, parsed.epoch)
  if (key === undefined) throw new Fault('threshold/wrong-epoch')
  if (!crypto.verify(key, tagged(TAGS.envelopeHeader, outer.header), outer.signature))
    throw new Fault('threshold/bad-signature')
  const { content } = outer
  if (
    parsed.to === 0 &&
    content !== undefined &&
    !opens(parsed, { salt: new Uint8Array(), body: content })
  )
    throw new Fault('base/malformed', { detail: 'the body is not the one that was signed' })
  return { parsed, aad: outer.header, content }
}

/** Whether salt and body are those that the sender signed. */
export const opens = ({ bodyHash }: EnvelopeHeader, { salt, body }: Opening): boolean =>
  equalBytes(bodyHash, hashBody(salt, body))

/** The envelope without its content, still signed: two of them prove an equivocation in a few hundred bytes. */
export function stripEnvelope(encoded: Uint8Array): Uint8Array {
  const { header, signature } = decode(envelope, encoded, { maxBytes: MAX_ENVELOPE_BYTES })
  return encode(envelope, { header, signature })
}

export type Receiver = KeyLookup & {
  readonly cluster: Uint8Array
  readonly self: PartyId
  /** Id of the epoch whose sealing prekey `crypto` holds. */
  readonly epoch: Uint8Array
  /** The session whose messages are wanted; any where absent. */
  readonly sid?: Uint8Array
  /** Milliseconds since the epoch, allowed skew already subtracted. */
  readonly now: number
  readonly maxBytes?: number
}

export type OpenedEnvelope = {
  readonly header: EnvelopeHeader
  readonly body: Uint8Array
  readonly salt: Uint8Array
}

/**
 * A message for this party: signature, cluster, session, addressee and expiry checked, body opened.
 * @throws base/malformed, base/too-large, threshold/self-addressed, threshold/wrong-cluster,
 *   threshold/wrong-session, threshold/not-addressed, threshold/wrong-epoch, threshold/expired,
 *   threshold/bad-signature, threshold/cannot-open
 */
export function openEnvelope(
  encoded: Uint8Array,
  receiver: Receiver,
  crypto: EnvelopeCrypto,
): OpenedEnvelope {
  const refuse = (
    code:
      | 'wrong-cluster'
      | 'wrong-session'
      | 'wrong-epoch'
      | 'not-addressed'
      | 'self-addressed'
      | 'expired'
      | 'cannot-open',
  ): never => {
    throw new Fault(`threshold/${code}`)
  }
  const keys: KeyLookup = {
    // Own messages are never routed through the network, so nobody can speak for this party there.
    epochKey: (from, epoch) =>
      from === receiver.self ? refuse('self-addressed') : receiver.epochKey(from, epoch),
  }
  const { parsed, aad, content } = verified(
    encoded,
    keys,
    crypto,
    receiver.maxBytes ?? MAX_ENVELOPE_BYTES,
  )
  if (!equalBytes(parsed.cluster, receiver.cluster)) refuse('wrong-cluster')
  if (receiver.sid !== undefined && !equalBytes(parsed.sid, receiver.sid)) refuse('wrong-session')
  if (parsed.expiresAt <= receiver.now) refuse('expired')
  if (content === undefined)
    throw new Fault('base/malformed', { detail: 'the envelope has no content' })
  if (parsed.seal === undefined) return { header: parsed, body: content, salt: new Uint8Array() }
  if (parsed.to !== receiver.self) refuse('not-addressed')
  if (!equalBytes(parsed.seal.epoch, receiver.epoch)) refuse('wrong-epoch')
  return {
    header: parsed,
    ...(unseal(parsed, parsed.seal.ephemeral, aad, content, crypto) ?? refuse('cannot-open')),
  }
}

function unseal(
  parsed: EnvelopeHeader,
  ephemeral: Uint8Array,
  aad: Uint8Array,
  content: Uint8Array,
  crypto: EnvelopeCrypto,
): Opening | undefined {
  let shared: Uint8Array | undefined
  let key: Uint8Array | undefined
  try {
    shared = crypto.decapsulate(ephemeral)
    const keys = sealingKeys(shared, parsed)
    key = keys.key
    const body = chacha20poly1305(key, new Uint8Array(12), aad).decrypt(content)
    return opens(parsed, { salt: keys.salt, body }) ? { salt: keys.salt, body } : undefined
  } catch {
    // One answer for a wrong key, a wrong header and a wrong ciphertext.
    return undefined
  } finally {
    wipe(shared, key)
  }
}
