import { webcrypto } from 'node:crypto'
import type { Random, Secret } from '@quorate/base'
import { type Deal, deal } from '#src/frost/dealer.js'
import {
  commit,
  decodeNonceCommitment,
  type NonceCommitment,
  type SigningNonces,
} from '#src/frost/nonces.js'
import { SigningKey } from '#src/frost/sign/key.js'
import { SigningSession } from '#src/frost/sign/session.js'
import { SignerSet } from '#src/frost/sign/signer-set.js'
import type { FrostSuite } from '#src/frost/suite.js'
import type { Tweak } from '#src/frost/tweak.js'
import { type PartyId, partyId } from '#src/session/party.js'

export const random: Random = {
  bytes: (length) => webcrypto.getRandomValues(new Uint8Array(length)),
}

/** Gives out these bytes in turn. */
export function replay(...draws: readonly Uint8Array[]): Random {
  const rest = [...draws]
  return {
    bytes(length) {
      const next = rest.shift()
      if (next?.length !== length) throw new Error('an unexpected draw')
      return next.slice()
    },
  }
}

export const ids = (...numbers: readonly number[]): readonly PartyId[] => numbers.map(partyId)

export const dealt = (
  suite: FrostSuite,
  threshold: number,
  parties: number,
  secret?: bigint,
): Deal => deal({ suite, threshold, parties, random, ...(secret !== undefined && { secret }) })

export type Signer = {
  readonly party: PartyId
  readonly share: Secret<Uint8Array>
  readonly nonces: SigningNonces
  readonly session: SigningSession
}

/** Signers who have exchanged commitments as bytes, each with a session of its own. */
export function prepare(
  { key, shares }: Deal,
  signers: readonly PartyId[],
  message: Uint8Array,
  tweaks: readonly Tweak[] = [],
): readonly Signer[] {
  const { suite } = key
  const made = signers.map((party) => ({
    party,
    nonces: commit(suite, shares.get(party)!, random),
  }))
  const commitments = (): ReadonlyMap<PartyId, NonceCommitment> =>
    new Map(
      made.map(({ party, nonces }) => [
        party,
        decodeNonceCommitment(suite, nonces.commitment.encoded),
      ]),
    )
  return made.map(({ party, nonces }) => ({
    party,
    nonces,
    share: shares.get(party)!,
    session: new SigningSession({
      key: new SigningKey(key, tweaks),
      signers: new SignerSet(key, signers),
      message,
      commitments: commitments(),
    }),
  }))
}

export const signAll = (signers: readonly Signer[]): Map<PartyId, Uint8Array> =>
  new Map(
    signers.map(({ party, share, nonces, session }) => [party, session.sign(party, share, nonces)]),
  )
