/** Every engine for big integers, and a way to run the same tests under each. */
import { bigintEngine, type IntegerEngine, Modulus, useIntegerEngine } from '@quorate/math'
import { engine } from '../../native/openssl-integers.js'

export const ENGINES: readonly (readonly [name: string, engine: IntegerEngine])[] = [
  ['bigint', bigintEngine],
  ['openssl by key', engine(Number.POSITIVE_INFINITY)],
  ['openssl by object', engine(0)],
]

/** Runs `work` with `engine` serving all moduli that are made in it. */
export function withEngine(engine: IntegerEngine, work: () => void): void {
  Modulus.forgetAll()
  useIntegerEngine(engine)
  try {
    work()
  } finally {
    useIntegerEngine(bigintEngine)
    Modulus.forgetAll()
  }
}
