/**
 * Π^elog: an ElGamal ciphertext holds the logarithm of Y (Canetti et al., eprint 2021/060, revision of
 * 2024-10, figure 23).
 *
 *   witness     y, λ ∈ Z_q with L = λ·G, M = y·G + λ·X, Y = y·H
 *   commitment  A = α·G, N = m·G + α·X, B = m·H, with α, m ← Z_q
 *   challenge   e ∈ Z_q over i, inst, L, M, X, Y, H | A, N, B
 *   response    z = α + e·λ, u = m + e·y mod q
 *   check       z·G = A + e·L, u·G + z·X = N + e·M, u·H = B + e·Y
 */
import { type Codec, field, type Random, record } from '@quorate/base'
import { type Element, mod, secp256k1 } from '@quorate/math'
import { ProofTranscript } from '../challenge.ts'
import type { Level } from '../level.ts'
import { point, scalar } from '../wire.ts'
import { accepts, isScalar, type ProofSetup } from './setup.ts'

export type ElogStatement = {
  /** 0 for Γ (base G), 1 for Δ (base Γ). */
  readonly instance: 0 | 1
  readonly L: Element
  readonly M: Element
  /** The ElGamal key. */
  readonly X: Element
  readonly Y: Element
  /** The base of Y. */
  readonly H: Element
}
export type ElogWitness = { readonly y: bigint; readonly lambda: bigint }
export type ElogProof = {
  readonly A: Element
  readonly N: Element
  readonly B: Element
  readonly z: bigint
  readonly u: bigint
}

/** 163 bytes at every level. */
export const elogProof = (_level: Level): Codec<ElogProof> =>
  record({
    A: field(1, point),
    N: field(2, point),
    B: field(3, point),
    z: field(4, scalar),
    u: field(5, scalar),
  })

/** Treats the witness as secret. */
export function proveElog(
  setup: ProofSetup,
  statement: ElogStatement,
  { y, lambda }: ElogWitness,
  random: Random,
): ElogProof {
  const { order } = secp256k1
  const alpha = secp256k1.randomScalar(random)
  const m = secp256k1.randomScalar(random)
  const commitment = {
    A: secp256k1.mulBase(alpha),
    N: secp256k1.add(secp256k1.mulBase(m), secp256k1.mulSecret(alpha, statement.X)),
    B: secp256k1.mulSecret(m, statement.H),
  }
  const e = challenge(setup, statement, commitment)
  return { ...commitment, z: mod(alpha + e * lambda, order), u: mod(m + e * y, order) }
}

/** Variable-time: public inputs only. */
export function verifyElog(setup: ProofSetup, statement: ElogStatement, proof: ElogProof): boolean {
  const { L, M, X, Y, H } = statement
  const { A, N, B, z, u } = proof
  return accepts(() => {
    if (!isScalar(z) || !isScalar(u)) return false
    const e = challenge(setup, statement, proof)
    const { generator } = secp256k1
    return (
      secp256k1.equals(secp256k1.msm([z, -e], [generator, L]), A) &&
      secp256k1.equals(secp256k1.msm([u, z, -e], [generator, X, M]), N) &&
      secp256k1.equals(secp256k1.msm([u, -e], [H, Y]), B)
    )
  })
}

const challenge = (
  { context, prover }: ProofSetup,
  { instance, L, M, X, Y, H }: ElogStatement,
  { A, N, B }: Pick<ElogProof, 'A' | 'N' | 'B'>,
): bigint =>
  new ProofTranscript('elog', context)
    .party('i', prover)
    .number('inst', instance)
    .element('L', L)
    .element('M', M)
    .element('X', X)
    .element('Y', Y)
    .element('H', H)
    .element('A', A)
    .element('N', N)
    .element('B', B)
    .scalar()
