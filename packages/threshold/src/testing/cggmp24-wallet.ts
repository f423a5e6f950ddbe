/**
 * A threshold ECDSA wallet for tests, from a trusted dealer and published primes, so that tests of one
 * protocol need not run the others first. TEST ONLY.
 */
import { Secret } from '@quorate/base'
import {
  commitTo,
  evaluate,
  Modulus,
  PaillierKey,
  RingPedersen,
  randomPolynomial,
  secp256k1,
} from '@quorate/math'
import { type AuxInfo, type AuxKeys, auxDigest, type PartyKeys } from '../cggmp24/aux/aux-info.ts'
import { type EcdsaKey, keyOfCommitment } from '../cggmp24/key.ts'
import type { Level } from '../cggmp24/level.ts'
import type { PresignOptions } from '../cggmp24/presign/rounds.ts'
import { type PartyId, partiesUpTo } from '../session/party.ts'
import { testKeys } from './cggmp24-keys.ts'
import { seededRandom } from './random.ts'

export type TestWallet = {
  readonly level: Level
  readonly parties: readonly PartyId[]
  readonly key: EcdsaKey
  /** Encoded scalars. */
  readonly shares: ReadonlyMap<PartyId, Secret<Uint8Array>>
  readonly aux: ReadonlyMap<PartyId, AuxInfo>
  /** The public part of `aux`, as a judge knows it. */
  readonly auxKeys: AuxKeys
}

/** A t-of-n wallet, the same for the same seed. Only the first five parties have auxiliary information. */
export function testWallet(
  level: Level,
  threshold: number,
  count: number,
  seed: string,
): TestWallet {
  const parties = partiesUpTo(count)
  const random = seededRandom(seed)
  const secret = secp256k1.randomScalar(random)
  const polynomial = randomPolynomial(secp256k1, threshold, secret, random)
  const key = keyOfCommitment(
    {
      level,
      commitment: commitTo(secp256k1, polynomial),
      chainCode: random.bytes(32),
      rid: random.bytes(32),
    },
    parties,
  )
  const shares = new Map(
    parties.map((party) => [
      party,
      new Secret(secp256k1.encodeScalar(evaluate(polynomial, BigInt(party), secp256k1.order))),
    ]),
  )
  const signers = parties.slice(0, 5)
  const own = new Map(
    signers.map((party) => {
      const { paillier, ringPedersen: parameters } = testKeys(party, level)
      return [party, { paillier, parameters }] as const
    }),
  )
  const publicOf = (party: PartyId): PartyKeys => {
    const { paillier, parameters } = own.get(party)!
    const { n, s, t } = parameters
    return {
      paillier: PaillierKey.of(paillier.n),
      parameters: new RingPedersen(Modulus.of(n), s, t),
    }
  }
  const auxKeys: AuxKeys = new Map(signers.map((party) => [party, publicOf(party)]))
  const digest = auxDigest(level, auxKeys)
  const aux = new Map(
    signers.map((self): [PartyId, AuxInfo] => [
      self,
      {
        level,
        digest,
        self,
        own: own.get(self)!,
        keys: new Map<PartyId, PartyKeys>(auxKeys).set(self, own.get(self)!),
      },
    ]),
  )
  return { level, parties, key, shares, aux, auxKeys }
}

/** What one signer of the wallet presigns with. */
export const presignOptions = (
  wallet: TestWallet,
  self: PartyId,
  more: Pick<PresignOptions, 'sid' | 'signers' | 'items'> & Partial<PresignOptions>,
): PresignOptions => {
  const aux = wallet.aux.get(self)!
  return {
    level: wallet.level,
    key: wallet.key,
    aux: aux.keys,
    self,
    own: aux.own,
    share: wallet.shares.get(self)!,
    random: seededRandom(`presign/${self}/${Array.from(more.sid).join('.')}`),
    ...more,
  }
}
