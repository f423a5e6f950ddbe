/**
 * Π^sch: knowledge of the discrete logarithm of X (Canetti et al., eprint 2021/060, revision of
 * 2024-10, figure 22; Schnorr 1989). Its commitment A goes out before anything is known that the
 * challenge depends on, so proving has two steps.
 *
 *   witness     x ∈ Z_q with X = x·G
 *   commitment  A = α·G, α ← Z_q
 *   challenge   e ∈ Z_q over rid, i, k, X | A
 *   response    z = α + e·x mod q
 *   check       z·G = A + e·X
 *
 * A nonce α that answers two challenges gives x away: it is used once, and never kept beyond its session.
 */
import type { Random } from '@quorate/base'
import { type Element, mod, secp256k1 } from '@quorate/math'
import { ProofTranscript } from '../challenge.ts'
import { accepts, isScalar, type ProofSetup } from './setup.ts'

export type SchStatement = {
  /** k: which of several proofs of one prover in a session; 0 where there is one. */
  readonly instance: number
  readonly rid: Uint8Array
  readonly X: Element
}
export type SchWitness = { readonly x: bigint }
export type SchCommitment = {
  /** α. Secret, for one response. */
  readonly nonce: bigint
  readonly A: Element
}

export function commitSch(random: Random): SchCommitment {
  const nonce = secp256k1.randomScalar(random)
  return { nonce, A: secp256k1.mulBase(nonce) }
}

/** z, in 0..q−1. Treats the nonce and the witness as secret. */
export function respondSch(
  setup: ProofSetup,
  statement: SchStatement,
  { nonce, A }: SchCommitment,
  { x }: SchWitness,
): bigint {
  return mod(nonce + challenge(setup, statement, A) * x, secp256k1.order)
}

/** Whether z answers the challenge to A. Variable-time: public inputs only. */
export function verifySch(
  setup: ProofSetup,
  statement: SchStatement,
  A: Element,
  z: bigint,
): boolean {
  return accepts(() => {
    if (!isScalar(z)) return false
    const e = challenge(setup, statement, A)
    return secp256k1.equals(secp256k1.msm([z, -e], [secp256k1.generator, statement.X]), A)
  })
}

const challenge = (
  { context, prover }: ProofSetup,
  { instance, rid, X }: SchStatement,
  A: Element,
): bigint =>
  new ProofTranscript('sch', context)
    .bytes('rid', rid)
    .party('i', prover)
    .number('k', instance)
    .element('X', X)
    .element('A', A)
    .scalar()
