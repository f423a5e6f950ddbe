/** The integer engine that runs everywhere: `bigint` arithmetic, variable-time. */
import type { IntegerEngine, PowerContext } from './engine.ts'
import { isStrongProbablePrime } from './prime-test.ts'

const WINDOW = 5n

/** bᵉ mod n by a fixed window of five bits. Variable-time: `bigint` has no other arithmetic. */
export function powerBigint(base: bigint, exponent: bigint, n: bigint): bigint {
  if (exponent <= MAX_PLAIN) return powerPlain(base, exponent, n)
  const table = [1n]
  while (table.length < 32) table.push((table.at(-1)! * base) % n)
  const digits: number[] = []
  for (let rest = exponent; rest > 0n; rest >>= WINDOW) digits.push(Number(rest & 31n))
  let result = 1n
  for (const digit of digits.reverse()) {
    for (let k = 0; k < 5; k++) result = (result * result) % n
    result = (result * table[digit]!) % n
  }
  return result
}

/** Below this a table costs more than it saves. */
const MAX_PLAIN = 0xffffffffn

function powerPlain(base: bigint, exponent: bigint, n: bigint): bigint {
  let result = 1n % n
  for (const bit of exponent.toString(2)) {
    result = (result * result) % n
    if (bit === '1') result = (result * base) % n
  }
  return result
}

const context = (n: bigint): PowerContext => ({
  power: (base, exponent) => powerBigint(base, exponent, n),
})

export const bigintEngine: IntegerEngine = {
  name: 'bigint',
  context,
  isProbablePrime: (candidate) => isStrongProbablePrime(candidate, powerBigint),
}
