/**
 * What the documents of this package have in common: shared field codecs, the version in key 1,
 * and the form `SignedDocument`, which keeps the exact bytes that were signed.
 */
import { MAX_PARTIES, type VerifySignature } from '@quorate/api'
import {
  bytes,
  type Codec,
  decode,
  decodeCbor,
  encode,
  Fault,
  field,
  type Id,
  type IdPrefix,
  int,
  isName,
  mapped,
  oneOf,
  parseId,
  record,
  type Signer,
  type Tag,
  tagged,
  text,
} from '@quorate/base'
import { ed25519Signature } from './ed25519-key.ts'

export const ENVIRONMENTS = ['development', 'staging', 'production'] as const
export type Environment = (typeof ENVIRONMENTS)[number]
export const environment: Codec<Environment> = oneOf(...ENVIRONMENTS)

/** Where a secret lives, weakest first. */
export const CUSTODY_LEVELS = ['software', 'sealed', 'hardware'] as const
export type Custody = (typeof CUSTODY_LEVELS)[number]
export const custody: Codec<Custody> = oneOf(...CUSTODY_LEVELS)

/** A party index. */
export const nodeIndex: Codec<number> = int(1, MAX_PARTIES)
/** Milliseconds since the Unix epoch. */
export const time: Codec<number> = int()

function checkName(value: string): string {
  if (isName(value)) return value
  throw new Fault('base/malformed', { detail: 'a name that is not in the form of a label' })
}
export const name: Codec<string> = mapped(text(64), checkName, checkName)

export const idOf = <Prefix extends IdPrefix>(prefix: Prefix): Codec<Id<Prefix>> =>
  mapped(
    text(40),
    (value) => parseId(prefix, value),
    (value) => parseId(prefix, value),
  )

/**
 * The value of `encoded`, a map whose key 0 holds its version.
 * @throws base/unknown-version for a higher version than 1, base/malformed, base/not-canonical, base/too-large
 */
export function decodeVersioned<T>(codec: Codec<T>, encoded: Uint8Array, maxBytes: number): T {
  const cbor = decodeCbor(encoded, { maxBytes })
  // Before the codec, which would call the fields of a newer version malformed.
  const version = cbor instanceof Map ? (cbor.get(0) as unknown) : undefined
  if (typeof version === 'number' && version > 1) throw new Fault('base/unknown-version')
  return codec.fromCbor(cbor, 'record')
}

export type SignedDocument = {
  /** The canonical bytes of the document, exactly as signed. */
  readonly document: Uint8Array
  readonly signature: Uint8Array
}
const signedDocument: Codec<SignedDocument> = record({
  document: field(1, bytes({ max: 2048 })),
  signature: field(2, ed25519Signature),
})
const MAX_SIGNED_BYTES = 2200

/** Canonical bytes of `{document, signature}`, the signature being over `tag ‖ document`. */
export async function signDocument(
  tag: Tag,
  document: Uint8Array,
  signer: Signer,
): Promise<Uint8Array> {
  const signature = await signer.sign(tagged(tag, document))
  return encode(signedDocument, { document, signature })
}

/** The parts of a signed document. Nothing is verified yet. @throws base/malformed, base/not-canonical, base/too-large */
export const splitDocument = (signed: Uint8Array): SignedDocument =>
  decode(signedDocument, signed, { maxBytes: MAX_SIGNED_BYTES })

/** @throws auth/bad-signature naming `what` */
export function checkSignature(
  what: string,
  tag: Tag,
  { document, signature }: SignedDocument,
  publicKey: Uint8Array,
  verify: VerifySignature,
): void {
  if (!verify(publicKey, tagged(tag, document), signature))
    throw new Fault('auth/bad-signature', { detail: what })
}
