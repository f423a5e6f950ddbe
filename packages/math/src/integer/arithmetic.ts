/** Number theory on public integers. Variable-time throughout unless a function says otherwise. */
import { Fault } from '@quorate/base'
import { mod } from '../field.ts'

export const absolute = (a: bigint): bigint => (a < 0n ? -a : a)

/** Number of bits of |a|; 0 for 0. */
export function bitLength(a: bigint): number {
  const digits = absolute(a).toString(16)
  return digits === '0' ? 0 : digits.length * 4 - LEADING_ZEROS[Number.parseInt(digits[0]!, 16)]!
}
const LEADING_ZEROS = [4, 3, 2, 2, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0] as const

/** The greatest common divisor, never negative. */
export function gcd(a: bigint, b: bigint): bigint {
  let [r, next] = [absolute(a), absolute(b)]
  if (r < next) [r, next] = [next, r]
  while (next !== 0n) {
    const step = lehmerStep(r, next)
    ;[r, next] = [step.a * r + step.b * next, step.c * r + step.d * next]
  }
  return r
}

/** a⁻¹ modulo n > 1. @throws math/not-a-unit where gcd(a, n) ≠ 1 */
export function inverseModulo(a: bigint, n: bigint): bigint {
  let [r, next] = [n, mod(a, n)]
  let [x, nextX] = [0n, 1n]
  while (next !== 0n) {
    const step = lehmerStep(r, next)
    ;[r, next] = [step.a * r + step.b * next, step.c * r + step.d * next]
    ;[x, nextX] = [step.a * x + step.b * nextX, step.c * x + step.d * nextX]
  }
  if (r !== 1n) throw new Fault('math/not-a-unit')
  return mod(x, n)
}

type Step = { readonly a: bigint; readonly b: bigint; readonly c: bigint; readonly d: bigint }

/** Cofactors and leading digits keep all products below 2⁵³, where floating point is exact. */
const LEADING_BITS = 50
const MAX_COFACTOR = 2 ** 25

/**
 * The matrix of several steps of Euclid's algorithm on r ≥ next > 0, from their leading digits alone
 * (Lehmer's method: Knuth, The Art of Computer Programming, volume 2, 4.5.2, Algorithm L); that of one
 * step where these do not tell the quotient.
 */
function lehmerStep(r: bigint, next: bigint): Step {
  const shift = BigInt(Math.max(0, bitLength(r) - LEADING_BITS))
  let [x, y] = [Number(r >> shift), Number(next >> shift)]
  let [a, b, c, d] = [1, 0, 0, 1]
  while (y + c !== 0 && y + d !== 0) {
    const quotient = Math.floor((x + a) / (y + c))
    if (quotient !== Math.floor((x + b) / (y + d))) break
    const [nextC, nextD] = [a - quotient * c, b - quotient * d]
    if (Math.abs(nextC) > MAX_COFACTOR || Math.abs(nextD) > MAX_COFACTOR) break
    ;[a, c, b, d] = [c, nextC, d, nextD]
    ;[x, y] = [y, x - quotient * y]
  }
  if (b === 0) return { a: 0n, b: 1n, c: 1n, d: -(r / next) }
  return { a: BigInt(a), b: BigInt(b), c: BigInt(c), d: BigInt(d) }
}

/** ⌊√a⌋ for a ≥ 0, by Newton's method. */
export function integerSquareRoot(a: bigint): bigint {
  if (a < 2n) return a
  let x = 1n << BigInt((bitLength(a) + 1) >> 1)
  for (;;) {
    const better = (x + a / x) >> 1n
    if (better >= x) return x
    x = better
  }
}

/** The Jacobi symbol (a/n) for odd n > 0: −1, 0 or 1 (Cohen, Algorithm 1.4.10). */
export function jacobi(a: bigint, n: bigint): -1 | 0 | 1 {
  if (n <= 0n || (n & 1n) === 0n) throw new Fault('math/bad-modulus')
  let top = mod(a, n)
  let bottom = n
  let sign: -1 | 1 = 1
  while (top !== 0n) {
    const twos = trailingZeros(top)
    top >>= BigInt(twos)
    const residue = bottom & 7n
    if (twos % 2 === 1 && (residue === 3n || residue === 5n)) sign = -sign as -1 | 1
    ;[top, bottom] = [bottom, top]
    if ((top & 3n) === 3n && (bottom & 3n) === 3n) sign = -sign as -1 | 1
    top %= bottom
  }
  return bottom === 1n ? sign : 0
}

/** The exponent of two in a > 0. */
function trailingZeros(a: bigint): number {
  for (let zeros = 0; ; zeros += 32) {
    const word = Number(BigInt.asUintN(32, a >> BigInt(zeros)))
    if (word !== 0) return zeros + 31 - Math.clz32(word & -word)
  }
}
