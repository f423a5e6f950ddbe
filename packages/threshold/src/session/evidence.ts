/**
 * Evidence: signed messages that show to anyone with the cluster's epoch keys that a party broke the
 * protocol. An equivocation is two signed headers for the same place with different body hashes, and
 * needs nothing else. Misbehaviour inside a protocol is judged by that protocol, from the signed
 * messages and a proof of its own making.
 */
import {
  array,
  bytes,
  type Codec,
  decode,
  encode,
  equalBytes,
  Fault,
  type FaultCode,
  field,
  isFault,
  isFaultCode,
  oneOf,
  optional,
  record,
  text,
} from '@quorate/base'
import {
  type EnvelopeHeader,
  type KeyLookup,
  MAX_ENVELOPE_BYTES,
  type Opening,
  opening,
  opens,
  readEnvelope,
} from './envelope.ts'
import type { SignatureVerifier } from './envelope-crypto.ts'
import { MAX_PARTIES, type PartyId, party } from './party.ts'

const MAX_EVIDENCE_BYTES = 1 << 24
const MAX_PROOF_BYTES = 1 << 23

export type Evidence = {
  readonly v: 1
  readonly sid: Uint8Array
  readonly protocol: string
  /** What the culprits did: the code of the abort. */
  readonly claim: string
  readonly culprits: readonly PartyId[]
  /** The signed envelopes; `opening` where a sealed body is shown. */
  readonly originals: readonly {
    readonly envelope: Uint8Array
    readonly opening?: Opening | undefined
  }[]
  /** Data that the protocol's judge needs besides. */
  readonly proof?: Uint8Array | undefined
}

export const evidenceCodec: Codec<Evidence> = record({
  v: field(1, oneOf(1)),
  sid: field(2, bytes(32)),
  protocol: field(3, text(32)),
  claim: field(4, text(64)),
  culprits: field(5, array(party, { min: 1, max: MAX_PARTIES })),
  originals: field(
    6,
    array(
      record({
        envelope: field(1, bytes({ max: MAX_ENVELOPE_BYTES })),
        opening: optional(2, opening),
      }),
      { min: 1, max: 16 * MAX_PARTIES },
    ),
  ),
  proof: optional(7, bytes({ max: MAX_PROOF_BYTES })),
})

export const encodeEvidence = (evidence: Evidence): Uint8Array => encode(evidenceCodec, evidence)
/** @throws base/malformed, base/not-canonical, base/too-large */
export const decodeEvidence = (encoded: Uint8Array): Evidence =>
  decode(evidenceCodec, encoded, { maxBytes: MAX_EVIDENCE_BYTES })

/** A message whose signature was checked. */
export type Testimony = {
  readonly from: PartyId
  /** The receiver of a direct message; 0 for one to all. */
  readonly to: number
  readonly round: number
  readonly kind: EnvelopeHeader['kind']
  readonly body: Uint8Array
}
/** What a protocol says to a claim: the parties that the messages convict. */
export type Judge = (
  claim: FaultCode,
  messages: readonly Testimony[],
  proof: Uint8Array | undefined,
) => readonly PartyId[]

export type Verifier = KeyLookup &
  SignatureVerifier & {
    readonly cluster: Uint8Array
    /** Needed for claims other than equivocation. */
    readonly judge?: Judge
  }

/** The parties that the evidence convicts: all that it names. @throws threshold/evidence-rejected */
export function verifyEvidence(evidence: Evidence, verifier: Verifier): readonly PartyId[] {
  const refuse = (detail: string): never => {
    throw new Fault('threshold/evidence-rejected', { detail })
  }
  const messages = evidence.originals.map((original) => {
    const { header, body } = readSigned(original.envelope, verifier)
    if (!equalBytes(header.cluster, verifier.cluster))
      refuse('a message belongs to another cluster')
    if (!equalBytes(header.sid, evidence.sid) || header.protocol !== evidence.protocol)
      refuse('a message belongs to another session')
    if (original.opening !== undefined && !opens(header, original.opening))
      refuse('a body is not the one that was signed')
    return { header, body: original.opening?.body ?? body }
  })
  const { claim } = evidence
  const convicted =
    claim === 'threshold/equivocation'
      ? equivocators(messages.map(({ header }) => header))
      : isFaultCode(claim) && verifier.judge !== undefined
        ? verifier.judge(
            claim,
            messages.flatMap(({ header: { from, to, round, kind }, body }) =>
              body === undefined ? [] : [{ from, to, round, kind, body }],
            ),
            evidence.proof,
          )
        : refuse('nobody can judge this claim')
  if (evidence.culprits.some((culprit) => !convicted.includes(culprit)))
    refuse('it does not convict all that it names')
  return evidence.culprits
}

function readSigned(envelope: Uint8Array, verifier: Verifier): ReturnType<typeof readEnvelope> {
  try {
    return readEnvelope(envelope, verifier, verifier)
  } catch (cause) {
    if (!isFault(cause)) throw cause
    throw new Fault('threshold/evidence-rejected', {
      detail: 'a message is not signed by the key of its sender',
      cause,
    })
  }
}

/** Whether both were signed for the same place of the same session and differ in their bodies. */
export const contradict = (a: SignedPlace, b: SignedPlace): boolean =>
  a.from === b.from &&
  a.round === b.round &&
  a.kind === b.kind &&
  a.to === b.to &&
  a.protocol === b.protocol &&
  equalBytes(a.sid, b.sid) &&
  !equalBytes(a.bodyHash, b.bodyHash)

/** Whether a party sends one such message per round at most; control messages and disputes may be several. */
export const hasOnePlace = ({ kind }: SignedPlace): boolean =>
  kind === 'broadcast' || kind === 'direct' || kind === 'echo'

export type SignedPlace = Pick<
  EnvelopeHeader,
  'from' | 'round' | 'kind' | 'to' | 'protocol' | 'sid' | 'bodyHash'
>

function equivocators(headers: readonly EnvelopeHeader[]): readonly PartyId[] {
  const single = headers.filter(hasOnePlace)
  return single.filter((a) => single.some((b) => contradict(a, b))).map(({ from }) => from)
}
