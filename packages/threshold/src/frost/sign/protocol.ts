/**
 * FROST signing as a protocol for `Session`: two broadcast rounds from key share to signatures, or
 * one where the commitments were exchanged before there was anything to sign.
 */
import { Fault, type Random, type Secret } from '@quorate/base'
import type { PartyId } from '../../session/party.ts'
import { done, type Step } from '../../session/round.ts'
import { exchangeCommitments, type PreprocessedNonces } from './commit-round.ts'
import { MAX_ITEMS, type SigningItem } from './item.ts'
import { type GroupKey, signingKey } from './key.ts'
import { exchangeShares } from './share-round.ts'
import { SignerSet } from './signer-set.ts'

export const SIGNING_PROTOCOL = 'frost/sign'
export const PREPROCESSING_PROTOCOL = 'frost/preprocess'

/** Most pairs of nonces that one preprocessing session makes. */
export const MAX_PREPROCESSED = 256

export type SigningOptions = {
  readonly self: PartyId
  readonly signers: readonly PartyId[]
  readonly key: GroupKey
  /** This party's share of the untweaked key: encoded scalar, 32 bytes. Stays the caller's to wipe. */
  readonly share: Secret<Uint8Array>
  readonly random: Random
}

/**
 * The first step of signing every item, in one session; its output are the signatures (64 bytes
 * each) in the order of the items. With `preprocessed`, one per item, taken from the pool as spent,
 * the session starts at its second round. A wrong share ends it with an `Abort` that names every
 * cheater and carries a proof for `signingJudge`.
 * @throws threshold/bad-parameters, threshold/unsupported-tweak, threshold/bad-tweak before anything is sent
 */
export function startSigning(
  options: SigningOptions & {
    readonly items: readonly SigningItem[]
    readonly preprocessed?: readonly PreprocessedNonces[]
  },
): Step<readonly Uint8Array[]> {
  const { key, items, preprocessed } = options
  const checked = { ...options, signers: checkSigners(options) }
  if (items.length < 1 || items.length > MAX_ITEMS)
    throw new Fault('threshold/bad-parameters', {
      detail: `1 to ${MAX_ITEMS} items are signed at once`,
    })
  // Tweaks that the suite does not know must fail here, before nonces are made.
  for (const { tweaks } of items) signingKey(key, tweaks)
  if (preprocessed === undefined)
    return exchangeCommitments({ ...checked, suite: key.suite, count: items.length }, (fresh) =>
      exchangeShares({ ...checked, isPreprocessed: false }, fresh),
    )
  if (preprocessed.length !== items.length)
    throw new Fault('threshold/bad-parameters', {
      detail: 'one pair of nonces is needed for each item',
    })
  return exchangeShares({ ...checked, isPreprocessed: true }, preprocessed)
}

/** The first step of making `count` nonces for later signatures of these very signers. @throws threshold/bad-parameters */
export function startPreprocessing(
  options: SigningOptions & { readonly count: number },
): Step<readonly PreprocessedNonces[]> {
  const { count, key } = options
  if (!Number.isInteger(count) || count < 1 || count > MAX_PREPROCESSED)
    throw new Fault('threshold/bad-parameters', {
      detail: `1 to ${MAX_PREPROCESSED} pairs are made at once`,
    })
  return exchangeCommitments({ ...options, suite: key.suite, signers: checkSigners(options) }, done)
}

function checkSigners({ self, signers, key }: SigningOptions): readonly PartyId[] {
  const { parties } = new SignerSet(key, signers)
  if (!parties.includes(self))
    throw new Fault('threshold/bad-parameters', { detail: 'this party is not among the signers' })
  return parties
}
