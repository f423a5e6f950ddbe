/**
 * FROST signing, round one: commitments to fresh nonces (RFC 9591, section 5.1).
 *
 *   out, in   broadcast   (Dᵢ, Eᵢ) for each item
 */
import { array, bytes, type Codec, mapped, type Random, type Secret } from '@quorate/base'
import type { PartyId } from '../../session/party.ts'
import { inlet, next, type Round, type Step, toAll } from '../../session/round.ts'
import {
  commit,
  decodeNonceCommitment,
  type NonceCommitment,
  nonceCommitmentLength,
  type SigningNonces,
} from '../nonces.ts'
import type { FrostSuite } from '../suite.ts'
import type { Commitments } from './item.ts'

/** Own nonces with the commitments of all signers to go with them. Whoever holds it disposes of the nonces. */
export type PreprocessedNonces = {
  readonly nonces: SigningNonces
  readonly commitments: Commitments
}

export type CommitOptions = {
  readonly suite: FrostSuite
  readonly self: PartyId
  /** With this party. */
  readonly signers: readonly PartyId[]
  readonly share: Secret<Uint8Array>
  /** Pairs of nonces to make. */
  readonly count: number
  readonly random: Random
}

/** The commitments of one party, exactly `count` of them. */
const commitmentsCodec = (suite: FrostSuite, count: number): Codec<readonly NonceCommitment[]> =>
  array(
    mapped(
      bytes(nonceCommitmentLength(suite)),
      (encoded) => decodeNonceCommitment(suite, encoded),
      ({ encoded }) => encoded,
    ),
    { min: count, max: count },
  )

/** Sends commitments to fresh nonces, collects those of all others, and goes on with `then`. */
export function exchangeCommitments<Out>(
  { suite, self, signers, share, count, random }: CommitOptions,
  then: (preprocessed: readonly PreprocessedNonces[]) => Step<Out>,
): Step<Out> {
  const codec = commitmentsCodec(suite, count)
  let nonces: readonly SigningNonces[] = Array.from({ length: count }, () =>
    commit(suite, share, random),
  )
  const own = nonces.map(({ commitment }) => commitment)
  const received = new Map<PartyId, readonly NonceCommitment[]>([[self, own]])
  const round: Round<Out> = {
    number: 1,
    broadcast: inlet(
      codec,
      count * (nonceCommitmentLength(suite) + 3) + 5,
      (from, commitments) => received.set(from, commitments),
      signers,
    ),
    advance() {
      const complete = nonces.map((each, item) => ({
        nonces: each,
        commitments: new Map(signers.map((party) => [party, received.get(party)![item]!])),
      }))
      // From here on they belong to `then`.
      nonces = []
      return then(complete)
    },
    [Symbol.dispose]() {
      for (const each of nonces) each[Symbol.dispose]()
    },
  }
  return next(round, toAll(codec, own))
}
