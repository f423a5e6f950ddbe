/** The messages of presigning and of an alert, for `items` presignatures at once. */
import { array, bytes, type Codec, field, int, optional, record } from '@quorate/base'
import type { Element } from '@quorate/math'
import type { Level } from '../level.ts'
import { type AffGProof, affGProof } from '../proofs/aff-g.ts'
import { type AffGStarProof, affGStarProof } from '../proofs/aff-g-star.ts'
import { type DecProof, decProof } from '../proofs/dec.ts'
import { type ElogProof, elogProof } from '../proofs/elog.ts'
import { type EncElgProof, encElgProof } from '../proofs/enc-elg.ts'
import { point, scalar, squareLength, unsigned } from '../wire.ts'

/** Most presignatures that one session makes. */
export const MAX_BATCH = 64

/** Round 1, to all: encryptions of k and γ, and ElGamal commitments to both under Y. */
export type CommitItem = {
  readonly K: bigint
  readonly G: bigint
  readonly Y: Element
  readonly A1: Element
  readonly A2: Element
  readonly B1: Element
  readonly B2: Element
}
export type Commit = { readonly context: Uint8Array; readonly items: readonly CommitItem[] }
/** Round 1, to each: both ciphertexts hold small values, and those that are committed to. */
export type CommitProofs = readonly { readonly k: EncElgProof; readonly gamma: EncElgProof }[]
/** One multiplicative-to-additive exchange: D for the receiver, F for the sender's later proof. */
export type Product = { readonly D: bigint; readonly F: bigint }
/** Round 2, to all. */
export type RevealItem = {
  readonly Gamma: Element
  readonly proof: ElogProof
  /** For every other signer in ascending order: hash of its `Product` with γ, and with x. */
  readonly links: Uint8Array
}
/** Round 2, to each: what becomes the receiver's part of γ·k and of x·k. */
export type ProductItem = {
  readonly gamma: Product
  readonly gammaProof: AffGProof
  readonly x: Product
  readonly xProof: AffGProof
}
/** Round 3, to all. */
export type DeltaItem = {
  readonly delta: bigint
  readonly S: Element
  readonly Delta: Element
  readonly proof: ElogProof
  /** Commitment to this signer's entropy for re-randomisation, where presignatures are made for any path. */
  readonly entropy?: Uint8Array | undefined
}
/** Alert, first message, to all: which products of this item this signer received and sent, and Π^dec. */
export type AlertDec = {
  readonly item: number
  /** From and to every other signer, in ascending order. */
  readonly received: readonly Product[]
  readonly sent: readonly Product[]
  readonly proof: DecProof
}
/** Alert, one message for each other signer: Π^aff-g* for the product sent to it. */
export type AlertAffG = { readonly proof: AffGStarProof }

const exactly = <T>(count: number, codec: Codec<T>): Codec<readonly T[]> =>
  array(codec, { min: count, max: count })

const product = (level: Level): Codec<Product> => {
  const ciphertext = unsigned(squareLength(level))
  return record({ D: field(1, ciphertext), F: field(2, ciphertext) })
}

export const commitCodec = (level: Level, items: number): Codec<Commit> => {
  const ciphertext = unsigned(squareLength(level))
  return record({
    context: field(1, bytes(32)),
    items: field(
      2,
      exactly(
        items,
        record({
          K: field(1, ciphertext),
          G: field(2, ciphertext),
          Y: field(3, point),
          A1: field(4, point),
          A2: field(5, point),
          B1: field(6, point),
          B2: field(7, point),
        }),
      ),
    ),
  })
}
export const commitProofsCodec = (level: Level, items: number): Codec<CommitProofs> =>
  exactly(items, record({ k: field(1, encElgProof(level)), gamma: field(2, encElgProof(level)) }))
export const revealCodec = (
  level: Level,
  items: number,
  others: number,
): Codec<readonly RevealItem[]> =>
  exactly(
    items,
    record({
      Gamma: field(1, point),
      proof: field(2, elogProof(level)),
      links: field(3, bytes(64 * others)),
    }),
  )
export const productsCodec = (level: Level, items: number): Codec<readonly ProductItem[]> =>
  exactly(
    items,
    record({
      gamma: field(1, product(level)),
      gammaProof: field(2, affGProof(level)),
      x: field(3, product(level)),
      xProof: field(4, affGProof(level)),
    }),
  )
export const deltaCodec = (level: Level, items: number): Codec<readonly DeltaItem[]> =>
  exactly(
    items,
    record({
      delta: field(1, scalar),
      S: field(2, point),
      Delta: field(3, point),
      proof: field(4, elogProof(level)),
      entropy: optional(5, bytes(32)),
    }),
  )
export const sharesCodec = (items: number): Codec<readonly bigint[]> => exactly(items, scalar)
export const alertDecCodec = (level: Level, signers: number): Codec<AlertDec> =>
  record({
    item: field(1, int(0, MAX_BATCH - 1)),
    received: field(2, exactly(signers - 1, product(level))),
    sent: field(3, exactly(signers - 1, product(level))),
    proof: field(4, decProof(level)),
  })
export const alertAffGCodec = (level: Level): Codec<AlertAffG> =>
  record({ proof: field(1, affGStarProof(level)) })

/** Bounds on the bodies, each a little above the true length. */
export function maxBytesOf(
  { maxModulusBits, repetitions }: Level,
  items: number,
  signers: number,
  round: number,
  kind: 'broadcast' | 'direct',
): number {
  // In units of the length of a modulus: no field is longer than three of them.
  const unit = maxModulusBits / 8
  if (round === 1) return 64 + items * (kind === 'direct' ? 22 * unit : 8 * unit)
  if (round === 2) return 64 + items * (kind === 'direct' ? 48 * unit : unit + 64 * signers)
  if (round === 3) return 64 + items * 2 * unit
  if (round === 4) return 16 + items * 40
  return repetitions * 8 * unit + signers * 16 * unit
}
