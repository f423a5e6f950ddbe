/**
 * Challenges of non-interactive proofs: a transcript of everything that the proof speaks about, hashed
 * once with SHA-256 into a seed, and the seed expanded into as many challenges as are needed.
 *
 *   block(i) = SHA-256(tag ‖ seed ‖ i), i in four bytes, big-endian
 *
 * Every field of a transcript is labelled and length-prefixed, so no two statements have one transcript.
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, TAGS, tagged } from '@quorate/base'
import {
  type Element,
  fromBytesBe,
  gcd,
  secp256k1,
  Transcript,
  toUnsignedBytes,
} from '@quorate/math'
import type { PartyId } from '../session/party.ts'

const Q_HALF = (secp256k1.order - 1n) / 2n

export class ProofTranscript {
  readonly #transcript: Transcript

  /** @param proof its name, e.g. `aff-g`; @param context 32 bytes over the session and its parties */
  constructor(proof: string, context: Uint8Array) {
    this.#transcript = new Transcript(`cggmp24-${proof}`, sha256).bytes('context', context)
  }

  party(label: string, party: PartyId): this {
    this.#transcript.number(label, party)
    return this
  }
  number(label: string, value: number): this {
    this.#transcript.number(label, value)
    return this
  }
  bytes(label: string, value: Uint8Array): this {
    this.#transcript.bytes(label, value)
    return this
  }
  /** A non-negative integer in exactly `length` bytes. @throws math/out-of-range */
  integer(label: string, value: bigint, length: number): this {
    this.#transcript.bytes(label, toUnsignedBytes(value, length))
    return this
  }
  element(label: string, value: Element): this {
    this.#transcript.element(label, secp256k1, value)
    return this
  }

  /** Uniform in 0..q−1. */
  scalar(): bigint {
    return this.#expand().below(secp256k1.order)
  }
  /** Uniform in ±q: −(q−1)/2..(q−1)/2. */
  centredScalar(): bigint {
    return this.scalar() - Q_HALF
  }
  /** Uniform among |z| ≤ 2ᵇⁱᵗˢ⁻¹. */
  halfWidth(bits: number): bigint {
    const bound = 1n << BigInt(bits - 1)
    return this.#expand().below(2n * bound + 1n) - bound
  }
  /** `count` bits, each of them live. */
  bits(count: number): readonly boolean[] {
    const stream = this.#expand()
    return Array.from({ length: count }, () => stream.below(2n) === 1n)
  }
  /** `count` units modulo n. */
  units(count: number, n: bigint): readonly bigint[] {
    const stream = this.#expand()
    return Array.from({ length: count }, () => {
      for (;;) {
        const value = stream.below(n)
        if (value !== 0n && gcd(value, n) === 1n) return value
      }
    })
  }

  #expand(): Stream {
    return new Stream(this.#transcript.digest())
  }
}

/** An unending stream of bits from a seed of 32 bytes. */
class Stream {
  readonly #seed: Uint8Array
  #block = 0
  #buffer: Uint8Array = new Uint8Array()

  constructor(seed: Uint8Array) {
    this.#seed = seed
  }

  /** Uniform in 0..bound−1, by rejection of whole draws. */
  below(bound: bigint): bigint {
    const bits = (bound - 1n).toString(2).length
    for (;;) {
      const excess = BigInt(8 * Math.ceil(bits / 8) - bits)
      const value = fromBytesBe(this.#take(Math.ceil(bits / 8))) >> excess
      if (value < bound) return value
    }
  }

  #take(length: number): Uint8Array {
    while (this.#buffer.length < length) {
      const counter = new Uint8Array(4)
      new DataView(counter.buffer).setUint32(0, this.#block++)
      const block = sha256(tagged(TAGS.challenge, this.#seed, counter))
      this.#buffer = concatBytes(this.#buffer, block)
    }
    const taken = this.#buffer.subarray(0, length)
    this.#buffer = this.#buffer.subarray(length)
    return taken
  }
}
