/**
 * The node card: what a node says of itself before it is enrolled. Its own identity key signs it,
 * which proves that the node holds the key it names; everything else in it is a claim, and
 * operators compare the fingerprint of the card out of band.
 */
import type { VerifySignature } from '@quorate/api'
import {
  bytes,
  type Codec,
  encode,
  equalBytes,
  Fault,
  field,
  type Id,
  int,
  oneOf,
  optional,
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
  nodeIndex,
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
  /** Present where the machine is to take the place of a node of a cluster. */
  readonly restores?: Restores | undefined
}

export type Restores = {
  /** The cluster id, 32 bytes. */
  readonly cluster: Uint8Array
  /** Index of the node whose backup was opened. */
  readonly index: number
  /** Number of the backup, and digest of its file. */
  readonly number: number
  readonly backup: Uint8Array
  /** When it was opened. */
  readonly at: number
}

const nodeCard: Codec<NodeCard> = record({
  v: field(0, oneOf(1)),
  id: field(1, idOf('nod')),
  identityKey: field(2, ed25519Key),
  name: field(3, name),
  custody: field(4, custody),
  createdAt: field(5, time),
  restores: optional(
    6,
    record({
      cluster: field(1, bytes(32)),
      index: field(2, nodeIndex),
      number: field(3, int(1)),
      backup: field(4, bytes(32)),
      at: field(5, time),
    }),
  ),
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
