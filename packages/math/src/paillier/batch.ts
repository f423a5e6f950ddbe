/**
 * Many equations enc(m; r) = Π cᵉ under one Paillier key, checked for the price of little more than
 * one, by raising each to a weight of its own (Bellare–Garay–Rabin 1998, small exponents test).
 *
 * What passes, except with probability 2⁻¹²⁸, holds up to a factor whose order is small: such a factor
 * is the N-th power of itself modulo N to some power, an encryption of zero, because N has no small
 * factor. It changes the nonce of a ciphertext and never its plaintext. Where exactly that is not
 * enough, as in proofs about N itself, equations are checked one by one.
 *
 * Weights are hashed from all that is checked, so everybody who checks the same equations comes to the
 * same answer.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, TAGS, tagged } from '@quorate/base'
import { fromBytesBe } from '../field.ts'
import { toSignedBytes, toUnsignedBytes } from '../integer/encode.ts'
import type { PaillierKey } from './paillier.ts'

export type EncryptionEquation = {
  /** m, of any sign. */
  readonly message: bigint
  /** r, a unit modulo N. */
  readonly nonce: bigint
  /** Ciphertexts and their exponents, of any sign; all units modulo N². */
  readonly terms: readonly (readonly [ciphertext: bigint, exponent: bigint])[]
}

const WEIGHT_BYTES = 16
/** Bytes of messages and exponents in the hash: more than any proof has. */
const NUMBER_BYTES = 1024

export class EncryptionBatch {
  readonly #key: PaillierKey
  readonly #equations: EncryptionEquation[] = []

  constructor(key: PaillierKey) {
    this.#key = key
  }

  add(equation: EncryptionEquation): void {
    this.#equations.push(equation)
  }

  /** Whether all equations hold. Variable-time: public inputs only. @throws math/out-of-range above 8191 bits */
  holds(): boolean {
    const { square, modulus } = this.#key
    const weights = this.#weights()
    let message = 0n
    let nonce = 1n
    let product = 1n
    // A ciphertext that stands in several equations is raised once, to the sum of its exponents.
    const exponents = new Map<bigint, bigint>()
    for (const [i, equation] of this.#equations.entries()) {
      const weight = weights[i]!
      message += weight * equation.message
      nonce = modulus.multiply(nonce, modulus.power(equation.nonce, weight))
      for (const [ciphertext, exponent] of equation.terms)
        exponents.set(ciphertext, (exponents.get(ciphertext) ?? 0n) + weight * exponent)
    }
    let inverted = 1n
    for (const [ciphertext, exponent] of exponents) {
      const power = square.power(ciphertext, exponent < 0n ? -exponent : exponent)
      if (exponent < 0n) inverted = square.multiply(inverted, power)
      else product = square.multiply(product, power)
    }
    return square.multiply(this.#key.encrypt(message, nonce), inverted) === product
  }

  /** The first weight is 1: scaling all of them changes nothing. */
  #weights(): readonly bigint[] {
    if (this.#equations.length === 1) return [1n]
    const { modulus, square } = this.#key
    const wide = (value: bigint): Uint8Array => toSignedBytes(value, NUMBER_BYTES)
    const hash = sha256
      .create()
      .update(tagged(TAGS.batchSeed, toUnsignedBytes(modulus.n, modulus.length)))
    for (const { message, nonce, terms } of this.#equations) {
      hash.update(wide(message)).update(toUnsignedBytes(nonce, modulus.length))
      hash.update(Uint8Array.of(terms.length >> 8, terms.length & 255))
      for (const [ciphertext, exponent] of terms)
        hash.update(concatBytes(toUnsignedBytes(ciphertext, square.length), wide(exponent)))
    }
    const seed = hash.digest()
    return this.#equations.map((_, i) => {
      if (i === 0) return 1n
      const block = sha256(tagged(TAGS.batchWeight, seed, Uint8Array.of(i >> 8, i & 255)))
      return fromBytesBe(block.subarray(0, WEIGHT_BYTES))
    })
  }
}
