/**
 * Whether a signature share was wrong, for a third party that knows what was to be signed.
 *
 * The commitments come from the accuser and are not signed. They need not be: the share message of
 * the accused, which it signed, carries the context that fixes them. Under other commitments the
 * context differs, and nobody is convicted.
 */
import { decode, equalBytes, isFault } from '@quorate/base'
import type { Judge } from '../../session/evidence.ts'
import type { PartyId } from '../../session/party.ts'
import { decodeNonceCommitment } from '../nonces.ts'
import { type Commitments, openSessions, type SigningItem } from './item.ts'
import type { GroupKey } from './key.ts'
import type { SigningSession } from './session.ts'
import {
  type ShareMessage,
  shareMessageCodec,
  shareMessageLength,
  type WrongShareProof,
  wrongShareProofCodec,
} from './share-round.ts'

const MAX_PROOF_BYTES = 1 << 16

export type SigningContext = {
  readonly key: GroupKey
  readonly signers: readonly PartyId[]
  readonly items: readonly SigningItem[]
}

/** Judges claims of `threshold/invalid-share` about the session that signed `items`. Convicts nobody where anything is in doubt. */
export const signingJudge =
  (context: SigningContext): Judge =>
  (claim, messages, proof) => {
    if (claim !== 'threshold/invalid-share' || proof === undefined) return []
    const sessions = reopen(context, proof)
    const shares = messages.filter(({ round, kind }) => round === 2 && kind === 'broadcast')
    return shares.flatMap(({ from, body }) => {
      const message = parse(() =>
        decode(shareMessageCodec(context.items.length), body, {
          maxBytes: shareMessageLength(context.items.length),
        }),
      )
      return message !== undefined &&
        context.signers.includes(from) &&
        isWrong(sessions, from, message)
        ? [from]
        : []
    })
  }

function isWrong(
  sessions: ReadonlyMap<number, SigningSession>,
  from: PartyId,
  message: ShareMessage,
): boolean {
  return [...sessions].some(([item, session]) => {
    const { share, context } = message[item]!
    return equalBytes(context, session.context) && !session.isValidShare(from, share)
  })
}

/** The sessions of the items in question; none where the proof does not make sense. */
function reopen(
  { key, signers, items }: SigningContext,
  proof: Uint8Array,
): ReadonlyMap<number, SigningSession> {
  const sessions = parse(() => {
    const cases: WrongShareProof = decode(wrongShareProofCodec, proof, {
      maxBytes: MAX_PROOF_BYTES,
    })
    return new Map(
      cases.flatMap(({ item, commitments }) => {
        const disputed = items[item]
        if (disputed === undefined) return []
        const parsed: Commitments = new Map(
          commitments.map(({ party, commitment }) => [
            party,
            decodeNonceCommitment(key.suite, commitment),
          ]),
        )
        return openSessions(key, signers, [disputed], [parsed]).map(
          (session): [number, SigningSession] => [item, session],
        )
      }),
    )
  })
  return sessions ?? new Map<number, SigningSession>()
}

/** What `read` gives, or `undefined` where the bytes are at fault. */
function parse<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isFault(error) && error.class === 'InvalidInput') return undefined
    throw error
  }
}
