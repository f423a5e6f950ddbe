/**
 * Refresh: the same parties, threshold and key get new shares, and old ones become worthless. Every
 * party deals a polynomial whose constant term is zero, f(x) = x·g(x), by the same encrypted and proved
 * exchange as in key generation, and all sign the joint transcript, which names the generation that is
 * refreshed. Only with everyone's signature may a party drop its old share; one that missed a signature
 * gets its new share from any other's recovery data (`recoverRefresh`), at any time.
 *
 * Shares of two generations do not interpolate to the key, which is what makes stolen old ones useless.
 * A key of threshold 1 cannot be refreshed: its shares are the key.
 */
import { Secret } from '@quorate/base'
import { type Commitment, type Group, mod, Transcript } from '@quorate/math'
import type { Step } from '../session/round.ts'
import { groupKeyOf } from './dealer.ts'
import { recover } from './keygen/certificate.ts'
import type { SharedKey } from './keygen/keygen.ts'
import type { DkgOutput } from './keygen/outcome.ts'
import { beginDkg, type DkgOptions } from './keygen/rounds.ts'

/** What a refresh starts from; nothing in it is tweaked. */
export type Generation = Pick<SharedKey, 'key' | 'commitment' | 'share' | 'tweaks'> & {
  /** Number of refreshes and reshares that the key has been through. */
  readonly number: number
}

/** The digest of a generation (32 bytes) that goes into `DkgParameters.refreshes`. */
export function generationDigest(group: Group, number: number, commitment: Commitment): Uint8Array {
  const transcript = new Transcript('frost-generation')
    .number('number', number)
    .number('threshold', commitment.length)
  for (const element of commitment) transcript.element('commitment', group, element)
  return transcript.digest()
}

/**
 * Begins a refresh of `old`; `options.params` are those of the session, with `refreshes` set to the
 * digest of `old`. Treats the old share as secret and leaves it alone: the caller drops it after the
 * new one is stored.
 */
export const beginRefresh = (options: DkgOptions, old: Generation): Step<SharedKey> =>
  beginDkg(options, ({ output, recoveryData }) => refreshed(old, output, recoveryData))

/** The new share from the recovery data of a refresh that succeeded elsewhere. @throws threshold/bad-recovery-data, threshold/bad-host-key */
export function recoverRefresh(
  options: Pick<DkgOptions, 'params' | 'hostSecret'>,
  old: Generation,
  recoveryData: Uint8Array,
): SharedKey {
  const { suite, refreshes } = options.params
  const { output } = recover(suite, recoveryData, options.hostSecret, refreshes)
  return refreshed(old, output, recoveryData)
}

function refreshed(
  old: Generation,
  { commitment: g, share: change }: DkgOutput,
  recoveryData: Uint8Array,
): SharedKey {
  const { suite, verifyingShares } = old.key
  const { group } = suite
  const commitment = old.commitment.map((element, k) =>
    k === 0 ? element : group.add(element, g[k - 1]!),
  )
  const share = mod(
    group.decodeScalar(old.share.expose()) + group.decodeScalar(change!.expose()),
    group.order,
  )
  change![Symbol.dispose]()
  return {
    key: groupKeyOf(suite, commitment, [...verifyingShares.keys()]),
    commitment,
    share: new Secret(group.encodeScalar(share)),
    tweaks: old.tweaks,
    recoveryData,
  }
}
