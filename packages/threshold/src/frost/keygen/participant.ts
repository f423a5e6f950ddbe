/**
 * A participant of ChillDKG, step by step, as in its specification. A coordinator adds messages up;
 * it is trusted with nothing but liveness. In a session of ours (`rounds.ts`) every party plays the
 * coordinator for itself, from the messages that all broadcast.
 */
import { equalBytes, Fault, isFault, Secret } from '@quorate/base'
import { type Element, mod } from '@quorate/math'
import { Abort } from '../../session/abort.ts'
import { type PartyId, partyId } from '../../session/party.ts'
import { missingSigners, recoveryDataOf, signTranscript } from './certificate.ts'
import { type Dealing, deal, receivedPads } from './dealing.ts'
import {
  decodeInquiryAnswer,
  decodeJointMessage,
  type JointMessage,
  jointCommitment,
  transcriptOf,
} from './messages.ts'
import type { DkgOutput } from './outcome.ts'
import { type DkgParameters, hostPublicKey, indexOfHostKey, publicShareFor } from './parameters.ts'

export type Dealt = Dealing & { readonly params: DkgParameters; readonly index: number }

/**
 * Step 1: this party's dealing; its `encoded` goes to the coordinator. One dealing serves one session.
 * Treats the host secret and `random` (32 fresh bytes) as secret.
 * @throws threshold/bad-host-key, threshold/bad-randomness
 */
export function participantStep1(
  params: DkgParameters,
  hostSecret: Secret<Uint8Array>,
  random: Uint8Array,
): Dealt {
  const index = indexOfHostKey(params, hostSecret)
  return { ...deal(params, index, hostSecret, random), params, index }
}

/** What all dealings together mean for one party. */
export type Conclusion = { readonly output: DkgOutput; readonly transcript: Uint8Array }
export type Signed = Conclusion & { readonly params: DkgParameters; readonly signature: Uint8Array }

/**
 * Step 2: check the coordinator's joint message and sign its transcript. From here on the host secret
 * must be kept. Treats host secret and `aux` (32 bytes) as secret.
 * @throws base/malformed for a wrong length, threshold/bad-host-key, threshold/bad-randomness
 * @throws Abort naming a dealer (it, or the coordinator in its name, is at fault), or nobody:
 *   threshold/faulty-coordinator; `UnattributedShare` when an inquiry must find out
 */
export function participantStep2(
  dealt: Dealt,
  hostSecret: Secret<Uint8Array>,
  joint: Uint8Array,
  aux: Uint8Array,
): Signed {
  const { params, index, message } = dealt
  const { group } = params.suite
  if (!equalBytes(hostPublicKey(params.suite, hostSecret.expose()), params.hostKeys[index]!))
    throw new Fault('threshold/bad-host-key', { detail: 'it is not the one of step 1' })
  if (aux.length !== 32) throw new Fault('threshold/bad-randomness')
  const parsed = blamingCoordinator(() => decodeJointMessage(params, joint))
  if (!equalBytes(parsed.nonces[index]!, message.nonce))
    throw new Abort('threshold/faulty-coordinator', { detail: 'it changed our nonce' })
  const pads = receivedPads(params, index, hostSecret, parsed.nonces)
  if (!group.equals(parsed.firstCommitments[index]!, message.commitment[0]!))
    throw new Abort('threshold/faulty-coordinator', { detail: 'it changed our commitment' })
  parsed.firstCommitments.forEach((key, dealer) => {
    if (dealer !== index) checkPossession(params, dealer, key, parsed.proofs[dealer]!)
  })
  const conclusion = conclude(params, index, pads, parsed)
  return {
    ...conclusion,
    params,
    signature: signTranscript(params, index, hostSecret, conclusion.transcript, aux),
  }
}

/** @throws Abort threshold/invalid-proof naming the dealer. Variable-time: public inputs only. */
export function checkPossession(
  { suite }: DkgParameters,
  dealer: number,
  key: Element,
  proof: Uint8Array,
): void {
  if (suite.group.isIdentity(key) || !suite.verifyPossession(key, dealer, proof))
    throw new Abort('threshold/invalid-proof', {
      culprits: [partyId(dealer + 1)],
      detail: 'proof of possession',
    })
}

/** The sum of the shares fits the sum of the commitments, or `UnattributedShare`. Treats the pads as secret. */
export function conclude(
  params: DkgParameters,
  index: number,
  pads: readonly bigint[],
  joint: JointMessage,
): Conclusion {
  const { group } = params.suite
  const commitment = jointCommitment(params, joint)
  const encryptedSum = joint.encryptedSums[index]!
  const share = pads.reduce((left, pad) => mod(left - pad, group.order), encryptedSum)
  const publicShare = publicShareFor(params, commitment, index)
  if (!group.equals(group.mulBase(share), publicShare))
    throw new UnattributedShare({ params, index, pads, encryptedSum, publicShare })
  return {
    output: {
      commitment,
      parties: params.hostKeys.length,
      share: new Secret(group.encodeScalar(share)),
    },
    transcript: transcriptOf(params, joint, commitment),
  }
}

export type ShareInquiry = {
  readonly params: DkgParameters
  readonly index: number
  readonly pads: readonly bigint[]
  readonly encryptedSum: bigint
  readonly publicShare: Element
}

/** The sum of all shares is wrong; which of them, only the single ones can tell. */
export class UnattributedShare extends Abort {
  readonly inquiry: ShareInquiry

  constructor(inquiry: ShareInquiry) {
    super('threshold/invalid-share', { detail: 'the sum of the shares for us is wrong' })
    this.inquiry = inquiry
  }
}

/**
 * Finds out who is at fault, from the coordinator's answer to an inquiry. Always throws.
 * @throws Abort threshold/invalid-share naming every dealer whose share is wrong (or in whose name the
 *   coordinator made one up); threshold/faulty-coordinator naming nobody
 * @throws base/malformed for a wrong length
 */
export function participantInvestigate(
  { params, index, pads, encryptedSum, publicShare }: ShareInquiry,
  answer: Uint8Array,
): never {
  const { group } = params.suite
  const { encryptedShares, publicShares } = blamingCoordinator(() =>
    decodeInquiryAnswer(params, answer),
  )
  const coordinator = (detail: string): never => {
    throw new Abort('threshold/faulty-coordinator', { detail })
  }
  if (!group.equals(group.sum(publicShares), publicShare))
    coordinator('public shares do not add up')
  if (encryptedShares.reduce((sum, c) => mod(sum + c, group.order), 0n) !== encryptedSum)
    coordinator('encrypted shares do not add up')
  const wrong = wrongDealers(params, pads, encryptedShares, publicShares)
  if (wrong.some((dealer) => dealer === index)) coordinator('it changed our share for ourselves')
  throw new Abort('threshold/invalid-share', {
    culprits: wrong.map((dealer): PartyId => partyId(dealer + 1)),
  })
}

/** Indices of the dealers whose encrypted share does not fit the public one. Treats the pads as secret. */
export const wrongDealers = (
  { suite: { group } }: DkgParameters,
  pads: readonly bigint[],
  encryptedShares: readonly bigint[],
  publicShares: readonly Element[],
): readonly number[] =>
  encryptedShares.flatMap((c, dealer) =>
    group.equals(group.mulBase(c - pads[dealer]!), publicShares[dealer]!) ? [] : [dealer],
  )

/**
 * Step 3: the result, once the certificate holds everyone's signature of our transcript.
 * @throws base/malformed for a wrong length; Abort threshold/faulty-coordinator
 */
export function participantFinalize(
  { params, output, transcript }: Signed,
  certificate: Uint8Array,
): { readonly output: DkgOutput; readonly recoveryData: Uint8Array } {
  if (missingSigners(params, transcript, certificate).length > 0)
    throw new Abort('threshold/faulty-coordinator', {
      detail: 'a signature in its certificate does not verify',
    })
  return { output, recoveryData: recoveryDataOf(transcript, certificate) }
}

/** Messages of the right length with wrong contents are the coordinator's fault. */
function blamingCoordinator<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isFault(cause) || cause.code === 'base/malformed') throw cause
    throw new Abort('threshold/faulty-coordinator', {
      detail: 'it sent values outside the group',
      cause,
    })
  }
}
