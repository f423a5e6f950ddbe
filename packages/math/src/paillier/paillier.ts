/**
 * Paillier encryption with g = 1+N (Paillier 1999), over signed plaintexts:
 *
 *   enc(m; r) = (1+N)ᵐ·rᴺ mod N²
 *
 * A plaintext stands for its residue in −N/2 < m < N/2. The secret key is a public key whose
 * operations are faster, so code that encrypts, proves or verifies takes either.
 */
import { Fault, type Random } from '@quorate/base'
import { mod } from '../field.ts'
import { absolute, inverseModulo } from '../integer/arithmetic.ts'
import {
  CompositeModulus,
  FactoredModulus,
  inverseModuloSquare,
  Modulus,
  SquareModulus,
} from '../integer/modulus.ts'

export class PaillierKey {
  /** N. */
  readonly modulus: Modulus
  /** N². */
  readonly square: Modulus

  constructor(modulus: Modulus, square: Modulus = SquareModulus.ofRoot(modulus)) {
    this.modulus = modulus
    this.square = square
  }

  /** The public key of modulus n. @throws math/bad-modulus */
  static of(n: bigint): PaillierKey {
    return new PaillierKey(Modulus.of(n))
  }

  get n(): bigint {
    return this.modulus.n
  }

  /** enc(message; nonce), for a unit `nonce` modulo N. Treats both as secret. */
  encrypt(message: bigint, nonce: bigint): bigint {
    const { n, square } = this
    return square.multiply(1n + mod(message, n) * n, this.residue(nonce))
  }

  /** nonceᴺ mod N². */
  protected residue(nonce: bigint): bigint {
    return this.square.power(nonce, this.n)
  }

  /** The sum of the plaintexts. */
  add(a: bigint, b: bigint): bigint {
    return this.square.multiply(a, b)
  }

  /** The ciphertext of the negated plaintext. @throws math/not-a-unit */
  negate(ciphertext: bigint): bigint {
    return this.square.inverse(ciphertext)
  }

  /** The plaintext times `factor`, of any sign. Treats the factor as secret. @throws math/not-a-unit */
  multiply(ciphertext: bigint, factor: bigint): bigint {
    // Inverted whatever the sign is, so that time does not tell it.
    const inverse = this.square.inverse(ciphertext)
    return this.square.power(factor < 0n ? inverse : ciphertext, absolute(factor))
  }

  /** Whether `value` is a canonical ciphertext: a unit modulo N². */
  isCiphertext(value: bigint): boolean {
    return this.square.isUnit(value)
  }

  randomNonce(random: Random): bigint {
    return this.modulus.randomUnit(random)
  }
}

/** N², for whoever knows its factors. */
class FactoredSquare extends CompositeModulus {
  readonly #factors: FactoredModulus

  constructor(factors: FactoredModulus) {
    super(SquareModulus.ofRoot(factors.p), SquareModulus.ofRoot(factors.q))
    this.#factors = factors
  }

  /** Exponents are reduced by the order p·(p−1) of the units modulo p²; a negative one inverts the base. */
  override power(base: bigint, exponent: bigint): bigint {
    // Reduced, a short negative exponent would become one of full length.
    if (exponent < 0n) return this.power(this.inverse(base), -exponent)
    const { p, q } = this.#factors
    const part = (square: Modulus, prime: Modulus): bigint =>
      square.power(base, mod(exponent, prime.n * (prime.n - 1n)))
    return this.combine(part(this.p, p), part(this.q, q))
  }

  override inverse(a: bigint): bigint {
    return inverseModuloSquare(a, this.#factors.n, this.n)
  }

  override isUnit(a: bigint): boolean {
    return a > 0n && a < this.n && this.#factors.isUnit(a % this.#factors.n)
  }

  /** rᴺ, as (rᑫ mod p)ᵖ mod p² and likewise for q. */
  residue(r: bigint): bigint {
    const { p, q } = this.#factors
    return this.combine(
      this.p.power(p.power(r, mod(q.n, p.n - 1n)), p.n),
      this.q.power(q.power(r, mod(p.n, q.n - 1n)), q.n),
    )
  }
}

export class PaillierSecretKey extends PaillierKey {
  /** N with its factors. Secret. */
  readonly factors: FactoredModulus
  readonly #square: FactoredSquare
  /** q⁻¹ modulo p and p⁻¹ modulo q, negated: what L(c^(p−1)) is multiplied by. */
  readonly #scaleP: bigint
  readonly #scaleQ: bigint
  /** N⁻¹ modulo φ(N). */
  readonly #rootExponent: bigint

  /** The key of the primes p ≠ q of equal length, with gcd(N, φ(N)) = 1. @throws math/bad-modulus */
  constructor(p: bigint, q: bigint) {
    if (p === q) throw new Fault('math/bad-modulus')
    const factors = new FactoredModulus(p, q)
    const square = new FactoredSquare(factors)
    super(factors, square)
    this.factors = factors
    this.#square = square
    this.#scaleP = inverseModulo(mod(-q, p), p)
    this.#scaleQ = inverseModulo(mod(-p, q), q)
    try {
      this.#rootExponent = inverseModulo(factors.n, factors.totient)
    } catch (cause) {
      throw new Fault('math/bad-modulus', { cause })
    }
  }

  protected override residue(nonce: bigint): bigint {
    return this.#square.residue(nonce)
  }

  /** The plaintext of a ciphertext, −N/2 < m < N/2. Treats the result as secret. */
  decrypt(ciphertext: bigint): bigint {
    const { p, q, n } = this.factors
    const part = (square: Modulus, prime: Modulus, scale: bigint): bigint =>
      mod(((square.power(ciphertext, prime.n - 1n) - 1n) / prime.n) * scale, prime.n)
    const message = this.factors.combine(
      part(this.#square.p, p, this.#scaleP),
      part(this.#square.q, q, this.#scaleQ),
    )
    return message > n >> 1n ? message - n : message
  }

  /** The N-th root of a unit modulo N. Treats it as secret. */
  root(value: bigint): bigint {
    return this.factors.power(value, this.#rootExponent)
  }

  /** The nonce r of enc(m; r): modulo N the factor (1+N)ᵐ vanishes, and rᴺ is left. */
  nonceOf(ciphertext: bigint): bigint {
    return this.root(mod(ciphertext, this.n))
  }
}
