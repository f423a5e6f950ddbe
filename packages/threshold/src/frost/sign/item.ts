/** What one signing session signs, and the keys for it. */
import type { PartyId } from '../../session/party.ts'
import type { NonceCommitment, SigningNonces } from '../nonces.ts'
import type { Tweak } from '../tweak.ts'
import { type GroupKey, signingKey } from './key.ts'
import { SigningSession } from './session.ts'
import { SignerSet } from './signer-set.ts'

/** One message under one form of the wallet's key; a transaction has one per input. */
export type SigningItem = {
  readonly message: Uint8Array
  readonly tweaks?: readonly Tweak[] | undefined
}

/** Most items that one session signs. */
export const MAX_ITEMS = 256

/** A commitment of each signer, for one item. */
export type Commitments = ReadonlyMap<PartyId, NonceCommitment>

/** One session per item; `own` are the nonces of whoever signs here, one pair for each. @throws threshold/bad-parameters and the faults of `signingKey` */
export function openSessions(
  key: GroupKey,
  parties: readonly PartyId[],
  items: readonly SigningItem[],
  commitments: readonly Commitments[],
  own?: { readonly party: PartyId; readonly nonces: readonly SigningNonces[] },
): readonly SigningSession[] {
  const signers = new SignerSet(key, parties)
  return items.map(
    ({ message, tweaks }, i) =>
      new SigningSession({
        key: signingKey(key, tweaks),
        signers,
        message,
        commitments: commitments[i]!,
        own: own && { party: own.party, nonces: own.nonces[i]! },
      }),
  )
}
