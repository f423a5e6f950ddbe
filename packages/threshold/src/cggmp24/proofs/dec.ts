/**
 * Π^dec: Kˣ·D decrypts to y, where X = x·G and S = y·G′ (Canetti et al., eprint 2021/060, revision of
 * 2024-10, the proof of an alert that a part δ or χ is what was decrypted). N is the prover's; ±2ᵇ is
 * of half width (math/integer/sample.ts).
 *
 *   witness     x ∈ ±2^ℓ, y the decryption of Kˣ·D, −N/2 < y < N/2, not reduced modulo q, and its
 *               nonce ρ: enc(y; ρ) = Kˣ·D, X = x·G, S = y·G′
 *   commitment  A_k = K^(−α_k)·enc(β_k; r_k), B_k = β_k·G′, C_k = α_k·G with α_k ← ±2^(ℓ+ε),
 *               β_k ← ±2^W, r_k ← Z*_N, for k = 1..m
 *   challenge   e_k ∈ {0, 1} over i, inst, view, n, N, K, X, D, S, G′ | (A, B, C)_1..m
 *   response    z_k = α_k + e_k·x, w_k = β_k + e_k·y, ν_k = r_k·ρ^e_k mod N
 *   check       enc(w_k; ν_k) = A_k·D^e_k·K^z_k, z_k·G = C_k + e_k·X, w_k·G′ = B_k + e_k·S,
 *               z_k ∈ ±2^(ℓ+ε), w_k ∈ ±2^W
 *
 * W (`decryptionBits`) keeps y below N/2: otherwise y and y + N, one plaintext but two values modulo
 * q, would both pass. Challenges of one bit need no more than ε* to hide y.
 */
import { type Codec, field, type Random, record } from '@quorate/base'
import {
  type Element,
  isWithin,
  type PaillierKey,
  type PaillierSecretKey,
  randomWithin,
  secp256k1,
} from '@quorate/math'
import { MAX_PARTIES } from '../../session/party.ts'
import { ProofTranscript } from '../challenge.ts'
import { decryptionBits, type Level } from '../level.ts'
import { modulusLength, packed, points, squareLength } from '../wire.ts'
import { equationsHoldTogether, halfWidthLength, powersOf } from './repeated.ts'
import { accepts, areCiphertexts, areUnits, type Batches, type ProofSetup } from './setup.ts'

export type DecStatement = {
  /** 0 for δ, 1 for χ. */
  readonly instance: 0 | 1
  /** 32 bytes over the broadcasts that the alert is about. */
  readonly view: Uint8Array
  /** n: how many signers there are. */
  readonly signers: number
  readonly key: PaillierKey
  readonly K: bigint
  readonly D: bigint
  readonly X: Element
  readonly S: Element
  /** G′. */
  readonly G: Element
}
export type DecWitness = {
  /** Centred: −(q−1)/2..(q−1)/2. */
  readonly x: bigint
  readonly y: bigint
  readonly key: PaillierSecretKey
}
export type DecProof = {
  readonly A: readonly bigint[]
  readonly B: readonly Element[]
  readonly C: readonly Element[]
  readonly z: readonly bigint[]
  readonly w: readonly bigint[]
  readonly nu: readonly bigint[]
}

export const decProof = (level: Level): Codec<DecProof> => {
  const { repetitions, ell, epsilon } = level
  return record({
    A: field(1, packed(repetitions, squareLength(level), 'unsigned')),
    B: field(2, points(repetitions)),
    C: field(3, points(repetitions)),
    z: field(4, packed(repetitions, halfWidthLength(ell + epsilon), 'signed')),
    w: field(5, packed(repetitions, halfWidthLength(decryptionBits(level, MAX_PARTIES)), 'signed')),
    nu: field(6, packed(repetitions, modulusLength(level), 'unsigned')),
  })
}

/** Treats the witness as secret. */
export function proveDec(
  setup: ProofSetup,
  statement: DecStatement,
  { x, y, key }: DecWitness,
  random: Random,
): DecProof {
  const { ell, epsilon, repetitions } = setup.level
  const { signers, K, D, G } = statement
  const rho = key.nonceOf(key.add(key.multiply(K, x), D))
  const powerOfK = powersOf(key.square, K)
  const masks = Array.from({ length: repetitions }, () => ({
    alpha: randomWithin(ell + epsilon, random),
    beta: randomWithin(decryptionBits(setup.level, signers), random),
    r: key.randomNonce(random),
  }))
  const commitment = {
    A: masks.map(({ alpha, beta, r }) => key.add(powerOfK(-alpha), key.encrypt(beta, r))),
    B: masks.map(({ beta }) => secp256k1.mulSecret(beta, G)),
    C: masks.map(({ alpha }) => secp256k1.mulBase(alpha)),
  }
  const bits = challenge(setup, statement, commitment)
  return {
    ...commitment,
    z: masks.map(({ alpha }, k) => (bits[k] ? alpha + x : alpha)),
    w: masks.map(({ beta }, k) => (bits[k] ? beta + y : beta)),
    nu: masks.map(({ r }, k) => (bits[k] ? key.modulus.multiply(r, rho) : r)),
  }
}

/** Variable-time: public inputs only. With `batches` it holds only if they hold too. */
export function verifyDec(
  setup: ProofSetup,
  statement: DecStatement,
  proof: DecProof,
  batches?: Batches,
): boolean {
  const { ell, epsilon, repetitions } = setup.level
  const { signers, key, K, D, X, S, G } = statement
  const { A, B, C, z, w, nu } = proof
  return accepts(() => {
    const isInRange =
      [A, B, C, z, w, nu].every(({ length }) => length === repetitions) &&
      z.every((response) => isWithin(response, ell + epsilon)) &&
      w.every((response) => isWithin(response, decryptionBits(setup.level, signers))) &&
      areUnits(key.modulus, nu) &&
      areCiphertexts(key, [K, D, ...A])
    if (!isInRange) return false
    const bits = challenge(setup, statement, proof)
    const plus = (element: Element, k: number, times: Element): Element =>
      bits[k] ? secp256k1.add(element, times) : element
    return (
      z.every((response, k) =>
        secp256k1.equals(secp256k1.mul(response, secp256k1.generator), plus(C[k]!, k, X)),
      ) &&
      w.every((response, k) => secp256k1.equals(secp256k1.mul(response, G), plus(B[k]!, k, S))) &&
      equationsHoldTogether(
        key,
        w.map((message, k) => ({
          message,
          nonce: nu[k]!,
          terms: [
            [A[k]!, 1n],
            [D, bits[k] ? 1n : 0n],
            [K, z[k]!],
          ],
        })),
        batches,
      )
    )
  })
}

function challenge(
  { level, context, prover }: ProofSetup,
  { instance, view, signers, key, K, D, X, S, G }: DecStatement,
  { A, B, C }: Pick<DecProof, 'A' | 'B' | 'C'>,
): readonly boolean[] {
  const long = squareLength(level)
  const transcript = new ProofTranscript('dec', context)
    .party('i', prover)
    .number('inst', instance)
    .bytes('view', view)
    .number('n', signers)
    .integer('N_i', key.n, modulusLength(level))
    .integer('K', K, long)
    .element('X', X)
    .integer('D', D, long)
    .element('S', S)
    .element('G', G)
  for (const [k, commitment] of A.entries())
    transcript.integer('A', commitment, long).element('B', B[k]!).element('C', C[k]!)
  return transcript.bits(level.repetitions)
}
