/**
 * Showing to all that a dealer encrypted a wrong share. The accuser opens that one share: it gives away
 * S = d·R, from its host secret d and the dealer's nonce R, and proves that it is right
 * (Chaum–Pedersen 1992: log_G(D) = log_R(S)), so that everybody can decrypt the share and compare.
 *
 * Opening is safe only because the dealer has proved, for this very session, that it knows r with
 * R = r·G: then it could compute S = r·D itself. Without that proof a cheater could present another
 * dealer's nonce of another session and have the accuser decrypt that one's share.
 */
import {
  array,
  bytes,
  type Codec,
  concatBytes,
  equalBytes,
  field,
  isFault,
  record,
  type Secret,
} from '@quorate/base'
import { type Element, mod, Transcript } from '@quorate/math'
import { MAX_PARTIES, type PartyId, party } from '../../session/party.ts'
import { padContext } from './dealing.ts'
import type { DealerMessage } from './messages.ts'
import { type DkgParameters, hostScalar, parametersHash, publicShareFor } from './parameters.ts'

/** A session of key generation: its id keeps proofs of one from being used in another. */
export type DkgSession = { readonly params: DkgParameters; readonly sid: Uint8Array }

const transcript = (domain: string, { params, sid }: DkgSession): Transcript =>
  new Transcript(domain).bytes('session', sid).bytes('parameters', parametersHash(params))

/** Derived from the secret too, so that a weak source of randomness alone does not repeat it. */
const proofNonce = (
  { suite: { group } }: DkgParameters,
  secret: bigint,
  context: Uint8Array,
  random: Uint8Array,
): bigint =>
  new Transcript('dkg-proof-nonce')
    .scalar('secret', group, secret)
    .bytes('context', context)
    .bytes('randomness', random)
    .challenge(group)

/** Proof that dealer `index` knows the secret of its encryption nonce: R' ‖ z, with z·G = R' + e·R. Treats secret and `random` (32 bytes) as secret. */
export function proveNonce(
  session: DkgSession,
  index: number,
  secret: bigint,
  random: Uint8Array,
): Uint8Array {
  const { group } = session.params.suite
  const R = group.mulBase(secret)
  const k = proofNonce(session.params, secret, session.sid, random)
  const commitment = group.mulBase(k)
  const e = nonceChallenge(session, index, R, commitment)
  return concatBytes(group.encode(commitment), group.encodeScalar(k + e * secret))
}

/** Variable-time: public inputs only. Never throws. */
export function verifyNonceProof(
  session: DkgSession,
  index: number,
  nonce: Element,
  proof: Uint8Array,
): boolean {
  const { group } = session.params.suite
  const parsed = parseProof(() => {
    const commitment = group.decode(proof.subarray(0, group.elementLength))
    return { commitment, z: group.decodeScalar(proof.subarray(group.elementLength)) }
  })
  if (parsed === undefined) return false
  const e = nonceChallenge(session, index, nonce, parsed.commitment)
  return group.equals(group.msm([parsed.z, -e], [group.generator, nonce]), parsed.commitment)
}

const nonceChallenge = (
  session: DkgSession,
  index: number,
  nonce: Element,
  commitment: Element,
): bigint => {
  const { group } = session.params.suite
  return transcript('dkg-nonce-proof', session)
    .number('dealer', index)
    .element('nonce', group, nonce)
    .element('commitment', group, commitment)
    .challenge(group)
}

export type Accusation = {
  readonly accused: PartyId
  /** S, encoded. */
  readonly opened: Uint8Array
  /** e ‖ z */
  readonly proof: Uint8Array
}
const accusationCodec: Codec<Accusation> = record({
  accused: field(1, party),
  opened: field(2, bytes({ min: 32, max: 33 })),
  proof: field(3, bytes(64)),
})
/** All that a party has to say in one dispute. */
export const accusationsCodec: Codec<readonly Accusation[]> = array(accusationCodec, {
  min: 1,
  max: MAX_PARTIES,
})

/** Opens the share that dealer `accused` encrypted to us, party `index`. Treats host secret and `random` (32 bytes) as secret; gives away S. */
export function accuse(
  session: DkgSession,
  index: number,
  hostSecret: Secret<Uint8Array>,
  accused: PartyId,
  nonce: Element,
  random: Uint8Array,
): Accusation {
  const { suite, hostElements } = session.params
  const { group } = suite
  const d = hostScalar(group, hostSecret.expose())
  const S = group.mulSecret(d, nonce)
  const k = proofNonce(session.params, d, group.encode(nonce), random)
  const e = openingChallenge(session, hostElements[index]!, nonce, S, [
    group.mulBase(k),
    group.mulSecret(k, nonce),
  ])
  return {
    accused,
    opened: group.encode(S),
    proof: concatBytes(group.encodeScalar(e), group.encodeScalar(k + e * d)),
  }
}

const openingChallenge = (
  session: DkgSession,
  D: Element,
  R: Element,
  S: Element,
  commitments: readonly [Element, Element],
): bigint => {
  const { group } = session.params.suite
  return transcript('dkg-opening', session)
    .element('host key', group, D)
    .element('nonce', group, R)
    .element('opened', group, S)
    .element('commitment to the host key', group, commitments[0])
    .element('commitment to the opening', group, commitments[1])
    .challenge(group)
}

/** Whether the accusation by party `index` is right: its opening is proved, and the share in it is wrong. Variable-time: public inputs only. Never throws. */
export function isGuilty(
  session: DkgSession,
  index: number,
  dealing: DealerMessage,
  nonce: Element,
  accusation: Accusation,
): boolean {
  const { params } = session
  const { suite, hostElements, hostKeys } = params
  const { group } = suite
  // A dealer's share for itself is padded by a secret of its own.
  const D = hostElements[index]
  if (D === undefined || accusation.accused === index + 1) return false
  const parsed = parseProof(() => ({
    S: group.decode(accusation.opened),
    e: group.decodeScalar(accusation.proof.subarray(0, 32)),
    z: group.decodeScalar(accusation.proof.subarray(32)),
  }))
  if (parsed === undefined) return false
  const { S, e, z } = parsed
  const commitments = [
    group.msm([z, -e], [group.generator, D]),
    group.msm([z, -e], [nonce, S]),
  ] as const
  if (commitments.some((each) => group.isIdentity(each))) return false
  if (
    !equalBytes(
      group.encodeScalar(openingChallenge(session, D, nonce, S, commitments)),
      group.encodeScalar(e),
    )
  )
    return false
  const pad = suite.pad(S, dealing.nonce, hostKeys[index]!, padContext(params, index))
  const share = mod(dealing.encryptedShares[index]! - pad, group.order)
  return !group.equals(
    group.mul(share, group.generator),
    publicShareFor(params, dealing.commitment, index),
  )
}

function parseProof<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (isFault(error)) return undefined
    throw error
  }
}
