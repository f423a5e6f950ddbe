/**
 * The node card: what a node says of itself before it is enrolled. Its own identity key signs it,
 * which proves that the node holds the key it names; everything else in it is a claim, and
 * operators compare the fingerprint of the card out of band.
 */
import type { VerifySignature } from '@quorate/api'
import {
  type Codec,
  encode,
  equalBytes,
  Fault,
  field,
  type Id,
  oneOf,
  record,
  type Signer,
  TAGS,
  taggedHash,
} from '@quorate/base'
import {
  type Custody,
  checkSignature,
  custody,
  decodeVersioned,
  idOf,
  name,
  signDocument,
  splitDocument,
  time,
} from './document.ts'
import { ed25519Key } from './ed25519-key.ts'

export type NodeCard = {
  readonly v: 1
  readonly id: Id<'nod'>
  /** Ed25519, 32 bytes. */
  readonly identityKey: Uint8Array
  readonly name: string
  readonly custody: Custody
  readonly createdAt: number
}

const nodeCard: Codec<NodeCard> = record({
  v: field(0, oneOf(1)),
  id: field(1, idOf('nod')),
  identityKey: field(2, ed25519Key),
  name: field(3, name),
  custody: field(4, custody),
  createdAt: field(5, time),
})

/** The signed card as bytes. `signer` holds the identity key. @throws auth/bad-signature for another key than the card's */
export async function makeNodeCard(card: NodeCard, signer: Signer): Promise<Uint8Array> {
  if (!equalBytes(card.identityKey, signer.publicKey))
    throw new Fault('auth/bad-signature', { detail: 'the card names another identity key' })
  return signDocument(TAGS.nodeCard, encode(nodeCard, card), signer)
}

/** The card, signed by the key it names. @throws auth/bad-signature, base/malformed, base/not-canonical, base/too-large, base/unknown-version */
export function readNodeCard(signed: Uint8Array, verify: VerifySignature): NodeCard {
  const parts = splitDocument(signed)
  const card = decodeVersioned(nodeCard, parts.document, parts.document.length)
  checkSignature('of the node card', TAGS.nodeCard, parts, card.identityKey, verify)
  return card
}

/** 32 bytes for `fingerprintWords`: the hash of the card without its signature. */
export const nodeCardHash = (signed: Uint8Array): Uint8Array =>
  taggedHash(TAGS.nodeCard, splitDocument(signed).document)
