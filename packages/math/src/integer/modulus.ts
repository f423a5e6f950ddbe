/**
 * Arithmetic modulo one odd number, and the same by the Chinese remainder theorem for whoever knows
 * its factors.
 */
import { Fault, type Random } from '@quorate/base'
import { mod } from '../field.ts'
import { bitLength, gcd, inverseModulo } from './arithmetic.ts'
import { bigintEngine } from './bigint.ts'
import { integerEngine, type PowerContext } from './engine.ts'
import { randomUnit } from './sample.ts'

/** An engine may spend up to a tenth of a second on a context: those of the moduli used last are kept. */
const MAX_CACHED = 512
const CACHE = new Map<bigint, Modulus>()

function cached(n: bigint, make: () => Modulus): Modulus {
  const modulus = CACHE.get(n) ?? make()
  CACHE.delete(n)
  CACHE.set(n, modulus)
  if (CACHE.size > MAX_CACHED) CACHE.delete(CACHE.keys().next().value!)
  return modulus
}

export class Modulus {
  readonly n: bigint
  readonly bits: number
  /** Bytes of a residue. */
  readonly length: number
  #context: PowerContext | undefined

  protected constructor(n: bigint) {
    if (n < 3n || (n & 1n) === 0n) throw new Fault('math/bad-modulus')
    this.n = n
    this.bits = bitLength(n)
    this.length = Math.ceil(this.bits / 8)
  }

  /** The modulus n, odd and at least 3; one object for each n as long as it is in use. @throws math/bad-modulus */
  static of(n: bigint): Modulus {
    return cached(n, () => new Modulus(n))
  }

  /** Forgets all moduli, secret ones among them. */
  static forgetAll(): void {
    CACHE.clear()
  }

  multiply(a: bigint, b: bigint): bigint {
    return mod(a * b, this.n)
  }

  /**
   * baseᵉˣᵖᵒⁿᵉⁿᵗ; a negative exponent inverts the base, so time tells the sign. Treats the rest of both as
   * secret as far as the engine can.
   * @throws math/not-a-unit
   */
  power(base: bigint, exponent: bigint): bigint {
    if (exponent < 0n) return this.power(this.inverse(base), -exponent)
    this.#context ??= integerEngine().context(this.n) ?? bigintEngine.context(this.n)!
    return this.#context.power(mod(base, this.n), exponent)
  }

  /** a⁻¹. Variable-time: `a` must be public or blinded. @throws math/not-a-unit */
  inverse(a: bigint): bigint {
    return inverseModulo(a, this.n)
  }

  /** Whether `a` is the canonical form of a unit: 0 < a < n, and no factor in common with n. */
  isUnit(a: bigint): boolean {
    return a > 0n && a < this.n && gcd(a, this.n) === 1n
  }

  randomUnit(random: Random): bigint {
    return randomUnit(this.n, random)
  }
}

/** n = r² for a modulus r that is known here. */
export class SquareModulus extends Modulus {
  readonly root: Modulus

  private constructor(root: Modulus) {
    super(root.n * root.n)
    this.root = root
  }

  /** The modulus r²; one object as with `Modulus.of`. */
  static ofRoot(root: Modulus): Modulus {
    return cached(root.n * root.n, () => new SquareModulus(root))
  }

  override inverse(a: bigint): bigint {
    return inverseModuloSquare(a, this.root.n, this.n)
  }

  override isUnit(a: bigint): boolean {
    return a > 0n && a < this.n && this.root.isUnit(a % this.root.n)
  }
}

/** a⁻¹ modulo r², lifted from that modulo r by one of Newton's steps: half the digits, a quarter of the work. */
export function inverseModuloSquare(a: bigint, r: bigint, square: bigint): bigint {
  const inverse = inverseModulo(a, r)
  return mod(inverse * (2n - mod(a, square) * inverse), square)
}

/** n = p·q for two coprime moduli that are known here: the Chinese remainder theorem. Treats them as secret. */
export class CompositeModulus extends Modulus {
  readonly p: Modulus
  readonly q: Modulus
  readonly #qInverse: bigint

  /** @throws math/not-a-unit where they have a factor in common */
  constructor(p: Modulus, q: Modulus) {
    super(p.n * q.n)
    this.p = p
    this.q = q
    this.#qInverse = p.inverse(q.n)
  }

  /** The residue that is `a` modulo p and `b` modulo q. */
  combine(a: bigint, b: bigint): bigint {
    return b + mod((a - b) * this.#qInverse, this.p.n) * this.q.n
  }
}

/** n = p·q for two different odd primes, known here. Treats the factors as secret. */
export class FactoredModulus extends CompositeModulus {
  /** Order of the group of units: (p−1)·(q−1). */
  readonly totient: bigint

  /** @throws math/bad-modulus, math/not-a-unit where p = q */
  constructor(p: bigint, q: bigint) {
    super(Modulus.of(p), Modulus.of(q))
    this.totient = (p - 1n) * (q - 1n)
  }

  /** By one power for each prime, with exponents reduced by Fermat's theorem; for units only. */
  override power(base: bigint, exponent: bigint): bigint {
    const part = (prime: Modulus): bigint => prime.power(base, mod(exponent, prime.n - 1n))
    return this.combine(part(this.p), part(this.q))
  }
}
