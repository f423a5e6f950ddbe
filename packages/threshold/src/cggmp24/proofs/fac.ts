/**
 * Π^fac: neither prime factor of N_i is small (Canetti et al., eprint 2021/060, revision of 2024-10,
 * figure 26). N_i is the prover's, R = (N̂, s, t) the verifier's; ±2ᵇ is of half width
 * (math/integer/sample.ts).
 *
 *   witness     p, q with N_i = p·q
 *   commitment  P = com(p, μ), Q = com(q, ν), A = com(α, x), B = com(β, y), T = Q^α·tʳ with
 *               α, β ← ±2^(ℓ+ε)·√N_i, μ, ν ← ±2^ℓ·N̂, r ← ±2^(ℓ+ε)·N_i·N̂, x, y ← ±2^(ℓ+ε)·N̂
 *   challenge   e ∈ ±2^ℓ over ρ, i, j, R, N_i | P, Q, A, B, T
 *   response    z₁ = α + e·p, z₂ = β + e·q, w₁ = x + e·μ, w₂ = y + e·ν, v = r − e·ν·p
 *   check       com(z₁, w₁) = A·Pᵉ, com(z₂, w₂) = B·Qᵉ, Q^z₁·tᵛ = T·s^(N_i·e),
 *               z₁, z₂ ∈ ±2^(ℓ+ε)·√N_i, N_i > 2^(4ℓ)
 */
import { type Codec, field, type Random, record } from '@quorate/base'
import {
  integerSquareRoot,
  isWithin,
  type PaillierKey,
  type PaillierSecretKey,
  type RingPedersen,
  randomWithin,
} from '@quorate/math'
import { ProofTranscript } from '../challenge.ts'
import type { Level } from '../level.ts'
import { modulusLength, signed, unsigned } from '../wire.ts'
import { accepts, appendParameters, areUnits, type DirectedSetup, opensTo } from './setup.ts'

export type FacStatement = {
  /** ρ: 32 bytes that all parties contributed to. */
  readonly rho: Uint8Array
  /** R, the verifier's. */
  readonly verifierParameters: RingPedersen
  /** N_i, the prover's. */
  readonly key: PaillierKey
}
export type FacWitness = PaillierSecretKey
export type FacProof = {
  readonly P: bigint
  readonly Q: bigint
  readonly A: bigint
  readonly B: bigint
  readonly T: bigint
  readonly z1: bigint
  readonly z2: bigint
  readonly w1: bigint
  readonly w2: bigint
  readonly v: bigint
}

export const facProof = (level: Level): Codec<FacProof> => {
  const { ell, epsilon, primeBits, maxModulusBits } = level
  const residue = unsigned(modulusLength(level))
  const factor = signed(ell + epsilon - 1 + primeBits)
  const opening = signed(ell + epsilon + maxModulusBits)
  return record({
    P: field(1, residue),
    Q: field(2, residue),
    A: field(3, residue),
    B: field(4, residue),
    T: field(5, residue),
    z1: field(6, factor),
    z2: field(7, factor),
    w1: field(8, opening),
    w2: field(9, opening),
    v: field(10, signed(ell + epsilon + 2 * maxModulusBits)),
  })
}

/** Treats the witness as secret. */
export function proveFac(
  setup: DirectedSetup,
  statement: FacStatement,
  { factors }: FacWitness,
  random: Random,
): FacProof {
  const { ell, epsilon } = setup.level
  const { verifierParameters, key } = statement
  const { modulus, t } = verifierParameters
  const [p, q] = [factors.p.n, factors.q.n]
  const root = integerSquareRoot(key.n)
  const alpha = randomWithin(ell + epsilon, random, root)
  const beta = randomWithin(ell + epsilon, random, root)
  const mu = randomWithin(ell, random, modulus.n)
  const nu = randomWithin(ell, random, modulus.n)
  const r = randomWithin(ell + epsilon, random, key.n * modulus.n)
  const x = randomWithin(ell + epsilon, random, modulus.n)
  const y = randomWithin(ell + epsilon, random, modulus.n)
  const Q = verifierParameters.commit(q, nu)
  const commitment = {
    P: verifierParameters.commit(p, mu),
    Q,
    A: verifierParameters.commit(alpha, x),
    B: verifierParameters.commit(beta, y),
    T: modulus.multiply(modulus.power(Q, alpha), modulus.power(t, r)),
  }
  const e = challenge(setup, statement, commitment)
  return {
    ...commitment,
    z1: alpha + e * p,
    z2: beta + e * q,
    w1: x + e * mu,
    w2: y + e * nu,
    v: r - e * nu * p,
  }
}

/** Variable-time: public inputs only. */
export function verifyFac(setup: DirectedSetup, statement: FacStatement, proof: FacProof): boolean {
  const { ell, epsilon } = setup.level
  const { verifierParameters, key } = statement
  const { modulus } = verifierParameters
  const { P, Q, A, B, T, z1, z2, w1, w2, v } = proof
  return accepts(() => {
    const root = integerSquareRoot(key.n)
    const isInRange =
      key.n >> BigInt(4 * ell) > 0n &&
      isWithin(z1, ell + epsilon, root) &&
      isWithin(z2, ell + epsilon, root) &&
      isWithin(w1, ell + epsilon + 1, modulus.n) &&
      isWithin(w2, ell + epsilon + 1, modulus.n) &&
      isWithin(v, ell + epsilon + 1, key.n * modulus.n) &&
      areUnits(modulus, [P, Q, A, B, T])
    if (!isInRange) return false
    const e = challenge(setup, statement, proof)
    // Q^z₁ = T·com(N_i·e, −v): the third equation with tᵛ on the other side, one commitment.
    const product = modulus.multiply(T, verifierParameters.commit(key.n * e, -v))
    return (
      opensTo(verifierParameters, [z1, w1], A, P, e) &&
      opensTo(verifierParameters, [z2, w2], B, Q, e) &&
      (z1 < 0n
        ? modulus.multiply(product, modulus.power(Q, -z1)) === 1n
        : product === modulus.power(Q, z1))
    )
  })
}

const challenge = (
  { level, context, prover, verifier }: DirectedSetup,
  { rho, verifierParameters, key }: FacStatement,
  { P, Q, A, B, T }: Pick<FacProof, 'P' | 'Q' | 'A' | 'B' | 'T'>,
): bigint => {
  const length = modulusLength(level)
  const transcript = new ProofTranscript('fac', context)
    .bytes('rho', rho)
    .party('i', prover)
    .party('j', verifier)
  return appendParameters(transcript, level, verifierParameters)
    .integer('N_i', key.n, length)
    .integer('P', P, length)
    .integer('Q', Q, length)
    .integer('A', A, length)
    .integer('B', B, length)
    .integer('T', T, length)
    .halfWidth(level.ell)
}
