/**
 * Auxiliary information in three rounds, for all parties of a cluster at once.
 *
 *   1  out, in   broadcast  a commitment to round 2
 *   2  out, in   broadcast  N, N̂, s, t, Π^prm, part of ρ
 *   3  out, in   broadcast  Π^mod under ρ
 *                direct     Π^fac under ρ and the receiver's ring-Pedersen parameters
 */
import type { Random } from '@quorate/base'
import type { PartyId } from '../../session/party.ts'
import { done, type Step, toAll, toEach } from '../../session/round.ts'
import { proveFac } from '../proofs/fac.ts'
import { proveMod } from '../proofs/mod.ts'
import { provePrm } from '../proofs/prm.ts'
import { attestedRound, Replay } from '../replay.ts'
import { type AuxInfo, type AuxPrimes, keysOfPrimes, type OwnKeys } from './aux-info.ts'
import {
  AuxChecks,
  type AuxFacts,
  commitCodec,
  facCodec,
  modCodec,
  type Open,
  openCodec,
} from './checks.ts'

export type AuxOptions = AuxFacts & {
  readonly self: PartyId
  /** Used here and never again. */
  readonly primes: AuxPrimes
  readonly random: Random
}

/** The first step of making auxiliary information; give it to a `Session` of all parties. */
export function beginAux(options: AuxOptions): Step<AuxInfo> {
  const { self, primes, random, level } = options
  const own = keysOfPrimes(primes, random)
  const { paillier, parameters } = own
  const checks = new AuxChecks(options, { party: self, keys: own })
  const replay = new Replay(checks)
  const open: Open = {
    n: paillier.n,
    nHat: parameters.n,
    s: parameters.s,
    t: parameters.t,
    prm: provePrm(checks.setupOf(self), { parameters }, parameters, random),
    rho: random.bytes(32),
    blind: random.bytes(32),
  }
  const openRound = (): Step<AuxInfo> =>
    attestedRound(
      replay,
      self,
      {
        number: 2,
        broadcast: replay.broadcast(2),
        advance: () => proveRound(options, checks, replay, own),
      },
      [toAll(openCodec(level), open)],
    )
  return attestedRound(
    replay,
    self,
    { number: 1, broadcast: replay.broadcast(1), advance: openRound },
    [toAll(commitCodec, { context: checks.context, opening: checks.openingOf(self, open) })],
  )
}

function proveRound(
  { self, parties, level, random }: AuxOptions,
  checks: AuxChecks,
  replay: Replay,
  own: OwnKeys,
): Step<AuxInfo> {
  const setup = checks.setupOf(self)
  const { rho, keys } = checks
  const key = own.paillier
  const others = parties.filter((each) => each !== self)
  return attestedRound(
    replay,
    self,
    {
      number: 3,
      broadcast: replay.broadcast(3),
      direct: replay.direct(3, self, () => undefined),
      advance: () => done({ level, digest: checks.digest, keys, self, own }),
    },
    [
      toAll(modCodec(level), { mod: proveMod(setup, { rho, key }, key, random) }),
      ...toEach(others, facCodec(level), (to) => ({
        fac: proveFac(
          { ...setup, verifier: to },
          { rho, verifierParameters: keys.get(to)!.parameters, key },
          key,
          random,
        ),
      })),
    ],
  )
}
