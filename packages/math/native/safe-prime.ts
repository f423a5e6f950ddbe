/** Safe primes with the tests by OpenSSL. */
import { constants, createPublicKey, publicEncrypt } from 'node:crypto'
import { type Random, wipe } from '@quorate/base'
import { bigintEngine, bitLength, searchSafePrime } from '../src/index.ts'
import { magnitude } from './der.ts'
import { opensslEngine } from './openssl-integers.ts'

/** Above this OpenSSL takes public exponents of at most 64 bits. */
const MAX_RSA_BITS = 3072
/** Below this it takes no RSA key. */
const MIN_RSA_BITS = 512

/**
 * A random safe prime of exactly `bits` bits, the highest two of them set; 1536 bits take a second or
 * two of one core on the average, and a few times that with bad luck. Blocks: for a worker.
 * `onProgress` hears the number of candidates tested so far.
 */
export const safePrime = (
  bits: number,
  random: Random,
  onProgress?: (tested: number) => void,
): bigint =>
  searchSafePrime(
    bits,
    random,
    { isLikelyPrime: passesFermat, isPrime: opensslEngine.isProbablePrime },
    onProgress,
  )

/**
 * Whether 2ⁿ⁻¹ ≡ 1 modulo the odd n. As RSA encryption of 2 under the exponent n−1, which takes no
 * preparation. Variable-time: candidates that fail are thrown away, and what the one that passes
 * leaks is that it passed. Its bytes are overwritten here; the strings of the key are left to the
 * garbage collector, as everything that was once a `bigint`.
 */
function passesFermat(n: bigint): boolean {
  const bits = bitLength(n)
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) return powerOfTwoIsOne(n)
  const [modulus, exponent] = [magnitude(n), magnitude(n - 1n)]
  const message = Buffer.alloc(modulus.length)
  message[message.length - 1] = 2
  try {
    const jwk = {
      kty: 'RSA',
      n: modulus.toString('base64url'),
      e: exponent.toString('base64url'),
    }
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    const power = publicEncrypt({ key, padding: constants.RSA_NO_PADDING }, message)
    return power.lastIndexOf(1) === power.length - 1 && power.subarray(0, -1).every((b) => b === 0)
  } catch {
    return powerOfTwoIsOne(n)
  } finally {
    wipe(modulus, exponent)
  }
}

/** Not through `Modulus.of`, which would remember the candidate. */
function powerOfTwoIsOne(n: bigint): boolean {
  const context = opensslEngine.context(n) ?? bigintEngine.context(n)!
  return context.power(2n, n - 1n) === 1n
}
