/**
 * Π^mod: N is a product of two primes, both 3 modulo 4 up to powers, and prime to φ(N) (Canetti et
 * al., eprint 2021/060, revision of 2024-10, figure 16). N is the prover's.
 *
 *   witness     p, q ≡ 3 mod 4 with N = p·q
 *   commitment  w ∈ Z*_N with Jacobi symbol −1
 *   challenge   y_1..y_m ∈ Z*_N over ρ, i, N | w
 *   response    x_k = ((−1)^a_k·w^b_k·y_k)^(1/4) for the one choice of bits a_k, b_k that makes it a
 *               square, z_k = y_k^(1/N)
 *   check       N odd and composite, w a unit of Jacobi symbol −1, x_k and z_k units,
 *               x_k⁴ = (−1)^a_k·w^b_k·y_k, z_k^N = y_k
 *
 * Were w not a unit, its zero modulo one factor of N would make a fourth root of anything there, and N
 * could be of any form. Every equation is checked by itself: a product of them would pass where one is
 * off by an element of small order.
 */
import { type Codec, field, type Random, record } from '@quorate/base'
import {
  integerEngine,
  jacobi,
  type Modulus,
  mod,
  type PaillierKey,
  type PaillierSecretKey,
} from '@quorate/math'
import { ProofTranscript } from '../challenge.ts'
import type { Level } from '../level.ts'
import { modulusLength, packed, packedBits, unsigned } from '../wire.ts'
import { accepts, areUnits, type ProofSetup } from './setup.ts'

export type ModStatement = {
  /** ρ: 32 bytes that all parties contributed to. */
  readonly rho: Uint8Array
  readonly key: PaillierKey
}
/** Over primes that are 3 modulo 4, as safe primes are. */
export type ModWitness = PaillierSecretKey
export type ModProof = {
  readonly w: bigint
  readonly a: readonly boolean[]
  readonly b: readonly boolean[]
  readonly x: readonly bigint[]
  readonly z: readonly bigint[]
}

export const modProof = (level: Level): Codec<ModProof> => {
  const length = modulusLength(level)
  const bits = packedBits(level.repetitions)
  const residues = packed(level.repetitions, length, 'unsigned')
  return record({
    w: field(1, unsigned(length)),
    a: field(2, bits),
    b: field(3, bits),
    x: field(4, residues),
    z: field(5, residues),
  })
}

/** Treats the witness as secret. */
export function proveMod(
  setup: ProofSetup,
  statement: ModStatement,
  witness: ModWitness,
  random: Random,
): ModProof {
  const { factors } = witness
  const w = drawNonResidue(factors, random)
  const [ofP, ofQ] = [fourthRoots(factors.p), fourthRoots(factors.q)]
  const [wP, wQ] = [ofP(w), ofQ(w)]
  const responses = challenge(setup, statement, w).map((y) => {
    const [yP, yQ] = [ofP(y), ofQ(y)]
    // −1 is a square modulo neither prime, w modulo one of them: w evens out, −1 turns both.
    const b = yP.isSquare !== yQ.isSquare
    const a = b ? yP.isSquare !== wP.isSquare : !yP.isSquare
    const x = b
      ? factors.combine(factors.p.multiply(yP.root, wP.root), factors.q.multiply(yQ.root, wQ.root))
      : factors.combine(yP.root, yQ.root)
    return { a, b, x, z: witness.root(y) }
  })
  return {
    w,
    a: responses.map(({ a }) => a),
    b: responses.map(({ b }) => b),
    x: responses.map(({ x }) => x),
    z: responses.map(({ z }) => z),
  }
}

function drawNonResidue(modulus: Modulus, random: Random): bigint {
  for (;;) {
    const w = modulus.randomUnit(random)
    if (jacobi(w, modulus.n) === -1) return w
  }
}

/** Whether a unit is a square modulo the prime, and the fourth root of it or else of its negative. */
function fourthRoots(prime: Modulus): (value: bigint) => { isSquare: boolean; root: bigint } {
  const squareRoot = (prime.n + 1n) >> 2n
  const exponent = mod(squareRoot * squareRoot, prime.n - 1n)
  return (value) => {
    const root = prime.power(value, exponent)
    return { isSquare: fourthPower(prime, root) === mod(value, prime.n), root }
  }
}

const fourthPower = (modulus: Modulus, value: bigint): bigint => {
  const square = modulus.multiply(value, value)
  return modulus.multiply(square, square)
}

/** Variable-time: public inputs only. */
export function verifyMod(setup: ProofSetup, statement: ModStatement, proof: ModProof): boolean {
  return accepts(
    () =>
      isWellFormed(setup, statement, proof) &&
      !integerEngine().isProbablePrime(statement.key.n) &&
      modEquationsHold(setup, statement, proof),
  )
}

function isWellFormed(
  { level }: ProofSetup,
  { key }: ModStatement,
  { w, a, b, x, z }: ModProof,
): boolean {
  return (
    [a, b, x, z].every(({ length }) => length === level.repetitions) &&
    areUnits(key.modulus, [w, ...x, ...z]) &&
    jacobi(w, key.n) === -1
  )
}

/**
 * Whether the fourth and N-th powers of a proof are what they must be. By itself this proves nothing:
 * `verifyMod` also asks what w, x, z and N are.
 */
export function modEquationsHold(
  setup: ProofSetup,
  statement: ModStatement,
  { w, a, b, x, z }: ModProof,
): boolean {
  const { modulus } = statement.key
  return challenge(setup, statement, w).every((y, k) => {
    const product = b[k] ? modulus.multiply(w, y) : y
    const expected = a[k] ? mod(-product, modulus.n) : product
    return fourthPower(modulus, x[k]!) === expected && modulus.power(z[k]!, modulus.n) === y
  })
}

const challenge = (
  { level, context, prover }: ProofSetup,
  { rho, key }: ModStatement,
  w: bigint,
): readonly bigint[] =>
  new ProofTranscript('mod', context)
    .bytes('rho', rho)
    .party('i', prover)
    .integer('N', key.n, modulusLength(level))
    .integer('w', w, modulusLength(level))
    .units(level.repetitions, key.n)
