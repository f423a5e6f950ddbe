/** Small keys made afresh: of too few bits for any use, and large enough for every code path. */
import { generatePrimeSync } from 'node:crypto'
import { PaillierKey, PaillierSecretKey } from '@quorate/math'

/** The key of two random primes of so many bits each, and its public half. */
export function freshKey(primeBits: number): {
  readonly p: bigint
  readonly q: bigint
  readonly secret: PaillierSecretKey
  readonly open: PaillierKey
} {
  const [p, q] = [prime(primeBits), prime(primeBits)]
  return { p, q, secret: new PaillierSecretKey(p, q), open: PaillierKey.of(p * q) }
}

const prime = (bits: number): bigint => generatePrimeSync(bits, { bigint: true })
