/**
 * What the messages of a key generation must satisfy. The parties of a session ask while it runs;
 * third parties ask `judgeDkg` afterwards, about evidence.
 */
import {
  bytes,
  type Codec,
  type CodecType,
  concatBytes,
  decode,
  encode,
  equalBytes,
  Fault,
  field,
  isFault,
  record,
  TAGS,
  taggedHash,
} from '@quorate/base'
import type { Element } from '@quorate/math'
import { Abort } from '../../session/abort.ts'
import { complaintIn } from '../../session/dispute.ts'
import type { Judge, Testimony } from '../../session/evidence.ts'
import { type PartyId, partyId } from '../../session/party.ts'
import {
  type Accusation,
  accusationsCodec,
  type DkgSession,
  isGuilty,
  verifyNonceProof,
} from './accusation.ts'
import { didSign } from './certificate.ts'
import { decodeNonce } from './dealing.ts'
import { type DealerMessage, dealerMessageLength, decodeDealerMessage } from './messages.ts'
import type { DkgParameters } from './parameters.ts'
import { checkPossession } from './participant.ts'
import { SIGNATURE_LENGTH } from './suite.ts'

type DealingBody = { readonly message: Uint8Array; readonly nonceProof: Uint8Array }
/** Round 1: a ChillDKG dealer message, and the proof of knowing its encryption nonce. */
export const dealingCodec: Codec<DealingBody> = record({
  message: field(1, bytes({ max: 1 << 13 })),
  nonceProof: field(2, bytes({ min: 64, max: 65 })),
})
/** Round 2: this party's signature of the joint transcript. */
export const signedCodec: Codec<{
  readonly transcriptHash: Uint8Array
  readonly signature: Uint8Array
}> = record({
  transcriptHash: field(1, bytes(32)),
  signature: field(2, bytes(SIGNATURE_LENGTH)),
})

export const MAX_SIGNED_BYTES = 128
export const MAX_ACCUSATIONS_BYTES: number = 1 << 13
export const maxDealingBytes = (params: DkgParameters): number => dealerMessageLength(params) + 128

export const transcriptHash = (transcript: Uint8Array): Uint8Array =>
  taggedHash(TAGS.dkgCertificate, transcript)

/** A dealing that is right as far as everybody can see. */
export type CheckedDealing = { readonly message: DealerMessage; readonly nonce: Element }

/** @throws Abort threshold/malformed-message, threshold/invalid-proof naming the dealer. Variable-time: public inputs only. */
export function checkDealing(
  session: DkgSession,
  from: PartyId,
  { message: encoded, nonceProof }: DealingBody,
): CheckedDealing {
  const { params } = session
  const message = blaming(from, () => decodeDealerMessage(params, encoded))
  const nonce = decodeNonce(params, from - 1, message.nonce)
  checkPossession(params, from - 1, message.commitment[0]!, message.proof)
  if (!verifyNonceProof(session, from - 1, nonce, nonceProof))
    throw new Abort('threshold/invalid-proof', {
      culprits: [from],
      detail: 'proof of the encryption nonce',
    })
  return { message, nonce }
}

function blaming<T>(from: PartyId, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isFault(cause)) throw cause
    throw new Abort('threshold/malformed-message', { culprits: [from], cause })
  }
}

/** Always throws: either all the accused are guilty, or the accuser is. @throws Abort threshold/invalid-share, threshold/false-accusation */
export function judgeAccusations(
  session: DkgSession,
  accuser: PartyId,
  accusations: readonly Accusation[],
  dealingOf: (accused: PartyId) => CheckedDealing | undefined,
): never {
  const accused = accusations.map((each) => each.accused)
  const isRight = (each: Accusation): boolean => {
    const dealing = dealingOf(each.accused)
    return (
      dealing !== undefined && isGuilty(session, accuser - 1, dealing.message, dealing.nonce, each)
    )
  }
  if (!accusations.every(isRight))
    throw new Abort('threshold/false-accusation', { culprits: [accuser], witnesses: accused })
  throw new Abort('threshold/invalid-share', {
    culprits: accused,
    proof: accusationProof(accuser, accusations),
  })
}

/** What a third party needs besides the signed dealings: who accuses, and of what. */
export const accusationProof = (accuser: PartyId, accusations: readonly Accusation[]): Uint8Array =>
  concatBytes(Uint8Array.of(accuser), encode(accusationsCodec, accusations))

/**
 * The judge of one key generation (or refresh), for `verifyEvidence`. `session` must come from a source
 * that the judge trusts, not from the accuser: with other host keys honest proofs look wrong.
 */
export const judgeDkg =
  (session: DkgSession): Judge =>
  (claim, messages, proof) => {
    const dealings = messages.filter(({ round, kind }) => round === 1 && kind === 'broadcast')
    const signatures = messages.filter(({ round, kind }) => round === 2 && kind === 'broadcast')
    const culpritsOf = (verdict: () => unknown): readonly PartyId[] => {
      try {
        verdict()
      } catch (error) {
        if (error instanceof Abort) return error.code === claim ? error.culprits : []
        // Evidence that cannot be read convicts nobody.
        if (!(error instanceof Fault)) throw error
      }
      return []
    }
    const checked = ({ from, body }: Testimony): CheckedDealing =>
      checkDealing(
        session,
        from,
        blaming(from, () =>
          decode(dealingCodec, body, { maxBytes: maxDealingBytes(session.params) }),
        ),
      )
    const dealingOf = (accused: PartyId): CheckedDealing => {
      const dealing = dealings.find(({ from }) => from === accused)
      if (dealing === undefined)
        throw new Fault('threshold/evidence-rejected', { detail: 'a dealing is missing' })
      return checked(dealing)
    }
    const readAccusations = (encoded: Uint8Array): readonly Accusation[] =>
      decode(accusationsCodec, encoded, { maxBytes: MAX_ACCUSATIONS_BYTES })

    switch (claim) {
      case 'threshold/malformed-message':
      case 'threshold/invalid-proof':
        return [
          ...dealings.flatMap((each) => culpritsOf(() => checked(each))),
          ...signatures.flatMap(({ from, body }) =>
            culpritsOf(() => blaming(from, () => readSigned(body))),
          ),
        ]
      case 'threshold/invalid-share':
        if (proof === undefined || proof.length === 0) return []
        return culpritsOf(() =>
          judgeAccusations(
            session,
            partyId(proof[0]!),
            readAccusations(proof.subarray(1)),
            dealingOf,
          ),
        )
      case 'threshold/false-accusation':
        return messages.flatMap(({ from, kind, body }) => {
          const complaint = kind === 'dispute' ? complaintIn(body) : undefined
          return complaint === undefined
            ? []
            : culpritsOf(() =>
                judgeAccusations(session, from, readAccusations(complaint), dealingOf),
              )
        })
      case 'threshold/invalid-certificate':
        return messages
          .filter(({ round, kind }) => round === 2 && kind === 'broadcast')
          .flatMap(({ from, body }) =>
            proof !== undefined && contradictsItself(session, from, body, proof) ? [from] : [],
          )
      default:
        return []
    }
  }

/** Whether a party claims this transcript by its hash, and signed something else. */
function contradictsItself(
  { params }: DkgSession,
  from: PartyId,
  body: Uint8Array,
  transcript: Uint8Array,
): boolean {
  const signed = readSigned(body)
  return (
    equalBytes(signed.transcriptHash, transcriptHash(transcript)) &&
    !didSign(params, from - 1, transcript, signed.signature)
  )
}

const readSigned = (body: Uint8Array): CodecType<typeof signedCodec> =>
  decode(signedCodec, body, { maxBytes: MAX_SIGNED_BYTES })
