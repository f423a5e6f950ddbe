/**
 * What distinguishes key generation in one group from another: bytes and hashes. The structure is
 * that of ChillDKG (draft BIP, BlockstreamResearch/bip-frost-dkg v0.3.0-dev) for every group:
 * SimplPedPop (Feldman commitments with proofs of possession), under EncPedPop (shares encrypted to
 * host keys), under CertEq (all sign one transcript). Indices here are ChillDKG's, 0 … n−1.
 */
import type { Element, Group } from '@quorate/math'
import type { FrostSuiteId } from '../suite.ts'

export type HashLabel = 'parameters' | 'seed' | 'proof randomness'

export type DkgSuite = {
  readonly id: FrostSuiteId
  readonly group: Group

  /** 32 bytes. Treats its input as secret. */
  hash(label: HashLabel, input: Uint8Array): Uint8Array
  /** Coefficient number `index` of the polynomial that `seed` stands for. Treats the seed as secret. */
  coefficient(seed: Uint8Array, index: number): bigint
  /** The secret of the nonce that a dealer encrypts with. Treats the seed as secret. */
  encryptionNonce(seed: Uint8Array): bigint
  /** The pad between a dealer's nonce and a receiver's host key, from what both can compute. Treats `shared` as secret. */
  pad(shared: Element, nonce: Uint8Array, hostKey: Uint8Array, context: Uint8Array): bigint
  /** The pad of a dealer for its own share. Treats the host secret as such. */
  selfPad(hostSecret: Uint8Array, nonce: Uint8Array, context: Uint8Array): bigint

  /** Proof of knowing `secret`, 64 bytes, bound to the dealer's index. Treats secret and `aux` (32 bytes) as secret. */
  provePossession(secret: bigint, index: number, aux: Uint8Array): Uint8Array
  /** Variable-time: public inputs only. Never throws. */
  verifyPossession(key: Element, index: number, proof: Uint8Array): boolean

  /** What party `index` signs to say that it holds this transcript. */
  certificateMessage(index: number, transcript: Uint8Array): Uint8Array
  /** Signature, 64 bytes, by a host key. Treats secret and `aux` (32 bytes) as secret. */
  sign(hostSecret: bigint, message: Uint8Array, aux: Uint8Array): Uint8Array
  /** Variable-time: public inputs only. Never throws. */
  verify(hostKey: Element, message: Uint8Array, signature: Uint8Array): boolean
}

export const PROOF_LENGTH = 64
export const SIGNATURE_LENGTH = 64

/** `value` as four bytes, most significant first. */
export function uint32(value: number): Uint8Array {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, value)
  return out
}
