/** The coordinator of ChillDKG: adds messages up. All of it is public and deterministic. */
import { concatBytes, Fault, isFault } from '@quorate/base'
import { mod } from '@quorate/math'
import { Abort } from '../../session/abort.ts'
import { partyId } from '../../session/party.ts'
import { missingSigners, recoveryDataOf } from './certificate.ts'
import {
  type DealerMessage,
  decodeDealerMessage,
  encodeInquiryAnswer,
  encodeJointMessage,
  type JointMessage,
  jointCommitment,
  transcriptOf,
} from './messages.ts'
import type { DkgOutput } from './outcome.ts'
import { type DkgParameters, publicShareFor } from './parameters.ts'
import { SIGNATURE_LENGTH } from './suite.ts'

export type Joined = {
  readonly params: DkgParameters
  readonly joint: JointMessage
  readonly encoded: Uint8Array
}

/** Step 1: the joint message, from everyone's dealing in order. @throws base/malformed for a wrong number or length; Abort threshold/malformed-message naming a dealer */
export function coordinatorStep1(params: DkgParameters, dealings: readonly Uint8Array[]): Joined {
  const joint = join(params, parseAll(params, dealings))
  return { params, joint, encoded: encodeJointMessage(params, joint) }
}

function parseAll(
  params: DkgParameters,
  dealings: readonly Uint8Array[],
): readonly DealerMessage[] {
  if (dealings.length !== params.hostKeys.length)
    throw new Fault('base/malformed', { detail: 'one dealing of each party' })
  return dealings.map((dealing, i) => {
    try {
      return decodeDealerMessage(params, dealing)
    } catch (cause) {
      if (!isFault(cause)) throw cause
      throw new Abort('threshold/malformed-message', { culprits: [partyId(i + 1)], cause })
    }
  })
}

/** The sum of all dealings. The first commitments stay apart, for the proofs. Variable-time: public inputs only. */
export function join(
  { suite: { group }, coefficients, hostKeys }: DkgParameters,
  dealings: readonly DealerMessage[],
): JointMessage {
  return {
    firstCommitments: dealings.map(({ commitment }) => commitment[0]!),
    otherSums: Array.from({ length: coefficients - 1 }, (_, k) =>
      group.sum(dealings.map(({ commitment }) => commitment[k + 1]!)),
    ),
    proofs: dealings.map(({ proof }) => proof),
    nonces: dealings.map(({ nonce }) => nonce),
    encryptedSums: hostKeys.map((_, receiver) =>
      dealings.reduce(
        (sum, { encryptedShares }) => mod(sum + encryptedShares[receiver]!, group.order),
        0n,
      ),
    ),
  }
}

/**
 * Step 2: the certificate, from everyone's signature in order, with the public result.
 * @throws base/malformed for a wrong number or length; Abort threshold/invalid-certificate naming every party whose signature does not verify
 */
export function coordinatorFinalize(
  { params, joint }: Joined,
  signatures: readonly Uint8Array[],
): {
  readonly certificate: Uint8Array
  readonly output: DkgOutput
  readonly recoveryData: Uint8Array
} {
  const parties = params.hostKeys.length
  if (signatures.length !== parties || signatures.some(({ length }) => length !== SIGNATURE_LENGTH))
    throw new Fault('base/malformed', { detail: 'one signature of each party' })
  const commitment = jointCommitment(params, joint)
  const transcript = transcriptOf(params, joint, commitment)
  const certificate = concatBytes(...signatures)
  const missing = missingSigners(params, transcript, certificate)
  if (missing.length > 0)
    throw new Abort('threshold/invalid-certificate', {
      culprits: missing.map((i) => partyId(i + 1)),
    })
  return {
    certificate,
    output: { commitment, parties, share: undefined },
    recoveryData: recoveryDataOf(transcript, certificate),
  }
}

/** Answers to inquiries, one for each party; nothing in them is confidential. @throws as `coordinatorStep1` */
export function coordinatorInvestigate(
  params: DkgParameters,
  dealings: readonly Uint8Array[],
): readonly Uint8Array[] {
  const messages = parseAll(params, dealings)
  return params.hostKeys.map((_, receiver) =>
    encodeInquiryAnswer(params, {
      encryptedShares: messages.map(({ encryptedShares }) => encryptedShares[receiver]!),
      publicShares: messages.map(({ commitment }) => publicShareFor(params, commitment, receiver)),
    }),
  )
}
