/**
 * Big-integer powers by the OpenSSL that Node brings along: Diffie–Hellman is a power modulo any odd
 * number, and OpenSSL computes it in constant time.
 *
 * There are two ways in. A private key that is read from DER has its public number generatorˢᵉᶜʳᵉᵗ
 * computed on the way, which needs no preparation and takes up to a millisecond and a half more for
 * each power. A `DiffieHellman` object has powers for their bare price, but first tests its modulus
 * for primality, which takes up to a tenth of a second. So a modulus begins with the former, and gets
 * an object once it has been used often enough to be worth it.
 *
 * What is constant-time: the power itself, for exponents of one length in 64-bit words (leading zeros
 * are dropped, so a random exponent shows its length with probability 2⁻⁶⁴) and bases other than
 * 0 and ±1. What is not: the conversion from and to `bigint`, which is linear in the length.
 *
 * No exception is ever read as a result: what OpenSSL refuses is computed by `bigint`.
 */
import {
  checkPrimeSync,
  createDiffieHellman,
  createPrivateKey,
  createPublicKey,
  type DiffieHellman,
} from 'node:crypto'
import { type Random, wipe } from '@quorate/base'
import {
  type BackendChoice,
  bigintEngine,
  bitLength,
  type IntegerEngine,
  integerEngine,
  type PowerContext,
  randomBelow,
  useIntegerEngine,
} from '../src/index.ts'
import { derInteger, dhPrivateKey, dhPublicNumber, fromMagnitude, magnitude } from './der.ts'

/** What OpenSSL takes as a Diffie–Hellman modulus. */
const MIN_BITS = 512
const MAX_BITS = 10_000
/** Powers after which an object is worth its preparation. */
const USES_BEFORE_OBJECT = 64
/** With these many random bases a composite passes with probability at most 4⁻⁶⁴, whoever chose it. */
const PRIME_CHECKS = 64

/** The engine that computes so many powers without an object before it makes one. */
export function engine(usesBeforeObject: number): IntegerEngine {
  return {
    name: 'openssl',
    context(modulus) {
      const bits = bitLength(modulus)
      if (bits < MIN_BITS || bits > MAX_BITS) return undefined
      return new OpensslContext(modulus, usesBeforeObject)
    },
    // Miller–Rabin with bases that OpenSSL draws at random after the candidate was chosen: the bound
    // of 1/4 for each base holds for every composite, not only for random ones.
    isProbablePrime: (candidate) =>
      candidate >= 2n && checkPrimeSync(candidate, { checks: PRIME_CHECKS }),
  }
}

class OpensslContext implements PowerContext {
  readonly #n: bigint
  readonly #modulus: Buffer
  readonly #derModulus: Buffer
  #usesBeforeObject: number
  #object: DiffieHellman | undefined

  constructor(n: bigint, usesBeforeObject: number) {
    this.#n = n
    this.#usesBeforeObject = usesBeforeObject
    this.#modulus = magnitude(n)
    this.#derModulus = derInteger(this.#modulus)
  }

  power(base: bigint, exponent: bigint): bigint {
    if (exponent === 0n || base === 1n) return 1n
    if (base === 0n) return 0n
    if (base === this.#n - 1n) return (exponent & 1n) === 0n ? 1n : base
    const [baseBytes, secret] = [magnitude(base), magnitude(exponent)]
    try {
      return (
        (this.#usesBeforeObject-- > 0 ? undefined : this.#byObject(baseBytes, secret)) ??
        this.#byKey(baseBytes, secret) ??
        bigintEngine.context(this.#n)!.power(base, exponent)
      )
    } finally {
      wipe(baseBytes, secret)
    }
  }

  #byObject(base: Buffer, secret: Buffer): bigint | undefined {
    try {
      this.#object ??= createDiffieHellman(this.#modulus, 2)
      this.#object.setPrivateKey(secret)
      return takeMagnitude(this.#object.computeSecret(base))
    } catch {
      return undefined
    } finally {
      // OpenSSL zeroes the exponent that this one replaces.
      this.#object?.setPrivateKey(ONE)
    }
  }

  #byKey(base: Buffer, secret: Buffer): bigint | undefined {
    const [generator, private_] = [derInteger(base), derInteger(secret)]
    const key = dhPrivateKey(this.#derModulus, generator, private_)
    let spki: Buffer | undefined
    try {
      const keyObject = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
      spki = createPublicKey(keyObject).export({ format: 'der', type: 'spki' })
      return dhPublicNumber(spki)
    } catch {
      return undefined
    } finally {
      wipe(generator, private_, key)
      if (spki !== undefined) wipe(spki)
    }
  }
}
const ONE = Buffer.of(1)

export const opensslEngine: IntegerEngine = engine(USES_BEFORE_OBJECT)

function takeMagnitude(bytes: Buffer): bigint {
  const value = fromMagnitude(bytes)
  wipe(bytes)
  return value
}

/**
 * Makes OpenSSL serve all big-integer powers from now on if it agrees with `bigint` on edge cases and
 * on random inputs; otherwise what served before goes on. The answer says which, and why.
 */
export function useOpensslIntegers(random: Random): BackendChoice {
  const difference = findDifference([engine(Number.POSITIVE_INFINITY), engine(0)], random)
  if (difference !== undefined)
    return { backend: integerEngine().name, reason: `openssl was refused: ${difference}` }
  useIntegerEngine(opensslEngine)
  return { backend: opensslEngine.name, reason: 'openssl agreed with bigint on every operation' }
}

/** In what one of the candidates differs from the engine over `bigint`, or `undefined`. */
export function findDifference(
  candidates: readonly IntegerEngine[],
  random: Random,
): string | undefined {
  for (const bits of [MIN_BITS, 1021]) {
    const n = (1n << BigInt(bits - 1)) | randomBelow(1n << BigInt(bits - 1), random) | 1n
    const reference = bigintEngine.context(n)!
    const contexts = candidates.map((candidate) => candidate.context(n))
    const exponents = [0n, 1n, 2n, n - 1n, n, randomBelow(n << 300n, random)]
    for (const base of [0n, 1n, n - 1n, randomBelow(n, random)])
      for (const exponent of exponents) {
        const expected = reference.power(base, exponent)
        if (contexts.some((context) => context?.power(base, exponent) !== expected))
          return 'power gives another result'
      }
  }
  for (const number of [0n, 1n, 2n, 3n, 341n, 561n, (1n << 127n) - 1n, (1n << 129n) - 1n]) {
    const expected = bigintEngine.isProbablePrime(number)
    if (candidates.some((candidate) => candidate.isProbablePrime(number) !== expected))
      return 'isProbablePrime gives another answer'
  }
  return undefined
}
