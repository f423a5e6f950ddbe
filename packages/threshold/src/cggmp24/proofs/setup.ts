/**
 * What every proof of CGGMP24 needs besides its statement. The shape of all of them:
 *
 *   proveX(setup, statement, witness, random)   a proof; treats the witness as secret
 *   verifyX(setup, statement, proof)            whether it holds; variable-time, never throws
 *   xProof(level)                               its wire form: every field of one fixed length
 *
 * A verifier that is a party uses its own secret keys in the statement, which are faster; a third party
 * uses the public ones and comes to the same answer. Keys and ring-Pedersen parameters in a statement
 * are those that Π^mod, Π^fac and Π^prm were verified for; everything else in it is checked here.
 */
import { isFault } from '@quorate/base'
import {
  EncryptionBatch,
  type EncryptionEquation,
  type Modulus,
  type PaillierKey,
  type RingPedersen,
  secp256k1,
} from '@quorate/math'
import type { PartyId } from '../../session/party.ts'
import type { ProofTranscript } from '../challenge.ts'
import type { Level } from '../level.ts'
import { modulusLength } from '../wire.ts'

export type ProofSetup = {
  readonly level: Level
  /** 32 bytes over the session, its parties, their keys and the epoch. */
  readonly context: Uint8Array
  readonly prover: PartyId
}

/** Setup of a proof that convinces one party, under that party's ring-Pedersen parameters. */
export type DirectedSetup = ProofSetup & { readonly verifier: PartyId }

/** Where a verifier collects the Paillier equations under a key, to check them together later. */
export type Batches = (key: PaillierKey) => EncryptionBatch

/** The answer of `check`; false where arithmetic refuses a value that the prover chose. */
export function accepts(check: () => boolean): boolean {
  try {
    return check()
  } catch (error) {
    if (isFault(error) && error.code.startsWith('math/')) return false
    throw error
  }
}

/** R in a transcript: N̂, s and t. */
export const appendParameters = (
  transcript: ProofTranscript,
  level: Level,
  { n, s, t }: RingPedersen,
): ProofTranscript => {
  const length = modulusLength(level)
  return transcript.integer('Nhat', n, length).integer('s', s, length).integer('t', t, length)
}

/** Whether 0 ≤ k < q. */
export const isScalar = (k: bigint): boolean => k >= 0n && k < secp256k1.order

/** Whether all are canonical units. One gcd for all: a product is a unit where every factor is. */
export function areUnits(modulus: Modulus, values: readonly bigint[]): boolean {
  let product = 1n
  for (const value of values) {
    if (value <= 0n || value >= modulus.n) return false
    product = modulus.multiply(product, value)
  }
  return modulus.isUnit(product)
}

/** Whether all are canonical units modulo N². */
export const areCiphertexts = (
  { modulus, square }: PaillierKey,
  values: readonly bigint[],
): boolean =>
  values.every((value) => value > 0n && value < square.n) &&
  areUnits(
    modulus,
    values.map((value) => value % modulus.n),
  )

/** Whether com(x, y) = mask·committedᵉ, for a challenge e of any sign and units `mask` and `committed`. */
export function opensTo(
  parameters: RingPedersen,
  [x, y]: readonly [bigint, bigint],
  mask: bigint,
  committed: bigint,
  e: bigint,
): boolean {
  const { modulus } = parameters
  const opened = parameters.commit(x, y)
  // A negative power stands on the other side, where nothing has to be inverted.
  return e < 0n
    ? modulus.multiply(opened, modulus.power(committed, -e)) === mask
    : opened === modulus.multiply(mask, modulus.power(committed, e))
}

/**
 * Whether the equations hold. With `batches` they are added to those, whose owner asks whether they
 * hold; so this is the last check of a proof, and no refused proof spoils a batch.
 */
export function equationsHold(
  equations: readonly (readonly [key: PaillierKey, equation: EncryptionEquation])[],
  batches: Batches | undefined,
): boolean {
  return equations.every(([key, equation]) => {
    const batch = batches?.(key) ?? new EncryptionBatch(key)
    batch.add(equation)
    return batches !== undefined || batch.holds()
  })
}
