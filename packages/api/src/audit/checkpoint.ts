/**
 * A checkpoint: a node's signed word for where its audit chain stood. Kept outside the node's data
 * directory it makes a rollback visible, and two of them bound a segment that verifies alone.
 */
import {
  type Codec,
  decode,
  encode,
  field,
  type Id,
  int,
  oneOf,
  record,
  type Signer,
  TAGS,
  tagged,
  uint64,
} from '@quorate/base'
import { hash32, id, signature64, timeMs, VERSION_KEY, versioned } from '../format.ts'
import type { ChainHead } from './chain.ts'

export type UnsignedCheckpoint = ChainHead & {
  readonly v: 1
  /** Root over the state rows once record `seq` had taken effect, 32 bytes. */
  readonly stateRoot: Uint8Array
  /** Of the node's monotonic counter; never smaller than in an earlier checkpoint. */
  readonly counter: bigint
  /** Milliseconds since the Unix epoch. */
  readonly time: number
  readonly node: Id<'nod'>
  /** Public half of the Ed25519 key that signs, 32 bytes. */
  readonly key: Uint8Array
}
export type Checkpoint = UnsignedCheckpoint & {
  /** Ed25519, 64 bytes. */
  readonly signature: Uint8Array
}

const fields = {
  v: field(VERSION_KEY, oneOf(1)),
  seq: field(1, int(0)),
  h: field(2, hash32),
  stateRoot: field(3, hash32),
  counter: field(4, uint64),
  time: field(5, timeMs),
  node: field(6, id('nod')),
  key: field(7, hash32),
}
const unsignedCheckpoint: Codec<UnsignedCheckpoint> = record(fields)

export const checkpointCodec: Codec<Checkpoint> = versioned(
  1,
  record({ ...fields, signature: field(8, signature64) }),
)

/** The bytes that the node signs. @throws base/malformed */
export const checkpointMessage = (checkpoint: UnsignedCheckpoint): Uint8Array =>
  tagged(TAGS.auditCheckpoint, encode(unsignedCheckpoint, checkpoint))

/** The checkpoint with the signature of `signer`, whose public key it names. @throws base/malformed */
export async function signCheckpoint(
  signer: Signer,
  checkpoint: Omit<UnsignedCheckpoint, 'v' | 'key'>,
): Promise<Checkpoint> {
  const unsigned: UnsignedCheckpoint = { ...checkpoint, v: 1, key: signer.publicKey }
  return { ...unsigned, signature: await signer.sign(checkpointMessage(unsigned)) }
}

/** The canonical bytes. @throws base/malformed */
export const encodeCheckpoint = (checkpoint: Checkpoint): Uint8Array =>
  encode(checkpointCodec, checkpoint)

/** @throws base/too-large, base/malformed, base/not-canonical, base/bad-id, base/unknown-version */
export const decodeCheckpoint = (encoded: Uint8Array): Checkpoint =>
  decode(checkpointCodec, encoded, { maxBytes: 1024 })
