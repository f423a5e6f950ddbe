/**
 * Key generation without a dealer and without a coordinator, as rounds of a session.
 *
 *   1  broadcast  ChillDKG dealer message, proof of knowing its encryption nonce      every party
 *      dispute    a share in it that does not fit                                     who finds one
 *   2  broadcast  hash of the joint transcript, signature of the transcript           every party
 *
 * Shares travel encrypted to host keys inside the broadcast, so all parties hold the same messages
 * (the session's echo check sees to that), each adds them up as ChillDKG's coordinator would, and all
 * must arrive at one transcript. The result counts when everyone's signature of it is in. Every
 * fault names its culprit: malformed message (a raised threshold among them), proof, share,
 * signature; and comes with evidence for `judgeDkg`.
 *
 * A refresh is the same exchange with `refreshes` set; see `refresh.ts`.
 */
import { concatBytes, encode, equalBytes, type Random, type Secret } from '@quorate/base'
import { Abort } from '../../session/abort.ts'
import { type PartyId, partyId } from '../../session/party.ts'
import { done, type Inlet, inlet, next, type Round, type Step, toAll } from '../../session/round.ts'
import { accusationsCodec, accuse, type DkgSession, proveNonce } from './accusation.ts'
import { didSign, recoveryDataOf, signTranscript } from './certificate.ts'
import { join } from './coordinator.ts'
import { decodeNonce, receivedPads } from './dealing.ts'
import {
  accusationProof,
  type CheckedDealing,
  checkDealing,
  dealingCodec,
  judgeAccusations,
  MAX_ACCUSATIONS_BYTES,
  MAX_SIGNED_BYTES,
  maxDealingBytes,
  signedCodec,
  transcriptHash,
} from './judge.ts'
import type { DkgOutput } from './outcome.ts'
import { publicShareFor } from './parameters.ts'
import {
  conclude,
  type Dealt,
  participantStep1,
  UnattributedShare,
  wrongDealers,
} from './participant.ts'

export type DkgOptions = DkgSession & {
  /** This party's host secret key. The caller keeps it whatever the session says: see `certificate.ts`. */
  readonly hostSecret: Secret<Uint8Array>
  readonly random: Random
}

/** What every party holds after the last round. */
export type Certified = {
  readonly output: DkgOutput
  /** Transcript and everyone's signatures; public. */
  readonly recoveryData: Uint8Array
}

/** The first step of a key generation for the party whose host secret is given. @throws threshold/bad-host-key, threshold/bad-randomness */
export function beginDkg<Out>(
  options: DkgOptions,
  finish: (certified: Certified) => Out,
): Step<Out> {
  const dealt = participantStep1(options.params, options.hostSecret, options.random.bytes(32))
  const { group } = options.params.suite
  const nonceProof = proveNonce(
    options,
    dealt.index,
    group.decodeScalar(dealt.nonceSecret.expose()),
    options.random.bytes(32),
  )
  dealt.nonceSecret[Symbol.dispose]()
  return next(
    new DealingRound(options, dealt, finish),
    toAll(dealingCodec, { message: dealt.encoded, nonceProof }),
  )
}

class DealingRound<Out> implements Round<Out> {
  readonly number = 1
  readonly broadcast: Inlet
  readonly #options: DkgOptions
  readonly #index: number
  readonly #finish: (certified: Certified) => Out
  readonly #dealings = new Map<PartyId, CheckedDealing>()

  constructor(options: DkgOptions, dealt: Dealt, finish: (certified: Certified) => Out) {
    this.#options = options
    this.#index = dealt.index
    this.#finish = finish
    const self = partyId(dealt.index + 1)
    this.#dealings.set(self, {
      message: dealt.message,
      nonce: decodeNonce(options.params, dealt.index, dealt.message.nonce),
    })
    this.broadcast = inlet(dealingCodec, maxDealingBytes(options.params), (from, body) => {
      this.#dealings.set(from, checkDealing(options, from, body))
    })
  }

  advance(): Step<Out> {
    const { params, hostSecret, random } = this.#options
    const ordered = params.hostKeys.map((_, i) => this.#dealings.get(partyId(i + 1))!)
    const messages = ordered.map(({ message }) => message)
    const joint = join(params, messages)
    const pads = receivedPads(params, this.#index, hostSecret, joint.nonces)
    try {
      const { output, transcript } = conclude(params, this.#index, pads, joint)
      const signature = signTranscript(
        params,
        this.#index,
        hostSecret,
        transcript,
        random.bytes(32),
      )
      const round = new CertificateRound(
        this.#options,
        { output, transcript, signature },
        ordered,
        this.#finish,
      )
      return next(
        round,
        toAll(signedCodec, { transcriptHash: transcriptHash(transcript), signature }),
      )
    } catch (error) {
      if (error instanceof UnattributedShare) throw this.#accuse(pads, ordered)
      throw error
    }
  }

  /** Finds every dealer whose share for us is wrong. Its messages were echo-checked, so it is that dealer's fault. */
  #accuse(pads: readonly bigint[], dealings: readonly CheckedDealing[]): Abort {
    const { params, hostSecret, random } = this.#options
    const encrypted = dealings.map(({ message }) => message.encryptedShares[this.#index]!)
    const expected = dealings.map(({ message }) =>
      publicShareFor(params, message.commitment, this.#index),
    )
    const culprits = wrongDealers(params, pads, encrypted, expected).map((dealer) =>
      partyId(dealer + 1),
    )
    const accusations = culprits.map((culprit) =>
      accuse(
        this.#options,
        this.#index,
        hostSecret,
        culprit,
        dealings[culprit - 1]!.nonce,
        random.bytes(32),
      ),
    )
    const complaint = encode(accusationsCodec, accusations)
    return new Abort('threshold/invalid-share', {
      culprits,
      complaint,
      proof: accusationProof(partyId(this.#index + 1), accusations),
    })
  }
}

type OwnResult = {
  readonly output: DkgOutput
  readonly transcript: Uint8Array
  readonly signature: Uint8Array
}

class CertificateRound<Out> implements Round<Out> {
  readonly number = 2
  readonly broadcast: Inlet
  readonly dispute: Inlet
  readonly #own: OwnResult
  readonly #parties: number
  readonly #finish: (certified: Certified) => Out
  readonly #signatures = new Map<number, Uint8Array>()
  #isDone = false

  constructor(
    session: DkgSession & Pick<DkgOptions, 'hostSecret'>,
    own: OwnResult,
    dealings: readonly CheckedDealing[],
    finish: (certified: Certified) => Out,
  ) {
    const { params } = session
    this.#own = own
    this.#finish = finish
    this.#parties = params.hostKeys.length
    this.broadcast = inlet(signedCodec, MAX_SIGNED_BYTES, (from, signed) => {
      // All dealings passed the echo check: another transcript can only be a lie.
      if (
        !equalBytes(signed.transcriptHash, transcriptHash(own.transcript)) ||
        !didSign(params, from - 1, own.transcript, signed.signature)
      )
        throw new Abort('threshold/invalid-certificate', {
          culprits: [from],
          proof: own.transcript,
        })
      this.#signatures.set(from - 1, signed.signature)
    })
    this.dispute = inlet(accusationsCodec, MAX_ACCUSATIONS_BYTES, (from, accusations) => {
      judgeAccusations(session, from, accusations, (accused) => dealings[accused - 1])
    })
  }

  advance(): Step<Out> {
    const { output, transcript, signature } = this.#own
    const certificate = concatBytes(
      ...Array.from({ length: this.#parties }, (_, i) => this.#signatures.get(i) ?? signature),
    )
    this.#isDone = true
    return done(this.#finish({ output, recoveryData: recoveryDataOf(transcript, certificate) }))
  }

  [Symbol.dispose](): void {
    if (!this.#isDone) this.#own.output.share?.[Symbol.dispose]()
  }
}
