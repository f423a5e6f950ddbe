/**
 * Two signing sessions from one presignature would give the key away, so a signer that enters a second
 * one can be convicted for it: its first broadcast in either session is signed and begins with the
 * context, which covers the session id and the presignatures. An honest signer uses a presignature up
 * before that broadcast leaves, whatever becomes of the session.
 */
import { equalBytes, Fault, isFault } from '@quorate/base'
import { type KeyLookup, readEnvelope } from '../../session/envelope.ts'
import type { SignatureVerifier } from '../../session/envelope-crypto.ts'
import type { PartyId } from '../../session/party.ts'
import { contextIn } from '../context.ts'
import { presignatureId } from '../presign/presignature.ts'
import { OnlineChecks, type OnlineFacts } from './checks.ts'

/** A session that the accused entered, and the signed envelope of its first broadcast there. */
export type SignedUse = { readonly facts: OnlineFacts; readonly envelope: Uint8Array }

export type UseVerifier = KeyLookup & SignatureVerifier & { readonly cluster: Uint8Array }

/** The party that entered both sessions with one presignature. @throws threshold/evidence-rejected */
export function verifyDoubleUse(
  uses: readonly [SignedUse, SignedUse],
  verifier: UseVerifier,
): PartyId {
  const [a, b] = uses
  if (equalBytes(a.facts.sid, b.facts.sid)) refuse('both messages belong to one session')
  const [from, other] = [userOf(a, verifier), userOf(b, verifier)]
  if (from !== other) refuse('the messages are of two senders')
  const ids = idsOf(a.facts)
  if (!idsOf(b.facts).some((id) => ids.some((each) => equalBytes(each, id))))
    refuse('the sessions have no presignature in common')
  return from
}

const idsOf = ({ items }: OnlineFacts): readonly Uint8Array[] =>
  items.map(({ presignature }) => presignatureId(presignature))

/** Who signed that it signs in this session, with these presignatures. */
function userOf({ facts, envelope }: SignedUse, verifier: UseVerifier): PartyId {
  const { header, body } = readSigned(envelope, verifier)
  const { sid, signers } = facts
  if (!equalBytes(header.cluster, verifier.cluster) || !equalBytes(header.sid, sid))
    refuse('a message belongs to another session')
  if (header.kind !== 'broadcast' || header.round !== 1 || !signers.includes(header.from))
    refuse('a message is not the first broadcast of a signer')
  const theirs = body && contextIn(body)
  if (theirs === undefined || !equalBytes(theirs, new OnlineChecks(facts).context))
    refuse('a message does not speak of these presignatures')
  return header.from
}

function readSigned(envelope: Uint8Array, verifier: UseVerifier): ReturnType<typeof readEnvelope> {
  try {
    return readEnvelope(envelope, verifier, verifier)
  } catch (error) {
    if (!isFault(error)) throw error
    return refuse('a message is not signed by the key of its sender')
  }
}

function refuse(detail: string): never {
  throw new Fault('threshold/evidence-rejected', { detail })
}
