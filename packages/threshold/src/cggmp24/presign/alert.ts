/**
 * The alert that follows a third round in which δ or χ does not fit (Canetti et al., eprint 2021/060,
 * revision of 2024-10, Figures 9 and 10): every signer opens the products of one presignature and
 * proves what it decrypted (Π^dec) and what it sent (Π^aff-g*), until a proof fails.
 *
 *   5        out, in   broadcast  products received and sent, Π^dec
 *   6, 7 …   out, in   broadcast  Π^aff-g* for the product sent to the first, second … other signer
 *
 * All signers attested the same third round, so all of them raise the same alert. At least one of them
 * cannot prove its part; honest ones always can.
 */

import { mod, secp256k1 } from '@quorate/math'
import { Abort } from '../../session/abort.ts'
import type { PartyId } from '../../session/party.ts'
import { type Step, toAll } from '../../session/round.ts'
import { proveAffGStar } from '../proofs/aff-g-star.ts'
import { proveDec } from '../proofs/dec.ts'
import { attestedRound } from '../replay.ts'
import { type Alert, sumOfProducts } from './checks.ts'
import { alertAffGCodec, alertDecCodec, type Product } from './messages.ts'
import type { PresignSession } from './rounds.ts'

/** Goes through the alert, which ends in an `Abort`. */
export function raiseAlert<Out>(session: PresignSession, alert: Alert): Step<Out> {
  const { options, checks, replay, items } = session
  const { self, own, level, random, signers } = options
  const { item, kind } = alert
  const signer = items[item]!
  const which = kind === 0 ? 'gamma' : 'x'
  const others = checks.othersOf(self)
  const received: readonly Product[] = others.map((other) => signer.received.get(other)![which])
  const sent: readonly Product[] = others.map((other) => signer.sent.get(other)![which].product)
  const { paillier } = own
  const x = kind === 0 ? signer.gamma : signer.x
  const { K } = signer.commit
  const D = sumOfProducts(paillier, received, sent)
  const y = paillier.decrypt(paillier.add(paillier.multiply(K, x), D))
  const Gamma = checks.gammaOf(item)
  const statement = {
    instance: kind,
    view: checks.view,
    signers: signers.length,
    key: paillier,
    K,
    D,
    X: secp256k1.mulBase(mod(x, secp256k1.order)),
    S: secp256k1.mulSecret(mod(y, secp256k1.order), kind === 0 ? secp256k1.generator : Gamma),
    G: kind === 0 ? secp256k1.generator : Gamma,
  }
  const proof = proveDec(checks.setupOf(self), statement, { x, y, key: paillier }, random)
  return attestedRound(
    replay,
    self,
    {
      number: 5,
      broadcast: replay.broadcast(5),
      advance: () => productRound(session, alert, others),
    },
    [toAll(alertDecCodec(level, signers.length), { item, received, sent, proof })],
  )
}

function productRound<Out>(
  session: PresignSession,
  alert: Alert,
  [to, ...rest]: readonly PartyId[],
): Step<Out> {
  const { options, checks, replay, items } = session
  const { self, level, random } = options
  if (to === undefined)
    throw new Abort('threshold/degenerate', { detail: 'an alert without a cause' })
  const signer = items[alert.item]!
  const { y, nonce, nonceY } = signer.sent.get(to)![alert.kind === 0 ? 'gamma' : 'x']
  const x = alert.kind === 0 ? signer.gamma : signer.x
  const statement = checks.alertStatement(self, to)
  const witness = { x, y, nonce, nonceY }
  const proof = proveAffGStar(checks.setupOf(self), statement, witness, random)
  const number = 6 + options.signers.length - 2 - rest.length
  return attestedRound(
    replay,
    self,
    {
      number,
      broadcast: replay.broadcast(number),
      advance: () => productRound(session, alert, rest),
    },
    [toAll(alertAffGCodec(level), { proof })],
  )
}
