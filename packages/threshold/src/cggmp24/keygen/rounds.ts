/**
 * Key generation in three rounds, and refresh in the same three: new shares of the same key, for
 * which every party deals a polynomial whose constant term is zero. All n parties take part.
 *
 *   1  out, in   broadcast  a commitment to round 2
 *   2  out, in   broadcast  coefficients·G, rid, chain code, first message of a Schnorr proof
 *                direct     fᵢ(j), to each party j
 *   3  out, in   broadcast  the response: this party knows xᵢ = Σⱼ fⱼ(i)
 *
 * Everybody is bound to its contribution before it sees another's, so nobody can steer the key, the
 * chain code or the challenge. The Schnorr nonce lives in this session's memory and nowhere else: a
 * session is never resumed.
 */
import { decode, type Random, Secret } from '@quorate/base'
import {
  commitTo,
  evaluate,
  mod,
  type Polynomial,
  randomPolynomial,
  secp256k1,
} from '@quorate/math'
import type { PartyId } from '../../session/party.ts'
import { done, type Step, toAll, toEach } from '../../session/round.ts'
import type { SharedEcdsaKey } from '../key.ts'
import { commitSch, respondSch } from '../proofs/sch.ts'
import { attestedRound, Replay } from '../replay.ts'
import {
  commitCodec,
  KeygenChecks,
  type KeygenFacts,
  type Open,
  openCodec,
  proveCodec,
  shareCodec,
} from './checks.ts'

export type KeygenOptions = KeygenFacts & {
  readonly self: PartyId
  readonly random: Random
  /** For a refresh: this party's share of the old generation. Stays the caller's to wipe. */
  readonly oldShare?: Secret<Uint8Array>
}

/** What one party brings, known to it from the start. */
type Dealing = {
  readonly polynomial: Polynomial
  readonly open: Open
  readonly nonce: bigint
}

function deal({ threshold, refreshes, random }: KeygenOptions): Dealing {
  const isRefresh = refreshes !== undefined
  const constant = isRefresh ? 0n : secp256k1.randomScalar(random)
  const polynomial = randomPolynomial(secp256k1, threshold, constant, random)
  const { nonce, A } = commitSch(random)
  return {
    polynomial,
    nonce,
    open: {
      coefficients: commitTo(secp256k1, isRefresh ? polynomial.slice(1) : polynomial),
      A,
      rid: random.bytes(32),
      chainCode: isRefresh ? new Uint8Array(32) : random.bytes(32),
      blind: random.bytes(32),
    },
  }
}

/** The first step of making a key, or new shares of one; give it to a `Session` of all parties 1 … n. */
export function beginEcdsaKeygen(options: KeygenOptions): Step<SharedEcdsaKey> {
  const { self } = options
  const checks = new KeygenChecks(options)
  const replay = new Replay(checks)
  const dealing = deal(options)
  const commit = { context: checks.context, opening: checks.openingOf(self, dealing.open) }
  return attestedRound(
    replay,
    self,
    {
      number: 1,
      broadcast: replay.broadcast(1),
      advance: () => openRound(options, checks, replay, dealing),
    },
    [toAll(commitCodec, commit)],
  )
}

function openRound(
  options: KeygenOptions,
  checks: KeygenChecks,
  replay: Replay,
  { polynomial, open, nonce }: Dealing,
): Step<SharedEcdsaKey> {
  const { self, parties, oldShare } = options
  const { order } = secp256k1
  const shareFor = (party: PartyId): bigint => evaluate(polynomial, BigInt(party), order)
  let sum = shareFor(self)
  const proveRound = (): Step<SharedEcdsaKey> => {
    const old = oldShare === undefined ? 0n : secp256k1.decodeScalar(oldShare.expose())
    const x = mod(old + sum, order)
    const setup = { level: options.level, context: checks.context, prover: self }
    const z = respondSch(setup, checks.statementOf(self), { nonce, A: open.A }, { x })
    return attestedRound(
      replay,
      self,
      {
        number: 3,
        broadcast: replay.broadcast(3),
        advance: () => done({ key: checks.key, share: new Secret(secp256k1.encodeScalar(x)) }),
      },
      [toAll(proveCodec, { z })],
    )
  }
  return attestedRound(
    replay,
    self,
    {
      number: 2,
      broadcast: replay.broadcast(2),
      direct: replay.direct(2, self, (_, body) => {
        sum = mod(sum + decode(shareCodec, body, { maxBytes: body.length }).share, order)
      }),
      advance: proveRound,
    },
    [
      toAll(openCodec(checks.degree), open),
      ...toEach(
        parties.filter((each) => each !== self),
        shareCodec,
        (to) => ({ share: shareFor(to) }),
      ),
    ],
  )
}
