/**
 * Π^prm: s lies in the group that t generates (Canetti et al., eprint 2021/060, revision of 2024-10,
 * figure 17). N̂, s and t are the prover's.
 *
 *   witness     λ with s = t^λ, and the factors of N̂
 *   commitment  A_k = t^a_k with a_k ← Z_φ(N̂), for k = 1..m
 *   challenge   e_k ∈ {0, 1} over i, N̂, s, t | A_1..A_m
 *   response    z_k = a_k + e_k·λ mod φ(N̂)
 *   check       t^z_k = A_k·s^e_k
 *
 * Every equation is checked by itself: a product of them would pass where one is off by an element of
 * small order, and that is what this proof is there to exclude.
 */
import { type Codec, field, type Random, record } from '@quorate/base'
import { mod, type RingPedersen, type RingPedersenSecret, randomBelow } from '@quorate/math'
import { ProofTranscript } from '../challenge.ts'
import type { Level } from '../level.ts'
import { modulusLength, packed } from '../wire.ts'
import { accepts, appendParameters, areUnits, type ProofSetup } from './setup.ts'

export type PrmStatement = { readonly parameters: RingPedersen }
export type PrmWitness = RingPedersenSecret
export type PrmProof = {
  /** A_1..A_m. */
  readonly A: readonly bigint[]
  /** z_1..z_m. */
  readonly z: readonly bigint[]
}

export const prmProof = (level: Level): Codec<PrmProof> => {
  const residues = packed(level.repetitions, modulusLength(level), 'unsigned')
  return record({ A: field(1, residues), z: field(2, residues) })
}

/** Treats the witness as secret. */
export function provePrm(
  setup: ProofSetup,
  statement: PrmStatement,
  { factors, lambda, t }: PrmWitness,
  random: Random,
): PrmProof {
  const { totient } = factors
  const masks = Array.from({ length: setup.level.repetitions }, () => randomBelow(totient, random))
  const A = masks.map((a) => factors.power(t, a))
  const bits = challenge(setup, statement, A)
  return { A, z: masks.map((a, k) => mod(bits[k] ? a + lambda : a, totient)) }
}

/** Variable-time: public inputs only. */
export function verifyPrm(setup: ProofSetup, statement: PrmStatement, { A, z }: PrmProof): boolean {
  const { modulus, s, t } = statement.parameters
  const { repetitions } = setup.level
  return accepts(() => {
    const isWellFormed =
      A.length === repetitions &&
      z.length === repetitions &&
      areUnits(modulus, [s, t, ...A]) &&
      z.every((response) => response >= 0n && response < modulus.n)
    if (!isWellFormed) return false
    const bits = challenge(setup, statement, A)
    return z.every((response, k) => {
      const expected = bits[k] ? modulus.multiply(A[k]!, s) : A[k]!
      return modulus.power(t, response) === expected
    })
  })
}

function challenge(
  { level, context, prover }: ProofSetup,
  { parameters }: PrmStatement,
  A: readonly bigint[],
): readonly boolean[] {
  const transcript = new ProofTranscript('prm', context).party('i', prover)
  appendParameters(transcript, level, parameters)
  for (const commitment of A) transcript.integer('A', commitment, modulusLength(level))
  return transcript.bits(level.repetitions)
}
