/**
 * Π^enc-elg: a Paillier ciphertext holds a small x, and an ElGamal commitment holds the same x
 * (Canetti et al., eprint 2021/060, revision of 2024-10, figure 24). N₀ is the prover's, R = (N̂, s, t)
 * the verifier's; ±2ᵇ is of half width (math/integer/sample.ts).
 *
 *   witness     x ∈ ±2^ℓ, ρ ∈ Z*_N₀, b ∈ Z_q with C = enc(x; ρ), B = b·G, X = b·A + x·G
 *   commitment  S = com(x, μ), T = com(α, γ), D = enc(α; r), Y = β·A + α·G, Z = β·G with
 *               α ← ±2^(ℓ+ε), μ ← ±2^ℓ·N̂, r ← Z*_N₀, β ← Z_q, γ ← ±2^(ℓ+ε)·N̂
 *   challenge   e ∈ ±q over i, j, inst, R, N₀, C, A, B, X | S, T, D, Y, Z
 *   response    z₁ = α + e·x, z₂ = r·ρᵉ mod N₀, z₃ = γ + e·μ, w = β + e·b mod q
 *   check       enc(z₁; z₂) = D·Cᵉ, w·A + z₁·G = Y + e·X, w·G = Z + e·B, com(z₁, z₃) = T·Sᵉ,
 *               z₁ ∈ ±2^(ℓ+ε)
 *
 * With batches the Paillier equation is only collected, as math/paillier/batch.ts says: what passes
 * there binds the plaintext of C, which is all that this proof is about.
 */
import { type Codec, field, type Random, record } from '@quorate/base'
import {
  type Element,
  isWithin,
  mod,
  type PaillierKey,
  type RingPedersen,
  randomWithin,
  secp256k1,
} from '@quorate/math'
import { ProofTranscript } from '../challenge.ts'
import type { Level } from '../level.ts'
import { modulusLength, point, scalar, signed, squareLength, unsigned } from '../wire.ts'
import {
  accepts,
  appendParameters,
  areCiphertexts,
  areUnits,
  type Batches,
  type DirectedSetup,
  equationsHold,
  isScalar,
  opensTo,
} from './setup.ts'

export type EncElgStatement = {
  /** 0 for K, 1 for G. */
  readonly instance: 0 | 1
  /** R, the verifier's. */
  readonly verifierParameters: RingPedersen
  /** N₀, the prover's. */
  readonly key: PaillierKey
  readonly C: bigint
  readonly A: Element
  readonly B: Element
  readonly X: Element
}
export type EncElgWitness = {
  /** Centred: −(q−1)/2..(q−1)/2. */
  readonly x: bigint
  /** ρ. */
  readonly nonce: bigint
  readonly b: bigint
}
export type EncElgProof = {
  readonly S: bigint
  readonly T: bigint
  readonly D: bigint
  readonly Y: Element
  readonly Z: Element
  readonly z1: bigint
  readonly z2: bigint
  readonly z3: bigint
  readonly w: bigint
}

export const encElgProof = (level: Level): Codec<EncElgProof> => {
  const residue = unsigned(modulusLength(level))
  const { ell, epsilon, maxModulusBits } = level
  return record({
    S: field(1, residue),
    T: field(2, residue),
    D: field(3, unsigned(squareLength(level))),
    Y: field(4, point),
    Z: field(5, point),
    z1: field(6, signed(ell + epsilon - 1)),
    z2: field(7, residue),
    z3: field(8, signed(ell + epsilon + maxModulusBits)),
    w: field(9, scalar),
  })
}

/** Treats the witness as secret; `key` is the prover's secret key, for speed and for its secrecy. */
export function proveEncElg(
  setup: DirectedSetup,
  statement: EncElgStatement,
  { x, nonce, b }: EncElgWitness,
  random: Random,
): EncElgProof {
  const { ell, epsilon } = setup.level
  const { verifierParameters, key } = statement
  const alpha = randomWithin(ell + epsilon, random)
  const mu = randomWithin(ell, random, verifierParameters.n)
  const r = key.randomNonce(random)
  const beta = secp256k1.randomScalar(random)
  const gamma = randomWithin(ell + epsilon, random, verifierParameters.n)
  const commitment = {
    S: verifierParameters.commit(x, mu),
    T: verifierParameters.commit(alpha, gamma),
    D: key.encrypt(alpha, r),
    Y: secp256k1.add(secp256k1.mulSecret(beta, statement.A), secp256k1.mulBase(alpha)),
    Z: secp256k1.mulBase(beta),
  }
  const e = challenge(setup, statement, commitment)
  return {
    ...commitment,
    z1: alpha + e * x,
    z2: key.modulus.multiply(r, key.modulus.power(nonce, e)),
    z3: gamma + e * mu,
    w: mod(beta + e * b, secp256k1.order),
  }
}

/** Variable-time: public inputs only. With `batches` it holds only if they hold too. */
export function verifyEncElg(
  setup: DirectedSetup,
  statement: EncElgStatement,
  proof: EncElgProof,
  batches?: Batches,
): boolean {
  const { ell, epsilon } = setup.level
  const { verifierParameters, key, C, A, B, X } = statement
  const { S, T, D, Y, Z, z1, z2, z3, w } = proof
  return accepts(() => {
    const isInRange =
      isWithin(z1, ell + epsilon) &&
      isWithin(z3, ell + epsilon + 1, verifierParameters.n) &&
      isScalar(w) &&
      areUnits(verifierParameters.modulus, [S, T]) &&
      areUnits(key.modulus, [z2]) &&
      areCiphertexts(key, [C, D])
    if (!isInRange) return false
    const e = challenge(setup, statement, proof)
    const { generator } = secp256k1
    return (
      secp256k1.equals(secp256k1.msm([w, z1, -e], [A, generator, X]), Y) &&
      secp256k1.equals(secp256k1.msm([w, -e], [generator, B]), Z) &&
      opensTo(verifierParameters, [z1, z3], T, S, e) &&
      equationsHold(
        [
          [
            key,
            {
              message: z1,
              nonce: z2,
              terms: [
                [D, 1n],
                [C, e],
              ],
            },
          ],
        ],
        batches,
      )
    )
  })
}

const challenge = (
  { level, context, prover, verifier }: DirectedSetup,
  { instance, verifierParameters, key, C, A, B, X }: EncElgStatement,
  { S, T, D, Y, Z }: Pick<EncElgProof, 'S' | 'T' | 'D' | 'Y' | 'Z'>,
): bigint => {
  const [short, long] = [modulusLength(level), squareLength(level)]
  const transcript = new ProofTranscript('enc-elg', context)
    .party('i', prover)
    .party('j', verifier)
    .number('inst', instance)
  return appendParameters(transcript, level, verifierParameters)
    .integer('N_i', key.n, short)
    .integer('C', C, long)
    .element('A', A)
    .element('B', B)
    .element('X', X)
    .integer('S', S, short)
    .integer('T', T, short)
    .integer('D', D, long)
    .element('Y', Y)
    .element('Z', Z)
    .centredScalar()
}
