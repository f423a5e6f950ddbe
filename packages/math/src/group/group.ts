/**
 * A group of prime order q in which discrete logarithms are hard, as Schnorr-type protocols use it.
 * Scalars are `bigint`s modulo q; elements are opaque and belong to one group.
 *
 * JavaScript is not constant-time: "treats k as secret" means that the algorithm below has no
 * branch and no table index that depends on k, not that the engine's integers have none.
 */
import type { Branded, Random } from '@quorate/base'

/** An element of one group, the identity included. Elements never change. */
export type Element = Branded<object, 'Element'>

export type Group = {
  readonly name: 'secp256k1' | 'ed25519'
  /** q, a prime. */
  readonly order: bigint
  readonly scalarLength: 32
  readonly elementLength: 33 | 32
  readonly generator: Element
  readonly identity: Element

  /** `k mod q` in the curve's standard byte order: big-endian for secp256k1, little-endian for ed25519. */
  encodeScalar(k: bigint): Uint8Array
  /** The scalar of its one canonical encoding; 0 is allowed. @throws math/bad-scalar */
  decodeScalar(bytes: Uint8Array): bigint
  /** Uniform in 1..q−1. */
  randomScalar(random: Random): bigint

  /** k·G. Treats k as secret. */
  mulBase(k: bigint): Element
  /** k·e. Treats k as secret. */
  mulSecret(k: bigint, e: Element): Element
  /** k·e. Variable-time: public inputs only. */
  mul(k: bigint, e: Element): Element
  /** Σ kᵢ·eᵢ over lists of equal length. Variable-time: public inputs only. */
  msm(scalars: readonly bigint[], elements: readonly Element[]): Element
  add(a: Element, b: Element): Element
  negate(e: Element): Element
  /** The identity for an empty list. */
  sum(elements: readonly Element[]): Element

  equals(a: Element, b: Element): boolean
  isIdentity(e: Element): boolean
  /** The compressed encoding (SEC 1 §2.3.3; RFC 8032 §5.1.2), a fresh array. @throws math/identity for the identity */
  encode(e: Element): Uint8Array
  /** The element of its one canonical encoding: on the curve, in the prime-order subgroup, not the identity. @throws math/bad-element */
  decode(bytes: Uint8Array): Element
}

/**
 * Operations that an engine faster than noble may supply; what it leaves out stays with noble.
 * Points are never the identity and cross in the raw form of the curve: the compressed encoding for
 * ed25519, the uncompressed one (65 bytes, SEC 1 §2.3.3) for secp256k1. Scalars are 1..q−1, encoded.
 * No operation may keep or change its arguments.
 */
export type PointBackend = {
  readonly name: string
  /** k·G. Treats the scalar as secret. */
  mulBase?(scalar: Uint8Array): Uint8Array
  /** k·P. Treats the scalar as secret. */
  mulSecret?(scalar: Uint8Array, point: Uint8Array): Uint8Array
  /** k·P. May be variable-time. */
  mul?(scalar: Uint8Array, point: Uint8Array): Uint8Array
  /** P + Q, or `undefined` where that is the identity. */
  add?(a: Uint8Array, b: Uint8Array): Uint8Array | undefined
  /** The raw form of a compressed encoding, or `undefined` where `Group.decode` must refuse it. */
  decode?(encoded: Uint8Array): Uint8Array | undefined
  /**
   * Whether `signature` is one of `publicKey` over `message` under the signature scheme of the curve, by its
   * strictest rules. False may also mean that it is one by rules less strict. May be variable-time.
   */
  verifies?(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}

/** A signature that verifies. */
export type SignedSample = {
  readonly publicKey: Uint8Array
  readonly message: Uint8Array
  readonly signature: Uint8Array
}
