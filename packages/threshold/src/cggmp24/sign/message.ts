/**
 * What is signed: a message that is hashed here, or a digest that somebody else made. They are kept
 * apart because a digest may have been chosen after a presignature became known, and then a signature
 * can be forged from it (Groth–Shoup, eprint 2021/1330, §1.1.2): digests are signed only by sessions
 * that fix them before their first round, or re-randomise the presignature.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { keccak_256 } from '@noble/hashes/sha3.js'
import { Fault } from '@quorate/base'

export type MessageHash = 'sha256' | 'sha256d' | 'keccak256'
export type Message = {
  readonly kind: 'message'
  readonly bytes: Uint8Array
  readonly hash: MessageHash
}
export type Prehash = {
  readonly kind: 'prehash'
  /** 32 bytes. */
  readonly digest: Uint8Array
}

const HASHES: { readonly [Name in MessageHash]: (bytes: Uint8Array) => Uint8Array } = {
  sha256,
  sha256d: (bytes) => sha256(sha256(bytes)),
  keccak256: keccak_256,
}

/** The 32 bytes that ECDSA signs. @throws threshold/bad-parameters for a digest of another length */
export function digestOf(message: Message | Prehash): Uint8Array {
  const digest = message.kind === 'message' ? HASHES[message.hash](message.bytes) : message.digest
  if (digest.length !== 32)
    throw new Fault('threshold/bad-parameters', { detail: 'a digest has 32 bytes' })
  return digest
}
