/**
 * Π^aff-g: D is C times a small x plus a small y, X = x·G, and Y encrypts the same y for the prover
 * (Canetti et al., eprint 2021/060, revision of 2024-10, figure 25). N_j and R = (N̂, s, t) are the
 * verifier's, N_i the prover's; ±2ᵇ is of half width (math/integer/sample.ts).
 *
 *   witness     x ∈ ±2^ℓ, y ∈ ±2^ℓ′, ρ ∈ Z*_Nj, ρ_y ∈ Z*_Ni with
 *               D = Cˣ·enc_j(y; ρ), Y = enc_i(y; ρ_y), X = x·G
 *   commitment  A = C^α·enc_j(β; r), B_x = α·G, B_y = enc_i(β; r_y), E = com(α, γ), S = com(x, m),
 *               F = com(β, δ), T = com(y, μ) with α ← ±2^(ℓ+ε), β ← ±2^(ℓ′+ε), r ← Z*_Nj,
 *               r_y ← Z*_Ni, γ, δ ← ±2^(ℓ+ε)·N̂, m, μ ← ±2^ℓ·N̂
 *   challenge   e ∈ ±q over i, j, inst, R, N_j, N_i, C, D, Y, X | A, B_x, B_y, E, S, F, T
 *   response    z₁ = α + e·x, z₂ = β + e·y, z₃ = γ + e·m, z₄ = δ + e·μ, w = r·ρᵉ mod N_j,
 *               w_y = r_y·ρ_yᵉ mod N_i
 *   check       A·Dᵉ = C^z₁·enc_j(z₂; w), z₁·G = B_x + e·X, B_y·Yᵉ = enc_i(z₂; w_y),
 *               com(z₁, z₃) = E·Sᵉ, com(z₂, z₄) = F·Tᵉ, z₁ ∈ ±2^(ℓ+ε), z₂ ∈ ±2^(ℓ′+ε)
 *
 * With batches the two Paillier equations are only collected, as math/paillier/batch.ts says: what
 * passes there binds the plaintexts of D and Y, which is all that this proof is about.
 */
import { type Codec, field, type Random, record } from '@quorate/base'
import {
  type Element,
  isWithin,
  type Modulus,
  type PaillierKey,
  type RingPedersen,
  randomWithin,
  secp256k1,
} from '@quorate/math'
import { ProofTranscript } from '../challenge.ts'
import type { Level } from '../level.ts'
import { modulusLength, point, signed, squareLength, unsigned } from '../wire.ts'
import {
  accepts,
  appendParameters,
  areCiphertexts,
  areUnits,
  type Batches,
  type DirectedSetup,
  equationsHold,
  opensTo,
} from './setup.ts'

export type AffGStatement = {
  /** 0 for γ, 1 for the key share x. */
  readonly instance: 0 | 1
  /** R, the verifier's. */
  readonly verifierParameters: RingPedersen
  /** N_j, the verifier's. */
  readonly receiverKey: PaillierKey
  /** N_i. */
  readonly proverKey: PaillierKey
  readonly C: bigint
  readonly D: bigint
  readonly Y: bigint
  readonly X: Element
}
export type AffGWitness = {
  /** Centred: −(q−1)/2..(q−1)/2. */
  readonly x: bigint
  readonly y: bigint
  /** ρ. */
  readonly nonce: bigint
  /** ρ_y. */
  readonly nonceY: bigint
}
export type AffGProof = {
  readonly A: bigint
  readonly Bx: Element
  readonly By: bigint
  readonly E: bigint
  readonly S: bigint
  readonly F: bigint
  readonly T: bigint
  readonly z1: bigint
  readonly z2: bigint
  readonly z3: bigint
  readonly z4: bigint
  readonly w: bigint
  readonly wY: bigint
}

export const affGProof = (level: Level): Codec<AffGProof> => {
  const residue = unsigned(modulusLength(level))
  const ciphertext = unsigned(squareLength(level))
  const { ell, ellPrime, epsilon, maxModulusBits } = level
  const opening = signed(ell + epsilon + maxModulusBits)
  return record({
    A: field(1, ciphertext),
    Bx: field(2, point),
    By: field(3, ciphertext),
    E: field(4, residue),
    S: field(5, residue),
    F: field(6, residue),
    T: field(7, residue),
    z1: field(8, signed(ell + epsilon - 1)),
    z2: field(9, signed(ellPrime + epsilon - 1)),
    z3: field(10, opening),
    z4: field(11, opening),
    w: field(12, residue),
    wY: field(13, residue),
  })
}

/** Treats the witness as secret; `proverKey` is the prover's secret key, for speed and for its secrecy. */
export function proveAffG(
  setup: DirectedSetup,
  statement: AffGStatement,
  { x, y, nonce, nonceY }: AffGWitness,
  random: Random,
): AffGProof {
  const { ell, ellPrime, epsilon } = setup.level
  const { verifierParameters, receiverKey, proverKey, C } = statement
  const alpha = randomWithin(ell + epsilon, random)
  const beta = randomWithin(ellPrime + epsilon, random)
  const r = receiverKey.randomNonce(random)
  const rY = proverKey.randomNonce(random)
  const gamma = randomWithin(ell + epsilon, random, verifierParameters.n)
  const delta = randomWithin(ell + epsilon, random, verifierParameters.n)
  const m = randomWithin(ell, random, verifierParameters.n)
  const mu = randomWithin(ell, random, verifierParameters.n)
  const commitment = {
    A: receiverKey.add(receiverKey.multiply(C, alpha), receiverKey.encrypt(beta, r)),
    Bx: secp256k1.mulBase(alpha),
    By: proverKey.encrypt(beta, rY),
    E: verifierParameters.commit(alpha, gamma),
    S: verifierParameters.commit(x, m),
    F: verifierParameters.commit(beta, delta),
    T: verifierParameters.commit(y, mu),
  }
  const e = challenge(setup, statement, commitment)
  return {
    ...commitment,
    z1: alpha + e * x,
    z2: beta + e * y,
    z3: gamma + e * m,
    z4: delta + e * mu,
    w: receiverKey.modulus.multiply(r, blindedPower(receiverKey.modulus, nonce, e, random)),
    wY: proverKey.modulus.multiply(rY, proverKey.modulus.power(nonceY, e)),
  }
}

/** baseᵉ under a modulus of unknown factors, where e may be negative: what is inverted then is uniform. */
function blindedPower(modulus: Modulus, base: bigint, e: bigint, random: Random): bigint {
  if (e >= 0n) return modulus.power(base, e)
  const blind = modulus.randomUnit(random)
  const inverse = modulus.inverse(modulus.multiply(modulus.power(base, -e), blind))
  return modulus.multiply(inverse, blind)
}

/** Variable-time: public inputs only. With `batches` it holds only if they hold too. */
export function verifyAffG(
  setup: DirectedSetup,
  statement: AffGStatement,
  proof: AffGProof,
  batches?: Batches,
): boolean {
  const { ell, ellPrime, epsilon } = setup.level
  const { verifierParameters, receiverKey, proverKey, C, D, Y, X } = statement
  const { A, Bx, By, E, S, F, T, z1, z2, z3, z4, w, wY } = proof
  return accepts(() => {
    const isInRange =
      isWithin(z1, ell + epsilon) &&
      isWithin(z2, ellPrime + epsilon) &&
      isWithin(z3, ell + epsilon + 1, verifierParameters.n) &&
      isWithin(z4, ell + epsilon + 1, verifierParameters.n) &&
      areUnits(verifierParameters.modulus, [E, S, F, T]) &&
      areUnits(receiverKey.modulus, [w]) &&
      areUnits(proverKey.modulus, [wY]) &&
      areCiphertexts(receiverKey, [C, D, A]) &&
      areCiphertexts(proverKey, [Y, By])
    if (!isInRange) return false
    const e = challenge(setup, statement, proof)
    return (
      secp256k1.equals(secp256k1.msm([z1, -e], [secp256k1.generator, X]), Bx) &&
      opensTo(verifierParameters, [z1, z3], E, S, e) &&
      opensTo(verifierParameters, [z2, z4], F, T, e) &&
      equationsHold(
        [
          [
            receiverKey,
            {
              message: z2,
              nonce: w,
              terms: [
                [A, 1n],
                [D, e],
                [C, -z1],
              ],
            },
          ],
          [
            proverKey,
            {
              message: z2,
              nonce: wY,
              terms: [
                [By, 1n],
                [Y, e],
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
  { instance, verifierParameters, receiverKey, proverKey, C, D, Y, X }: AffGStatement,
  { A, Bx, By, E, S, F, T }: Pick<AffGProof, 'A' | 'Bx' | 'By' | 'E' | 'S' | 'F' | 'T'>,
): bigint => {
  const [short, long] = [modulusLength(level), squareLength(level)]
  const transcript = new ProofTranscript('aff-g', context)
    .party('i', prover)
    .party('j', verifier)
    .number('inst', instance)
  return appendParameters(transcript, level, verifierParameters)
    .integer('N_j', receiverKey.n, short)
    .integer('N_i', proverKey.n, short)
    .integer('C', C, long)
    .integer('D', D, long)
    .integer('Y', Y, long)
    .element('X', X)
    .integer('A', A, long)
    .element('B_x', Bx)
    .integer('B_y', By, long)
    .integer('E', E, short)
    .integer('S', S, short)
    .integer('F', F, short)
    .integer('T', T, short)
    .centredScalar()
}
