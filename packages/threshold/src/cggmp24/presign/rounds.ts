/**
 * Presigning in three rounds, for several presignatures at once, and signing in one more where the
 * messages are known from the start.
 *
 *   1  out, in   broadcast  K, G, Y, A, B      direct  Π^enc-elg, twice
 *   2  out, in   broadcast  Γ, Π^elog, links   direct  D, F, D̂, F̂, Π^aff-g, twice
 *   3  out, in   broadcast  δ, S, Δ, Π^elog
 *
 * Every broadcast is echoed, so a presignature exists only after all signers attested the same third
 * round. Where δ or χ does not fit, the session goes on as an alert (`alert.ts`), which names whoever
 * is to blame; no presignature comes of it.
 */
import { decode, type Random, type Secret } from '@quorate/base'
import { inverse, mod, secp256k1 } from '@quorate/math'
import type { PartyId } from '../../session/party.ts'
import { done, type Step, toAll, toEach } from '../../session/round.ts'
import type { OwnKeys } from '../aux/aux-info.ts'
import { attestedRound, Replay } from '../replay.ts'
import { raiseAlert } from './alert.ts'
import { PresignChecks, type PresignFacts } from './checks.ts'
import { entropyCommitment } from './entropy.ts'
import {
  commitCodec,
  commitProofsCodec,
  deltaCodec,
  productsCodec,
  revealCodec,
} from './messages.ts'
import { Presignature } from './presignature.ts'
import { ItemSigner } from './signer.ts'

export type PresignOptions = PresignFacts & {
  readonly self: PartyId
  readonly own: OwnKeys
  /** xᵢ: this party's share of the key, 32 bytes, neither weighted nor tweaked. Stays the caller's to wipe. */
  readonly share: Secret<Uint8Array>
  readonly random: Random
}

/** One session of this signer. */
export type PresignSession = {
  readonly options: PresignOptions
  readonly checks: PresignChecks
  readonly replay: Replay
  readonly items: readonly ItemSigner[]
}

/** What follows a presigning that succeeded. */
type Continue<Out> = (session: PresignSession, presignatures: readonly Presignature[]) => Step<Out>

/** The first step of making one presignature for each item. */
export const beginPresign = (options: PresignOptions): Step<readonly Presignature[]> =>
  presigning(options, (_, presignatures) => done(presignatures))

/** The first step of presigning and what comes after it. */
export function presigning<Out>(options: PresignOptions, then: Continue<Out>): Step<Out> {
  const { self, own, share, random, level } = options
  const checks = new PresignChecks(options)
  const x = mod(secp256k1.decodeScalar(share.expose()) * checks.weights.get(self)!, secp256k1.order)
  const isFirst = options.signers[0] === self
  const items = options.items.map((_, item) => {
    const { tweak } = checks.itemKeys[item]!
    const weighted = mod(isFirst ? x + tweak : x, secp256k1.order)
    return new ItemSigner(checks, item, self, own, weighted, random)
  })
  const session = { options, checks, replay: new Replay(checks), items }
  const count = items.length
  return attestedRound(
    session.replay,
    self,
    {
      number: 1,
      broadcast: session.replay.broadcast(1),
      direct: session.replay.direct(1, self, () => undefined),
      advance: () => revealRound(session, then),
    },
    [
      toAll(commitCodec(level, count), {
        context: checks.context,
        items: items.map(({ commit }) => commit),
      }),
      ...toEach(checks.othersOf(self), commitProofsCodec(level, count), (to) =>
        items.map((item) => item.commitProofs(to)),
      ),
    ],
  )
}

function revealRound<Out>(session: PresignSession, then: Continue<Out>): Step<Out> {
  const { options, checks, replay, items } = session
  const { self, level } = options
  const others = checks.othersOf(self)
  const count = items.length
  const reveals = items.map((item) => item.reveal())
  return attestedRound(
    replay,
    self,
    {
      number: 2,
      broadcast: replay.broadcast(2),
      direct: replay.direct(2, self, (from, body) => {
        const products = decode(productsCodec(level, count), body, { maxBytes: body.length })
        for (const [i, { gamma, x }] of products.entries())
          items[i]!.received.set(from, { gamma, x })
      }),
      advance: () => deltaRound(session, then),
    },
    [
      toAll(revealCodec(level, count, others.length), reveals),
      ...toEach(others, productsCodec(level, count), (to) =>
        items.map((item, i) => item.products(to, reveals[i]!.Gamma)),
      ),
    ],
  )
}

function deltaRound<Out>(session: PresignSession, then: Continue<Out>): Step<Out> {
  const { options, checks, replay, items } = session
  const { self, level, random, isRerandomised = false } = options
  const entropies = items.map(() => (isRerandomised ? random.bytes(32) : undefined))
  const own = items.map((item, i) => {
    const entropy = entropies[i]
    return item.delta(entropy && entropyCommitment(checks.context, i, self, entropy))
  })
  return attestedRound(
    replay,
    self,
    {
      number: 3,
      broadcast: replay.broadcast(3),
      advance() {
        if (checks.alert !== undefined) return raiseAlert(session, checks.alert)
        const presignatures = checks.presignatures.map((of, i) => {
          const scale = inverse(of.delta, secp256k1.order)
          const scaled = (secret: bigint): bigint => mod(secret * scale, secp256k1.order)
          return new Presignature(of, self, scaled(items[i]!.k), scaled(own[i]!.chi), entropies[i])
        })
        return then(session, presignatures)
      },
    },
    [toAll(deltaCodec(level, items.length), own)],
  )
}
