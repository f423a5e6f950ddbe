/**
 * Sharing a key by a trusted dealer (RFC 9591, appendix C): for importing a key that exists
 * already, and for development. The dealer knows the whole key; a key that is to be known to nobody
 * comes from key generation without a dealer.
 */
import { Fault, type Random, Secret } from '@quorate/base'
import {
  type Commitment,
  commitTo,
  evaluate,
  evaluateCommitment,
  isShareOf,
  randomPolynomial,
} from '@quorate/math'
import { type PartyId, partiesUpTo } from '../session/party.ts'
import type { GroupKey } from './sign/key.ts'
import type { FrostSuite } from './suite.ts'

export type Deal = {
  readonly key: GroupKey
  /** Feldman's commitment to the polynomial; public. */
  readonly commitment: Commitment
  /** Encoded scalars, 32 bytes, one for each party. */
  readonly shares: ReadonlyMap<PartyId, Secret<Uint8Array>>
}

export type DealOptions = {
  readonly suite: FrostSuite
  /** 1 ≤ threshold ≤ parties ≤ 50. */
  readonly threshold: number
  readonly parties: number
  /** The key as a scalar. For an Ed25519 seed that is the clamped scalar of RFC 8032 §5.1.5, modulo q. Random where left out. */
  readonly secret?: bigint
  readonly random: Random
}

/** Shares of `secret` for the parties 1 to `parties`. Treats the secret as such. @throws threshold/bad-parameters, also for a secret that is 0 modulo q */
export function deal({ suite, threshold, parties, secret, random }: DealOptions): Deal {
  const { group } = suite
  if (!Number.isInteger(threshold) || threshold < 1 || threshold > parties)
    throw new Fault('threshold/bad-parameters', {
      detail: 'the threshold is not between 1 and the number of parties',
    })
  const ids = partiesUpTo(parties)
  const s = secret ?? group.randomScalar(random)
  if (s % group.order === 0n)
    throw new Fault('threshold/bad-parameters', { detail: 'the key is zero' })
  const polynomial = randomPolynomial(group, threshold, s, random)
  const commitment = commitTo(group, polynomial)
  const shareOf = (party: PartyId): Secret<Uint8Array> =>
    new Secret(group.encodeScalar(evaluate(polynomial, BigInt(party), group.order)))
  return {
    key: groupKeyOf(suite, commitment, ids),
    commitment,
    shares: new Map(ids.map((party) => [party, shareOf(party)])),
  }
}

/** The public side of the key that `commitment` commits to. Variable-time: public inputs only. */
export const groupKeyOf = (
  suite: FrostSuite,
  commitment: Commitment,
  parties: readonly PartyId[],
): GroupKey => ({
  suite,
  threshold: commitment.length,
  groupKey: evaluateCommitment(suite.group, commitment, 0n),
  verifyingShares: new Map(
    parties.map((party) => [party, evaluateCommitment(suite.group, commitment, BigInt(party))]),
  ),
})

/** Whether a dealt share (encoded, 32 bytes) fits the dealer's commitment. Treats the share as secret. @throws math/bad-scalar */
export const isDealtShare = (
  { group }: FrostSuite,
  commitment: Commitment,
  party: PartyId,
  share: Secret<Uint8Array>,
): boolean => isShareOf(group, commitment, BigInt(party), group.decodeScalar(share.expose()))
