/**
 * Safe primes and keys of CGGMP24 for tests, the same in every run. TEST ONLY: the primes are published
 * with this source, so a key over them protects nothing.
 */
import { Fault } from '@quorate/base'
import { PaillierSecretKey, RingPedersenSecret } from '@quorate/math'
import type { Level, LevelId } from '../cggmp24/level.ts'
import type { PartyId } from '../session/party.ts'
import {
  TEST_ONLY_SAFE_PRIMES_1024,
  TEST_ONLY_SAFE_PRIMES_1536,
} from './cggmp24-primes.generated.ts'
import { seededRandom } from './random.ts'

const HEX: { readonly [Id in LevelId]: readonly string[] } = {
  'CGGMP24-secp256k1-SHA256-128-v1': TEST_ONLY_SAFE_PRIMES_1536,
  'CGGMP24-secp256k1-SHA256-112-v1': TEST_ONLY_SAFE_PRIMES_1024,
}

/** Twenty different safe primes of that level, of the length of its primes. TEST ONLY. */
export const testPrimes = ({ id }: Level): readonly bigint[] =>
  HEX[id].map((digits) => BigInt(`0x${digits}`))

export type TestKeys = {
  readonly paillier: PaillierSecretKey
  readonly ringPedersen: RingPedersenSecret
}

const CACHE = new Map<string, TestKeys>()

/** The Paillier key and ring-Pedersen parameters of one of the parties 1 to 5. TEST ONLY. @throws threshold/bad-parameters */
export function testKeys(party: PartyId, level: Level): TestKeys {
  const name = `${level.id}/${party}`
  const known = CACHE.get(name)
  if (known !== undefined) return known
  const [p, q, pHat, qHat] = testPrimes(level).slice(4 * (party - 1), 4 * party)
  if (p === undefined || q === undefined || pHat === undefined || qHat === undefined)
    throw new Fault('threshold/bad-parameters', { detail: 'there are test keys for five parties' })
  const made = {
    paillier: new PaillierSecretKey(p, q),
    ringPedersen: RingPedersenSecret.create(pHat, qHat, seededRandom(name)),
  }
  CACHE.set(name, made)
  return made
}
