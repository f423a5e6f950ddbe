/**
 * What distinguishes one FROST ciphersuite from another (RFC 9591, section 6); the protocol itself
 * is the same for all and stands in `sign/`, `keygen/` and `dealer.ts`.
 */
import { concatBytes } from '@quorate/base'
import type { Element, Group } from '@quorate/math'
import type { Tweak } from './tweak.ts'

export type FrostSuiteId = 'FROST-ED25519-SHA512-v1' | 'FROST-secp256k1-SHA256-TR-v1'

export type FrostSuite = {
  readonly id: FrostSuiteId
  /** The scheme that the signatures belong to. */
  readonly scheme: 'ed25519' | 'bip340-secp256k1'
  readonly group: Group

  /** Binding factor. */
  H1(message: Uint8Array): bigint
  /** Challenge of the final signature, over `encodePublic(R) ‖ encodePublic(key) ‖ message`. */
  H2(message: Uint8Array): bigint
  /** Nonce. Treats its input as secret. */
  H3(message: Uint8Array): bigint
  /** Digest of the message. */
  H4(message: Uint8Array): Uint8Array
  /** Digest of the commitment list. */
  H5(message: Uint8Array): Uint8Array
  /** Challenge of a proof of possession in key generation, as ZF FROST defines it. */
  HDKG(message: Uint8Array): bigint

  /** Whether signatures use −e where e is the key or the group commitment: BIP-340 knows even y only. */
  usesNegative(e: Element): boolean
  /** A key or a group commitment as it stands in public keys and signatures, 32 bytes. */
  encodePublic(e: Element): Uint8Array
  /** @throws math/bad-element */
  decodePublic(bytes: Uint8Array): Element
  /** The scalar t by which `tweak` moves `key`, one for which `usesNegative` is false. @throws threshold/unsupported-tweak, threshold/bad-tweak */
  tweakScalar(key: Element, tweak: Tweak): bigint

  /** Whether this surely is a signature under `scheme`; false where that takes a closer look. */
  isVouchedFor?(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  /** Whether this is a signature under `scheme`, as others verify it. Never throws. */
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}

/** c of the final signature. */
export const challenge = (
  suite: FrostSuite,
  R: Element,
  key: Element,
  message: Uint8Array,
): bigint => suite.H2(concatBytes(suite.encodePublic(R), suite.encodePublic(key), message))

/** e, or −e where signatures use that. */
export const normalized = (suite: FrostSuite, e: Element): Element =>
  suite.usesNegative(e) ? suite.group.negate(e) : e

/** Whether `signature` (64 bytes) is one of `publicKey` (32 bytes) over exactly `message`, by an implementation of the scheme that shares nothing with the signing code. */
export const verifySignature = (
  suite: FrostSuite,
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean => suite.verify(publicKey, message, signature)
