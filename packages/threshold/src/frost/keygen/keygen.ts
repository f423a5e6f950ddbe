/** Key generation for wallets: the joint secret of `rounds.ts` as a FROST key that can sign. */
import { bug, type Secret } from '@quorate/base'
import type { Commitment } from '@quorate/math'
import { partiesUpTo } from '../../session/party.ts'
import type { Step } from '../../session/round.ts'
import { groupKeyOf } from '../dealer.ts'
import type { GroupKey } from '../sign/key.ts'
import type { FrostSuiteId } from '../suite.ts'
import { frostSuite } from '../suites/table.ts'
import type { Tweak } from '../tweak.ts'
import { chillDkg } from './chilldkg.ts'
import { ed25519Dkg } from './ed25519-dkg.ts'
import type { DkgOutput } from './outcome.ts'
import { beginDkg, type DkgOptions } from './rounds.ts'
import type { DkgSuite } from './suite.ts'

const DKG_SUITES: { readonly [Id in FrostSuiteId]: DkgSuite } = {
  'FROST-ED25519-SHA512-v1': ed25519Dkg,
  'FROST-secp256k1-SHA256-TR-v1': chillDkg,
}

/** The key generation that belongs to a FROST suite. @throws threshold/unknown-suite */
export const dkgSuite = (id: string): DkgSuite => DKG_SUITES[frostSuite(id).id]

/**
 * Tweaks that a new key of the suite needs before it may hold value. In a joint BIP-340 key one party
 * could have hidden a Taproot script path of its own, so it is only used behind BIP-341's commitment to
 * no script at all. The key itself stays untweaked: ChillDKG's own commitment is left out, and this one
 * is applied when signing, so that no key is ever tweaked twice.
 */
export const safeTweaks = (id: FrostSuiteId): readonly Tweak[] =>
  id === 'FROST-secp256k1-SHA256-TR-v1' ? [{ kind: 'taproot' }] : []

/** A key as one party holds it. Nothing in `key`, `commitment` and `share` is tweaked. */
export type SharedKey = {
  readonly key: GroupKey
  readonly commitment: Commitment
  /** Encoded scalar, 32 bytes. */
  readonly share: Secret<Uint8Array>
  readonly tweaks: readonly Tweak[]
  /** Everyone's signature of the result, and enough to get the share back with the host secret. Public. */
  readonly recoveryData: Uint8Array
}

/**
 * Begins the generation of a new key; give the step to a `Session` of all parties 1 … n.
 * @throws threshold/bad-parameters for parameters of a refresh, threshold/bad-host-key, threshold/bad-randomness
 */
export function beginKeygen(options: DkgOptions): Step<SharedKey> {
  if (options.params.refreshes !== undefined) bug('a refresh does not make a new key')
  return beginDkg(options, ({ output, recoveryData }) =>
    sharedKey(options.params.suite.id, output, recoveryData),
  )
}

/** The key that the output of a key generation with a share stands for, e.g. one from `recover`. */
export function sharedKey(
  id: FrostSuiteId,
  { commitment, share, parties }: DkgOutput,
  recoveryData: Uint8Array,
): SharedKey {
  if (share === undefined) bug('a coordinator holds no key')
  const key = groupKeyOf(frostSuite(id), commitment, partiesUpTo(parties))
  return { key, commitment, share, tweaks: safeTweaks(id), recoveryData }
}
