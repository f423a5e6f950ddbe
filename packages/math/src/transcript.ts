/**
 * A transcript: what a protocol has fixed so far, to be hashed into a digest or a challenge.
 *
 * Every field carries its label, its kind and its length, so no two different transcripts have the
 * same bytes; the domain keeps transcripts of different purposes apart. Fields are only ever added.
 *
 *   tag ‖ len₁(domain) ‖ domain ‖ { kind ‖ len₁(label) ‖ label ‖ len₄(value) ‖ value }*
 *
 * with len₁ in one byte and len₄ in four, big-endian; hashed with SHA-512 unless told.
 */
import { type sha256, sha512 } from '@noble/hashes/sha2.js'
import { concatBytes, Fault, TAGS, tagged, utf8 } from '@quorate/base'
import { fromBytesBe, mod } from './field.ts'
import type { Element, Group } from './group/group.ts'

const KIND = { bytes: 1, number: 2, scalar: 3, element: 4, text: 5 } as const

/** SHA-512, or SHA-256 for protocols that only take digests. */
export type TranscriptHash = typeof sha512 | typeof sha256

export class Transcript {
  readonly #hash: ReturnType<TranscriptHash['create']>

  /** @param domain what is being hashed, e.g. `frost-refresh`; at most 255 bytes */
  constructor(domain: string, hash: TranscriptHash = sha512) {
    this.#hash = hash.create().update(tagged(TAGS.transcript, short(utf8(domain))))
  }

  bytes(label: string, value: Uint8Array): this {
    return this.#append(KIND.bytes, label, value)
  }
  text(label: string, value: string): this {
    return this.#append(KIND.text, label, utf8(value))
  }
  /** A count or index, 0..2^32−1. */
  number(label: string, value: number): this {
    if (!Number.isInteger(value) || value < 0 || value > 0xffffffff)
      throw new Fault('base/malformed', { detail: 'a transcript number needs 32 bits at most' })
    return this.#append(KIND.number, label, uint32(value))
  }
  scalar(label: string, group: Group, value: bigint): this {
    return this.#append(KIND.scalar, label, group.encodeScalar(value))
  }
  /** @throws math/identity for the identity */
  element(label: string, group: Group, value: Element): this {
    return this.#append(KIND.element, label, group.encode(value))
  }

  /** 32 bytes over all fields so far; the transcript can go on. */
  digest(): Uint8Array {
    return this.#hash.clone().digest().slice(0, 32)
  }
  /** A scalar over all fields so far, within 2^−256 of uniform. */
  challenge(group: Group): bigint {
    return mod(fromBytesBe(this.#hash.clone().digest()), group.order)
  }

  #append(kind: number, label: string, value: Uint8Array): this {
    this.#hash.update(
      concatBytes(Uint8Array.of(kind), short(utf8(label)), uint32(value.length), value),
    )
    return this
  }
}

function short(bytes: Uint8Array): Uint8Array {
  if (bytes.length > 255) throw new Fault('base/too-large', { detail: 'a label of over 255 bytes' })
  return concatBytes(Uint8Array.of(bytes.length), bytes)
}

function uint32(value: number): Uint8Array {
  const out = new Uint8Array(4)
  new DataView(out.buffer).setUint32(0, value)
  return out
}
