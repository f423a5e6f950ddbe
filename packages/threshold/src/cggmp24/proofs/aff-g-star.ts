/**
 * Π^aff-g*: D is C times a small x plus a small y, X = x·G, and Y encrypts the same y for the prover,
 * as Π^aff-g says, to everybody and without commitments (Canetti et al., eprint 2021/060, revision of
 * 2024-10, the proof of an alert that products were made from what was committed to). N_j is the
 * receiver's, N_i the prover's; ±2ᵇ is of half width (math/integer/sample.ts).
 *
 *   witness     x ∈ ±2^ℓ, y ∈ ±2^ℓ′, ρ ∈ Z*_Nj, ρ_y ∈ Z*_Ni with
 *               D = Cˣ·enc_j(y; ρ), Y = enc_i(y; ρ_y), X = x·G
 *   commitment  A_k = C^α_k·enc_j(β_k; r_k), B_k = α_k·G, E_k = enc_i(β_k; r_yk) with
 *               α_k ← ±2^(ℓ+ε), β_k ← ±2^(ℓ′+ε), r_k ← Z*_Nj, r_yk ← Z*_Ni, for k = 1..m
 *   challenge   e_k ∈ {0, 1} over i, j, inst, view, N_j, N_i, C, D, Y, X | (A, B, E)_1..m
 *   response    z_k = α_k + e_k·x, z′_k = β_k + e_k·y, w_k = r_k·ρ^e_k mod N_j,
 *               w_yk = r_yk·ρ_y^e_k mod N_i
 *   check       A_k·D^e_k = C^z_k·enc_j(z′_k; w_k), z_k·G = B_k + e_k·X,
 *               E_k·Y^e_k = enc_i(z′_k; w_yk), z_k ∈ ±2^(ℓ+ε), z′_k ∈ ±2^(ℓ′+ε)
 */
import { type Codec, field, type Random, record } from '@quorate/base'
import { type Element, isWithin, type PaillierKey, randomWithin, secp256k1 } from '@quorate/math'
import type { PartyId } from '../../session/party.ts'
import { ProofTranscript } from '../challenge.ts'
import type { Level } from '../level.ts'
import { modulusLength, packed, points, squareLength } from '../wire.ts'
import { equationsHoldTogether, halfWidthLength, powersOf } from './repeated.ts'
import { accepts, areCiphertexts, areUnits, type Batches, type ProofSetup } from './setup.ts'

export type AffGStarStatement = {
  /** 0 for γ, 1 for the key share x. */
  readonly instance: 0 | 1
  /** j. */
  readonly receiver: PartyId
  /** 32 bytes over the broadcasts that the alert is about. */
  readonly view: Uint8Array
  /** N_j. */
  readonly receiverKey: PaillierKey
  /** N_i. */
  readonly proverKey: PaillierKey
  readonly C: bigint
  readonly D: bigint
  readonly Y: bigint
  readonly X: Element
}
export type AffGStarWitness = {
  /** Centred: −(q−1)/2..(q−1)/2. */
  readonly x: bigint
  readonly y: bigint
  /** ρ. */
  readonly nonce: bigint
  /** ρ_y. */
  readonly nonceY: bigint
}
export type AffGStarProof = {
  readonly A: readonly bigint[]
  readonly B: readonly Element[]
  readonly E: readonly bigint[]
  readonly z: readonly bigint[]
  /** z′. */
  readonly zPrime: readonly bigint[]
  readonly w: readonly bigint[]
  readonly wY: readonly bigint[]
}

export const affGStarProof = (level: Level): Codec<AffGStarProof> => {
  const { repetitions, ell, ellPrime, epsilon } = level
  const ciphertexts = packed(repetitions, squareLength(level), 'unsigned')
  const residues = packed(repetitions, modulusLength(level), 'unsigned')
  return record({
    A: field(1, ciphertexts),
    B: field(2, points(repetitions)),
    E: field(3, ciphertexts),
    z: field(4, packed(repetitions, halfWidthLength(ell + epsilon), 'signed')),
    zPrime: field(5, packed(repetitions, halfWidthLength(ellPrime + epsilon), 'signed')),
    w: field(6, residues),
    wY: field(7, residues),
  })
}

/** Treats the witness as secret; `proverKey` is the prover's secret key, for speed and for its secrecy. */
export function proveAffGStar(
  setup: ProofSetup,
  statement: AffGStarStatement,
  { x, y, nonce, nonceY }: AffGStarWitness,
  random: Random,
): AffGStarProof {
  const { ell, ellPrime, epsilon, repetitions } = setup.level
  const { receiverKey, proverKey, C } = statement
  const powerOfC = powersOf(receiverKey.square, C)
  const masks = Array.from({ length: repetitions }, () => ({
    alpha: randomWithin(ell + epsilon, random),
    beta: randomWithin(ellPrime + epsilon, random),
    r: receiverKey.randomNonce(random),
    rY: proverKey.randomNonce(random),
  }))
  const commitment = {
    A: masks.map(({ alpha, beta, r }) =>
      receiverKey.add(powerOfC(alpha), receiverKey.encrypt(beta, r)),
    ),
    B: masks.map(({ alpha }) => secp256k1.mulBase(alpha)),
    E: masks.map(({ beta, rY }) => proverKey.encrypt(beta, rY)),
  }
  const bits = challenge(setup, statement, commitment)
  return {
    ...commitment,
    z: masks.map(({ alpha }, k) => (bits[k] ? alpha + x : alpha)),
    zPrime: masks.map(({ beta }, k) => (bits[k] ? beta + y : beta)),
    w: masks.map(({ r }, k) => (bits[k] ? receiverKey.modulus.multiply(r, nonce) : r)),
    wY: masks.map(({ rY }, k) => (bits[k] ? proverKey.modulus.multiply(rY, nonceY) : rY)),
  }
}

/** Variable-time: public inputs only. With `batches` it holds only if they hold too. */
export function verifyAffGStar(
  setup: ProofSetup,
  statement: AffGStarStatement,
  proof: AffGStarProof,
  batches?: Batches,
): boolean {
  const { ell, ellPrime, epsilon, repetitions } = setup.level
  const { receiverKey, proverKey, C, D, Y, X } = statement
  const { A, B, E, z, zPrime, w, wY } = proof
  return accepts(() => {
    const isInRange =
      [A, B, E, z, zPrime, w, wY].every(({ length }) => length === repetitions) &&
      z.every((response) => isWithin(response, ell + epsilon)) &&
      zPrime.every((response) => isWithin(response, ellPrime + epsilon)) &&
      areUnits(receiverKey.modulus, w) &&
      areUnits(proverKey.modulus, wY) &&
      areCiphertexts(receiverKey, [C, D, ...A]) &&
      areCiphertexts(proverKey, [Y, ...E])
    if (!isInRange) return false
    const bits = challenge(setup, statement, proof)
    const e = bits.map((bit) => (bit ? 1n : 0n))
    return (
      z.every((response, k) =>
        secp256k1.equals(
          secp256k1.mul(response, secp256k1.generator),
          bits[k] ? secp256k1.add(B[k]!, X) : B[k]!,
        ),
      ) &&
      equationsHoldTogether(
        proverKey,
        zPrime.map((message, k) => ({
          message,
          nonce: wY[k]!,
          terms: [
            [E[k]!, 1n],
            [Y, e[k]!],
          ],
        })),
        batches,
      ) &&
      equationsHoldTogether(
        receiverKey,
        zPrime.map((message, k) => ({
          message,
          nonce: w[k]!,
          terms: [
            [A[k]!, 1n],
            [D, e[k]!],
            [C, -z[k]!],
          ],
        })),
        batches,
      )
    )
  })
}

function challenge(
  { level, context, prover }: ProofSetup,
  { instance, receiver, view, receiverKey, proverKey, C, D, Y, X }: AffGStarStatement,
  { A, B, E }: Pick<AffGStarProof, 'A' | 'B' | 'E'>,
): readonly boolean[] {
  const [short, long] = [modulusLength(level), squareLength(level)]
  const transcript = new ProofTranscript('aff-g-star', context)
    .party('i', prover)
    .party('j', receiver)
    .number('inst', instance)
    .bytes('view', view)
    .integer('N_j', receiverKey.n, short)
    .integer('N_i', proverKey.n, short)
    .integer('C', C, long)
    .integer('D', D, long)
    .integer('Y', Y, long)
    .element('X', X)
  for (const [k, commitment] of A.entries())
    transcript.integer('A', commitment, long).element('B', B[k]!).integer('E', E[k]!, long)
  return transcript.bits(level.repetitions)
}
