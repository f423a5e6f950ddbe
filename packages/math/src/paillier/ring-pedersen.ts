/**
 * Ring-Pedersen commitments com(x, y) = sˣ·tʸ mod N̂, to integers of any sign (Fujisaki–Okamoto 1997;
 * Canetti et al., eprint 2021/060, §3.3). Whoever verifies a proof owns the parameters; whoever knows
 * the factors of N̂ and λ with s = tᵝ commits to anything, so nobody commits under its own.
 */
import type { Random } from '@quorate/base'
import { mod } from '../field.ts'
import { absolute, gcd } from '../integer/arithmetic.ts'
import { FactoredModulus, type Modulus } from '../integer/modulus.ts'
import { randomBelow, randomUnit } from '../integer/sample.ts'

export class RingPedersen {
  /** N̂. */
  readonly modulus: Modulus
  readonly s: bigint
  readonly t: bigint
  /** s⁻¹ and t⁻¹, once they are needed. */
  #inverses: readonly [s: bigint, t: bigint] | undefined

  constructor(modulus: Modulus, s: bigint, t: bigint) {
    this.modulus = modulus
    this.s = s
    this.t = t
  }

  get n(): bigint {
    return this.modulus.n
  }

  /** sˣ·tʸ. Treats both as secret. @throws math/not-a-unit where s or t is none */
  commit(x: bigint, y: bigint): bigint {
    const { modulus, s, t } = this
    // The inverses are at hand before, so that time does not tell the sign.
    this.#inverses ??= [modulus.inverse(s), modulus.inverse(t)]
    const [sInverse, tInverse] = this.#inverses
    return modulus.multiply(
      modulus.power(x < 0n ? sInverse : s, absolute(x)),
      modulus.power(y < 0n ? tInverse : t, absolute(y)),
    )
  }
}

/** Parameters with their secrets: commitments cost one power with known factors. */
export class RingPedersenSecret extends RingPedersen {
  readonly factors: FactoredModulus
  /** λ with s = t^λ. Secret. */
  readonly lambda: bigint

  private constructor(factors: FactoredModulus, t: bigint, lambda: bigint) {
    super(factors, factors.power(t, lambda), t)
    this.factors = factors
    this.lambda = lambda
  }

  /** Fresh parameters over the safe primes p and q: t a random square, λ uniform below φ(N̂)/4. */
  static create(p: bigint, q: bigint, random: Random): RingPedersenSecret {
    const factors = new FactoredModulus(p, q)
    const root = randomUnit(factors.n, random)
    const t = factors.multiply(root, root)
    for (;;) {
      const lambda = randomBelow(factors.totient >> 2n, random)
      // s must generate what t does, and λ is undone in proofs modulo the odd part of the order.
      if (lambda > 1n && gcd(lambda, factors.totient >> 2n) === 1n)
        return new RingPedersenSecret(factors, t, lambda)
    }
  }

  /** Parameters made before. */
  static restore(p: bigint, q: bigint, t: bigint, lambda: bigint): RingPedersenSecret {
    return new RingPedersenSecret(new FactoredModulus(p, q), t, lambda)
  }

  override commit(x: bigint, y: bigint): bigint {
    const { factors, lambda, t } = this
    return factors.power(t, mod(lambda * x + y, factors.totient))
  }
}
